/* SPDX-License-Identifier: MIT */
#include "cli/event-text.h"

#include "base/names.h"
#include "base/span.h"
#include "cli/output.h"
#include "cli/report.h"

#include <string.h>

static void add_error(struct tenf_text *t, const struct tenf_error *error)
{
	if (error->reason == TENF_REASON_NONE && error->text[0] == '\0')
		return;
	tenf_text_add(t, ": ");
	tenf_text_add(t, report_reason(error));
}

/* Which mapping a line is about, where there is more than one. */
static void add_which(struct tenf_text *t, const struct tenf_mapping *m,
		      const struct event_style *style)
{
	if (!style->several)
		return;
	tenf_text_add_number(t, m->internal_port);
	tenf_text_add_char(t, '/');
	tenf_text_add(t, style->protocol);
	tenf_text_add_char(t, ' ');
}

static void add_held(struct tenf_text *t, const struct tenf_event *event,
		     const struct event_style *style)
{
	const struct tenf_mapping *m = &event->mapping;

	report_mapping(t, m, style->protocol);
	tenf_text_add(t, "   ");
	if (m->renews_at > event->at) {
		tenf_text_add(t, "held, renews every ");
		tenf_span_add(t, (uint64_t)(m->renews_at - event->at));
	} else if (m->expires_at > 0) {
		tenf_text_add(t, "open ");
		report_lease(t, style->now, m);
	} else {
		tenf_text_add(t, "open");
	}
	report_filtering(t, m);
}

static void add_change(struct tenf_text *t, const struct tenf_event *event,
		       const struct event_style *style)
{
	const struct tenf_mapping *now = &event->mapping, *was = &event->before;
	bool other_address = strcmp(now->external_address, was->external_address) != 0;

	add_which(t, now, style);
	if (was->id == 0) {
		tenf_text_add(t, "changed: outside is now ");
		output_endpoint(t, now->external_address, now->external_port, style->protocol);
		return;
	}
	if (!other_address) {
		tenf_text_add(t, "changed: outside port is now ");
		tenf_text_add_number(t, now->external_port);
		tenf_text_add(t, " (was ");
		tenf_text_add_number(t, was->external_port);
	} else if (now->external_port == was->external_port) {
		tenf_text_add(t, "changed: outside address is now ");
		tenf_text_add(t, now->external_address);
		tenf_text_add(t, " (was ");
		tenf_text_add(t, was->external_address);
	} else {
		tenf_text_add(t, "changed: outside is now ");
		output_endpoint(t, now->external_address, now->external_port, NULL);
		tenf_text_add(t, " (was ");
		output_endpoint(t, was->external_address, was->external_port, NULL);
	}
	tenf_text_add_char(t, ')');
}

/* The end of a wait for the first answer is told as a loss too. */
static bool was_held(const struct tenf_mapping *before)
{
	return before->id != 0 && before->external_port != 0;
}

static void add_removed(struct tenf_text *t, const struct tenf_event *event,
			const struct event_style *style)
{
	const struct tenf_mapping *m = &event->mapping;

	add_which(t, m, style);
	if (m->external_port == 0) {
		tenf_text_add(t, "given up; nothing was held");
		return;
	}
	if (m->error.reason == TENF_REASON_NONE) {
		tenf_text_add(t, "removed");
		return;
	}
	tenf_text_add(t, "not removed");
	add_error(t, &m->error);
	if (m->expires_at > style->now) {
		tenf_text_add(t, " It ends by itself ");
		output_until(t, style->now, m->expires_at);
	}
}

static void add_gateway(struct tenf_text *t, const struct tenf_gateway *g, int64_t now)
{
	if (g->address[0] == '\0') {
		tenf_text_add(t, "no gateway");
		add_error(t, &g->error);
		return;
	}
	tenf_text_add(t, "gateway ");
	report_gateway(t, now, g);
	if (g->spoken_count == 0)
		add_error(t, &g->error);
}

static void add_address(struct tenf_text *t, const struct tenf_event *event)
{
	const char *now = event->gateway.external_address, *was = event->address_before;

	if (now[0] == '\0') {
		tenf_text_add(t, "the gateway has no outside address");
	} else {
		tenf_text_add(t, was[0] != '\0' ? "outside address is now "
						: "outside address is ");
		tenf_text_add(t, now);
		tenf_text_add(t, " (");
		tenf_text_add(t, tenf_class_code(output_class_of(now)));
		tenf_text_add_char(t, ')');
	}
	if (was[0] != '\0') {
		tenf_text_add(t, ", was ");
		tenf_text_add(t, was);
	}
}

static void add_what(struct tenf_text *t, const struct tenf_event *event,
		     const struct event_style *style)
{
	switch (event->kind) {
	case TENF_EVENT_GATEWAY:
		add_gateway(t, &event->gateway, style->now);
		return;
	case TENF_EVENT_GATEWAY_RESTART:
		tenf_text_add(t, style->holds ? "gateway restarted; asking again"
					      : "gateway restarted; what it held may be gone");
		return;
	case TENF_EVENT_ADDRESS:
		add_address(t, event);
		return;
	case TENF_EVENT_MAPPED:
		add_held(t, event, style);
		return;
	case TENF_EVENT_CHANGED:
		add_change(t, event, style);
		return;
	case TENF_EVENT_RENEWED:
		add_which(t, &event->mapping, style);
		tenf_text_add(t, "renewed ");
		report_lease(t, style->now, &event->mapping);
		return;
	case TENF_EVENT_LOST:
		add_which(t, &event->mapping, style);
		tenf_text_add(t, was_held(&event->before) ? "lost" : "not mapped");
		add_error(t, &event->mapping.error);
		return;
	case TENF_EVENT_REFUSED:
		add_which(t, &event->mapping, style);
		tenf_text_add(t, "not mapped");
		add_error(t, &event->mapping.error);
		return;
	case TENF_EVENT_REMOVED:
		add_removed(t, event, style);
		return;
	}
}

void event_text(struct tenf_text *t, const struct tenf_event *event,
		const struct event_style *style)
{
	output_clock(t, event->at > 0 ? event->at : style->now);
	tenf_text_add(t, "  ");
	if (style->label != NULL) {
		tenf_text_add(t, style->label);
		tenf_text_add(t, "  ");
	}
	add_what(t, event, style);
}

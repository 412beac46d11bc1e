/* SPDX-License-Identifier: MIT */
#include "cli/holder.h"

#include "base/forward.h"
#include "cli/devices.h"
#include "cli/event-text.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/port-file.h"
#include "cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long the event of one half of a pair waits for that of the other. */
#define PAIR_WAIT_MS 500
#define EVENTS_TOGETHER 64

static enum output_color color_of(enum tenf_event_kind kind)
{
	switch (kind) {
	case TENF_EVENT_MAPPED:
	case TENF_EVENT_RENEWED:
		return OUTPUT_GREEN;
	case TENF_EVENT_LOST:
	case TENF_EVENT_REFUSED:
		return OUTPUT_RED;
	case TENF_EVENT_CHANGED:
	case TENF_EVENT_GATEWAY_RESTART:
		return OUTPUT_YELLOW;
	case TENF_EVENT_GATEWAY:
	case TENF_EVENT_ADDRESS:
	case TENF_EVENT_REMOVED:
		break;
	}
	return OUTPUT_PLAIN;
}

/* What people want to see pass by: a renewal only where the gateway had restarted, and
 * not what is told anyway by the lines about mappings. */
static bool is_talked_of(const struct cli *cli, const struct holder *h,
			 const struct tenf_event *event)
{
	const struct half *half = batch_find(&h->batch, event->mapping.id);

	if (cli->global.verbose)
		return true;
	if (event->kind == TENF_EVENT_GATEWAY)
		return h->gateway_seen;
	if (event->kind == TENF_EVENT_RENEWED)
		return half != NULL && half->asked_again;
	return event->kind != TENF_EVENT_ADDRESS;
}

/* After a restart of the gateway each mapping has a word of its own. */
static void note_restart(struct holder *h, const struct tenf_event *event)
{
	struct half *half = batch_find(&h->batch, event->mapping.id);
	struct half *pair = half != NULL ? batch_find(&h->batch, half->pair) : NULL;

	for (size_t i = 0; event->kind == TENF_EVENT_GATEWAY_RESTART && i < h->batch.count; i++)
		h->batch.halves[i].asked_again = true;
	if (half != NULL)
		half->asked_again = false;
	if (pair != NULL)
		pair->asked_again = false;
}

static void print_people(struct cli *cli, const struct holder *h, const struct tenf_event *event,
			 const char *protocol)
{
	char line[REPORT_LINE * 2];
	struct tenf_text t = tenf_text_of(line, sizeof(line));
	struct event_style style = { .protocol = protocol,
				     .several = h->wishes.count > 1,
				     .holds = true,
				     .now = cli->now() };

	if (!is_talked_of(cli, h, event))
		return;
	event_text(&t, event, &style);
	output_wrapped(cli, cli->out, color_of(event->kind), EVENT_TEXT_INDENT, line);
}

static bool is_change(enum tenf_event_kind kind)
{
	switch (kind) {
	case TENF_EVENT_MAPPED:
	case TENF_EVENT_CHANGED:
	case TENF_EVENT_LOST:
	case TENF_EVENT_REFUSED:
	case TENF_EVENT_REMOVED:
		return true;
	case TENF_EVENT_GATEWAY:
	case TENF_EVENT_GATEWAY_RESTART:
	case TENF_EVENT_ADDRESS:
	case TENF_EVENT_RENEWED:
		return false;
	}
	return false;
}

/* One thing that happened, to one mapping or to a pair alike. */
static void tell(struct cli *cli, struct holder *h, const struct tenf_event *event, bool both)
{
	enum tenf_protocol protocol = event->mapping.protocol;

	if (!cli->global.json)
		print_people(cli, h, event, both ? "tcp+udp" : tenf_protocol_name(protocol));
	note_restart(h, event);
	if (is_change(event->kind))
		hooks_tell(cli, &h->hooks, event->kind, &event->mapping,
			   tenf_protocol_name(both ? TENF_BOTH : protocol), h->wishes.name);
}

static void tell_waiting(struct cli *cli, struct holder *h, struct half *half, bool both)
{
	struct tenf_event *event = half->waiting;

	if (event == NULL)
		return;
	half->waiting = NULL;
	tell(cli, h, event, both);
	free(event);
}

static bool same_news(const struct tenf_event *a, const struct tenf_event *b)
{
	return a->kind == b->kind && a->mapping.external_port == b->mapping.external_port &&
	       a->mapping.error.reason == b->mapping.error.reason;
}

/* The halves of a pair get the same news one after the other; people and hooks
 * get it once. */
static void tell_half(struct cli *cli, struct holder *h, struct half *half,
		      const struct tenf_event *event)
{
	struct half *other = half->pair != 0 ? batch_find(&h->batch, half->pair) : NULL;

	if (other == NULL) {
		tell(cli, h, event, false);
		return;
	}
	if (other->waiting != NULL && same_news(other->waiting, event)) {
		tell_waiting(cli, h, other, true);
		return;
	}
	tell_waiting(cli, h, other, false);
	tell_waiting(cli, h, half, false);
	half->waiting = malloc(sizeof(*half->waiting));
	if (half->waiting == NULL) {
		tell(cli, h, event, false);
		return;
	}
	*half->waiting = *event;
	half->waiting_since_ms = cli->steady_ms();
}

/* Tells what waited for its pair long enough; milliseconds until the next, or
 * -1. */
static int tell_overdue(struct cli *cli, struct holder *h, int64_t wait_ms)
{
	int64_t now = cli->steady_ms();
	int next = -1;

	for (size_t i = 0; i < h->batch.count; i++) {
		struct half *half = &h->batch.halves[i];
		int64_t left = half->waiting_since_ms + wait_ms - now;

		if (half->waiting == NULL)
			continue;
		if (left <= 0)
			tell_waiting(cli, h, half, false);
		else if (next < 0 || left < next)
			next = (int)left;
	}
	return next;
}

static void tell_event(struct cli *cli, struct holder *h, const struct tenf_event *event)
{
	struct half *half = batch_find(&h->batch, event->mapping.id);
	struct json_label label = { half != NULL ? half->number : 0, h->wishes.name };

	if (cli->global.json)
		(void)json_print_line(cli, json_event(event, &label));
	if (half != NULL)
		tell_half(cli, h, half, event);
	else
		tell(cli, h, event, false);
	if (event->kind == TENF_EVENT_GATEWAY)
		h->gateway_seen = true;
}

/* The record comes before the lines, which name the ids it gives, and is
 * written once for all that happened together. */
static void tell_all(struct cli *cli, struct holder *h, const struct tenf_event *events,
		     size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)batch_take(&h->batch, &events[i]);
	batch_record(cli, &h->batch);
	through_keep_record(cli, &h->through, &h->batch);
	for (size_t i = 0; i < count; i++)
		tell_event(cli, h, &events[i]);
}

static bool next_event(struct cli *cli, struct holder *h, struct tenf_event *ret)
{
	if (h->through.wanted)
		return through_keep_next_event(cli, &h->through, &h->batch, ret);
	return tenf_session_next_event(h->batch.session, ret);
}

/* True when there were any. */
static bool take_events(struct cli *cli, struct holder *h)
{
	struct tenf_event events[EVENTS_TOGETHER];
	bool any = false;
	size_t count;

	do {
		count = 0;
		while (count < EVENTS_TOGETHER && next_event(cli, h, &events[count]))
			count++;
		tell_all(cli, h, events, count);
		any = any || count > 0;
	} while (count == EVENTS_TOGETHER);
	return any;
}

static void write_port_file(struct cli *cli, struct holder *h)
{
	if (h->port_file == NULL)
		return;
	if (port_file_write(h->port_file, &h->batch) == TENF_OK) {
		h->port_file_failed = false;
	} else if (!h->port_file_failed) {
		h->port_file_failed = true;
		cli_error(cli, "cannot write %s: %s", h->port_file, strerror(errno));
	}
}

static int sooner(int a, int b)
{
	if (a < 0)
		return b;
	return b >= 0 && b < a ? b : a;
}

bool holder_step(struct cli *cli, struct holder *h, int limit_ms)
{
	enum tenf_status status;

	limit_ms = sooner(limit_ms, tell_overdue(cli, h, PAIR_WAIT_MS));
	limit_ms = sooner(limit_ms, hooks_timeout_ms(cli, &h->hooks));
	limit_ms = sooner(limit_ms, through_keep_timeout_ms(cli, &h->through));
	h->loop.watched[0] = through_keep_fd(&h->through);
	status = loop_step(&h->loop, limit_ms);
	if (status == TENF_OK)
		status = through_keep_process(&h->through);
	if (status != TENF_OK)
		cli_detail(cli, "%s; going on", tenf_status_text(status));
	if (take_events(cli, h))
		write_port_file(cli, h);
	(void)tell_overdue(cli, h, PAIR_WAIT_MS);
	hooks_step(cli, &h->hooks);
	return cli_flush(cli);
}

int holder_start(struct cli *cli, struct holder *h)
{
	int status;

	*h = (struct holder){ .port_file = cli->arguments.value[CLI_PORT_FILE] };
	loop_init(&h->loop, NULL);
	status = wishes_read(cli, &h->wishes);
	if (status == CLI_EXIT_DONE)
		status = port_file_check(cli, h->port_file);
	if (status != CLI_EXIT_DONE)
		return status;
	if (!loop_take_signals(&h->loop)) {
		cli_error(cli, "cannot take signals: %s", strerror(errno));
		return CLI_EXIT_FAILURE;
	}
	hooks_init(&h->hooks, cli->arguments.value[CLI_ON_CHANGE], &h->loop.before);
	status = batch_start(cli, &h->wishes, true, &h->batch);
	h->loop.session = h->batch.session;
	if (status == CLI_EXIT_DONE)
		status = through_keep_start(cli, &h->batch, &h->through);
	return status;
}

static bool all_removed(const struct holder *h)
{
	for (size_t i = 0; i < h->batch.count; i++) {
		if (h->batch.halves[i].mapping.state != TENF_STATE_REMOVED)
			return false;
	}
	return true;
}

/* What the gateway did not confirm in time is told as the session tells it
 * when it gives up itself. */
static void give_up(struct cli *cli, struct holder *h)
{
	through_keep_give_up(&h->through, &h->batch);
	for (size_t i = 0; i < h->batch.count; i++) {
		struct half *half = &h->batch.halves[i];
		struct tenf_event event = { .kind = TENF_EVENT_REMOVED, .at = cli->now() };

		if (half->mapping.state == TENF_STATE_REMOVED)
			continue;
		event.mapping = half->mapping;
		event.mapping.state = TENF_STATE_REMOVED;
		event.mapping.error = (struct tenf_error){ .reason = TENF_REASON_SILENT,
							   .result = -1 };
		tell_all(cli, h, &event, 1);
	}
}

static int removal_exit(const struct holder *h)
{
	int worst = CLI_EXIT_DONE;

	for (size_t i = 0; i < h->batch.count; i++) {
		const struct half *half = &h->batch.halves[i];

		if (half->number != 0)
			worst = cli_exit_worse(worst,
					       cli_exit_of_reason(half->mapping.error.reason));
	}
	return worst;
}

int holder_leave(struct cli *cli, struct holder *h)
{
	int64_t end = cli->steady_ms() + HOLDER_GOODBYE_MS;
	bool typed;

	h->leaving = true;
	tenf_session_remove_all(h->batch.session);
	through_keep_remove_all(&h->through);
	(void)take_events(cli, h);
	while (!all_removed(h) || hooks_busy(&h->hooks)) {
		int64_t left = end - cli->steady_ms();
		int sig;

		if (left <= 0)
			break;
		(void)holder_step(cli, h, (int)left);
		sig = loop_signal(&h->loop, &typed);
		if (sig != 0 && sig != SIGCHLD)
			break;
	}
	give_up(cli, h);
	(void)tell_overdue(cli, h, 0);
	hooks_leave(cli, &h->hooks);
	write_port_file(cli, h);
	report_counters(cli, h->batch.session);
	devices_keep_session(cli, h->batch.session);
	return removal_exit(h);
}

void holder_done(struct holder *h)
{
	hooks_done(&h->hooks);
	batch_done(&h->batch);
	through_keep_done(&h->through);
	loop_done(&h->loop);
	wishes_done(&h->wishes);
}

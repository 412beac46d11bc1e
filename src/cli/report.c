/* SPDX-License-Identifier: MIT */
#include "cli/report.h"

#include "base/forward.h"
#include "base/names.h"
#include "base/span.h"
#include "cli/output.h"

#include <string.h>

void report_mapping(struct tenf_text *t, const struct tenf_mapping *m, const char *protocol)
{
	output_endpoint(t, m->external_address, m->external_port, protocol);
	tenf_text_add(t, " → ");
	output_endpoint(t, m->internal_address, m->internal_port, NULL);
}

void report_lease(struct tenf_text *t, int64_t now, const struct tenf_mapping *m)
{
	if (m->lifetime_s == UINT32_MAX) {
		tenf_text_add(t, "until it is removed");
		return;
	}
	tenf_text_add(t, "until ");
	output_moment(t, now, m->expires_at);
	tenf_text_add(t, " (");
	tenf_span_add(t, m->lifetime_s);
	tenf_text_add(t, ")");
}

void report_filtering(struct tenf_text *t, const struct tenf_mapping *m)
{
	if (m->filtering == TENF_FILTERING_ECHOED)
		tenf_text_add(t, "   filtered");
	else if (m->filtering == TENF_FILTERING_MISSING)
		tenf_text_add(t, "   unfiltered");
}

void report_methods(struct tenf_text *t, const struct tenf_gateway *g)
{
	for (size_t i = 0; i < g->spoken_count; i++) {
		if (i > 0)
			tenf_text_add(t, i + 1 < g->spoken_count ? ", " : " and ");
		tenf_text_add(t, tenf_method_title(g->spoken[i].method));
	}
}

void report_milliseconds(struct tenf_text *t, int64_t us)
{
	tenf_text_add_number(t, (uint64_t)us / 1000);
	if (us < 10000) {
		tenf_text_add_char(t, '.');
		tenf_text_add_number(t, (uint64_t)us / 100 % 10);
	}
	tenf_text_add(t, " ms");
}

void report_gateway(struct tenf_text *t, int64_t now, const struct tenf_gateway *g)
{
	tenf_text_add(t, g->address);
	if (g->port != TENF_DEFAULT_PORT) {
		tenf_text_add(t, " port ");
		tenf_text_add_number(t, g->port);
	}
	if (g->interface[0] != '\0') {
		tenf_text_add(t, " on ");
		tenf_text_add(t, g->interface);
	}
	if (g->spoken_count > 0) {
		tenf_text_add(t, " · ");
		report_methods(t, g);
	}
	if (g->rtt_us >= 0) {
		tenf_text_add(t, " · answers in ");
		report_milliseconds(t, g->rtt_us);
	}
	if (g->up_since > 0 && g->up_since <= now) {
		tenf_text_add(t, " · up ");
		tenf_span_add(t, (uint64_t)(now - g->up_since));
	}
}

static bool speaks(const struct tenf_gateway *g, enum tenf_method method)
{
	for (size_t i = 0; i < g->spoken_count; i++) {
		if (g->spoken[i].method == method)
			return true;
	}
	return false;
}

/* Only NAT-PMP has a question for the address (RFC 6886 §3.2), and an answer
 * that there is none. */
static void print_outside(struct cli *cli, const struct tenf_gateway *g)
{
	const char *meaning = output_class_meaning(g->address_class);

	fputs("Outside   ", cli->out);
	if (g->external_address[0] == '\0' && !speaks(g, TENF_METHOD_NATPMP)) {
		fputs("not known: PCP tells it with a mapping, see tenforward add\n", cli->out);
		return;
	}
	if (g->external_address[0] == '\0') {
		output_text(cli, cli->out, OUTPUT_YELLOW, "no address\n");
		return;
	}
	fputs(g->external_address, cli->out);
	if (meaning == NULL) {
		fprintf(cli->out, " (%s)\n", tenf_class_code(g->address_class));
		return;
	}
	fputs(" — ", cli->out);
	output_text(cli, cli->out, OUTPUT_YELLOW, meaning);
	fputs("\n          Ports opened here are not reachable from the internet.\n", cli->out);
}

void report_gateway_lines(struct cli *cli, const struct tenf_gateway *g)
{
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	if (g->address[0] == '\0')
		tenf_text_add(&t, "none");
	else
		report_gateway(&t, cli->now(), g);
	fputs("Gateway   ", cli->out);
	output_text(cli, cli->out, OUTPUT_PLAIN, line);
	putc('\n', cli->out);
	if (g->spoken_count > 0)
		print_outside(cli, g);
}

const char *report_reason(const struct tenf_error *error)
{
	if (error->text[0] != '\0')
		return error->text;
	switch (error->reason) {
	case TENF_REASON_NO_GATEWAY:
		return "No gateway was found.";
	case TENF_REASON_NONE:
	case TENF_REASON_SILENT:
		return "The gateway does not answer.";
	case TENF_REASON_NO_SERVICE:
		return "The gateway offers no port mapping.";
	case TENF_REASON_REFUSED:
		return "The gateway refuses.";
	case TENF_REASON_RESOURCES:
		return "The gateway has no more ports to give.";
	case TENF_REASON_NO_NETWORK:
		return "The gateway has no external address.";
	case TENF_REASON_OTHER_PORT:
		return "The gateway would only give another port.";
	case TENF_REASON_MALFORMED:
		return "The gateway's answer makes no sense.";
	case TENF_REASON_SYSTEM:
		return "Something on this computer failed.";
	}
	return "It failed.";
}

static bool same_failure(const struct half *a, const struct half *b)
{
	return !half_is_held(b) &&
	       strcmp(report_reason(&a->mapping.error), report_reason(&b->mapping.error)) == 0;
}

/* Whether an earlier half failed for the same reason, and was told with it. */
static bool was_told(const struct batch *batch, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (same_failure(&batch->halves[at], &batch->halves[i]))
			return true;
	}
	return false;
}

static void tell_failure(struct cli *cli, const struct batch *batch, size_t at)
{
	const struct half *first = &batch->halves[at];
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));
	size_t same = 0;

	for (size_t i = at + 1; i < batch->count; i++)
		same += same_failure(first, &batch->halves[i]);
	/* One wish needs no name, and that is so when every half failed alike. */
	if (same + 1 < batch->count || batch->wishes->count > 1) {
		output_forward(&t, first->mapping.internal_port, first->mapping.internal_port,
			       first->mapping.protocol);
		if (same > 0) {
			tenf_text_add(&t, " and ");
			tenf_text_add_number(&t, same);
			tenf_text_add(&t, " more");
		}
		tenf_text_add(&t, ": ");
	}
	tenf_text_add(&t, report_reason(&first->mapping.error));
	output_wrapped(cli, cli->err, OUTPUT_RED, 0, line);
}

void report_failures(struct cli *cli, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (!half_is_held(&batch->halves[i]) && !was_told(batch, i))
			tell_failure(cli, batch, i);
	}
}

static void tell_other_ports(struct cli *cli, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];
		const struct tenf_mapping *m = &half->mapping;
		bool second = half->pair != 0 && i > 0 && batch->halves[i - 1].id == half->pair;

		if (half_is_held(half) && m->requested_external_port != 0 && !second &&
		    m->external_port != m->requested_external_port)
			cli_note(cli, "The gateway gave %u instead of %u. Insist with --exact.",
				 m->external_port, m->requested_external_port);
	}
}

static void tell_lifetime(struct cli *cli, uint32_t granted_s, uint32_t asked_s)
{
	char granted[40], asked[40];
	struct tenf_text g = tenf_text_of(granted, sizeof(granted));
	struct tenf_text a = tenf_text_of(asked, sizeof(asked));

	if (granted_s == UINT32_MAX)
		tenf_text_add(&g, "a lease without end");
	else
		tenf_span_add(&g, granted_s);
	tenf_span_add(&a, asked_s);
	cli_note(cli, "The gateway grants %s where %s was asked for.%s", granted, asked,
		 granted_s > asked_s ? " Close it earlier with `tenforward remove`." : "");
}

/* The shortest lease granted: who plans by it is right for all. Where none is shorter, the
 * longest: so long it stays open when nobody closes it. */
static void tell_lifetimes(struct cli *cli, const struct batch *batch)
{
	const uint32_t asked_s = batch->wishes->lifetime_s;
	uint32_t shortest = UINT32_MAX, longest = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];

		if (!half_is_held(half))
			continue;
		shortest = half->mapping.lifetime_s < shortest ? half->mapping.lifetime_s
							       : shortest;
		longest = half->mapping.lifetime_s > longest ? half->mapping.lifetime_s : longest;
	}
	if (shortest < asked_s)
		tell_lifetime(cli, shortest, asked_s);
	else if (longest > asked_s)
		tell_lifetime(cli, longest, asked_s);
}

static void tell_unreachable(struct cli *cli, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];
		const char *address = half->mapping.external_address;
		const char *meaning = output_class_meaning(output_class_of(address));

		if (!half_is_held(half) || meaning == NULL)
			continue;
		cli_note(cli, "%s — %s.\nPorts opened here are not reachable from the internet.",
			 address, meaning);
		return;
	}
}

/* RFC 6887 §7.3: options that were processed come back. */
static void tell_unfiltered(struct cli *cli, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct tenf_mapping *m = &batch->halves[i].mapping;

		if (!half_is_held(&batch->halves[i]) || m->filtering != TENF_FILTERING_MISSING)
			continue;
		cli_note(cli, "Port %u is unfiltered: the gateway did not confirm --filter, so "
			 "anybody may come in. Close it with `tenforward remove %u/%s`.",
			 m->external_port, m->internal_port, tenf_protocol_name(m->protocol));
	}
}

void report_differences(struct cli *cli, const struct batch *batch)
{
	tell_other_ports(cli, batch);
	tell_lifetimes(cli, batch);
	tell_unreachable(cli, batch);
	tell_unfiltered(cli, batch);
}

void report_counters(struct cli *cli, const struct tenf_session *session)
{
	struct tenf_counters c = { .size = sizeof(c) };

	if (!cli->global.verbose)
		return;
	tenf_session_counters(session, &c);
	cli_detail(cli, "%llu packet%s sent, %llu answer%s taken; dropped: %llu from elsewhere, "
		   "%llu malformed, %llu not asked for", (unsigned long long)c.sent,
		   c.sent == 1 ? "" : "s", (unsigned long long)c.received,
		   c.received == 1 ? "" : "s", (unsigned long long)c.dropped_foreign,
		   (unsigned long long)c.dropped_malformed, (unsigned long long)c.dropped_unasked);
}

/* SPDX-License-Identifier: MIT */
/* The steps along the way of a packet: the mapping, and connections from inside and from
 * outside. */
#include "cli/diagnose.h"

#include "base/span.h"
#include "cli/output.h"
#include "cli/outside.h"
#include "cli/report.h"

#include <stdio.h>
#include <string.h>

/* A gateway's clock and ours, and the way between them. */
#define RESTART_SLACK_S 10

/* ---- mapping -------------------------------------------------------------------- */

static void not_held(struct diagnosis *d)
{
	struct step *step = steps_bad(&d->steps, "mapping", FOUND_NOT_OPENED);

	step_text(step->seen, "neither the agent nor a record of ours knows a mapping for %s",
		  d->subject->text);
	step_text(step->because, "nobody opened %s at the router", d->subject->text);
	step_text(step->advice, "open it: tenforward add %s", d->subject->text);
}

static void not_open(struct diagnosis *d)
{
	const struct tenf_mapping *m = &d->held->mapping;
	struct step *step = steps_bad(&d->steps, "mapping", FOUND_NOT_GRANTED);

	step->exit = m->error.reason != TENF_REASON_NONE ? cli_exit_of_reason(m->error.reason) :
							   CLI_EXIT_CLOSED;
	if (m->error.reason == TENF_REASON_NONE || steps_is(&d->steps, "policy", STEP_BAD))
		step_text(step->seen, "the agent asks for %s, and has not got it",
			  d->subject->text);
	else
		step_text(step->seen, "the agent asks for %s, and has not got it: %s",
			  d->subject->text, report_reason(&m->error));
	step_text(step->because, "the router has not opened %s", d->subject->text);
}

/* RFC 6886 §3.6, RFC 6887 §8.5: a gateway that lost its state says so by its epoch. */
static bool was_forgotten(const struct diagnosis *d)
{
	const struct tenf_mapping *m = &d->held->mapping;

	return d->gateway_status == TENF_OK && d->gateway.up_since > 0 && m->expires_at > 0 &&
	       !d->held->is_kept && m->lifetime_s > 0 && m->lifetime_s < UINT32_MAX &&
	       strcmp(d->gateway.address, m->gateway) == 0 &&
	       d->gateway.up_since > m->expires_at - m->lifetime_s + RESTART_SLACK_S;
}

static void dead(struct diagnosis *d, enum step_found found, const char *seen)
{
	struct step *step = steps_bad(&d->steps, "mapping", found);

	step_text(step->seen, "%s", seen);
	step_text(step->because, "the router no longer knows of %s", d->subject->text);
	step_text(step->advice, "open it again: tenforward check %s --heal", d->subject->text);
}

static void held(struct diagnosis *d, const char *list)
{
	const struct tenf_mapping *m = &d->held->mapping;
	struct step *step = steps_add(&d->steps, "mapping", STEP_OK);
	char line[STEP_TEXT];
	struct tenf_text t = tenf_text_of(line, sizeof(line));
	int64_t now = d->cli->now();

	report_mapping(&t, m, m->protocol == TENF_TCP ? "tcp" : "udp");
	if (m->expires_at > now) {
		tenf_text_add(&t, " for another ");
		tenf_span_add(&t, (uint64_t)(m->expires_at - now));
	}
	tenf_text_add(&t, d->held->is_kept ? ", renewed" : ", renewed by nobody");
	step_text(step->seen, "%s", line);
	step_text(step->means, "%s", list);
}

static const char *whose_word(const struct diagnosis *d, bool is_listed)
{
	bool by_agent = (d->held->sources & OPENED_AGENT) != 0;

	if (is_listed)
		return "the router's own list has it";
	if (diagnose_is_pinhole(d))
		return by_agent ? "so says the agent; no router lists IPv6 pinholes" :
				  "so says our own record; no router lists IPv6 pinholes";
	return by_agent ? "so says the agent; this router has no list to compare with" :
			  "so says our own record; this router has no list to compare with";
}

void diagnose_mapping(struct diagnosis *d)
{
	bool is_listed = d->sources.router_was_asked && !diagnose_is_pinhole(d);

	if (d->held == NULL)
		not_held(d);
	else if (d->held->mapping.external_port == 0)
		not_open(d);
	else if (was_forgotten(d))
		dead(d, FOUND_FORGOTTEN,
		     "the router restarted after this was opened, and has forgotten it");
	else if (is_listed && (d->held->sources & OPENED_ROUTER) == 0)
		dead(d, FOUND_MISSING_IN_LIST,
		     "it is recorded here, but missing in the router's own list");
	else
		held(d, whose_word(d, is_listed));
}

/* ---- hairpin -------------------------------------------------------------------- */

static void tell_hairpin(struct diagnosis *d, const char *place, enum host_reach reach)
{
	bool open = reach == HOST_OPEN;
	struct step *step = steps_add(&d->steps, "hairpin", open ? STEP_OK : STEP_UNKNOWN);

	switch (reach) {
	case HOST_OPEN:
		step_text(step->seen, "%s answers, asked from inside", place);
		return;
	case HOST_REFUSED:
		step_text(step->seen, "%s refuses, asked from inside", place);
		break;
	case HOST_SILENT:
		step_text(step->seen, "%s does not answer, asked from inside", place);
		break;
	case HOST_NO_WAY:
		step_text(step->seen, "%s cannot be asked from inside", place);
		break;
	}
	step_text(step->means, "%s", d->subject->protocol == TENF_UDP ?
		  "this proves nothing: a UDP service need not answer strangers, and many routers "
		  "cannot be asked from inside" :
		  "this proves nothing: many routers cannot be asked from inside");
}

void diagnose_hairpin(struct diagnosis *d)
{
	char place[TENF_ENDPOINT_TEXT];
	struct tenf_endpoint at;
	unsigned timeout_ms = d->cli->global.ask.timeout_ms;
	enum host_reach reach;

	if (!steps_is(&d->steps, "mapping", STEP_OK) || !diagnose_outside_endpoint(d, &at))
		return;
	if (diagnose_is_pinhole(d)) /* the way to it does not leave this computer */
		return;
	if (timeout_ms > DIAGNOSE_REACH_MS)
		timeout_ms = DIAGNOSE_REACH_MS;
	reach = d->subject->protocol == TENF_TCP ? host_reach_tcp(&at, timeout_ms) :
		host_reach_udp(&at, "", 0, timeout_ms, NULL, NULL);
	tell_hairpin(d, tenf_endpoint_text(&at, place), reach);
}

/* ---- outside -------------------------------------------------------------------- */

static void tell_outside(struct diagnosis *d, enum outside found, const char *from,
			 const char *place, const char *why)
{
	bool udp = d->subject->protocol == TENF_UDP;
	struct step *step = steps_bad(&d->steps, "outside", FOUND_SILENT_OUTSIDE);

	switch (found) {
	case OUTSIDE_OPEN:
		step->outcome = STEP_OK;
		step_text(step->seen, "%s was reached from %s", place, from);
		return;
	case OUTSIDE_REFUSED:
		step->found = FOUND_REFUSED_OUTSIDE;
		step_text(step->seen, "%s refuses, asked from %s", place, from);
		break;
	case OUTSIDE_SILENT:
		step_text(step->seen, "%s does not answer, asked from %s", place, from);
		if (!udp)
			break;
		step->outcome = STEP_UNKNOWN;
		step_text(step->means, "a UDP service need not answer what it does not understand: "
			  "this proves neither open nor closed");
		return;
	case OUTSIDE_FAILED:
		step->outcome = STEP_UNKNOWN;
		step_text(step->seen, "could not be asked from %s: %s", from, why);
		return;
	}
	step_text(step->because, "%s is closed from outside", place);
	step_text(step->advice, steps_worst(&d->steps) == step ?
		  "everything here looks right: look for filters in the router and at the "
		  "provider; or let the router open it again: tenforward check %s --heal" :
		  "see the steps above; then run this again", d->subject->text);
}

void diagnose_outside(struct diagnosis *d)
{
	const char *host = d->cli->arguments.value[CLI_FROM];
	const char *url = d->cli->arguments.value[CLI_FROM_URL];
	struct outside_target target = { .protocol = d->subject->protocol };
	char address[TENF_ADDRESS_TEXT], place[TENF_ENDPOINT_TEXT], why[STEP_TEXT / 2];
	struct tenf_text t = tenf_text_of(why, sizeof(why));
	struct tenf_endpoint at;
	enum outside found;

	if (!diagnose_outside_endpoint(d, &at))
		return;
	if (host == NULL && url == NULL) {
		step_text(steps_add(&d->steps, "outside", STEP_UNKNOWN)->seen,
			  "not tested; from another network: tenforward check %s --from "
			  "you@server", d->subject->text);
		return;
	}
	target.address = tenf_address_text(&at.address, address);
	target.port = at.port;
	found = host != NULL ? outside_by_ssh(d->cli, host, &target, &t) :
			       outside_by_url(d->cli, url, &target, &t);
	tell_outside(d, found, host != NULL ? host : "the check service",
		     tenf_endpoint_text(&at, place), why);
}

/* SPDX-License-Identifier: MIT */
#include "cli/diagnose.h"

#include "base/forward.h"
#include "cli/opened-router.h"
#include "cli/output.h"
#include "cli/wishes.h"

#include <stdio.h>
#include <string.h>

/* ---- The subject ---------------------------------------------------------------- */

static void set_subject(struct subject *ret, const struct wish *wish, enum tenf_protocol protocol)
{
	struct tenf_text t = tenf_text_of(ret->text, sizeof(ret->text));

	ret->protocol = protocol;
	ret->internal_port = wish->internal_port;
	/* "8080" names the port here; outside it may be another one. */
	ret->external_port = wish->external_port != wish->internal_port ? wish->external_port : 0;
	output_forward(&t, wish->internal_port, wish->internal_port, protocol);
}

int diagnose_subjects(struct cli *cli, struct subject ret[2], size_t *ret_count)
{
	struct wishes wishes = { NULL, 0 };
	int status = CLI_EXIT_DONE;
	const struct wish *wish;

	*ret_count = 0;
	if (cli->arguments.count == 0)
		return CLI_EXIT_DONE;
	status = wishes_read_word(cli, cli->arguments.words[0], &wishes);
	if (status == CLI_EXIT_DONE && wishes.count > 1)
		status = cli_usage(cli, "%s looks at one port: name it, such as 25565/tcp",
				   cli->arguments.verb);
	if (status == CLI_EXIT_DONE) {
		wish = &wishes.items[0];
		if (wish->protocol != TENF_UDP)
			set_subject(&ret[(*ret_count)++], wish, TENF_TCP);
		if (wish->protocol != TENF_TCP)
			set_subject(&ret[(*ret_count)++], wish, TENF_UDP);
	}
	wishes_done(&wishes);
	return status;
}

/* ---- Looking ------------------------------------------------------------------ */

static bool fits(const struct diagnosis *d, const struct opened *opened)
{
	const struct tenf_mapping *m = &opened->mapping;
	const struct subject *s = d->subject;

	return s != NULL && m->protocol == s->protocol && m->internal_port == s->internal_port &&
	       (s->external_port == 0 || m->external_port == s->external_port ||
		m->requested_external_port == s->external_port);
}

/* The one that is open goes before one that is only wished for. */
static void choose_held(struct diagnosis *d)
{
	d->held = NULL;
	for (size_t i = 0; i < d->sources.list.count; i++) {
		const struct opened *one = &d->sources.list.items[i];

		if (fits(d, one) && (d->held == NULL || (d->held->mapping.external_port == 0 &&
							 one->mapping.external_port != 0)))
			d->held = one;
	}
}

int diagnose_reread(struct diagnosis *d)
{
	int status;

	opened_sources_done(&d->sources);
	status = opened_sources_read(d->cli, &d->sources);
	opened_router_try(d->cli, &d->gateway, &d->sources);
	choose_held(d);
	return status;
}

/* The gateway that was named, else the one that made the mapping. */
static void find_gateway(struct diagnosis *d)
{
	struct tenf_options ask = d->cli->global.ask;
	char place[TENF_ADDRESS_SIZE + 8];
	struct tenf_text t = tenf_text_of(place, sizeof(place));
	const struct tenf_mapping *m = d->held != NULL ? &d->held->mapping : NULL;

	if (ask.gateway == NULL && m != NULL && m->gateway[0] != '\0' &&
	    strncmp(m->gateway, "fe80:", 5) != 0) {
		output_endpoint(&t, m->gateway,
				m->gateway_port != 0 ? m->gateway_port : TENF_DEFAULT_PORT, NULL);
		ask.gateway = place;
	}
	d->gateway_error.result = -1;
	d->gateway_status = tenf_find_gateway(&ask, &d->gateway, &d->gateway_error);
}

int diagnose_begin(struct cli *cli, const struct subject *subject, struct diagnosis *ret)
{
	int status;

	*ret = (struct diagnosis){ .cli = cli, .subject = subject };
	ret->gateway.epoch_s = -1;
	ret->gateway.rtt_us = -1;
	status = diagnose_reread(ret);
	if (status != CLI_EXIT_DONE)
		return status;
	ret->host = host_new(true, true);
	if (ret->host == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	find_gateway(ret);
	opened_router_try(cli, &ret->gateway, &ret->sources);
	choose_held(ret);
	if (ret->gateway_status == TENF_OK || ret->gateway_status == TENF_E_FAILED)
		return CLI_EXIT_DONE;
	return cli_failed(cli, ret->gateway_status, &ret->gateway_error);
}

void diagnose_done(struct diagnosis *d)
{
	opened_sources_done(&d->sources);
	host_done(d->host);
}

bool diagnose_is_pinhole(const struct diagnosis *d)
{
	return d->held != NULL && strchr(d->held->mapping.internal_address, ':') != NULL;
}

bool diagnose_outside_endpoint(const struct diagnosis *d, struct tenf_endpoint *ret)
{
	const struct tenf_mapping *m = d->held != NULL ? &d->held->mapping : NULL;
	const char *address;

	if (m == NULL || m->external_port == 0)
		return false;
	address = m->external_address[0] != '\0' ? m->external_address :
						   d->gateway.external_address;
	ret->port = m->external_port;
	return tenf_address_parse(address, &ret->address);
}

/* ---- The verdict -------------------------------------------------------------- */

int diagnose_verdict(struct diagnosis *d)
{
	const struct step *worst = steps_worst(&d->steps);
	const char *port = d->subject != NULL ? d->subject->text : NULL;
	char *text = d->steps.verdict;
	size_t size = sizeof(d->steps.verdict);

	if (worst != NULL && !worst->is_hint) {
		(void)snprintf(text, size, "%s because %s.",
			       port != NULL ? "Your friend cannot connect" :
					      "Ports cannot be opened",
			       worst->because);
		return worst->exit;
	}
	if (worst != NULL)
		(void)snprintf(text, size, "Nothing keeps %s closed, but %s.",
			       port != NULL ? port : "ports", worst->because);
	else if (port == NULL)
		(void)snprintf(text, size, "Nothing is wrong: ports can be opened here.");
	else if (steps_is(&d->steps, "outside", STEP_OK))
		(void)snprintf(text, size, "%s is open: it was reached from outside.", port);
	else if (steps_is(&d->steps, "hairpin", STEP_OK))
		(void)snprintf(text, size, "%s is open as far as can be seen from inside.", port);
	else
		(void)snprintf(text, size, "Nothing is wrong with %s as far as can be seen from "
			       "inside.", port);
	return CLI_EXIT_DONE;
}

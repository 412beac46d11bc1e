/* SPDX-License-Identifier: MIT */
/* doctor: why can my friend not connect? From the cable to the world outside, one
 * step after the other. It opens nothing. */
#include "cli/diagnose.h"
#include "cli/hosts.h"
#include "cli/verbs.h"

#include "control/shapes.h"
#include "host/stun.h"

#include <stdio.h>
#include <string.h>

/* "stun.example.org", "192.0.2.1:3478", "[2001:db8::1]:3478", "stun.example.org:3478" */
static int read_stun(struct cli *cli, struct tenf_endpoint *ret)
{
	const char *text = cli->arguments.value[CLI_STUN], *colon;
	char name[256], address[TENF_ADDRESS_SIZE];
	uint64_t port = STUN_PORT;
	int status;

	if (tenf_endpoint_parse(text, STUN_PORT, ret))
		return CLI_EXIT_DONE;
	colon = strrchr(text, ':');
	if (colon != NULL && (!tenf_text_number(colon + 1, strlen(colon + 1), 65535, &port) ||
			      port == 0))
		return cli_usage(cli, "--stun: \"%s\" has no port from 1 to 65535", text);
	(void)snprintf(name, sizeof(name), "%.*s",
		       colon != NULL ? (int)(colon - text) : (int)strlen(text), text);
	status = hosts_address(cli, "stun", name, address, sizeof(address));
	if (status != CLI_EXIT_DONE)
		return status;
	ret->port = (uint16_t)port;
	return tenf_address_parse(address, &ret->address) ? CLI_EXIT_DONE :
		cli_usage(cli, "--stun: \"%s\" is no server", text);
}

static void look(struct diagnosis *d)
{
	diagnose_link(d);
	diagnose_route(d);
	diagnose_gateway(d);
	diagnose_service(d);
	diagnose_address(d);
	diagnose_clock(d);
	if (d->subject == NULL)
		return;
	diagnose_policy(d);
	diagnose_listener(d);
	diagnose_firewall(d);
	diagnose_mapping(d);
	diagnose_hairpin(d);
	diagnose_outside(d);
}

static int tell(struct diagnosis *d, json_t **list)
{
	struct cli *cli = d->cli;
	int status = diagnose_verdict(d);

	if (cli->arguments.value[CLI_REPORT] != NULL)
		steps_mask(&d->steps);
	if (cli->global.json)
		(void)shape_append(list, steps_shape(&d->steps));
	else
		steps_print(cli, &d->steps);
	return status;
}

static int examine(struct cli *cli, const struct subject *subject,
		   const struct tenf_endpoint *stun, json_t **list)
{
	struct diagnosis d;
	int status = diagnose_begin(cli, subject, &d);

	d.stun = stun;
	if (status == CLI_EXIT_DONE) {
		look(&d);
		status = tell(&d, list);
	}
	diagnose_done(&d);
	return status;
}

int verb_doctor(struct cli *cli)
{
	const struct tenf_endpoint *stun = NULL;
	struct tenf_endpoint server;
	struct subject subjects[2];
	json_t *list = json_array();
	size_t count = 0;
	int worst = diagnose_subjects(cli, subjects, &count);

	if (worst == CLI_EXIT_DONE && cli->arguments.value[CLI_STUN] != NULL) {
		worst = read_stun(cli, &server);
		stun = &server;
	}
	if (worst == CLI_EXIT_DONE && cli->arguments.value[CLI_REPORT] != NULL &&
	    !cli->global.json)
		fprintf(cli->out, "Ten Forward %s\n", tenf_version());
	for (size_t i = 0; worst != CLI_EXIT_USAGE && i < (count > 0 ? count : 1); i++)
		worst = cli_exit_worse(worst, examine(cli, count > 0 ? &subjects[i] : NULL, stun,
						      &list));
	if (cli->global.json && json_array_size(list) == 1)
		(void)json_print(cli, json_incref(json_array_get(list, 0)));
	else if (cli->global.json && json_array_size(list) > 1)
		(void)json_print(cli, json_wrap("checks", json_incref(list)));
	json_decref(list);
	return worst;
}

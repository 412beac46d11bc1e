/* SPDX-License-Identifier: MIT */
/*
 * remove: closes what was opened. The agent gives up what it keeps. A recorded
 * lease is deleted at its gateway with its nonce; what was named but is neither
 * is deleted for this host without one, which NAT-PMP gateways heed and PCP
 * gateways mostly not.
 */
#include "cli/agent-remove.h"
#include "cli/devices.h"
#include "cli/json.h"
#include "cli/loop.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/targets.h"
#include "cli/verbs.h"

#include "base/forward.h"
#include "base/span.h"

#include <string.h>

static bool is_gone(const struct target *target)
{
	return target->lease.mapping.state == TENF_STATE_REMOVED &&
	       target->lease.mapping.error.reason == TENF_REASON_NONE;
}

static void take_answer(struct targets *targets, const struct tenf_event *event)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];
		struct tenf_mapping *m = &target->lease.mapping;

		if (target->id == 0 || target->id != event->mapping.id)
			continue;
		if (target->lease.number == 0)
			*m = event->mapping;
		m->state = TENF_STATE_REMOVED;
		m->error = event->mapping.error;
		target->id = 0;
	}
}

static bool is_waiting(const struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		if (targets->items[i].id != 0)
			return true;
	}
	return false;
}

static struct tenf_error silence_of(const struct cli *cli, const struct tenf_session *session,
				    bool recorded)
{
	struct tenf_error error = { .reason = TENF_REASON_SILENT, .result = -1 };
	struct tenf_text t = tenf_text_of(error.text, sizeof(error.text));
	struct tenf_gateway gateway;

	tenf_session_gateway(session, &gateway);
	tenf_text_add(&t, "No answer from ");
	tenf_text_add(&t, gateway.address[0] != '\0' ? gateway.address : "the gateway");
	tenf_text_add(&t, " within ");
	tenf_span_add(&t, cli->global.ask.timeout_ms / 1000);
	tenf_text_add(&t, recorded ? ". The lease stays recorded: try again, or let it end."
				   : ". Try again, or see: tenforward status");
	return error;
}

/* A lease may be worth asking for until it ends; who types does not wait for
 * that. What has no answer by now is told as silence. */
static void give_up(const struct cli *cli, struct targets *targets,
		    const struct tenf_session *session)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];

		if (target->id == 0)
			continue;
		target->id = 0;
		target->lease.mapping.error =
			silence_of(cli, session, target->lease.number != 0);
	}
}

static enum tenf_status wait_for_answers(struct cli *cli, struct targets *targets,
					 struct tenf_session *session)
{
	int64_t end = cli->steady_ms() + cli->global.ask.timeout_ms;
	enum tenf_status status = TENF_OK;
	struct tenf_event event;
	struct loop loop;

	loop_init(&loop, session);
	while (status == TENF_OK) {
		while (tenf_session_next_event(session, &event)) {
			if (event.kind == TENF_EVENT_REMOVED)
				take_answer(targets, &event);
		}
		if (!is_waiting(targets) || cli->steady_ms() >= end)
			break;
		status = loop_step(&loop, (int)(end - cli->steady_ms()));
	}
	give_up(cli, targets, session);
	return status;
}

/* The address of this host that holds the lease, from which it is deleted; NULL
 * where the kernel chooses. A link-local one needs a scope, which no record has. */
static const char *own_address(const struct target *target)
{
	const char *address = target->lease.mapping.internal_address;

	if (target->lease.for_other || address[0] == '\0' || strncmp(address, "fe80:", 5) == 0)
		return NULL;
	return address;
}

static bool same_source(const struct target *a, const struct target *b)
{
	const char *one = own_address(a), *other = own_address(b);

	if (one == NULL || other == NULL)
		return one == other;
	return strcmp(one, other) == 0;
}

static bool same_way(const struct target *a, const struct target *b)
{
	return same_source(a, b) &&
	       strcmp(a->lease.mapping.gateway, b->lease.mapping.gateway) == 0 &&
	       a->lease.mapping.gateway_port == b->lease.mapping.gateway_port &&
	       a->lease.mapping.method == b->lease.mapping.method;
}

/* Releases, in one session, every target at the gateway of item `first` that
 * was made by the same method: some gateways heed no other, since a mapping
 * made by NAT-PMP has no nonce that PCP could name. */
static int release_at(struct cli *cli, struct targets *targets, size_t first)
{
	struct devices known;
	struct tenf_options *options = &known.options;
	struct target *model = &targets->items[first];
	struct tenf_session *session = NULL;
	struct tenf_error error = { .result = -1 };
	char gateway[TENF_ADDRESS_SIZE + 8];
	struct tenf_text t = tenf_text_of(gateway, sizeof(gateway));
	enum tenf_status status;

	devices_options(cli, &known);
	if (model->lease.mapping.gateway[0] != '\0') {
		output_endpoint(&t, model->lease.mapping.gateway,
				model->lease.mapping.gateway_port, NULL);
		options->gateway = gateway;
	}
	if (options->source == NULL)
		options->source = own_address(model);
	if (options->methods == 0)
		options->methods = model->lease.mapping.method;
	status = tenf_session_new(options, &session, &error);
	for (size_t i = first; status == TENF_OK && i < targets->count; i++) {
		struct target *target = &targets->items[i];

		if (target->held[0] != '\0' || target->tried || !same_way(target, model))
			continue;
		target->tried = true;
		status = tenf_session_release(session, &target->lease.mapping, &target->id);
	}
	if (status == TENF_OK)
		status = wait_for_answers(cli, targets, session);
	if (session != NULL) {
		report_counters(cli, session);
		devices_keep_session(cli, session);
	}
	tenf_session_free(session);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, &error);
}

/* One gateway and method after the other: ids belong to the session that gave them. */
static int release_all(struct cli *cli, struct targets *targets)
{
	int status = CLI_EXIT_DONE;

	for (size_t i = 0; status == CLI_EXIT_DONE && i < targets->count; i++) {
		if (targets->items[i].held[0] == '\0' && !targets->items[i].tried)
			status = release_at(cli, targets, i);
	}
	return status;
}

/* When the answer to PCP is lost and that to NAT-PMP arrives, the record says
 * NAT-PMP, but the gateway gives the mapping up for PCP's nonce alone. */
static bool try_by_pcp(struct cli *cli, struct targets *targets)
{
	bool any = false;

	for (size_t i = 0; cli->global.ask.methods == 0 && i < targets->count; i++) {
		struct target *target = &targets->items[i];
		struct tenf_mapping *m = &target->lease.mapping;

		if (!target->tried || target->lease.number == 0 ||
		    m->error.reason != TENF_REASON_REFUSED || m->method != TENF_METHOD_NATPMP)
			continue;
		m->method = TENF_METHOD_PCP;
		target->tried = false;
		any = true;
	}
	return any;
}

static void forget(struct cli *cli, const struct targets *targets)
{
	struct leases leases;
	bool needed = false;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		needed = needed || (is_gone(target) && target->lease.number != 0);
	}
	if (!needed)
		return;
	if (leases_open(cli, &leases)) {
		for (size_t i = 0; i < targets->count; i++) {
			if (is_gone(&targets->items[i]))
				leases_drop(&leases, targets->items[i].lease.number);
		}
		(void)leases_write(cli, &leases);
	}
	leases_done(&leases);
}

static int print_json(struct cli *cli, const struct targets *targets)
{
	json_t *list = json_array();

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		struct json_label label = { .number = target->lease.number,
					    .name = target->lease.name,
					    .held = target->held };

		(void)json_array_append_new(list, json_mapping(&target->lease.mapping, &label));
	}
	return json_print(cli, json_wrap("mappings", list));
}

static void print_target(struct cli *cli, const struct target *target)
{
	const struct tenf_mapping *m = &target->lease.mapping;
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	if (m->external_port != 0)
		report_mapping(&t, m, tenf_protocol_name(m->protocol));
	else
		output_forward(&t, m->internal_port, m->internal_port, m->protocol);
	tenf_text_add(&t, is_gone(target) ? "   removed" : "   not removed");
	if (target->lease.number == 0 && target->held[0] == '\0')
		tenf_text_add(&t, " (nothing was recorded about it)");
	tenf_text_add(&t, "\n");
	output_text(cli, cli->out, is_gone(target) ? OUTPUT_PLAIN : OUTPUT_YELLOW, line);
}

/* Each failure counts; each reason is told once. */
static int tell_failures(struct cli *cli, const struct targets *targets)
{
	int worst = CLI_EXIT_DONE;
	const char *told = "";

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		const struct tenf_error *error = &target->lease.mapping.error;

		if (is_gone(target) || !target->tried || target->id != 0)
			continue;
		if (strcmp(told, report_reason(error)) != 0)
			cli_verdict(cli, error);
		told = report_reason(error);
		worst = cli_exit_worse(worst, cli_exit_of_reason(error->reason));
	}
	return worst;
}

static int print(struct cli *cli, const struct targets *targets)
{
	if (cli->global.json)
		(void)print_json(cli, targets);
	for (size_t i = 0; !cli->global.json && i < targets->count; i++)
		print_target(cli, &targets->items[i]);
	(void)cli_flush(cli);
	return tell_failures(cli, targets);
}

static int remove_all(struct cli *cli, struct remote *agent, const struct agent_mappings *held)
{
	struct targets targets;
	int status = targets_find(cli, held, &targets), released;

	if (status == CLI_EXIT_DONE) {
		status = agent_remove(cli, agent, &targets);
		released = release_all(cli, &targets);
		if (released == CLI_EXIT_DONE && try_by_pcp(cli, &targets))
			released = release_all(cli, &targets);
		status = cli_exit_worse(status, released);
		forget(cli, &targets);
		status = cli_exit_worse(status, print(cli, &targets));
	}
	targets_done(&targets);
	return status;
}

int verb_remove(struct cli *cli)
{
	struct agent_mappings held = { NULL, 0 };
	struct remote *agent = NULL;
	int status = agent_find(cli, &agent);

	if (status == CLI_EXIT_DONE && agent != NULL)
		status = agent_get_mappings(cli, agent, &held);
	if (status == CLI_EXIT_DONE)
		status = remove_all(cli, agent, &held);
	agent_mappings_done(&held);
	remote_close(agent);
	return status;
}

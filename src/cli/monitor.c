/* SPDX-License-Identifier: MIT */
/*
 * monitor: tells what happens, as it happens: at the gateway, by a session
 * that only watches, to the recorded leases, by the record itself, and to what
 * the agent keeps, by its events.
 */
#include "cli/agent-watch.h"
#include "cli/event-text.h"
#include "cli/json.h"
#include "cli/lease-watch.h"
#include "cli/loop.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "base/forward.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

struct monitor {
	struct cli *cli;
	struct tenf_session *session;
	struct loop loop;
	struct lease_watch watch;
	struct agent_watch agent;
	uint64_t left;    /* events until the end; UINT64_MAX: no end */
	int64_t ends_ms;  /* INT64_MAX: never */
};

static int read_limits(struct cli *cli, struct monitor *m)
{
	const char *count = cli->arguments.value[CLI_COUNT];
	uint32_t seconds = 0;
	int status;

	m->left = UINT64_MAX;
	m->ends_ms = INT64_MAX;
	if (count != NULL &&
	    (!tenf_text_number(count, strlen(count), UINT32_MAX, &m->left) || m->left == 0))
		return cli_usage(cli, "--count: \"%s\" is not a number of events; write 1 or more",
				 count);
	if (cli->arguments.value[CLI_FOR_TIME] == NULL)
		return CLI_EXIT_DONE;
	status = cli_read_duration(cli, CLI_FOR_TIME, &seconds);
	if (status == CLI_EXIT_DONE)
		m->ends_ms = cli->steady_ms() + (int64_t)seconds * 1000;
	return status;
}

/* True when one more event is wanted. */
static bool take_one(struct monitor *m)
{
	if (m->left == 0)
		return false;
	if (m->left != UINT64_MAX)
		m->left--;
	return true;
}

static void tell(void *context, const struct tenf_event *event, const struct lease *lease)
{
	struct monitor *m = context;
	struct cli *cli = m->cli;
	char line[REPORT_LINE * 2], id[24];
	struct tenf_text t = tenf_text_of(line, sizeof(line));
	struct tenf_text name = tenf_text_of(id, sizeof(id));
	struct json_label label = { lease != NULL ? lease->number : 0,
				    lease != NULL ? lease->name : NULL };
	struct event_style style = { .now = cli->now() };

	if (!take_one(m))
		return;
	if (cli->global.json) {
		(void)json_print_line(cli, json_event(event, &label));
		return;
	}
	if (lease != NULL) {
		tenf_text_add_char(&name, 'm');
		tenf_text_add_number(&name, lease->number);
		style.label = id;
		style.protocol = tenf_protocol_name(lease->mapping.protocol);
	}
	event_text(&t, event, &style);
	output_wrapped(cli, cli->out, OUTPUT_PLAIN, EVENT_TEXT_INDENT, line);
}

/* Our own session tells of its gateway, sooner than the agent. */
static bool is_known(const struct monitor *m, const struct tenf_event *event)
{
	struct tenf_gateway own;

	if (event->kind != TENF_EVENT_GATEWAY && event->kind != TENF_EVENT_GATEWAY_RESTART &&
	    event->kind != TENF_EVENT_ADDRESS)
		return false;
	tenf_session_gateway(m->session, &own);
	return own.address[0] != '\0' && strcmp(own.address, event->gateway.address) == 0;
}

/* An event of a kind we do not know has no words for people. */
static void tell_of_agent(void *context, json_t *shape, const struct tenf_event *event,
			  const struct shape_tag *tag)
{
	struct monitor *m = context;
	struct cli *cli = m->cli;
	char line[REPORT_LINE * 2];
	struct tenf_text t = tenf_text_of(line, sizeof(line));
	struct event_style style = { .label = tag->id[0] != '\0' ? tag->id : "agent",
				     .holds = true,
				     .now = cli->now() };

	if (event == NULL && !cli->global.json)
		return;
	if ((event != NULL && is_known(m, event)) || !take_one(m))
		return;
	if (cli->global.json) {
		(void)json_print_line(cli, json_incref(shape));
		return;
	}
	style.protocol = tenf_protocol_name(event->mapping.protocol);
	event_text(&t, event, &style);
	output_wrapped(cli, cli->out, OUTPUT_PLAIN, EVENT_TEXT_INDENT, line);
}

static void take_events(struct monitor *m)
{
	struct tenf_event event;

	while (m->left > 0 && tenf_session_next_event(m->session, &event))
		tell(m, &event, NULL);
}

static int time_left_ms(const struct monitor *m)
{
	int64_t left = INT64_MAX;
	int next = lease_watch_timeout_ms(m->cli, &m->watch);
	int agent = agent_watch_timeout_ms(m->cli, &m->agent);

	if (m->ends_ms != INT64_MAX)
		left = m->ends_ms - m->cli->steady_ms();
	if (left < 0)
		left = 0;
	if (next >= 0 && next < left)
		left = next;
	if (agent >= 0 && agent < left)
		left = agent;
	return left == INT64_MAX ? -1 : (int)(left < INT32_MAX ? left : INT32_MAX);
}

/* True when a signal that ends us came. */
static bool is_told_to_end(struct monitor *m)
{
	bool typed;
	int sig;

	while ((sig = loop_signal(&m->loop, &typed)) != 0) {
		if (sig != SIGCHLD)
			return true;
	}
	return false;
}

static int follow(struct monitor *m)
{
	m->loop.watched[0] = m->watch.fd;
	for (;;) {
		enum tenf_status status;

		take_events(m);
		if (!cli_flush(m->cli))
			return CLI_EXIT_FAILURE;
		if (m->left == 0 || m->cli->steady_ms() >= m->ends_ms)
			return CLI_EXIT_DONE;
		m->loop.watched[1] = agent_watch_fd(&m->agent);
		status = loop_step(&m->loop, time_left_ms(m));
		if (status != TENF_OK)
			cli_detail(m->cli, "%s; going on", tenf_status_text(status));
		if (is_told_to_end(m))
			return CLI_EXIT_DONE;
		if (m->loop.ready[0] || lease_watch_timeout_ms(m->cli, &m->watch) == 0)
			lease_watch_look(m->cli, &m->watch, tell, m);
		if (m->loop.ready[1] || agent_watch_timeout_ms(m->cli, &m->agent) == 0)
			agent_watch_look(m->cli, &m->agent, tell_of_agent, m);
	}
}

/* The session tells of a gateway when there is one; who watches wants to know
 * that there is none. */
static void tell_absence(struct monitor *m)
{
	struct tenf_event event = { .kind = TENF_EVENT_GATEWAY, .at = m->cli->now() };

	tenf_session_gateway(m->session, &event.gateway);
	if (event.gateway.error.reason == TENF_REASON_NO_GATEWAY)
		tell(m, &event, NULL);
}

static int start(struct cli *cli, struct monitor *m)
{
	struct tenf_options options = cli->global.ask;
	struct tenf_error error = { .result = -1 };
	enum tenf_status status;
	int exit_status;

	if (!loop_take_signals(&m->loop)) {
		cli_error(cli, "cannot take signals: %s", strerror(errno));
		return CLI_EXIT_FAILURE;
	}
	exit_status = agent_watch_start(cli, &m->agent);
	if (exit_status != CLI_EXIT_DONE)
		return exit_status;
	options.announcements = true;
	options.watch = true;
	status = tenf_session_new(&options, &m->session, &error);
	if (status != TENF_OK)
		return cli_failed(cli, status, &error);
	m->loop.session = m->session;
	tell_absence(m);
	(void)lease_watch_start(cli, &m->watch);
	return CLI_EXIT_DONE;
}

int verb_monitor(struct cli *cli)
{
	struct monitor m = { .cli = cli, .watch = { .fd = -1 } };
	int status;

	loop_init(&m.loop, NULL);
	status = read_limits(cli, &m);
	if (status == CLI_EXIT_DONE)
		status = start(cli, &m);
	if (status == CLI_EXIT_DONE)
		status = follow(&m);
	if (m.session != NULL)
		report_counters(cli, m.session);
	lease_watch_done(&m.watch);
	agent_watch_done(&m.agent);
	tenf_session_free(m.session);
	loop_done(&m.loop);
	return status;
}

/* SPDX-License-Identifier: MIT */
/* gateway history: what was open, by whom, how often renewed, and why it ended. */
#include "cli/gateway.h"

#include "base/address.h"
#include "cli/json.h"
#include "cli/output.h"
#include "control/shapes-read.h"

#include <string.h>

#define PATH_SIZE 160
#define LINE_SIZE 512
#define EVENTS_MAX 65536 /* who tells of more is no gateway of ours */

/* ---- The question ------------------------------------------------------------- */

static int add_client(struct cli *cli, struct tenf_text *path)
{
	const char *word = cli->arguments.value[CLI_OF_CLIENT];
	char text[TENF_ADDRESS_TEXT];
	struct tenf_address client;

	if (word == NULL)
		return CLI_EXIT_DONE;
	if (!tenf_address_parse(word, &client))
		return cli_usage(cli, "--client: \"%s\" is not the address of a host", word);
	tenf_text_add(path, "&client=");
	tenf_text_add(path, tenf_address_text(&client, text));
	return CLI_EXIT_DONE;
}

static int add_port(struct cli *cli, struct tenf_text *path)
{
	const char *word = cli->arguments.value[CLI_OF_PORT];
	uint64_t port;

	if (word == NULL)
		return CLI_EXIT_DONE;
	if (!tenf_text_number(word, strlen(word), UINT16_MAX, &port) || port == 0)
		return cli_usage(cli, "--port: \"%s\" is not a port", word);
	tenf_text_add(path, "&port=");
	tenf_text_add_number(path, port);
	return CLI_EXIT_DONE;
}

static int make_path(struct cli *cli, char ret[PATH_SIZE])
{
	struct tenf_text path = tenf_text_of(ret, PATH_SIZE);
	uint32_t ago = 0;
	int status = CLI_EXIT_DONE;

	if (cli->arguments.value[CLI_SINCE] != NULL)
		status = cli_read_duration(cli, CLI_SINCE, &ago);
	tenf_text_add(&path, "/v1/history?since=");
	tenf_text_add_number(&path, ago > 0 && cli->now() > ago ? (uint64_t)(cli->now() - ago) : 0);
	if (status == CLI_EXIT_DONE)
		status = add_client(cli, &path);
	return status == CLI_EXIT_DONE ? add_port(cli, &path) : status;
}

/* ---- Lines ---------------------------------------------------------------------- */

static void add_places(struct tenf_text *t, const json_t *mapping)
{
	uint16_t external =
		(uint16_t)json_integer_value(json_object_get(mapping, "external_port"));
	uint16_t internal =
		(uint16_t)json_integer_value(json_object_get(mapping, "internal_port"));

	if (external != 0) {
		output_endpoint(t, gateway_text(mapping, "external_address", ""), external,
				gateway_text(mapping, "protocol", "tcp"));
		tenf_text_add(t, " → ");
		output_endpoint(t, gateway_text(mapping, "internal_address", ""), internal, NULL);
	} else {
		output_endpoint(t, gateway_text(mapping, "internal_address", ""), internal,
				gateway_text(mapping, "protocol", "tcp"));
	}
	gateway_remote_text(t, mapping);
}

/* What is told behind the places: rule, renewals, reason. */
static void add_details(struct tenf_text *t, const json_t *event, const json_t *mapping)
{
	const json_t *rule = json_object_get(mapping, "rule");
	const char *reason = gateway_text(json_object_get(mapping, "error"), "text", "");
	const char *by = gateway_text(event, "by", "");
	json_int_t renewals = json_integer_value(json_object_get(mapping, "renewals"));
	json_int_t times = json_integer_value(json_object_get(event, "times"));

	if (json_is_object(rule)) {
		tenf_text_add(t, ", rule ");
		gateway_rule_text(t, rule);
	}
	if (renewals > 0) {
		tenf_text_add(t, ", renewed ");
		tenf_text_add_number(t, (uint64_t)renewals);
		tenf_text_add(t, renewals == 1 ? " time" : " times");
	}
	if (reason[0] != '\0') {
		tenf_text_add(t, ": ");
		tenf_text_add(t, reason);
	}
	if (times > 1) {
		tenf_text_add(t, ", ");
		tenf_text_add_number(t, (uint64_t)times);
		tenf_text_add(t, " times");
	}
	if (by[0] != '\0') {
		tenf_text_add(t, ", by ");
		tenf_text_add(t, by);
	}
}

/* "opened", "expired", "revoked" … */
static const char *what_of(const json_t *event)
{
	static const struct {
		const char *event;
		const char *word;
	} words[] = { { "mapped", "opened" },		 { "lost", "expired" },
		      { "refused", "refused" },		 { "renewed", "renewed" },
		      { "gateway-restart", "restarted" }, { "removed", "closed" } };
	const char *name = gateway_text(event, "event", "?");

	if (strcmp(name, "removed") == 0)
		return gateway_text(event, "end", "closed");
	if (strcmp(name, "pending") == 0) {
		const char *state =
			gateway_text(json_object_get(event, "pending"), "state", "waiting");

		return strcmp(state, "waiting") == 0 ? "asked" : state;
	}
	for (size_t i = 0; i < TENF_ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].event, name) == 0)
			return words[i].word;
	}
	return name;
}

static void print_event(struct cli *cli, const json_t *event)
{
	const json_t *mapping = json_object_get(event, "mapping");
	const json_t *pending = json_object_get(event, "pending");
	char line[LINE_SIZE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));
	int64_t at;

	if (shape_read_time(gateway_text(event, "at", ""), &at))
		output_moment(&t, cli->now(), at);
	tenf_text_add(&t, "  ");
	tenf_text_add(&t, what_of(event));
	tenf_text_add(&t, "  ");
	if (json_is_object(mapping)) {
		add_places(&t, mapping);
	} else if (json_is_object(pending)) {
		tenf_text_add(&t, gateway_text(pending, "client", "somebody"));
		tenf_text_add(&t, " for ");
		tenf_text_add_number(&t, (uint64_t)json_integer_value(
						 json_object_get(pending, "internal_port")));
		tenf_text_add_char(&t, '/');
		tenf_text_add(&t, gateway_text(pending, "protocol", "tcp"));
	} else {
		tenf_text_add(&t, gateway_text(event, "client", "the gateway"));
	}
	add_details(&t, event, mapping);
	output_wrapped(cli, cli->out, OUTPUT_PLAIN, 4, line);
}

int gateway_history(struct cli *cli, struct remote *remote)
{
	json_t *answer = NULL;
	const json_t *list;
	char path[PATH_SIZE];
	int status = make_path(cli, path);

	if (status == CLI_EXIT_DONE)
		status = gateway_request(cli, remote, "GET", path, NULL, &answer);
	list = json_object_get(answer, "events");
	if (status == CLI_EXIT_DONE && (!json_is_array(list) || json_array_size(list) > EVENTS_MAX))
		status = gateway_nonsense(cli, remote, "its answer has no list of events");
	else if (status == CLI_EXIT_DONE && cli->global.json)
		status = json_print(cli, json_incref(answer));
	else if (status == CLI_EXIT_DONE && json_array_size(list) == 0)
		cli_note(cli, "Nothing of that kind is remembered.");
	for (size_t i = 0; status == CLI_EXIT_DONE && !cli->global.json &&
			   i < json_array_size(list); i++)
		print_event(cli, json_array_get(list, i));
	json_decref(answer);
	return status;
}

/* SPDX-License-Identifier: MIT */
/* gateway revoke, pending, approve, deny: what the administrator says. */
#include "cli/gateway.h"

#include "base/address.h"
#include "base/forward.h"
#include "cli/agent-link.h"
#include "cli/json.h"
#include "cli/output.h"

#include <string.h>

#define PENDING_MAX 4096 /* wishes shown: who tells of more is no gateway of ours */
#define LINE_SIZE 512

/* One request about `id`, which the daemon may not know: "p9 does not wait; …". */
static int ask_about(struct cli *cli, struct remote *remote, const char *method, const char *path,
		     const char *id, const char *unknown, json_t **ret)
{
	json_t *answer = NULL;
	int http = 0;
	int status = daemon_ask(cli, &daemon_is_gateway, remote, method, path, NULL, &http,
				&answer);

	if (status == CLI_EXIT_DONE && http == 404)
		status = cli_usage(cli, "%s %s", id, unknown);
	else if (status == CLI_EXIT_DONE && http / 100 != 2)
		status = daemon_refusal(cli, &daemon_is_gateway, http, answer);
	if (status == CLI_EXIT_DONE && ret != NULL)
		*ret = answer;
	else
		json_decref(answer);
	return status;
}

/* ---- Wishes that wait ------------------------------------------------------- */

/* "192.168.1.61 asks for 554/tcp (4 times since 13:58)" */
static void add_wish(struct tenf_text *t, int64_t now, const json_t *wish)
{
	const char *mac = gateway_text(wish, "mac", "");
	json_int_t external = json_integer_value(json_object_get(wish, "external_port"));
	json_int_t internal = json_integer_value(json_object_get(wish, "internal_port"));
	json_int_t tries = json_integer_value(json_object_get(wish, "tries"));
	enum tenf_protocol protocol =
		strcmp(gateway_text(wish, "protocol", ""), "udp") == 0 ? TENF_UDP : TENF_TCP;
	int64_t since;

	tenf_text_add(t, gateway_text(wish, "client", "somebody"));
	if (mac[0] != '\0') {
		tenf_text_add(t, " [");
		tenf_text_add(t, mac);
		tenf_text_add(t, "]");
	}
	tenf_text_add(t, " asks for ");
	output_forward(t, (uint16_t)external, (uint16_t)internal, protocol);
	tenf_text_add(t, " (");
	tenf_text_add_number(t, tries > 0 ? (uint64_t)tries : 0);
	tenf_text_add(t, tries == 1 ? " time" : " times");
	if (shape_read_time(gateway_text(wish, "first_seen", ""), &since)) {
		tenf_text_add(t, " since ");
		output_moment(t, now, since);
	}
	tenf_text_add(t, ")");
}

/* How to say yes, on a line of its own where the wish leaves no room for it. */
static void add_approve(struct tenf_text *t, const char *line, const char *id)
{
	static const char how[] = "approve: tenforward gateway approve ";
	size_t width = output_width(line) + strlen("   ") + strlen(how) + strlen(id);

	tenf_text_add(t, width > OUTPUT_WIDTH ? "\n" : "   ");
	tenf_text_add(t, how);
	tenf_text_add(t, id);
}

size_t gateway_print_pending(struct cli *cli, const json_t *answer, bool others)
{
	const json_t *list = json_object_get(answer, "pending");
	size_t shown = 0;

	for (size_t i = 0; i < json_array_size(list) && i < PENDING_MAX; i++) {
		const json_t *wish = json_array_get(list, i);
		const char *state = gateway_text(wish, "state", "waiting");
		bool waits = strcmp(state, "waiting") == 0;
		char line[LINE_SIZE];
		struct tenf_text t = tenf_text_of(line, sizeof(line));

		if (!waits && !others)
			continue;
		tenf_text_add(&t, waits ? "pending" : state);
		tenf_text_add(&t, ": ");
		add_wish(&t, cli->now(), wish);
		if (waits) {
			add_approve(&t, line, gateway_text(wish, "id", "?"));
		} else {
			tenf_text_add(&t, "   ");
			tenf_text_add(&t, gateway_text(wish, "id", "?"));
		}
		output_wrapped(cli, cli->out, waits ? OUTPUT_YELLOW : OUTPUT_PLAIN, 4, line);
		shown++;
	}
	return shown;
}

int gateway_pending(struct cli *cli, struct remote *remote)
{
	json_t *answer = NULL;
	int status = gateway_request(cli, remote, "GET", "/v1/pending", NULL, &answer);

	if (status == CLI_EXIT_DONE && !json_is_array(json_object_get(answer, "pending")))
		status = gateway_nonsense(cli, remote, "its answer has no list of wishes");
	else if (status == CLI_EXIT_DONE && cli->global.json)
		status = json_print(cli, json_incref(answer));
	else if (status == CLI_EXIT_DONE && gateway_print_pending(cli, answer, true) == 0)
		cli_note(cli, "Nobody waits for your word.");
	json_decref(answer);
	return status;
}

/* Letters and digits alone, so that an id is one part of a path. */
static bool is_id(const char *word, char first)
{
	uint64_t number;

	return word[0] == first &&
	       tenf_text_number(word + 1, strlen(word + 1), UINT32_MAX, &number);
}

static int say_word(struct cli *cli, struct remote *remote, const char *what, const char *done)
{
	int worst = CLI_EXIT_DONE;

	for (size_t i = 1; i < cli->arguments.count; i++) {
		const char *id = cli->arguments.words[i];
		char path[64];
		int status;

		if (!is_id(id, 'p'))
			return cli_usage(cli, "gateway %s: \"%s\" is no ID; write one of "
					 "`tenforward gateway pending`, such as p7", what, id);
		(void)snprintf(path, sizeof(path), "/v1/pending/%.16s/%s", id, what);
		status = ask_about(cli, remote, "POST", path, id,
				   "does not wait; see tenforward gateway pending", NULL);
		if (status == CLI_EXIT_DONE)
			cli_note(cli, "%s: %s", id, done);
		worst = status > worst ? status : worst;
	}
	return worst;
}

int gateway_approve(struct cli *cli, struct remote *remote)
{
	return say_word(cli, remote, "approve", "approved; the client's next try goes through");
}

int gateway_deny(struct cli *cli, struct remote *remote)
{
	return say_word(cli, remote, "deny", "denied; not asked about again for an hour");
}

/* ---- Revoking ----------------------------------------------------------------- */

/* "443/tcp" or "443": an external port. */
static bool read_port(const char *word, struct tenf_forward *ret)
{
	char ignored[128];
	struct tenf_text why = tenf_text_of(ignored, sizeof(ignored));

	return tenf_forward_parse(word, ret, &why) && tenf_forward_count(ret) == 1 &&
	       ret->external_first == ret->internal_first;
}

static bool is_at(const struct tenf_mapping *m, const struct tenf_forward *port)
{
	return m->external_port == port->external_first &&
	       (port->protocol == TENF_BOTH || port->protocol == m->protocol);
}

static void tell_revoked(struct cli *cli, const struct agent_mapping *one)
{
	const struct tenf_mapping *m = &one->mapping;
	char line[LINE_SIZE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	output_endpoint(&t, m->external_address, m->external_port,
			tenf_protocol_name(m->protocol));
	tenf_text_add(&t, " → ");
	output_endpoint(&t, m->internal_address, m->internal_port, NULL);
	tenf_text_add(&t, "   revoked, its connections are cut\n");
	output_text(cli, cli->out, OUTPUT_PLAIN, line);
}

/* Revokes one and appends it to *list; exit status. */
static int revoke_id(struct cli *cli, struct remote *remote, const char *id, json_t *list)
{
	struct agent_mappings gone = { NULL, 0 };
	json_t *answer = NULL;
	char path[AGENT_PATH_SIZE];
	int status;

	agent_mapping_path(path, id);
	status = ask_about(cli, remote, "DELETE", path, id,
			   "is not open; see tenforward gateway list", &answer);
	if (status == CLI_EXIT_DONE)
		status = daemon_read_mappings(cli, &daemon_is_gateway, remote, answer, &gone);
	for (size_t i = 0; status == CLI_EXIT_DONE && i < gone.count; i++) {
		if (!cli->global.json)
			tell_revoked(cli, &gone.items[i]);
		(void)json_array_append(list, gone.items[i].shape);
	}
	agent_mappings_done(&gone);
	json_decref(answer);
	return status;
}

static int revoke_port(struct cli *cli, struct remote *remote, const char *word,
		       const struct agent_mappings *all, json_t *list)
{
	struct tenf_forward port;
	int worst = CLI_EXIT_DONE;
	bool any = false;

	if (!read_port(word, &port))
		return cli_usage(cli, "gateway revoke: \"%s\" is neither an ID such as m7 nor an "
				 "external port such as 443/tcp", word);
	for (size_t i = 0; i < all->count; i++) {
		int status;

		if (!is_at(&all->items[i].mapping, &port))
			continue;
		any = true;
		status = revoke_id(cli, remote, all->items[i].tag.id, list);
		worst = status > worst ? status : worst;
	}
	if (any)
		return worst;
	return cli_usage(cli, "nobody has %s open; see tenforward gateway list", word);
}

int gateway_revoke(struct cli *cli, struct remote *remote)
{
	struct agent_mappings all = { NULL, 0 };
	json_t *answer = NULL, *list = json_array();
	int worst = gateway_request(cli, remote, "GET", "/v1/mappings", NULL, &answer);

	if (worst == CLI_EXIT_DONE)
		worst = daemon_read_mappings(cli, &daemon_is_gateway, remote, answer, &all);
	json_decref(answer);
	if (worst == CLI_EXIT_DONE) {
		for (size_t i = 1; i < cli->arguments.count; i++) {
			const char *word = cli->arguments.words[i];
			int status = is_id(word, 'm')
					     ? revoke_id(cli, remote, word, list)
					     : revoke_port(cli, remote, word, &all, list);

			worst = status > worst ? status : worst;
		}
		if (cli->global.json)
			(void)json_print(cli, json_wrap("mappings", json_incref(list)));
	}
	agent_mappings_done(&all);
	json_decref(list);
	return worst;
}

/* SPDX-License-Identifier: MIT */
/* gateway explain: would this client get this port, and by which rule? */
#include "cli/gateway.h"

#include "base/address.h"
#include "base/forward.h"
#include "cli/json.h"
#include "cli/output.h"

#include <ctype.h>
#include <string.h>

#define PATH_SIZE 256
#define LINE_SIZE 512

/* Hexadecimal digits with separators: what may stand in a query as it is. */
static bool is_mac(const char *word)
{
	size_t digits = 0;

	for (const char *at = word; *at != '\0'; at++) {
		if (isxdigit((unsigned char)*at))
			digits++;
		else if (*at != ':' && *at != '-')
			return false;
	}
	return digits == 12;
}

static int read_words(struct cli *cli, char ret[PATH_SIZE], struct tenf_forward *ret_forward)
{
	const struct cli_arguments *a = &cli->arguments;
	char reason[160], address[TENF_ADDRESS_TEXT];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));
	struct tenf_address client;

	if (!tenf_address_parse(a->words[1], &client))
		return cli_usage(cli, "gateway explain: \"%s\" is not the address of a host",
				 a->words[1]);
	if (!tenf_forward_parse(a->words[2], ret_forward, &why))
		return cli_usage(cli, "%s", reason);
	if (tenf_forward_count(ret_forward) != 1 || ret_forward->protocol == TENF_BOTH)
		return cli_usage(cli, "gateway explain takes one port of tcp or udp at a time");
	if (a->count > 3 && !is_mac(a->words[3]))
		return cli_usage(cli, "gateway explain: \"%s\" is not a MAC; write one such as "
				 "00:11:22:33:44:55", a->words[3]);
	(void)snprintf(ret, PATH_SIZE,
		       "/v1/explain?client=%s&protocol=%s&internal_port=%u&external_port=%u%s%.20s",
		       tenf_address_text(&client, address),
		       tenf_protocol_name(ret_forward->protocol), ret_forward->internal_first,
		       ret_forward->external_first, a->count > 3 ? "&mac=" : "",
		       a->count > 3 ? a->words[3] : "");
	return CLI_EXIT_DONE;
}

/* "yes, on port 443: rule 3 allow lan (allowed)"; `asked` is 0 where any port does. */
static void print_answer(struct cli *cli, const json_t *answer, uint16_t asked)
{
	bool granted = json_is_true(json_object_get(answer, "granted"));
	bool asks = strcmp(gateway_text(answer, "action", ""), "ask") == 0;
	json_int_t port = json_integer_value(json_object_get(answer, "external_port"));
	const json_t *rule = json_object_get(answer, "rule");
	char line[LINE_SIZE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	if (granted)
		tenf_text_add(&t, "yes");
	else
		tenf_text_add(&t, asks ? "not yet" : "no");
	if (granted && (port > 0 || asked > 0)) {
		tenf_text_add(&t, port > 0 ? ", on port " : ", but not on port ");
		tenf_text_add_number(&t, port > 0 ? (uint64_t)port : asked);
	}
	tenf_text_add(&t, json_is_object(rule) ? ": rule " : ": no rule");
	if (json_is_object(rule))
		gateway_rule_text(&t, rule);
	tenf_text_add(&t, " (");
	tenf_text_add(&t, gateway_text(answer, "text", "no reason given"));
	tenf_text_add(&t, ")\n");
	output_text(cli, cli->out, granted ? OUTPUT_GREEN : asks ? OUTPUT_YELLOW : OUTPUT_RED,
		    line);
}

int gateway_explain(struct cli *cli, struct remote *remote)
{
	struct tenf_forward forward;
	json_t *answer = NULL;
	char path[PATH_SIZE];
	int status = read_words(cli, path, &forward);

	if (status == CLI_EXIT_DONE)
		status = gateway_request(cli, remote, "GET", path, NULL, &answer);
	if (status != CLI_EXIT_DONE)
		return status;
	if (!json_is_boolean(json_object_get(answer, "granted")))
		status = gateway_nonsense(cli, remote, "it does not say whether it would grant");
	else if (cli->global.json)
		status = json_print(cli, json_incref(answer));
	else
		print_answer(cli, answer, forward.external_first);
	json_decref(answer);
	return status;
}

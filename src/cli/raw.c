/* SPDX-License-Identifier: MIT */
/* raw: one request as it is, and the answer as it came. For testers. */
#include "cli/hosts.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "cli/wishes.h"

#include "base/address.h"
#include "base/span.h"

#include <string.h>

#define DATAGRAM_MAX 1500 /* of an answer; PCP ends at 1100 (RFC 6887 §7) */
#define DESCRIPTION_ROOM 4096
#define HEX_COLUMNS 16

struct datagram {
	uint8_t data[DATAGRAM_MAX];
	size_t len; /* 0: none */
};

struct kind {
	char name[16];
	enum tenf_raw_kind kind;
	bool mapping;
};

static const struct kind kinds[] = {
	{ "natpmp-address", TENF_RAW_NATPMP_ADDRESS, false },
	{ "natpmp-map", TENF_RAW_NATPMP_MAP, true },
	{ "pcp-announce", TENF_RAW_PCP_ANNOUNCE, false },
	{ "pcp-map", TENF_RAW_PCP_MAP, true },
	{ "pcp-peer", TENF_RAW_PCP_PEER, true },
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Two digits an octet; blanks and colons between octets are fine. */
static bool parse_hex(const char *text, uint8_t *ret, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (*text != '\0') {
		int high, low;

		if (*text == ' ' || *text == ':') {
			text++;
			continue;
		}
		high = digit(text[0]);
		low = high >= 0 ? digit(text[1]) : -1;
		if (low < 0 || len >= size)
			return false;
		ret[len++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	*ret_len = len;
	return true;
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < TENF_ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

static int read_mapping(struct cli *cli, const struct kind *kind, struct tenf_raw *raw)
{
	struct wishes wishes = { 0 };
	int status;

	if (cli->arguments.count < 2)
		return cli_usage(cli, "raw %s needs a mapping: tenforward raw %s 80:8080/tcp",
				 kind->name, kind->name);
	status = wishes_read_word(cli, cli->arguments.words[1], &wishes);
	if (status == CLI_EXIT_DONE &&
	    (wishes.count != 1 || wishes.items[0].protocol == TENF_BOTH))
		status = cli_usage(cli, "raw sends one request; name one port of tcp or udp");
	if (status == CLI_EXIT_DONE) {
		raw->protocol = wishes.items[0].protocol;
		raw->internal_port = wishes.items[0].internal_port;
		raw->external_port = wishes.items[0].external_port;
	}
	wishes_done(&wishes);
	return status;
}

static int read_address(struct cli *cli, enum cli_option option, const char **ret)
{
	const char *text = cli->arguments.value[option];
	struct tenf_address address;

	if (text != NULL && !tenf_address_parse(text, &address))
		return cli_usage(cli, "--%s: \"%s\" is not an address", cli_options[option].name,
				 text);
	*ret = text;
	return CLI_EXIT_DONE;
}

static int read_remote(struct cli *cli, const struct kind *kind, char *address,
		       struct tenf_raw *raw)
{
	const char *text = cli->arguments.value[CLI_REMOTE];
	struct tenf_endpoint remote;

	if (kind->kind != TENF_RAW_PCP_PEER && text != NULL)
		return cli_usage(cli, "--remote is for pcp-peer alone");
	if (kind->kind != TENF_RAW_PCP_PEER)
		return CLI_EXIT_DONE;
	if (text == NULL || !tenf_endpoint_parse(text, 0, &remote) || remote.port == 0)
		return cli_usage(cli, "raw pcp-peer needs --remote with address and port, "
				 "such as 198.51.100.7:443");
	raw->remote_address = tenf_address_text(&remote.address, address);
	raw->remote_port = remote.port;
	return CLI_EXIT_DONE;
}

/* A lifetime of 0 is a request too: it deletes. */
static int read_lifetime(struct cli *cli, struct tenf_raw *raw)
{
	const char *text = cli->arguments.value[CLI_LIFETIME];

	if (text != NULL && !tenf_span_parse(text, &raw->lifetime_s))
		return cli_usage(cli, "--lifetime: \"%s\" is not a duration; write 90s, 10m or 0",
				 text);
	return CLI_EXIT_DONE;
}

static int read_nonce(struct cli *cli, uint8_t *nonce, struct tenf_raw *raw)
{
	const char *text = cli->arguments.value[CLI_NONCE];
	size_t len;

	if (text == NULL)
		return CLI_EXIT_DONE;
	if (!parse_hex(text, nonce, TENF_NONCE_SIZE, &len) || len != TENF_NONCE_SIZE)
		return cli_usage(cli, "--nonce: write %d hex digits", 2 * TENF_NONCE_SIZE);
	raw->nonce = nonce;
	return CLI_EXIT_DONE;
}

static int build(struct cli *cli, const struct kind *kind, struct datagram *request)
{
	struct wishes wishes = { 0 };
	char remote[TENF_ADDRESS_TEXT];
	uint8_t nonce[TENF_NONCE_SIZE];
	struct tenf_error error = { .result = -1 };
	struct tenf_raw raw;
	enum tenf_status status;
	int wrong = CLI_EXIT_DONE;

	tenf_raw_init(&raw);
	raw.kind = kind->kind;
	raw.prefer_failure = cli->arguments.value[CLI_EXACT] != NULL;
	if (kind->mapping)
		wrong = read_mapping(cli, kind, &raw);
	else if (cli->arguments.count > 1)
		wrong = cli_usage(cli, "raw %s takes no mapping", kind->name);
	if (wrong == CLI_EXIT_DONE)
		wrong = read_lifetime(cli, &raw);
	if (wrong == CLI_EXIT_DONE)
		wrong = read_nonce(cli, nonce, &raw);
	if (wrong == CLI_EXIT_DONE)
		wrong = read_address(cli, CLI_CLIENT, &raw.client);
	if (wrong == CLI_EXIT_DONE)
		wrong = read_address(cli, CLI_SUGGEST, &raw.external_address);
	if (wrong == CLI_EXIT_DONE)
		wrong = read_remote(cli, kind, remote, &raw);
	if (wrong == CLI_EXIT_DONE)
		wrong = wishes_read_name(cli, &raw.description);
	if (wrong == CLI_EXIT_DONE)
		wrong = wishes_read_host(cli, &wishes);
	if (wrong != CLI_EXIT_DONE)
		return wrong;
	raw.third_party = wishes.for_host[0] != '\0' ? wishes.for_host : NULL;
	request->len = sizeof(request->data);
	status = tenf_raw_build(&cli->global.ask, &raw, request->data, &request->len, &error);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, &error);
}

static int read_request(struct cli *cli, struct datagram *request)
{
	const char *name = cli->arguments.words[0];
	const struct kind *kind = find_kind(name);

	if (kind != NULL)
		return build(cli, kind, request);
	if (strcmp(name, "hex") != 0)
		return cli_usage(cli,
				 "\"%s\" is no request: natpmp-address, natpmp-map, "
				 "pcp-announce, pcp-map, pcp-peer, hex", name);
	if (cli->arguments.count < 2 ||
	    !parse_hex(cli->arguments.words[1], request->data, sizeof(request->data),
		       &request->len) ||
	    request->len == 0)
		return cli_usage(cli, "raw hex needs the octets, two hex digits each: "
				 "tenforward raw hex 0000");
	return CLI_EXIT_DONE;
}

static void print_hex(struct cli *cli, const struct datagram *d)
{
	for (size_t i = 0; i < d->len; i++) {
		fputs(i % HEX_COLUMNS == 0 ? "  " : " ", cli->out);
		fprintf(cli->out, "%02x", d->data[i]);
		if (i % HEX_COLUMNS == HEX_COLUMNS - 1 || i + 1 == d->len)
			putc('\n', cli->out);
	}
}

static void print_datagram(struct cli *cli, const struct datagram *d)
{
	char text[DESCRIPTION_ROOM];
	char *line, *rest = text;

	print_hex(cli, d);
	tenf_packet_describe(d->data, d->len, text, sizeof(text));
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '\0')
			continue;
		fputs("  ", cli->out);
		output_text(cli, cli->out, OUTPUT_PLAIN, line);
		putc('\n', cli->out);
	}
}

/* {"field": …, "value": …} for each line of the description. */
static json_t *make_fields(const struct datagram *d)
{
	char text[DESCRIPTION_ROOM];
	char *line, *rest = text;
	json_t *list = json_array();

	tenf_packet_describe(d->data, d->len, text, sizeof(text));
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strstr(line, ": ");

		if (*line == '\0')
			continue;
		if (value != NULL) {
			*value = '\0';
			value += 2;
		}
		line += strspn(line, " ");
		(void)json_array_append_new(list, json_pack("{so so}", "field", json_text(line),
							    "value", json_text(value)));
	}
	return list;
}

static json_t *make_datagram(const struct datagram *d)
{
	char hex[2 * DATAGRAM_MAX + 1];
	struct tenf_text t = tenf_text_of(hex, sizeof(hex));

	if (d->len == 0)
		return json_null();
	tenf_text_add_hex(&t, d->data, d->len);
	return json_pack("{ss so}", "hex", hex, "fields", make_fields(d));
}

struct exchange {
	struct datagram request;
	struct datagram answer;
	struct tenf_gateway gateway;
	struct tenf_error error;
	int64_t rtt_us;
};

static void print_json(struct cli *cli, const struct exchange *x)
{
	json_t *rtt = x->rtt_us >= 0 ? json_real((double)x->rtt_us / 1000.0) : json_null();

	json_t *all = json_pack("{so so so so so}", "gateway", json_text(x->gateway.address),
				"request", make_datagram(&x->request), "answer",
				make_datagram(&x->answer), "rtt_ms", rtt, "error",
				json_error(&x->error));

	(void)json_print(cli, all);
}

static void print_people(struct cli *cli, const struct exchange *x)
{
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	tenf_text_add(&t, "request");
	if (x->gateway.address[0] != '\0') {
		tenf_text_add(&t, " to ");
		output_endpoint(&t, x->gateway.address, x->gateway.port, NULL);
	}
	fprintf(cli->out, "%s, %zu octets\n", line, x->request.len);
	print_datagram(cli, &x->request);
	if (x->answer.len == 0)
		return;
	t = tenf_text_of(line, sizeof(line));
	if (x->rtt_us >= 0) {
		tenf_text_add(&t, " after ");
		report_milliseconds(&t, x->rtt_us);
	}
	fprintf(cli->out, "answer%s, %zu octets\n", line, x->answer.len);
	print_datagram(cli, &x->answer);
}

int verb_raw(struct cli *cli)
{
	struct exchange x = { .error = { .result = -1 }, .rtt_us = -1 };
	size_t len = sizeof(x.answer.data);
	enum tenf_status status;
	int wrong = read_request(cli, &x.request);

	if (wrong != CLI_EXIT_DONE)
		return wrong;
	status = tenf_raw_exchange(&cli->global.ask, x.request.data, x.request.len, x.answer.data,
				   &len, &x.rtt_us, &x.gateway, &x.error);
	if (status != TENF_OK && status != TENF_E_FAILED)
		return cli_failed(cli, status, &x.error);
	if (status == TENF_OK || x.error.reason == TENF_REASON_MALFORMED)
		x.answer.len = len;
	if (cli->global.json)
		print_json(cli, &x);
	else
		print_people(cli, &x);
	(void)cli_flush(cli);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, &x.error);
}

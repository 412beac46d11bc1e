/* SPDX-License-Identifier: MIT */
/* Any packet of both protocols in words, for testers: one field a line. */
#include "base/names.h"
#include "base/text.h"
#include "wire/natpmp.h"
#include "wire/pcp-option.h"
#include "wire/pcp.h"

#include <tenforward/tenforward.h>

static void line(struct tenf_text *t, const char *name, const char *value)
{
	tenf_text_add(t, name);
	tenf_text_add(t, ": ");
	tenf_text_add(t, value);
	tenf_text_add_char(t, '\n');
}

static void line_number(struct tenf_text *t, const char *name, uint64_t value, const char *word)
{
	tenf_text_add(t, name);
	tenf_text_add(t, ": ");
	tenf_text_add_number(t, value);
	if (word[0] != '\0') {
		tenf_text_add_char(t, ' ');
		tenf_text_add(t, word);
	}
	tenf_text_add_char(t, '\n');
}

static void line_address(struct tenf_text *t, const char *name, const struct tenf_address *value)
{
	char buffer[TENF_ADDRESS_TEXT];

	line(t, name, tenf_address_text(value, buffer));
}

static void line_protocol(struct tenf_text *t, uint8_t protocol)
{
	line_number(t, "protocol", protocol,
		    protocol == TENF_TCP ? "(tcp)" : protocol == TENF_UDP ? "(udp)" : "");
}

static const char *natpmp_opcode_text(uint8_t opcode)
{
	switch (opcode & 127) {
	case NATPMP_ADDRESS:
		return "(external address)";
	case NATPMP_MAP_UDP:
		return "(map UDP)";
	case NATPMP_MAP_TCP:
		return "(map TCP)";
	default:
		return "(unknown)";
	}
}

static void natpmp_request_text(struct tenf_text *t, const uint8_t *data, size_t len)
{
	struct natpmp_request r;

	if (natpmp_decode_request(data, len, &r) != TENF_OK) {
		line(t, "fault", "not a NAT-PMP request: wrong length");
		return;
	}
	line(t, "packet", "NAT-PMP request");
	line_number(t, "opcode", r.opcode, natpmp_opcode_text(r.opcode));
	if (r.opcode != NATPMP_MAP_UDP && r.opcode != NATPMP_MAP_TCP)
		return;
	line_number(t, "internal port", r.internal_port, "");
	line_number(t, "suggested external port", r.external_port, "");
	line_number(t, "requested lifetime", r.lifetime_s, "s");
}

static void natpmp_answer_text(struct tenf_text *t, const uint8_t *data, size_t len)
{
	struct natpmp_answer a;

	if (natpmp_decode_answer(data, len, &a) != TENF_OK) {
		line(t, "fault", "not a NAT-PMP answer: truncated");
		return;
	}
	line(t, "packet", "NAT-PMP answer");
	line_number(t, "opcode", a.opcode, natpmp_opcode_text(a.opcode));
	line_number(t, "result", a.result, natpmp_result_name(a.result));
	if (a.has == NATPMP_HAS_RESULT)
		return;
	line_number(t, "epoch", a.epoch_s, "s");
	if (a.has != NATPMP_HAS_ALL)
		return;
	if (a.opcode == NATPMP_ADDRESS + NATPMP_ANSWER) {
		line_address(t, "external address", &a.external_address);
		return;
	}
	line_number(t, "internal port", a.internal_port, "");
	line_number(t, "mapped external port", a.external_port, "");
	line_number(t, "lifetime", a.lifetime_s, "s");
}

static void filter_text(struct tenf_text *t, const struct pcp_option *o)
{
	struct pcp_filter f;

	if (pcp_option_filter(o, &f) != TENF_OK)
		return;
	line_address(t, "  remote address", &f.address);
	line_number(t, "  prefix length", f.prefix_length, "");
	line_number(t, "  remote port", f.port, "");
}

static void description_text(struct tenf_text *t, const struct pcp_option *o)
{
	const uint8_t *text;
	size_t len;

	if (pcp_option_description(o, &text, &len) != TENF_OK)
		return;
	tenf_text_add(t, "  text: ");
	for (size_t i = 0; i < len; i++)
		tenf_text_add_char(t, text[i] < ' ' ? '?' : (char)text[i]);
	tenf_text_add_char(t, '\n');
}

static void options_text(struct tenf_text *t, struct tenf_reader options)
{
	struct pcp_option o;
	struct tenf_address third_party;

	while (pcp_option_next(&options, &o)) {
		const char *name = o.code == PCP_OPTION_THIRD_PARTY   ? "THIRD_PARTY" :
				   o.code == PCP_OPTION_PREFER_FAILURE ? "PREFER_FAILURE" :
				   o.code == PCP_OPTION_FILTER	       ? "FILTER" :
				   o.code == PCP_OPTION_DESCRIPTION    ? "DESCRIPTION" :
									 "(unknown)";

		line_number(t, "option", o.code, name);
		if (o.code == PCP_OPTION_THIRD_PARTY &&
		    pcp_option_third_party(&o, &third_party) == TENF_OK)
			line_address(t, "  internal address", &third_party);
		else if (o.code == PCP_OPTION_FILTER)
			filter_text(t, &o);
		else if (o.code == PCP_OPTION_DESCRIPTION)
			description_text(t, &o);
	}
	if (options.failed)
		line(t, "fault", "an option runs over the end of the packet");
}

static void map_text(struct tenf_text *t, uint8_t opcode, const struct pcp_map *map,
		     const struct pcp_remote *remote, const char *which)
{
	if (opcode != PCP_MAP && opcode != PCP_PEER)
		return;
	tenf_text_add(t, "nonce: ");
	tenf_text_add_hex(t, map->nonce, sizeof(map->nonce));
	tenf_text_add_char(t, '\n');
	line_protocol(t, map->protocol);
	line_number(t, "internal port", map->internal_port, "");
	tenf_text_add(t, which);
	line_number(t, " external port", map->external_port, "");
	tenf_text_add(t, which);
	line_address(t, " external address", &map->external_address);
	if (opcode == PCP_PEER) {
		line_number(t, "remote peer port", remote->port, "");
		line_address(t, "remote peer address", &remote->address);
	}
}

static void pcp_request_text(struct tenf_text *t, const uint8_t *data, size_t len)
{
	enum pcp_result result = PCP_SUCCESS;
	struct pcp_request r = { 0 };
	enum pcp_parse parse = pcp_parse_request(data, len, &r, &result);

	if (parse == PCP_DROP) {
		line(t, "fault", "not a PCP request: a gateway drops it");
		return;
	}
	line(t, "packet", "PCP request");
	line_number(t, "version", r.version, "");
	line_number(t, "opcode", r.opcode, pcp_opcode_name(r.opcode));
	if (parse == PCP_REJECT) {
		line(t, "fault", pcp_result_name((uint8_t)result));
		return;
	}
	line_number(t, "requested lifetime", r.lifetime_s, "s");
	line_address(t, "client address", &r.client);
	map_text(t, r.opcode, &r.map, &r.remote, "suggested");
	options_text(t, r.options);
}

static void pcp_answer_text(struct tenf_text *t, const uint8_t *data, size_t len)
{
	struct pcp_answer a;

	if (pcp_decode_answer(data, len, &a) != TENF_OK) {
		line(t, "fault", "not a PCP answer: truncated, or its length is wrong");
		return;
	}
	line(t, "packet", "PCP answer");
	line_number(t, "version", a.version, "");
	line_number(t, "opcode", a.opcode, pcp_opcode_name(a.opcode));
	line_number(t, "result", a.result, pcp_result_name(a.result));
	line_number(t, a.result == PCP_SUCCESS ? "lifetime" : "error lifetime", a.lifetime_s, "s");
	line_number(t, "epoch", a.epoch_s, "s");
	map_text(t, a.opcode, &a.map, &a.remote, "assigned");
	options_text(t, a.options);
}

void tenf_packet_describe(const uint8_t *data, size_t len, char *text, size_t size)
{
	struct tenf_text t = tenf_text_of(text, size);
	bool answer = len >= 2 && (data[1] & 128) != 0;

	line_number(&t, "length", len, len == 1 ? "octet" : "octets");
	if (len < 2)
		line(&t, "fault", "too short for NAT-PMP and PCP");
	else if (data[0] == NATPMP_VERSION && answer)
		natpmp_answer_text(&t, data, len);
	else if (data[0] == NATPMP_VERSION)
		natpmp_request_text(&t, data, len);
	else if (answer)
		pcp_answer_text(&t, data, len);
	else
		pcp_request_text(&t, data, len);
}

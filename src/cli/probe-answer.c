/* SPDX-License-Identifier: MIT */
/* The pure half of probe.h: what was asked for, and what was answered. */
#include "cli/probe.h"

#include "base/bytes.h"

#include <string.h>

/* RFC 6887 §7.1, §7.2, §11.1 */
#define VERSION 2
#define OPCODE_MAP 1
#define ANSWER_BIT 0x80
#define HEADER_SIZE 24
#define MAP_SIZE 36
#define LIFETIME_AT 4

enum result { /* §7.4 */
	SUCCESS = 0,
	UNSUPP_VERSION = 1,
	NOT_AUTHORIZED = 2,
	UNSUPP_OPCODE = 4,
	NO_RESOURCES = 8,
};

bool probe_range_parse(const char *text, struct probe_range *ret)
{
	const char *dash = strchr(text, '-');
	size_t len = dash != NULL ? (size_t)(dash - text) : strlen(text);
	uint64_t first = 0, last = 0;

	if (!tenf_text_number(text, len, 65535, &first))
		return false;
	last = first;
	if (dash != NULL && !tenf_text_number(dash + 1, strlen(dash + 1), 65535, &last))
		return false;
	if (first == 0 || last < first)
		return false;
	*ret = (struct probe_range){ (uint16_t)first, (uint16_t)last };
	return true;
}

/* Nonce, protocol and internal port come back as they were sent (§11.3); the first
 * 20 octets behind the header: 12, 1, 3 reserved, 2, and the suggested port. */
static bool is_ours(const uint8_t *request, const uint8_t *answer)
{
	const size_t nonce_and_protocol = 13, port_at = 16;

	return memcmp(request + HEADER_SIZE, answer + HEADER_SIZE, nonce_and_protocol) == 0 &&
	       memcmp(request + HEADER_SIZE + port_at, answer + HEADER_SIZE + port_at, 2) == 0;
}

static enum probe_answer judge(uint8_t result, bool was_delete, uint32_t lifetime_s)
{
	switch (result) {
	case SUCCESS:
		/* A delete of nothing succeeds as well (§15.1); so does one that did it. */
		return was_delete && lifetime_s != 0 ? PROBE_OTHER : PROBE_DONE;
	case NOT_AUTHORIZED:
		return PROBE_THERE;
	case NO_RESOURCES:
		/* What miniupnpd says to a delete of nothing. */
		return was_delete ? PROBE_NOTHING : PROBE_OTHER;
	case UNSUPP_VERSION:
	case UNSUPP_OPCODE:
		return PROBE_NO_PCP;
	default:
		return PROBE_OTHER;
	}
}

enum probe_answer probe_read_answer(const uint8_t *request, size_t request_len,
				    const uint8_t *answer, size_t len, uint8_t *ret_result)
{
	struct tenf_reader r = tenf_reader_of(answer, len);
	static const uint8_t none[4];
	uint8_t version = tenf_reader_u8(&r), opcode = tenf_reader_u8(&r), result;
	uint32_t lifetime_s;

	tenf_reader_skip(&r, 1);
	result = tenf_reader_u8(&r);
	lifetime_s = tenf_reader_u32(&r);
	if (request_len < HEADER_SIZE + MAP_SIZE || r.failed ||
	    opcode != (ANSWER_BIT | OPCODE_MAP))
		return PROBE_FOREIGN;
	*ret_result = result;
	if (result == UNSUPP_VERSION)
		return PROBE_NO_PCP;
	if (version != VERSION || len < HEADER_SIZE + MAP_SIZE || !is_ours(request, answer))
		return PROBE_FOREIGN;
	return judge(result, memcmp(request + LIFETIME_AT, none, sizeof(none)) == 0, lifetime_s);
}

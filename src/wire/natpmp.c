/* SPDX-License-Identifier: MIT */
#include "wire/natpmp.h"

#include "base/text.h"

/* RFC 6886 §3.2, §3.3 */
#define ADDRESS_ANSWER_SIZE 12
#define MAP_ANSWER_SIZE 16
/* Enough of an answer for the epoch to be there. */
#define EPOCH_SIZE 8

static bool is_map(uint8_t opcode)
{
	return opcode == NATPMP_MAP_UDP || opcode == NATPMP_MAP_TCP;
}

static bool is_map_answer(uint8_t opcode)
{
	return opcode >= NATPMP_ANSWER && is_map((uint8_t)(opcode - NATPMP_ANSWER));
}

uint8_t natpmp_opcode_of(enum tenf_protocol protocol)
{
	return protocol == TENF_TCP ? NATPMP_MAP_TCP : NATPMP_MAP_UDP;
}

enum tenf_status natpmp_decode_request(const uint8_t *data, size_t len, struct natpmp_request *ret)
{
	struct tenf_reader r = tenf_reader_of(data, len);
	struct natpmp_request m = { 0 };

	m.version = tenf_reader_u8(&r);
	m.opcode = tenf_reader_u8(&r);
	if (r.failed)
		return TENF_E_TRUNCATED;
	if (m.opcode >= NATPMP_ANSWER)
		return TENF_E_MALFORMED; /* §3.5: an answer, never answered */
	/* The rules of length are version 0's own: a version that is refused
	 * must be refused whatever its packets look like. */
	if (m.version == NATPMP_VERSION && len > NATPMP_MAX)
		return TENF_E_MALFORMED;
	if (m.version == NATPMP_VERSION && is_map(m.opcode)) {
		tenf_reader_skip(&r, 2);
		m.internal_port = tenf_reader_u16(&r);
		m.external_port = tenf_reader_u16(&r);
		m.lifetime_s = tenf_reader_u32(&r);
		if (r.failed)
			return TENF_E_TRUNCATED;
	}
	*ret = m;
	return TENF_OK;
}

/* What an answer of this length and opcode holds. */
static enum natpmp_has has_of(uint8_t opcode, size_t len)
{
	if (opcode == NATPMP_ANSWER + NATPMP_ADDRESS && len >= ADDRESS_ANSWER_SIZE)
		return NATPMP_HAS_ALL;
	if (is_map_answer(opcode) && len >= MAP_ANSWER_SIZE)
		return NATPMP_HAS_ALL;
	return len >= EPOCH_SIZE ? NATPMP_HAS_EPOCH : NATPMP_HAS_RESULT;
}

static void read_answer_body(struct tenf_reader *r, struct natpmp_answer *m)
{
	if (is_map_answer(m->opcode)) {
		m->internal_port = tenf_reader_u16(r);
		m->external_port = tenf_reader_u16(r);
		m->lifetime_s = tenf_reader_u32(r);
	} else if (m->result == NATPMP_SUCCESS) {
		/* §3.2: the field means nothing beside an error. */
		m->external_address = tenf_address_v4(tenf_reader_u32(r));
	}
}

enum tenf_status natpmp_decode_answer(const uint8_t *data, size_t len, struct natpmp_answer *ret)
{
	struct tenf_reader r = tenf_reader_of(data, len);
	struct natpmp_answer m = { .external_address = tenf_address_none4 };

	m.version = tenf_reader_u8(&r);
	m.opcode = tenf_reader_u8(&r);
	m.result = tenf_reader_u16(&r);
	if (r.failed)
		return TENF_E_TRUNCATED;
	if (m.version != NATPMP_VERSION)
		return TENF_E_MALFORMED;
	if (m.opcode < NATPMP_ANSWER && m.result != NATPMP_UNSUPP_VERSION)
		return TENF_E_MALFORMED;
	m.has = has_of(m.opcode, len);
	if (m.has != NATPMP_HAS_RESULT)
		m.epoch_s = tenf_reader_u32(&r);
	if (m.has == NATPMP_HAS_ALL)
		read_answer_body(&r, &m);
	*ret = m;
	return TENF_OK;
}

void natpmp_write_request(struct tenf_writer *w, const struct natpmp_request *request)
{
	tenf_writer_u8(w, NATPMP_VERSION);
	tenf_writer_u8(w, request->opcode);
	if (!is_map(request->opcode))
		return;
	tenf_writer_u16(w, 0);
	tenf_writer_u16(w, request->internal_port);
	tenf_writer_u16(w, request->external_port);
	tenf_writer_u32(w, request->lifetime_s);
}

void natpmp_write_answer(struct tenf_writer *w, const struct natpmp_answer *answer)
{
	bool is_success = answer->result == NATPMP_SUCCESS;

	tenf_writer_u8(w, NATPMP_VERSION);
	tenf_writer_u8(w, answer->opcode);
	tenf_writer_u16(w, answer->result);
	tenf_writer_u32(w, answer->epoch_s);
	if (answer->result == NATPMP_UNSUPP_VERSION)
		return;
	if (is_map_answer(answer->opcode)) {
		tenf_writer_u16(w, answer->internal_port);
		tenf_writer_u16(w, answer->external_port);
		tenf_writer_u32(w, answer->lifetime_s);
	} else if (answer->opcode == NATPMP_ANSWER + NATPMP_ADDRESS) {
		tenf_writer_u32(w, is_success ? tenf_address_to_v4(&answer->external_address) : 0);
	}
}

void natpmp_write_unsupp_opcode(struct tenf_writer *w, const uint8_t *request, size_t len,
				uint32_t epoch_s)
{
	struct tenf_reader r = tenf_reader_of(request, len < NATPMP_MAX ? len : NATPMP_MAX);
	uint8_t opcode;

	tenf_reader_skip(&r, 1);
	opcode = tenf_reader_u8(&r);
	tenf_writer_u8(w, NATPMP_VERSION);
	tenf_writer_u8(w, opcode | NATPMP_ANSWER);
	tenf_writer_u16(w, NATPMP_UNSUPP_OPCODE);
	tenf_writer_u32(w, epoch_s);
	/* octets 2-7 make way: they hold what §3.6 asks of every answer */
	tenf_reader_skip(&r, EPOCH_SIZE - 2);
	if (!r.failed)
		tenf_writer_copy(w, r.at, r.left);
}

/* In the order of enum natpmp_result. */
const char *natpmp_result_name(uint16_t result)
{
	return tenf_text_nth("SUCCESS\0UNSUPP_VERSION\0NOT_AUTHORIZED\0NETWORK_FAILURE\0"
			     "OUT_OF_RESOURCES\0UNSUPP_OPCODE\0UNKNOWN\0", result);
}

/* SPDX-License-Identifier: MIT */
#include "wire/pcp.h"

#include "base/text.h"

#define SHORT_ERROR_S 30  /* §7.4: conditions that pass */
#define LONG_ERROR_S 1800 /* §7.4: those that stay until somebody acts */

/* Octets a message of this opcode has at least, header included; 0 when the
 * opcode is unknown. */
static size_t size_of(uint8_t opcode)
{
	switch (opcode) {
	case PCP_ANNOUNCE:
		return PCP_HEADER;
	case PCP_MAP:
		return PCP_MAP_SIZE;
	case PCP_PEER:
		return PCP_PEER_SIZE;
	default:
		return 0;
	}
}

static struct tenf_address read_address(struct tenf_reader *r)
{
	struct tenf_address a;

	tenf_reader_copy(r, a.octets, sizeof(a.octets));
	return a;
}

static void write_address(struct tenf_writer *w, const struct tenf_address *a)
{
	tenf_writer_copy(w, a->octets, sizeof(a->octets));
}

/* Opcode data, §11.1 and §12.1. */
static void read_data(struct tenf_reader *r, uint8_t opcode, struct pcp_map *map,
		      struct pcp_remote *remote)
{
	if (opcode != PCP_MAP && opcode != PCP_PEER)
		return;
	tenf_reader_copy(r, map->nonce, sizeof(map->nonce));
	map->protocol = tenf_reader_u8(r);
	tenf_reader_skip(r, 3);
	map->internal_port = tenf_reader_u16(r);
	map->external_port = tenf_reader_u16(r);
	map->external_address = read_address(r);
	if (opcode != PCP_PEER)
		return;
	remote->port = tenf_reader_u16(r);
	tenf_reader_skip(r, 2);
	remote->address = read_address(r);
}

static void write_data(struct tenf_writer *w, uint8_t opcode, const struct pcp_map *map,
		       const struct pcp_remote *remote)
{
	if (opcode != PCP_MAP && opcode != PCP_PEER)
		return;
	tenf_writer_copy(w, map->nonce, sizeof(map->nonce));
	tenf_writer_u8(w, map->protocol);
	tenf_writer_fill(w, 0, 3);
	tenf_writer_u16(w, map->internal_port);
	tenf_writer_u16(w, map->external_port);
	write_address(w, &map->external_address);
	if (opcode != PCP_PEER)
		return;
	tenf_writer_u16(w, remote->port);
	tenf_writer_u16(w, 0);
	write_address(w, &remote->address);
}

/* The rules of length and opcode of a version 2 request of 24 octets or more,
 * in the order of §8.2. */
static enum pcp_result judge_request(uint8_t opcode, size_t len)
{
	if (len > PCP_MAX || len % 4 != 0)
		return PCP_MALFORMED_REQUEST;
	if (size_of(opcode) == 0)
		return PCP_UNSUPP_OPCODE;
	return len < size_of(opcode) ? PCP_MALFORMED_REQUEST : PCP_SUCCESS;
}

enum pcp_parse pcp_parse_request(const uint8_t *data, size_t len, struct pcp_request *ret,
				 enum pcp_result *ret_result)
{
	struct tenf_reader r = tenf_reader_of(data, len);
	struct pcp_request m = { 0 };
	enum pcp_result result = PCP_UNSUPP_VERSION;

	m.version = tenf_reader_u8(&r);
	m.opcode = tenf_reader_u8(&r);
	if (r.failed || (m.opcode & PCP_RESPONSE) != 0)
		return PCP_DROP;
	if (m.version == PCP_VERSION) {
		if (len < PCP_HEADER)
			return PCP_DROP;
		result = judge_request(m.opcode, len);
	}
	tenf_reader_skip(&r, 2);
	m.lifetime_s = tenf_reader_u32(&r);
	m.client = read_address(&r);
	read_data(&r, m.opcode, &m.map, &m.remote);
	m.options = r;
	*ret = m;
	if (result == PCP_SUCCESS)
		return PCP_PARSED;
	*ret_result = result;
	return PCP_REJECT;
}

/* The rules of length of an answer, §8.3; not for UNSUPP_VERSION. */
static enum tenf_status judge_answer(uint8_t opcode, size_t len)
{
	if (len < PCP_HEADER || len < size_of(opcode))
		return TENF_E_TRUNCATED;
	if (len > PCP_MAX || len % 4 != 0)
		return TENF_E_MALFORMED;
	return TENF_OK;
}

enum tenf_status pcp_decode_answer(const uint8_t *data, size_t len, struct pcp_answer *ret)
{
	struct tenf_reader r = tenf_reader_of(data, len);
	struct pcp_answer m = { 0 };
	enum tenf_status status;
	uint8_t opcode;

	m.version = tenf_reader_u8(&r);
	opcode = tenf_reader_u8(&r);
	m.opcode = opcode & (PCP_RESPONSE - 1);
	tenf_reader_skip(&r, 1);
	m.result = tenf_reader_u8(&r);
	if (r.failed)
		return TENF_E_TRUNCATED;
	if ((opcode & PCP_RESPONSE) == 0 || m.version < PCP_VERSION)
		return TENF_E_MALFORMED;
	/* §9: "which versions do you speak" must survive a gateway whose
	 * packets are laid out in another way, so only its first four octets count. */
	if (m.result != PCP_UNSUPP_VERSION) {
		if (m.version != PCP_VERSION)
			return TENF_E_MALFORMED;
		status = judge_answer(m.opcode, len);
		if (status != TENF_OK)
			return status;
	}
	m.lifetime_s = tenf_reader_u32(&r);
	m.epoch_s = tenf_reader_u32(&r);
	tenf_reader_skip(&r, 12);
	read_data(&r, m.opcode, &m.map, &m.remote);
	m.options = r;
	*ret = m;
	return TENF_OK;
}

void pcp_write_request(struct tenf_writer *w, const struct pcp_request *request)
{
	tenf_writer_u8(w, PCP_VERSION);
	tenf_writer_u8(w, request->opcode & (PCP_RESPONSE - 1));
	tenf_writer_u16(w, 0);
	tenf_writer_u32(w, request->lifetime_s);
	write_address(w, &request->client);
	write_data(w, request->opcode, &request->map, &request->remote);
}

static void write_answer_header(struct tenf_writer *w, uint8_t opcode, uint8_t result,
				uint32_t lifetime_s, uint32_t epoch_s)
{
	tenf_writer_u8(w, PCP_VERSION);
	tenf_writer_u8(w, opcode | PCP_RESPONSE);
	tenf_writer_u8(w, 0);
	tenf_writer_u8(w, result);
	tenf_writer_u32(w, lifetime_s);
	tenf_writer_u32(w, epoch_s);
}

void pcp_write_answer(struct tenf_writer *w, const struct pcp_answer *answer)
{
	write_answer_header(w, answer->opcode, answer->result, answer->lifetime_s,
			    answer->epoch_s);
	tenf_writer_fill(w, 0, 12);
	write_data(w, answer->opcode, &answer->map, &answer->remote);
}

/* Copies `len` octets from `r`, zeros where it ends before. */
static void copy_padded(struct tenf_writer *w, struct tenf_reader *r, size_t len)
{
	size_t there = r->left < len ? r->left : len;
	struct tenf_reader part = tenf_reader_sub(r, there);

	tenf_writer_copy(w, part.at, there);
	tenf_writer_fill(w, 0, len - there);
}

/* The last twelve octets of the client's address go back when the request
 * "was not successfully parsed" (§7.2); the RFC lists no codes, these are ours. */
static bool keeps_client(enum pcp_result result)
{
	return result == PCP_UNSUPP_VERSION || result == PCP_MALFORMED_REQUEST ||
	       result == PCP_UNSUPP_OPCODE || result == PCP_MALFORMED_OPTION;
}

void pcp_write_error(struct tenf_writer *w, const uint8_t *request, size_t len,
		     enum pcp_result result, uint32_t lifetime_s, uint32_t epoch_s)
{
	size_t copied = len < PCP_MAX ? len : PCP_MAX;
	struct tenf_reader r = tenf_reader_of(request, copied);
	struct tenf_reader head = tenf_reader_sub(&r, copied < 12 ? copied : 12);

	tenf_reader_skip(&head, 1);
	write_answer_header(w, tenf_reader_u8(&head), (uint8_t)result, lifetime_s, epoch_s);
	if (!keeps_client(result)) {
		tenf_reader_skip(&r, r.left < 12 ? r.left : 12);
		tenf_writer_fill(w, 0, 12);
	} else {
		copy_padded(w, &r, 12);
	}
	copy_padded(w, &r, (r.left + 3) / 4 * 4);
}

uint32_t pcp_error_lifetime_s(enum pcp_result result)
{
	switch (result) {
	case PCP_SUCCESS:
		return 0;
	case PCP_NETWORK_FAILURE:
	case PCP_NO_RESOURCES:
	case PCP_USER_EX_QUOTA:
	case PCP_CANNOT_PROVIDE_EXTERNAL: /* when the holder's rest is not known */
		return SHORT_ERROR_S;
	case PCP_UNSUPP_VERSION:
	case PCP_NOT_AUTHORIZED:
	case PCP_MALFORMED_REQUEST:
	case PCP_UNSUPP_OPCODE:
	case PCP_UNSUPP_OPTION:
	case PCP_MALFORMED_OPTION:
	case PCP_UNSUPP_PROTOCOL:
	case PCP_ADDRESS_MISMATCH:
	case PCP_EXCESSIVE_REMOTE_PEERS:
		break;
	}
	return LONG_ERROR_S;
}

/* In the order of enum pcp_result and enum pcp_opcode. */
const char *pcp_result_name(uint8_t result)
{
	return tenf_text_nth("SUCCESS\0UNSUPP_VERSION\0NOT_AUTHORIZED\0MALFORMED_REQUEST\0"
			     "UNSUPP_OPCODE\0UNSUPP_OPTION\0MALFORMED_OPTION\0"
			     "NETWORK_FAILURE\0NO_RESOURCES\0UNSUPP_PROTOCOL\0USER_EX_QUOTA\0"
			     "CANNOT_PROVIDE_EXTERNAL\0ADDRESS_MISMATCH\0"
			     "EXCESSIVE_REMOTE_PEERS\0UNKNOWN\0", result);
}

const char *pcp_opcode_name(uint8_t opcode)
{
	return tenf_text_nth("ANNOUNCE\0MAP\0PEER\0UNKNOWN\0", opcode);
}

/* SPDX-License-Identifier: MIT */
/*
 * PCP codec: any octets as a request and as an answer. What was read must
 * survive being written and read again, and no option may leave its packet.
 */
#include "fuzz.h"
#include "wire/pcp-option.h"
#include "wire/pcp.h"

#include <string.h>

/* A known option, read, written and read again. */
static void check_known(const struct pcp_option *o)
{
	uint8_t buffer[4 + PCP_DESCRIPTION_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct tenf_address address;
	struct pcp_filter filter;
	const uint8_t *text;
	size_t len;
	struct tenf_reader options;
	struct pcp_option again;

	if (pcp_option_third_party(o, &address) == TENF_OK && o->code == PCP_OPTION_THIRD_PARTY)
		pcp_write_third_party(&w, &address);
	else if (pcp_option_filter(o, &filter) == TENF_OK && o->code == PCP_OPTION_FILTER)
		pcp_write_filter(&w, &filter);
	else if (pcp_option_description(o, &text, &len) == TENF_OK &&
		 o->code == PCP_OPTION_DESCRIPTION)
		pcp_write_description(&w, text, len);
	else
		return;
	FUZZ_CHECK(!w.failed);
	options = tenf_reader_of(buffer, w.used);
	FUZZ_CHECK(pcp_option_next(&options, &again));
	FUZZ_CHECK(options.left == 0);
	FUZZ_CHECK(again.code == o->code);
	FUZZ_CHECK(again.length == o->length);
	if (o->code == PCP_OPTION_FILTER && again.length > 0)
		buffer[4] = o->data.at[0]; /* reserved: read as anything, written as zero */
	FUZZ_CHECK(o->length == 0 || memcmp(again.data.at, o->data.at, o->length) == 0);
}

/* Walks the options; `data` and `size` are the whole packet. */
static void check_options(const uint8_t *data, size_t size, struct tenf_reader options)
{
	struct tenf_reader walk = options;
	const uint8_t *last = options.at;
	struct pcp_option o;

	while (pcp_option_next(&walk, &o)) {
		FUZZ_CHECK(o.data.at >= data && o.data.at >= last);
		FUZZ_CHECK(o.data.left == o.length);
		FUZZ_CHECK(o.data.at + o.data.left <= data + size);
		last = o.data.at + o.data.left;
		check_known(&o);
	}
	FUZZ_CHECK(pcp_options_are_sound(options) == !walk.failed);
	FUZZ_CHECK(walk.failed || walk.left == 0);
}

static void check_same(const struct pcp_map *a, const struct pcp_remote *a_remote,
		       const struct pcp_map *b, const struct pcp_remote *b_remote)
{
	FUZZ_CHECK(memcmp(a->nonce, b->nonce, PCP_NONCE) == 0);
	FUZZ_CHECK(a->protocol == b->protocol);
	FUZZ_CHECK(a->internal_port == b->internal_port);
	FUZZ_CHECK(a->external_port == b->external_port);
	FUZZ_CHECK(tenf_address_equal(&a->external_address, &b->external_address));
	FUZZ_CHECK(a_remote->port == b_remote->port);
	FUZZ_CHECK(tenf_address_equal(&a_remote->address, &b_remote->address));
}

static void check_same_options(const struct tenf_reader *a, const struct tenf_reader *b)
{
	FUZZ_CHECK(a->left == b->left);
	FUZZ_CHECK(a->left == 0 || memcmp(a->at, b->at, a->left) == 0);
}

static void rewrite_request(const struct pcp_request *m)
{
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	enum pcp_result result;
	struct pcp_request again;

	pcp_write_request(&w, m);
	tenf_writer_copy(&w, m->options.at, m->options.left);
	FUZZ_CHECK(!w.failed);
	FUZZ_CHECK(pcp_parse_request(buffer, w.used, &again, &result) == PCP_PARSED);
	FUZZ_CHECK(again.version == m->version);
	FUZZ_CHECK(again.opcode == m->opcode);
	FUZZ_CHECK(again.lifetime_s == m->lifetime_s);
	FUZZ_CHECK(tenf_address_equal(&again.client, &m->client));
	check_same(&again.map, &again.remote, &m->map, &m->remote);
	check_same_options(&again.options, &m->options);
}

/* Whatever a gateway answers, a client must be able to read it. */
static void check_error(const uint8_t *data, size_t size, uint8_t opcode, enum pcp_result result)
{
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	uint32_t lifetime_s = pcp_error_lifetime_s(result);
	struct pcp_answer m;
	enum tenf_status status;

	pcp_write_error(&w, data, size, result, lifetime_s, 9);
	FUZZ_CHECK(!w.failed);
	FUZZ_CHECK(w.used >= PCP_HEADER && w.used <= PCP_MAX && w.used % 4 == 0);
	status = pcp_decode_answer(buffer, w.used, &m);
	if (status == TENF_E_TRUNCATED) { /* a MAP without its data comes back so */
		FUZZ_CHECK(result != PCP_UNSUPP_VERSION);
		FUZZ_CHECK(w.used < PCP_PEER_SIZE);
		return;
	}
	FUZZ_CHECK(status == TENF_OK);
	FUZZ_CHECK(m.version == PCP_VERSION);
	FUZZ_CHECK(m.opcode == opcode);
	FUZZ_CHECK(m.result == result);
	FUZZ_CHECK(m.lifetime_s == lifetime_s);
	FUZZ_CHECK(m.epoch_s == 9);
}

static void fuzz_request(const uint8_t *data, size_t size)
{
	enum pcp_result result = PCP_SUCCESS;
	struct pcp_request m;
	enum pcp_parse parse = pcp_parse_request(data, size, &m, &result);

	if (parse == PCP_DROP)
		return;
	FUZZ_CHECK((m.opcode & PCP_RESPONSE) == 0);
	FUZZ_CHECK((parse == PCP_REJECT) == (result != PCP_SUCCESS));
	check_options(data, size, m.options);
	if (parse == PCP_PARSED) {
		rewrite_request(&m);
		check_error(data, size, m.opcode, PCP_NO_RESOURCES);
	} else {
		check_error(data, size, m.opcode, result);
	}
}

static void fuzz_answer(const uint8_t *data, size_t size)
{
	uint8_t buffer[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct pcp_answer m;
	struct pcp_answer again;

	if (pcp_decode_answer(data, size, &m) != TENF_OK)
		return;
	check_options(data, size, m.options);
	pcp_write_answer(&w, &m);
	if (m.result != PCP_UNSUPP_VERSION) /* which may be cut, or too long */
		tenf_writer_copy(&w, m.options.at, m.options.left);
	FUZZ_CHECK(!w.failed);
	FUZZ_CHECK(pcp_decode_answer(buffer, w.used, &again) == TENF_OK);
	FUZZ_CHECK(again.opcode == m.opcode);
	FUZZ_CHECK(again.result == m.result);
	FUZZ_CHECK(again.lifetime_s == m.lifetime_s);
	FUZZ_CHECK(again.epoch_s == m.epoch_s);
	check_same(&again.map, &again.remote, &m.map, &m.remote);
	if (m.result != PCP_UNSUPP_VERSION)
		check_same_options(&again.options, &m.options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_request(data, size);
	fuzz_answer(data, size);
	return 0;
}

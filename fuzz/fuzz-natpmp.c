/* SPDX-License-Identifier: MIT */
/*
 * NAT-PMP codec: any octets as a request and as an answer. What was read must
 * survive being written and read again.
 */
#include "fuzz.h"
#include "wire/natpmp.h"

static void fuzz_request(const uint8_t *data, size_t size)
{
	struct natpmp_request m;
	struct natpmp_request again;
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	if (natpmp_decode_request(data, size, &m) != TENF_OK)
		return;
	FUZZ_CHECK(size >= 2);
	FUZZ_CHECK(m.opcode < NATPMP_ANSWER);
	natpmp_write_request(&w, &m);
	FUZZ_CHECK(!w.failed);
	FUZZ_CHECK(m.version != NATPMP_VERSION || w.used <= size);
	FUZZ_CHECK(natpmp_decode_request(buffer, w.used, &again) == TENF_OK);
	FUZZ_CHECK(again.version == NATPMP_VERSION);
	FUZZ_CHECK(again.opcode == m.opcode);
	FUZZ_CHECK(again.internal_port == m.internal_port);
	FUZZ_CHECK(again.external_port == m.external_port);
	FUZZ_CHECK(again.lifetime_s == m.lifetime_s);
}

static void fuzz_answer(const uint8_t *data, size_t size)
{
	struct natpmp_answer m;
	struct natpmp_answer again;
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	if (natpmp_decode_answer(data, size, &m) != TENF_OK)
		return;
	FUZZ_CHECK(size >= 4);
	FUZZ_CHECK(m.opcode >= NATPMP_ANSWER || m.result == NATPMP_UNSUPP_VERSION);
	FUZZ_CHECK(m.has == NATPMP_HAS_ALL || tenf_address_is_none(&m.external_address));
	natpmp_write_answer(&w, &m);
	FUZZ_CHECK(!w.failed);
	FUZZ_CHECK(natpmp_decode_answer(buffer, w.used, &again) == TENF_OK);
	FUZZ_CHECK(again.version == m.version);
	FUZZ_CHECK(again.opcode == m.opcode);
	FUZZ_CHECK(again.result == m.result);
	FUZZ_CHECK(again.epoch_s == m.epoch_s);
	if (m.result == NATPMP_UNSUPP_VERSION)
		return; /* written without its fields */
	FUZZ_CHECK(again.has >= m.has);
	FUZZ_CHECK(again.internal_port == m.internal_port);
	FUZZ_CHECK(again.external_port == m.external_port);
	FUZZ_CHECK(again.lifetime_s == m.lifetime_s);
	FUZZ_CHECK(tenf_address_equal(&again.external_address, &m.external_address));
}

static void fuzz_echo(const uint8_t *data, size_t size)
{
	uint8_t buffer[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct natpmp_answer m;

	natpmp_write_unsupp_opcode(&w, data, size, 7);
	FUZZ_CHECK(!w.failed);
	FUZZ_CHECK(natpmp_decode_answer(buffer, w.used, &m) == TENF_OK);
	FUZZ_CHECK(m.result == NATPMP_UNSUPP_OPCODE);
	FUZZ_CHECK(m.epoch_s == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_request(data, size);
	fuzz_answer(data, size);
	fuzz_echo(data, size);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "wire/pcp-option.h"

#include "vectors.h"
#include "wire/pcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define ADDRESS_OCTETS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 9

static struct pcp_option only_option(const uint8_t *data, size_t len)
{
	struct tenf_reader options = tenf_reader_of(data, len);
	struct pcp_option o;

	assert_true(pcp_option_next(&options, &o));
	assert_int_equal(options.left, 0);
	assert_false(options.failed);
	return o;
}

/* The next option starts behind the padding. */
static void options_are_walked_over_their_padding(void **state)
{
	const uint8_t octets[] = {
		200, 0, 0, 1, 'a', 9, 9, 9, /* padding may hold anything */
		2,   0, 0, 0,
		201, 7, 0, 4, 1,   2, 3, 4,
	};
	struct tenf_reader options = tenf_reader_of(octets, sizeof(octets));
	struct pcp_option o;

	(void)state;
	assert_true(pcp_option_next(&options, &o));
	assert_int_equal(o.code, 200);
	assert_int_equal(o.length, 1);
	assert_int_equal(o.data.left, 1);
	assert_true(pcp_option_next(&options, &o));
	assert_int_equal(o.code, PCP_OPTION_PREFER_FAILURE);
	assert_int_equal(o.length, 0);
	assert_true(pcp_option_next(&options, &o));
	assert_int_equal(o.code, 201);
	assert_int_equal(tenf_reader_u32(&o.data), 0x01020304);
	assert_false(pcp_option_next(&options, &o));
	assert_false(options.failed);
	assert_true(pcp_options_are_sound(tenf_reader_of(octets, sizeof(octets))));
	assert_true(pcp_options_are_sound(tenf_reader_of(NULL, 0)));
}

static void an_option_cannot_be_read_past_its_data(void **state)
{
	const uint8_t octets[] = { 200, 0, 0, 2, 1, 2, 3, 4 };
	struct pcp_option o = only_option(octets, sizeof(octets));

	(void)state;
	assert_int_equal(tenf_reader_u16(&o.data), 0x0102);
	assert_int_equal(tenf_reader_u8(&o.data), 0);
	assert_true(o.data.failed);
}

/* PCP-G-14 */
static void an_option_that_overruns_ends_the_walk_as_failed(void **state)
{
	const uint8_t octets[] = { 2, 0, 0, 0, 200, 0, 0, 5, 1, 2, 3, 4 };
	struct tenf_reader options = tenf_reader_of(octets, sizeof(octets));
	struct pcp_option o;

	(void)state;
	assert_true(pcp_option_next(&options, &o));
	assert_false(pcp_option_next(&options, &o));
	assert_int_equal(o.code, PCP_OPTION_PREFER_FAILURE);
	assert_true(options.failed);
	assert_false(pcp_option_next(&options, &o));
	assert_false(pcp_options_are_sound(tenf_reader_of(octets, sizeof(octets))));
	for (size_t cut = 1; cut < 4; cut++)
		assert_false(pcp_options_are_sound(tenf_reader_of(octets, cut)));
}

static void the_top_bit_of_the_code_makes_an_option_optional(void **state)
{
	(void)state;
	assert_true(pcp_option_is_mandatory(0));
	assert_true(pcp_option_is_mandatory(127));
	assert_false(pcp_option_is_mandatory(128));
	assert_false(pcp_option_is_mandatory(255));
}

static void third_party_is_written_and_read(void **state)
{
	const uint8_t octets[] = { 1, 0, 0, 16, ADDRESS_OCTETS };
	const struct tenf_address internal = { { ADDRESS_OCTETS } };
	uint8_t buffer[64];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct tenf_address read;
	struct pcp_option o;

	(void)state;
	pcp_write_third_party(&w, &internal);
	assert_int_equal(w.used, sizeof(octets));
	assert_memory_equal(buffer, octets, sizeof(octets));
	o = only_option(octets, sizeof(octets));
	assert_int_equal(pcp_option_third_party(&o, &read), TENF_OK);
	assert_true(tenf_address_equal(&read, &internal));
}

static void filter_is_written_and_read(void **state)
{
	const uint8_t octets[] = { 3, 0, 0, 20, 0, 120, 0x01, 0xbb, ADDRESS_OCTETS };
	const struct pcp_filter filter = {
		.prefix_length = 120, .port = 443, .address = { { ADDRESS_OCTETS } }
	};
	uint8_t buffer[64];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	struct pcp_filter read;
	struct pcp_option o;

	(void)state;
	pcp_write_filter(&w, &filter);
	assert_int_equal(w.used, sizeof(octets));
	assert_memory_equal(buffer, octets, sizeof(octets));
	o = only_option(octets, sizeof(octets));
	assert_int_equal(pcp_option_filter(&o, &read), TENF_OK);
	assert_int_equal(read.prefix_length, 120);
	assert_int_equal(read.port, 443);
	assert_true(tenf_address_equal(&read.address, &filter.address));
}

/* PCP-C-42: an address and length as people write them are in the scale of the
 * packet, IPv4 counted from bit 96; "no filter any more" is all zeros. */
static void filters_of_a_client_are_the_golden_ones(void **state)
{
	const struct vector *v = vector_find("pcp-req-map-filter-replace");
	const struct pcp_filter none = { .prefix_length = 0, .address = tenf_address_none4 };
	struct pcp_filter network = { .port = 5000 };
	struct tenf_prefix prefix;
	uint8_t buffer[64];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	assert_non_null(v);
	assert_true(tenf_prefix_parse("198.51.100.0/24", &prefix));
	network.prefix_length = (uint8_t)prefix.length;
	assert_true(tenf_address_parse("198.51.100.9", &network.address));
	assert_int_equal(network.prefix_length, 24 + 96);
	pcp_write_filter(&w, &none);
	pcp_write_filter(&w, &network);
	assert_false(w.failed);
	assert_int_equal(w.used, v->len - PCP_MAP_SIZE);
	assert_memory_equal(buffer, v->data + PCP_MAP_SIZE, w.used);
}

static void a_wrong_length_leaves_the_output_alone(void **state)
{
	uint8_t octets[4 + 24] = { 1, 0, 0, 0 };
	struct tenf_address address = { { 1 } };
	struct pcp_filter filter = { .port = 1 };

	(void)state;
	for (uint8_t length = 0; length <= 24; length++) {
		size_t len = 4u + (length + 3u) / 4u * 4u;
		struct pcp_option o;

		octets[3] = length;
		o = only_option(octets, len);
		if (length != 16)
			assert_int_equal(pcp_option_third_party(&o, &address), TENF_E_MALFORMED);
		if (length != 20)
			assert_int_equal(pcp_option_filter(&o, &filter), TENF_E_MALFORMED);
	}
	assert_int_equal(address.octets[0], 1);
	assert_int_equal(filter.port, 1);
}

static void prefer_failure_is_a_header_alone(void **state)
{
	uint8_t buffer[8];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));

	(void)state;
	pcp_write_prefer_failure(&w);
	assert_int_equal(w.used, 4);
	assert_memory_equal(buffer, ((const uint8_t[]){ 2, 0, 0, 0 }), 4);
}

static void description_is_padded_with_zeros_and_read_in_place(void **state)
{
	const uint8_t octets[] = { 128, 0, 0, 5, 'g', 'a', 'm', 'e', 's', 0, 0, 0 };
	uint8_t buffer[64];
	struct tenf_writer w = tenf_writer_of(buffer, sizeof(buffer));
	const uint8_t *text = NULL;
	size_t len = 0;
	struct pcp_option o;

	(void)state;
	memset(buffer, 0xff, sizeof(buffer));
	pcp_write_description(&w, octets + 4, 5);
	assert_int_equal(w.used, sizeof(octets));
	assert_memory_equal(buffer, octets, sizeof(octets));
	o = only_option(octets, sizeof(octets));
	assert_int_equal(pcp_option_description(&o, &text, &len), TENF_OK);
	assert_ptr_equal(text, octets + 4);
	assert_int_equal(len, 5);
}

/* PCP-C-46 */
static void description_is_never_longer_than_1016_octets(void **state)
{
	static uint8_t octets[4 + PCP_DESCRIPTION_MAX + 4];
	uint8_t text[PCP_DESCRIPTION_MAX + 1];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	const uint8_t *read = NULL;
	size_t len = 0;
	struct pcp_option o;

	(void)state;
	memset(text, 'x', sizeof(text));
	pcp_write_description(&w, text, PCP_DESCRIPTION_MAX);
	assert_false(w.failed);
	o = only_option(octets, w.used);
	assert_int_equal(pcp_option_description(&o, &read, &len), TENF_OK);
	assert_int_equal(len, PCP_DESCRIPTION_MAX);
	w = tenf_writer_of(octets, sizeof(octets));
	pcp_write_description(&w, text, PCP_DESCRIPTION_MAX + 1);
	assert_true(w.failed);
	memset(octets, 'x', sizeof(octets));
	memcpy(octets, ((const uint8_t[]){ 128, 0, 0x03, 0xf9 }), 4);
	o = only_option(octets, sizeof(octets));
	assert_int_equal(o.length, PCP_DESCRIPTION_MAX + 1);
	assert_int_equal(pcp_option_description(&o, &read, &len), TENF_E_MALFORMED);
}

/* PCP-C-46 */
static void only_strict_utf8_without_nul_is_a_description(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
		bool good;
	} texts[] = {
		{ "", 0, true },
		{ "plain", 5, true },
		{ "caf\303\251", 5, true },
		{ "\342\202\254", 3, true },         /* euro sign */
		{ "\360\237\232\252", 4, true },     /* door */
		{ "\364\217\277\277", 4, true },     /* U+10FFFF */
		{ "\355\237\277", 3, true },         /* U+D7FF */
		{ "\356\200\200", 3, true },         /* U+E000 */
		{ "\340\240\200", 3, true },         /* U+0800 */
		{ "\360\220\200\200", 4, true },     /* U+10000 */
		{ "a\0b", 3, false },
		{ "\0", 1, false },
		{ "\200", 1, false },                /* a tail alone */
		{ "\300\200", 2, false },            /* overlong NUL */
		{ "\301\277", 2, false },            /* overlong */
		{ "\340\237\277", 3, false },        /* overlong */
		{ "\360\217\277\277", 4, false },    /* overlong */
		{ "\355\240\200", 3, false },        /* surrogate */
		{ "\364\220\200\200", 4, false },    /* U+110000 */
		{ "\365\200\200\200", 4, false },
		{ "\377", 1, false },
		{ "\303", 1, false },                /* cut */
		{ "\342\202", 2, false },            /* cut */
		{ "\342\202a", 3, false },
		{ "\303\251\251", 3, false },
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(texts); i++) {
		const uint8_t *octets = (const uint8_t *)texts[i].octets;

		assert_int_equal(pcp_is_utf8(octets, texts[i].len), texts[i].good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_walked_over_their_padding),
		cmocka_unit_test(an_option_cannot_be_read_past_its_data),
		cmocka_unit_test(an_option_that_overruns_ends_the_walk_as_failed),
		cmocka_unit_test(the_top_bit_of_the_code_makes_an_option_optional),
		cmocka_unit_test(third_party_is_written_and_read),
		cmocka_unit_test(filter_is_written_and_read),
		cmocka_unit_test(filters_of_a_client_are_the_golden_ones),
		cmocka_unit_test(a_wrong_length_leaves_the_output_alone),
		cmocka_unit_test(prefer_failure_is_a_header_alone),
		cmocka_unit_test(description_is_padded_with_zeros_and_read_in_place),
		cmocka_unit_test(description_is_never_longer_than_1016_octets),
		cmocka_unit_test(only_strict_utf8_without_nul_is_a_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

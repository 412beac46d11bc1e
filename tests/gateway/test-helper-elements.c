/* SPDX-License-Identifier: MIT */
/* How mappings lie in the kernel's sets, and are read back from there. */
#include "house.h"

#include "gateway/helper/elements.h"
#include "samples.h"

#define NOW INT64_C(1000000000)

static uint8_t user_data[ELEMENT_USER_DATA_MAX];

static void a_mapping_is_read_back_from_its_element(void **state)
{
	static const enum element_set sets[] = { SET_DNAT4, SET_PINHOLE6, SET_DPEER4 };
	struct helper_mapping wanted[] = { sample_mapping4(), sample_mapping6(), sample_peer() };
	static struct helper_mapping got;
	struct element e;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wanted); i++) {
		wanted[i].filter_count = 0; /* these lie elsewhere */
		wanted[i].ends_at = NOW + 90 * TENF_SECOND;
		element_of_mapping(&wanted[i], NOW, user_data, &e);
		assert_int_equal(e.set, sets[i] + (sets[i] == SET_DNAT4 ? wanted[i].external.port %
									     ELEMENT_PARTS
								   : 0));
		assert_int_equal(e.timeout_ms, 90000);
		assert_int_equal(element_to_mapping(&e, 90000, NOW, &got), TENF_OK);
		assert_true(sample_mappings_equal(&got, &wanted[i]));
	}
}

static void keys_are_what_the_rules_look_up(void **state)
{
	static const uint8_t dnat[] = { 6, 0, 0, 0, 203, 0, 113, 7, 1, 187, 0, 0 };
	static const uint8_t snat[] = { 6, 0, 0, 0, 10, 0, 0, 5, 0x20, 0xfb, 0, 0 };
	struct helper_mapping m = sample_mapping4();
	struct element e;

	(void)state;
	element_of_mapping(&m, NOW, user_data, &e);
	assert_int_equal(e.key_len, sizeof(dnat));
	assert_memory_equal(e.key, dnat, sizeof(dnat));
	assert_int_equal(e.data_len, 8);
	assert_memory_equal(e.data, snat + 4, 8);
	element_of_source(&m, NOW, &e);
	assert_int_equal(e.set, SET_SNAT4 + 8443 % ELEMENT_PARTS);
	assert_memory_equal(e.key, snat, sizeof(snat));
	assert_memory_equal(e.data, dnat + 4, 8);
}

static void a_static_mapping_has_no_time_out(void **state)
{
	struct helper_mapping m = sample_mapping4();
	static struct helper_mapping got;
	struct element e;

	(void)state;
	m.ends_at = TENF_NEVER;
	element_of_mapping(&m, NOW, user_data, &e);
	assert_int_equal(e.timeout_ms, 0);
	assert_int_equal(element_to_mapping(&e, 0, NOW, &got), TENF_OK);
	assert_true(got.ends_at == TENF_NEVER);
	assert_int_equal(element_timeout(NOW - 5, NOW), 1); /* over, but not for ever */
}

static void the_way_out_ends_later_and_for_many_leases_at_once(void **state)
{
	const tenf_duration hour = 3600 * TENF_SECOND;
	struct helper_mapping m = sample_mapping4();
	struct element e;

	(void)state;
	for (tenf_time at = 1; at < 20 * hour; at += 7 * 60 * TENF_SECOND) {
		tenf_time end = element_source_end(at);

		assert_true(end > at + TENF_SECOND && end <= at + 4 * hour + 5 * TENF_SECOND);
		assert_true(element_source_end(at / (4 * hour) * (4 * hour)) == end);
		m.ends_at = at;
		element_of_source(&m, 0, &e);
		assert_true(e.timeout_ms == (uint64_t)(end / TENF_MILLISECOND));
	}
	assert_true(element_source_end(TENF_NEVER) == TENF_NEVER);
	assert_true(element_source_end(TENF_NEVER - 1) == TENF_NEVER);
	/* That of PEER ends with it. */
	m = sample_peer();
	m.ends_at = hour;
	element_of_source(&m, 0, &e);
	assert_int_equal(e.set, SET_SPEER4);
	assert_true(e.timeout_ms == 3600000);
}

static void the_comment_is_fit_for_a_terminal(void **state)
{
	struct helper_mapping m = sample_mapping4();
	struct element e;

	(void)state;
	element_of_mapping(&m, NOW, user_data, &e);
	assert_int_equal(user_data[0], 0);
	assert_string_equal((const char *)user_data + 2, "PCP web _a___");
	m.description_len = LEDGER_DESCRIPTION_MAX;
	memset(m.description, 'x', sizeof(m.description));
	element_of_mapping(&m, NOW, user_data, &e);
	assert_int_equal(user_data[1], ELEMENT_COMMENT_MAX);
	assert_int_equal(user_data[1 + ELEMENT_COMMENT_MAX], 0);
	assert_true(e.user_data_len <= ELEMENT_USER_DATA_MAX);
}

static void filters_are_ranges_and_outlive_their_mapping(void **state)
{
	struct helper_mapping samples[] = { sample_mapping4(), sample_mapping6() };
	struct element_filter got;
	struct element e;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(samples); i++) {
		const struct helper_mapping *m = &samples[i];

		element_of_filtered(m, NOW, &e);
		assert_int_equal(e.set, i == 0 ? SET_FILTERED4 : SET_FILTERED6);
		assert_true(e.timeout_ms > element_timeout(m->ends_at, NOW));
		for (uint8_t k = 0; k < m->filter_count; k++) {
			element_of_filter(m, &m->filters[k], NOW, &e);
			assert_true(e.has_end);
			assert_true(e.timeout_ms > element_timeout(m->ends_at, NOW));
			assert_int_equal(element_to_filter(&e, &got), TENF_OK);
			assert_int_equal(got.protocol, m->protocol);
			assert_true(tenf_endpoint_equal(&got.external, &m->external));
			assert_int_equal(got.filter.prefix_length, m->filters[k].prefix_length);
			assert_int_equal(got.filter.port, m->filters[k].port);
			assert_true(tenf_address_equal(&got.filter.address,
						       &m->filters[k].address));
		}
	}
}

static void a_filter_range_has_its_bounds(void **state)
{
	static const uint8_t first[] = { 198, 51, 100, 0, 0, 0, 0, 0 };
	static const uint8_t last[] = { 198, 51, 100, 255, 255, 255, 0, 0 };
	struct helper_mapping m = sample_mapping4();
	struct element e;

	(void)state;
	m.filters[0].address = sample_address("198.51.100.77"); /* bits behind the prefix */
	element_of_filter(&m, &m.filters[0], NOW, &e);
	assert_memory_equal(e.key + 12, first, sizeof(first));
	assert_memory_equal(e.end + 12, last, sizeof(last));
}

/* What others put there, or another version did, is not ours to tell. */
static void user_data_that_is_not_ours_is_not_taken(void **state)
{
	struct helper_mapping m = sample_mapping4();
	static struct helper_mapping got;
	struct element e;
	size_t whole;

	(void)state;
	m.description_len = 0;
	m.has_asker = false;
	element_of_mapping(&m, NOW, user_data, &e);
	whole = e.user_data_len;
	for (size_t len = 0; len < whole; len++) {
		e.user_data_len = (uint16_t)len;
		assert_int_equal(element_to_mapping(&e, 1, NOW, &got), TENF_E_MALFORMED);
	}
	e.user_data_len = (uint16_t)whole;
	assert_int_equal(element_to_mapping(&e, 1, NOW, &got), TENF_OK);
	user_data[2 + user_data[1] + 2]++; /* the version */
	assert_int_equal(element_to_mapping(&e, 1, NOW, &got), TENF_E_MALFORMED);
}

static void the_epoch_is_read_back(void **state)
{
	struct element e;
	tenf_time epoch_start = 0;

	(void)state;
	element_of_state(INT64_C(0x1122334455667788), user_data, &e);
	assert_int_equal(element_to_state(&e, &epoch_start), TENF_OK);
	assert_true(epoch_start == INT64_C(0x1122334455667788));
	e.user_data_len--;
	assert_int_equal(element_to_state(&e, &epoch_start), TENF_E_MALFORMED);
	e.user_data_len++;
	e.key[0]++;
	assert_int_equal(element_to_state(&e, &epoch_start), TENF_E_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_is_read_back_from_its_element),
		cmocka_unit_test(keys_are_what_the_rules_look_up),
		cmocka_unit_test(a_static_mapping_has_no_time_out),
		cmocka_unit_test(the_way_out_ends_later_and_for_many_leases_at_once),
		cmocka_unit_test(the_comment_is_fit_for_a_terminal),
		cmocka_unit_test(filters_are_ranges_and_outlive_their_mapping),
		cmocka_unit_test(a_filter_range_has_its_bounds),
		cmocka_unit_test(user_data_that_is_not_ours_is_not_taken),
		cmocka_unit_test(the_epoch_is_read_back),
	};

	return cmocka_run_group_tests_name("elements of the helper", tests, NULL, NULL);
}

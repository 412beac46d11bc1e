/* SPDX-License-Identifier: MIT */
/* Who is told that a mapping moved to another external address, and how often. */
#include "house.h"

#include "wire/pcp-option.h"

#include <string.h>

static const struct wish web = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
				 .external = 8000, .lifetime_s = 600, .nonce = 9 };
static const struct tenf_address other = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
					     203, 0, 113, 8 } };
static struct house h;

static int setup(void **state)
{
	(void)state;
	house_init(&h);
	house_start(&h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&h);
	return 0;
}

static void move(void)
{
	h.updates = 0;
	responder_set_external(h.r, &other, h.now);
	house_turn(&h);
}

/* PCP-G-51: the answer as if the client had just asked, three times */
static void a_client_is_told_three_times_where_its_mapping_is_now(void **state)
{
	struct pcp_answer a;

	(void)state;
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	h.now += 100 * TENF_SECOND;
	move();
	assert_int_equal(h.updates, 1);
	assert_true(tenf_endpoint_equal(&h.updated.from, &h.links[0].address));
	assert_int_equal(h.updated.to.port, 50000); /* where it asked from */
	assert_int_equal(h.updated.to.address.octets[15], 20);
	assert_int_equal(h.updated.interface, HOUSE_LAN);
	assert_int_equal(pcp_decode_answer(h.update, h.updated.len, &a), TENF_OK);
	assert_int_equal(a.opcode, PCP_MAP);
	assert_int_equal(a.result, PCP_SUCCESS);
	assert_int_equal(a.lifetime_s, 500);
	assert_int_equal(a.epoch_s, 0);
	assert_int_equal(a.map.nonce[0], 9);
	assert_int_equal(a.map.internal_port, 8080);
	assert_int_equal(a.map.external_port, 8000);
	assert_true(tenf_address_equal(&a.map.external_address, &other));

	assert_true(responder_deadline(h.r) <= h.now + 250 * TENF_MILLISECOND);
	house_wait(&h, 249 * TENF_MILLISECOND);
	assert_int_equal(h.updates, 1);
	house_wait(&h, 1 * TENF_MILLISECOND);
	assert_int_equal(h.updates, 2);
	house_wait(&h, 499 * TENF_MILLISECOND);
	assert_int_equal(h.updates, 2);
	house_wait(&h, 1 * TENF_MILLISECOND);
	assert_int_equal(h.updates, 3);
	house_wait(&h, 100 * TENF_SECOND);
	assert_int_equal(h.updates, 3);
}

/* PCP-G-51: who asks itself is told no more */
static void a_renewal_stops_the_updates(void **state)
{
	struct wish wish = web;

	(void)state;
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	wish.host = 30;
	wish.external = 9000;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	move();
	assert_int_equal(h.updates, 2);
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	house_wait(&h, 250 * TENF_MILLISECOND);
	assert_int_equal(h.updates, 3);
	assert_int_equal(h.updated.to.address.octets[15], 30);
}

static void filters_are_repeated(void **state)
{
	static const uint8_t filter[24] = { PCP_OPTION_FILTER, 0, 0, 20, 0, 128, 0, 0,
					    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 8, 8, 8, 8 };
	struct wish wish = web;
	struct pcp_answer a;
	struct pcp_option o;
	struct pcp_filter f;

	(void)state;
	wish.options = filter;
	wish.options_len = sizeof(filter);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	move();
	assert_int_equal(h.updated.len, PCP_MAP_SIZE + 24);
	assert_int_equal(pcp_decode_answer(h.update, h.updated.len, &a), TENF_OK);
	assert_true(pcp_option_next(&a.options, &o));
	assert_int_equal(pcp_option_filter(&o, &f), TENF_OK);
	assert_int_equal(f.prefix_length, 128);
	assert_int_equal(f.address.octets[15], 8);
}

static void nothing_is_told_before_the_move_is_committed(void **state)
{
	(void)state;
	assert_int_equal(house_pcp(&h, &web).result, PCP_SUCCESS);
	h.backend = TENF_E_SYSTEM;
	move();
	house_wait(&h, 100 * TENF_MILLISECOND);
	assert_int_equal(h.updates, 0);
	h.backend = TENF_OK;
	house_wait(&h, RESPONDER_RETRY);
	assert_int_equal(h.updates, 1);
}

/* NAT-PMP hears the address; a third party, a pinhole and a static mapping have nobody to tell. */
static void only_who_asked_by_pcp_for_itself_is_told(void **state)
{
	static const uint8_t for_30[20] = { PCP_OPTION_THIRD_PARTY, 0, 0, 16, 0, 0, 0, 0, 0, 0,
					    0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 30 };
	const struct tenf_address v6 = house_v6("2001:db8:1::20");
	const struct tenf_endpoint server = { house_host(9), 22 };
	struct wish wish = web;

	(void)state;
	house_stop(&h);
	h.rules[0].third_party = true;
	house_start(&h);
	h.held = 0;
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 7, 7000, 600).result, 0);
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &server, 22, h.now), TENF_OK);
	wish.from = &v6;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	wish = web;
	wish.options = for_30;
	wish.options_len = sizeof(for_30);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	move();
	assert_int_equal(h.updates, 0);
}

static void of_a_pool_only_those_who_moved_are_told(void **state)
{
	const struct tenf_address pool[3] = { house_external, other, tenf_address_v4(0xcb007109) };
	unsigned moved = 0;

	(void)state;
	assert_int_equal(responder_set_externals(h.r, pool, 3, h.now), TENF_OK);
	for (unsigned host = 10; host < 70; host++) {
		struct wish wish = web;

		wish.host = host;
		wish.external = (uint16_t)(8000 + host);
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
		moved += h.installed.address.octets[15] == 9;
	}
	h.updates = 0;
	assert_int_equal(responder_set_externals(h.r, pool, 2, h.now), TENF_OK);
	house_turn(&h);
	assert_true(moved > 5 && moved < 40);
	assert_int_equal(h.updates, moved);
}

/* RESPONDER_UPDATES_MAX */
static void no_more_than_the_limit_is_told(void **state)
{
	struct wish wish = web;

	(void)state;
	for (uint32_t i = 0; i < RESPONDER_UPDATES_MAX + 100; i++) {
		wish.internal = (uint16_t)(1 + i);
		wish.external = (uint16_t)(20000 + i);
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	}
	move();
	assert_int_equal(h.updates, RESPONDER_UPDATES_MAX);
	house_wait(&h, 250 * TENF_MILLISECOND);
	assert_int_equal(h.updates, 2 * RESPONDER_UPDATES_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_client_is_told_three_times_where_its_mapping_is_now),
		CASE(a_renewal_stops_the_updates),
		CASE(filters_are_repeated),
		CASE(nothing_is_told_before_the_move_is_committed),
		CASE(only_who_asked_by_pcp_for_itself_is_told),
		CASE(of_a_pool_only_those_who_moved_are_told),
		CASE(no_more_than_the_limit_is_told),
	};

	return cmocka_run_group_tests_name("gateway updates", tests, NULL, NULL);
}

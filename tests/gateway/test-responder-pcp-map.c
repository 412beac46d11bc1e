/* SPDX-License-Identifier: MIT */
/* RFC 6887, gateway: the life of a mapping, from MAP to its end. */
#include "house.h"

static const struct wish web = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
				 .external = 10000, .lifetime_s = 3600, .nonce = 9 };

static void setup_house(struct house *h)
{
	house_init(h);
	house_start(h);
}

static void expect_error(const struct pcp_answer *a, uint8_t result, uint32_t lifetime_s)
{
	assert_int_equal(a->result, result);
	assert_int_equal(a->lifetime_s, lifetime_s);
}

/* PCP-G-22: renewal and deletion, with the time that is left */
static void another_nonce_changes_nothing(void **state)
{
	struct wish wish = web;
	struct pcp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &web);
	house_wait(&h, 600 * TENF_SECOND);
	wish.nonce = 10;
	a = house_pcp(&h, &wish);
	expect_error(&a, PCP_NOT_AUTHORIZED, 3000);
	assert_int_equal(a.map.external_port, 10000); /* as suggested */
	wish.lifetime_s = 0;
	a = house_pcp(&h, &wish);
	expect_error(&a, PCP_NOT_AUTHORIZED, 3000);
	house_wait(&h, 3000 * TENF_SECOND - 1);
	assert_int_equal(house_count(&h), 1);
	house_wait(&h, 1);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* PCP-G-23, PCP-G-24, PCP-G-57: a shorter wish shortens, never below the minimum */
static void the_same_nonce_renews_at_the_same_endpoint(void **state)
{
	struct wish wish = web;
	struct pcp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	a = house_pcp(&h, &web);
	assert_int_equal(a.map.external_port, 10000);
	assert_true(tenf_address_equal(&a.map.external_address, &house_external));
	house_wait(&h, 1000 * TENF_SECOND);
	wish.external = 20000;
	a = house_pcp(&h, &wish);
	assert_int_equal(a.map.external_port, 10000);
	assert_int_equal(a.lifetime_s, 3600);
	wish.lifetime_s = 1;
	assert_int_equal(house_pcp(&h, &wish).lifetime_s, 120);
	assert_int_equal(house_count(&h), 1);
	assert_int_equal(h.renewals, 2);
	house_stop(&h);
}

/* PCP-G-25, PCP-G-38: taken, foreign, loopback, multicast, the other family */
static void no_suggestion_makes_a_plain_map_fail(void **state)
{
	static const char *const addresses[] = { "198.51.100.1", "127.0.0.1", "224.0.0.1",
						 "2001:db8::1", "::" };
	struct wish wish = web;
	struct house h;

	(void)state;
	setup_house(&h);
	wish.host = 30;
	(void)house_pcp(&h, &wish);
	wish.host = 20;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(addresses); i++) {
		struct pcp_answer a;

		wish.internal = (uint16_t)(100 + i);
		wish.address = house_v6(addresses[i]);
		a = house_pcp(&h, &wish);
		assert_int_equal(a.result, PCP_SUCCESS);
		assert_int_not_equal(a.map.external_port, 10000);
		assert_true(tenf_address_equal(&a.map.external_address, &house_external));
	}
	house_stop(&h);
}

/* PCP-G-26, PCP-G-27 */
static void the_ports_of_the_protocol_and_twins_stay_closed(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	setup_house(&h);
	wish.protocol = TENF_UDP;
	for (uint16_t port = 5350; port <= 5351; port++) {
		struct pcp_answer a;

		wish.external = port;
		wish.internal = port;
		a = house_pcp(&h, &wish);
		assert_int_equal(a.result, PCP_SUCCESS);
		assert_int_not_equal(a.map.external_port, 5350);
		assert_int_not_equal(a.map.external_port, 5351);
	}
	assert_int_equal(house_count(&h), 2);
	(void)house_pcp(&h, &web);
	assert_int_equal(house_count(&h), 3);
	assert_null(house_find(&h, TENF_UDP, 10000));
	house_stop(&h);
}

/* PCP-G-28, PCP-G-29: held to the last microsecond */
static void lifetimes_lie_within_the_limits_and_are_kept(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	setup_house(&h);
	wish.lifetime_s = UINT32_MAX;
	assert_int_equal(house_pcp(&h, &wish).lifetime_s, 86400);
	wish.lifetime_s = 1;
	wish.internal = 1;
	assert_int_equal(house_pcp(&h, &wish).lifetime_s, 120);
	house_wait(&h, 120 * TENF_SECOND - 1);
	assert_int_equal(house_count(&h), 2);
	house_wait(&h, 1);
	assert_int_equal(house_count(&h), 1);
	house_wait(&h, (86400 - 120) * TENF_SECOND - 1);
	assert_int_equal(house_count(&h), 1);
	house_wait(&h, 1);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* PCP-G-30, PCP-G-32: also of what is never made */
static void deletions_copy_the_suggestions_and_succeed(void **state)
{
	struct wish wish = web;
	struct pcp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &web);
	wish.lifetime_s = 0;
	wish.external = 4711;
	wish.address = tenf_address_v4(0xc6336401);
	for (int i = 0; i < 2; i++) {
		a = house_pcp(&h, &wish);
		assert_int_equal(a.result, PCP_SUCCESS);
		assert_int_equal(a.lifetime_s, 0);
		assert_int_equal(a.map.external_port, 4711);
		assert_true(tenf_address_equal(&a.map.external_address, &wish.address));
		assert_int_equal(house_count(&h), 0);
	}
	wish.protocol = (enum tenf_protocol)132;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	house_stop(&h);
}

/* PCP-G-31, PCP-G-34: told with no end, its nonce is not the client's */
static void static_mappings_are_told_and_stay(void **state)
{
	const struct tenf_endpoint internal = { house_host(20), 22 };
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 22, .lifetime_s = 60,
			     .nonce = 3 };
	struct pcp_answer a;
	struct house h;

	(void)state;
	setup_house(&h);
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &internal, 2222, h.now), TENF_OK);
	for (uint8_t nonce = 3; nonce < 5; nonce++) {
		wish.nonce = nonce;
		a = house_pcp(&h, &wish);
		assert_int_equal(a.result, PCP_SUCCESS);
		assert_int_equal(a.lifetime_s, UINT32_MAX);
		assert_int_equal(a.map.external_port, 2222);
		assert_int_equal(a.map.nonce[0], nonce);
	}
	wish.lifetime_s = 0;
	a = house_pcp(&h, &wish);
	expect_error(&a, PCP_NOT_AUTHORIZED, 1800);
	assert_int_equal(house_count(&h), 1);
	house_stop(&h);
}

/* PCP-G-33: port 0 means the all-ports mapping, which there is none of */
static void a_deletion_with_port_0_touches_no_single_port(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_pcp(&h, &web);
	wish.lifetime_s = 0;
	wish.internal = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	wish.protocol = (enum tenf_protocol)0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(house_count(&h), 1);
	house_stop(&h);
}

/* PCP-G-53, PCP-G-13 */
static void a_host_over_its_limit_is_told_so(void **state)
{
	struct wish wish = web;
	struct pcp_answer a;
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[0].mappings_max = 1;
	house_start(&h);
	(void)house_pcp(&h, &wish);
	wish.internal = 1;
	a = house_pcp(&h, &wish);
	expect_error(&a, PCP_USER_EX_QUOTA, 30);
	wish.host = 30;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	house_stop(&h);
}

/* PCP-G-56: the suggestion does not matter, and no external IPv4 is needed */
static void ipv6_opens_a_pinhole_at_the_internal_endpoint(void **state)
{
	const struct tenf_address client = house_v6("2001:db8:1::20");
	struct wish wish = web;
	struct pcp_answer a;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.external_address = tenf_address_none4;
	house_start(&h);
	wish.from = &client;
	wish.address = house_v6("2001:db8:9::9");
	a = house_pcp(&h, &wish);
	assert_int_equal(a.result, PCP_SUCCESS);
	assert_int_equal(a.map.external_port, 8080);
	assert_true(tenf_address_equal(&a.map.external_address, &client));
	wish.lifetime_s = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(house_count(&h), 0);
	wish.lifetime_s = 3600;
	wish.nonce = 77;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	wish.protocol = TENF_UDP;
	wish.internal = 5351;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	house_stop(&h);
}

static void unreachable_ipv6_hosts_get_no_pinhole(void **state)
{
	const struct tenf_address client = house_v6("fd00:1::20");
	struct wish wish = web;
	struct house h;

	(void)state;
	house_init(&h);
	assert_true(tenf_prefix_parse("fd00:1::/64", &h.links[1].network));
	h.links[1].address.address = house_v6("fd00:1::1");
	house_start(&h);
	wish.from = &client;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	house_stop(&h);
}

static void a_mapping_of_natpmp_is_adopted_with_the_nonce(void **state)
{
	struct wish wish = web;
	struct house h;

	(void)state;
	setup_house(&h);
	(void)house_natpmp(&h, 20, TENF_TCP, 8080, 7000, 600);
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 7000);
	assert_int_equal(house_natpmp(&h, 20, TENF_TCP, 8080, 0, 0).result, NATPMP_NOT_AUTHORIZED);
	wish.nonce = 10;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NOT_AUTHORIZED);
	wish.nonce = 9;
	wish.lifetime_s = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_nonce_changes_nothing),
		cmocka_unit_test(the_same_nonce_renews_at_the_same_endpoint),
		cmocka_unit_test(no_suggestion_makes_a_plain_map_fail),
		cmocka_unit_test(the_ports_of_the_protocol_and_twins_stay_closed),
		cmocka_unit_test(lifetimes_lie_within_the_limits_and_are_kept),
		cmocka_unit_test(deletions_copy_the_suggestions_and_succeed),
		cmocka_unit_test(static_mappings_are_told_and_stay),
		cmocka_unit_test(a_deletion_with_port_0_touches_no_single_port),
		cmocka_unit_test(a_host_over_its_limit_is_told_so),
		cmocka_unit_test(ipv6_opens_a_pinhole_at_the_internal_endpoint),
		cmocka_unit_test(unreachable_ipv6_hosts_get_no_pinhole),
		cmocka_unit_test(a_mapping_of_natpmp_is_adopted_with_the_nonce),
	};

	return cmocka_run_group_tests_name("gateway PCP mappings", tests, NULL, NULL);
}

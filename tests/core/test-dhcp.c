/* SPDX-License-Identifier: MIT */
#include "core/dhcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct dhcp_servers servers;

static int setup(void **state)
{
	(void)state;
	memset(&servers, 0, sizeof(servers));
	return 0;
}

static void expect_address(size_t server, size_t index, const char *want)
{
	char text[TENF_ADDRESS_TEXT];

	assert_true(server < servers.count);
	assert_true(index < servers.at[server].count);
	assert_string_equal(tenf_address_text(&servers.at[server].addresses[index], text), want);
}

/* PCP-C-49: each block is a server, its addresses are alternatives. */
static void option_158_is_a_list_of_servers(void **state)
{
	static const uint8_t option[] = { 8, 192, 0, 2, 1, 192, 0, 2, 2, 4, 198, 51, 100, 1 };

	(void)state;
	assert_int_equal(dhcp_parse_v4(option, sizeof(option), &servers), TENF_OK);
	assert_int_equal(servers.count, 2);
	assert_int_equal(servers.at[0].count, 2);
	assert_int_equal(servers.at[1].count, 1);
	expect_address(0, 0, "192.0.2.1");
	expect_address(0, 1, "192.0.2.2");
	expect_address(1, 0, "198.51.100.1");
	assert_false(servers.truncated);
}

/* PCP-C-49: multicast, loopback and zero are no servers. */
static void addresses_nobody_can_be_reached_at_are_left_out(void **state)
{
	static const uint8_t v4[] = { 16, 224, 0, 0, 1,  127, 0, 0, 1, 0, 0, 0, 0,
				      192, 0, 2, 1, 4,	 127, 0, 0, 2 };
	static const uint8_t v6[32] = { 0xff, 0x02, [15] = 1, [31] = 1 };

	(void)state;
	assert_int_equal(dhcp_parse_v4(v4, sizeof(v4), &servers), TENF_OK);
	assert_int_equal(servers.count, 1);
	assert_int_equal(servers.at[0].count, 1);
	expect_address(0, 0, "192.0.2.1");
	assert_int_equal(dhcp_parse_v6(v6, sizeof(v6), &servers), TENF_OK);
	assert_int_equal(servers.count, 1);
}

/* PCP-C-49: lengths that cannot be are refused, and nothing is taken over. */
static void bad_lengths_of_option_158_are_refused(void **state)
{
	static const uint8_t option[] = { 4, 192, 0, 2, 1, 4, 198, 51, 100, 1 };
	static const uint8_t bad[][6] = { { 0, 192, 0, 2, 1, 4 }, { 3, 192, 0, 2, 1, 4 },
					  { 5, 192, 0, 2, 1, 4 }, { 4, 192, 0, 2, 1, 0 } };

	(void)state;
	servers.count = 7;
	for (size_t len = 0; len < sizeof(option); len++) {
		if (len == 5)
			continue;
		assert_int_equal(dhcp_parse_v4(option, len, &servers), TENF_E_TRUNCATED);
	}
	for (size_t i = 0; i < TENF_ARRAY_SIZE(bad); i++)
		assert_int_equal(dhcp_parse_v4(bad[i], sizeof(bad[i]), &servers),
				 TENF_E_MALFORMED);
	assert_int_equal(servers.count, 7);
}

/* PCP-C-49: each instance of option 86 is a server; mapped IPv4 is allowed. */
static void each_option_86_adds_a_server(void **state)
{
	static const uint8_t first[32] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1, [16] = 0x20, [17] = 1,
					   [18] = 0x0d, [19] = 0xb8, [31] = 2 };
	static const uint8_t second[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };

	(void)state;
	assert_int_equal(dhcp_parse_v6(first, sizeof(first), &servers), TENF_OK);
	assert_int_equal(dhcp_parse_v6(second, sizeof(second), &servers), TENF_OK);
	assert_int_equal(servers.count, 2);
	assert_int_equal(servers.at[0].count, 2);
	expect_address(0, 0, "2001:db8::1");
	expect_address(0, 1, "2001:db8::2");
	expect_address(1, 0, "192.0.2.1");
	for (size_t len = 1; len < sizeof(first); len++) {
		if (len != 16)
			assert_int_equal(dhcp_parse_v6(first, len, &servers), TENF_E_MALFORMED);
	}
	assert_int_equal(dhcp_parse_v6(first, 0, &servers), TENF_E_TRUNCATED);
	assert_int_equal(servers.count, 2);
}

static void what_is_too_much_is_dropped_and_said(void **state)
{
	uint8_t option[5 * (DHCP_SERVERS_MAX + 1)];
	uint8_t block[1 + 4 * (DHCP_ADDRESSES_MAX + 1)];

	(void)state;
	for (size_t i = 0; i < sizeof(option); i++)
		option[i] = i % 5 == 0 ? 4 : 10;
	assert_int_equal(dhcp_parse_v4(option, sizeof(option), &servers), TENF_OK);
	assert_int_equal(servers.count, DHCP_SERVERS_MAX);
	assert_true(servers.truncated);

	memset(block, 10, sizeof(block));
	block[0] = sizeof(block) - 1;
	assert_int_equal(dhcp_parse_v4(block, sizeof(block), &servers), TENF_OK);
	assert_int_equal(servers.count, 1);
	assert_int_equal(servers.at[0].count, DHCP_ADDRESSES_MAX);
	assert_true(servers.truncated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(option_158_is_a_list_of_servers, setup),
		cmocka_unit_test_setup(addresses_nobody_can_be_reached_at_are_left_out, setup),
		cmocka_unit_test_setup(bad_lengths_of_option_158_are_refused, setup),
		cmocka_unit_test_setup(each_option_86_adds_a_server, setup),
		cmocka_unit_test_setup(what_is_too_much_is_dropped_and_said, setup),
	};

	return cmocka_run_group_tests_name("dhcp", tests, NULL, NULL);
}

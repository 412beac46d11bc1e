/* SPDX-License-Identifier: MIT */
#include "base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static struct tenf_address address(const char *text)
{
	struct tenf_address a;

	if (!tenf_address_parse(text, &a))
		fail_msg("\"%s\" is no address", text);
	return a;
}

static bool contains(const char *prefix, const char *text)
{
	struct tenf_prefix p;
	struct tenf_address a = address(text);

	if (!tenf_prefix_parse(prefix, &p))
		fail_msg("\"%s\" is no prefix", prefix);
	return tenf_prefix_contains(&p, &a);
}

/* PCP-C-03: IPv4 is ::ffff:a.b.c.d */
static void ipv4_is_carried_as_a_mapped_address(void **state)
{
	static const uint8_t want[16] = { 0, 0, 0,    0,    0,   0,   0, 0,
					 0, 0, 0xff, 0xff, 192, 168, 1, 20 };
	static const uint8_t four[4] = { 192, 168, 1, 20 };
	struct tenf_address a = tenf_address_v4(0xc0a80114);
	struct tenf_address b = tenf_address_v4_octets(four);

	(void)state;
	assert_memory_equal(a.octets, want, 16);
	assert_memory_equal(b.octets, want, 16);
	assert_true(tenf_address_is_v4(&a));
	assert_true(tenf_address_to_v4(&a) == 0xc0a80114);
}

/* PCP-C-03: recognised by all 96 bits */
static void one_wrong_bit_of_the_96_is_no_ipv4(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 96; bit++) {
		struct tenf_address a = tenf_address_v4(0x01020304);

		a.octets[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
		assert_false(tenf_address_is_v4(&a));
	}
}

static void no_address_exists_in_both_families(void **state)
{
	struct tenf_address four = address("0.0.0.0");
	struct tenf_address six = address("::");
	struct tenf_address some = address("0.0.0.1");

	(void)state;
	assert_true(tenf_address_equal(&four, &tenf_address_none4));
	assert_true(tenf_address_equal(&six, &tenf_address_none6));
	assert_false(tenf_address_equal(&four, &six));
	assert_true(tenf_address_is_none(&four));
	assert_true(tenf_address_is_none(&six));
	assert_false(tenf_address_is_none(&some));
}

/* PCP-C-04: the zero address of the family */
static void the_zero_is_of_the_same_family(void **state)
{
	struct tenf_address four = address("203.0.113.7");
	struct tenf_address six = address("2001:db8::1");
	struct tenf_address zero4 = tenf_address_zero_of(&four);
	struct tenf_address zero6 = tenf_address_zero_of(&six);

	(void)state;
	assert_true(tenf_address_equal(&zero4, &tenf_address_none4));
	assert_true(tenf_address_equal(&zero6, &tenf_address_none6));
}

static void addresses_have_an_order(void **state)
{
	struct tenf_address a = address("10.0.0.1");
	struct tenf_address b = address("10.0.0.2");

	(void)state;
	assert_true(tenf_address_compare(&a, &b) < 0);
	assert_true(tenf_address_compare(&b, &a) > 0);
	assert_int_equal(tenf_address_compare(&a, &a), 0);
}

struct kind_case {
	const char *text;
	bool loopback, multicast, link_local, unique_local, rfc1918;
	enum tenf_address_class kind;
};

/* The first and last address of every range, and their neighbours outside. */
static const struct kind_case kinds[] = {
	{ "0.0.0.0", .kind = TENF_ADDRESS_NONE },
	{ "::", .kind = TENF_ADDRESS_NONE },
	{ "9.255.255.255", .kind = TENF_ADDRESS_PUBLIC },
	{ "10.0.0.0", .rfc1918 = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "10.255.255.255", .rfc1918 = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "11.0.0.0", .kind = TENF_ADDRESS_PUBLIC },
	{ "100.63.255.255", .kind = TENF_ADDRESS_PUBLIC },
	{ "100.64.0.0", .kind = TENF_ADDRESS_CARRIER },
	{ "100.127.255.255", .kind = TENF_ADDRESS_CARRIER },
	{ "100.128.0.0", .kind = TENF_ADDRESS_PUBLIC },
	{ "126.255.255.255", .kind = TENF_ADDRESS_PUBLIC },
	{ "127.0.0.0", .loopback = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "127.255.255.255", .loopback = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "128.0.0.0", .kind = TENF_ADDRESS_PUBLIC },
	{ "169.253.255.255", .kind = TENF_ADDRESS_PUBLIC },
	{ "169.254.0.0", .link_local = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "169.254.255.255", .link_local = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "169.255.0.0", .kind = TENF_ADDRESS_PUBLIC },
	{ "172.15.255.255", .kind = TENF_ADDRESS_PUBLIC },
	{ "172.16.0.0", .rfc1918 = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "172.31.255.255", .rfc1918 = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "172.32.0.0", .kind = TENF_ADDRESS_PUBLIC },
	{ "192.167.255.255", .kind = TENF_ADDRESS_PUBLIC },
	{ "192.168.0.0", .rfc1918 = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "192.168.255.255", .rfc1918 = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "192.169.0.0", .kind = TENF_ADDRESS_PUBLIC },
	{ "203.0.113.7", .kind = TENF_ADDRESS_PUBLIC },
	{ "::1", .loopback = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "::2", .kind = TENF_ADDRESS_PUBLIC },
	{ "2001:db8::1", .kind = TENF_ADDRESS_PUBLIC },
	{ "fbff::1", .kind = TENF_ADDRESS_PUBLIC },
	{ "fc00::", .unique_local = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "fdff:ffff::1", .unique_local = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "fe7f::1", .kind = TENF_ADDRESS_PUBLIC },
	{ "fe80::1", .link_local = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "febf::1", .link_local = true, .kind = TENF_ADDRESS_PRIVATE },
	{ "fec0::1", .kind = TENF_ADDRESS_PUBLIC },
};

static void kinds_of_addresses_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(kinds); i++) {
		struct tenf_address a = address(kinds[i].text);

		assert_int_equal(tenf_address_is_loopback(&a), kinds[i].loopback);
		assert_int_equal(tenf_address_is_multicast(&a), kinds[i].multicast);
		assert_int_equal(tenf_address_is_link_local(&a), kinds[i].link_local);
		assert_int_equal(tenf_address_is_unique_local(&a), kinds[i].unique_local);
		assert_int_equal(tenf_address_is_rfc1918(&a), kinds[i].rfc1918);
		assert_int_equal(tenf_address_classify(&a), kinds[i].kind);
		assert_int_equal(tenf_address_is_host(&a),
				 !kinds[i].loopback && !kinds[i].multicast &&
					 !kinds[i].link_local &&
					 kinds[i].kind != TENF_ADDRESS_NONE);
	}
}

static void nobody_is_at_an_address_of_many(void **state)
{
	static const char *const no[] = { "255.255.255.255", "224.0.0.1", "ff02::1" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(no); i++) {
		struct tenf_address a = address(no[i]);

		assert_false(tenf_address_is_host(&a));
	}
}

static void multicast_is_known_in_both_families(void **state)
{
	static const char *const yes[] = { "224.0.0.0", "224.0.0.1", "239.255.255.255", "ff00::",
					   "ff02::1" };
	static const char *const no[] = { "223.255.255.255", "240.0.0.0", "feff::1", "10.0.0.1" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(yes); i++) {
		struct tenf_address a = address(yes[i]);

		assert_true(tenf_address_is_multicast(&a));
	}
	for (size_t i = 0; i < TENF_ARRAY_SIZE(no); i++) {
		struct tenf_address a = address(no[i]);

		assert_false(tenf_address_is_multicast(&a));
	}
}

static void addresses_are_written_as_they_are_read(void **state)
{
	static const char *const texts[] = { "0.0.0.0", "203.0.113.7", "255.255.255.255",
					     "::", "::1", "2001:db8::1",
					     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	char buffer[TENF_ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(texts); i++) {
		struct tenf_address a = address(texts[i]);

		assert_ptr_equal(tenf_address_text(&a, buffer), buffer);
		assert_string_equal(buffer, texts[i]);
	}
}

static void a_mapped_address_is_written_as_ipv4(void **state)
{
	struct tenf_address a = address("::ffff:198.51.100.9");
	char buffer[TENF_ADDRESS_TEXT];

	(void)state;
	assert_string_equal(tenf_address_text(&a, buffer), "198.51.100.9");
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const wrong[] = { "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
					     "1.2.3.4 ", " 1.2.3.4", "localhost", "0x7f.1", ":::",
					     "1::2::3", "12345::", "fe80::1%lo", "[::1]",
					     "1.2.3.4/24", "::ffff:1.2.3" };
	struct tenf_address a = tenf_address_v4(7);
	const struct tenf_address before = a;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_false(tenf_address_parse(wrong[i], &a));
	assert_true(tenf_address_equal(&a, &before));
}

static void endpoints_take_the_default_port(void **state)
{
	static const struct {
		const char *text, *address;
		uint16_t port;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", 5351 },    { "192.0.2.1:80", "192.0.2.1", 80 },
		{ "192.0.2.1:65535", "192.0.2.1", 65535 }, { "2001:db8::1", "2001:db8::1", 5351 },
		{ "[2001:db8::1]", "2001:db8::1", 5351 },  { "[2001:db8::1]:1", "2001:db8::1", 1 },
		{ "::", "::", 5351 },                      { "::1:80", "::1:80", 5351 },
	};

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		struct tenf_address want = address(cases[i].address);
		struct tenf_endpoint got;

		assert_true(tenf_endpoint_parse(cases[i].text, 5351, &got));
		assert_true(tenf_address_equal(&got.address, &want));
		assert_int_equal(got.port, cases[i].port);
	}
}

static void refuses_what_is_no_endpoint(void **state)
{
	static const char *const wrong[] = { "", ":", ":80", "192.0.2.1:", "192.0.2.1:0",
					     "192.0.2.1:65536", "192.0.2.1:80x", "192.0.2.1:-1",
					     "[2001:db8::1", "[2001:db8::1]80", "[2001:db8::1]:",
					     "[2001:db8::1]:0", "[]:80", "[", "2001:db8::1]",
					     "host:80",
					     "[::1]]:80", "1.2.3.4:5:6",
					     "[1:2:3:4:5:6:7:8:9]:80",
					     "[0001:0002:0003:0004:0005:0006:0007:0008:0009]" };
	struct tenf_endpoint e = { .port = 7 };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_false(tenf_endpoint_parse(wrong[i], 5351, &e));
	assert_int_equal(e.port, 7);
	assert_true(tenf_address_equal(&e.address, &tenf_address_none6));
}

static void endpoints_are_written_as_they_are_read(void **state)
{
	static const char *const texts[] = { "192.0.2.1:5351", "[2001:db8::1]:80",
					     "255.255.255.255:65535",
					     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" };
	char buffer[TENF_ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(texts); i++) {
		struct tenf_endpoint e;

		assert_true(tenf_endpoint_parse(texts[i], 1, &e));
		assert_string_equal(tenf_endpoint_text(&e, buffer), texts[i]);
	}
}

static void endpoints_differ_by_port_and_by_address(void **state)
{
	struct tenf_endpoint a = { tenf_address_v4(1), 80 };
	struct tenf_endpoint b = a;

	(void)state;
	assert_true(tenf_endpoint_equal(&a, &b));
	b.port = 81;
	assert_false(tenf_endpoint_equal(&a, &b));
	b = a;
	b.address = tenf_address_v4(2);
	assert_false(tenf_endpoint_equal(&a, &b));
}

static void a_prefix_holds_its_addresses_and_no_others(void **state)
{
	(void)state;
	assert_true(contains("192.168.1.0/24", "192.168.1.0"));
	assert_true(contains("192.168.1.0/24", "192.168.1.255"));
	assert_false(contains("192.168.1.0/24", "192.168.0.255"));
	assert_false(contains("192.168.1.0/24", "192.168.2.0"));
	assert_true(contains("10.0.0.128/25", "10.0.0.255"));
	assert_false(contains("10.0.0.128/25", "10.0.0.127"));
	assert_true(contains("192.0.2.1", "192.0.2.1"));
	assert_false(contains("192.0.2.1", "192.0.2.0"));
	assert_true(contains("192.0.2.0/31", "192.0.2.1"));
	assert_true(contains("2001:db8::/32", "2001:db8:ffff::1"));
	assert_false(contains("2001:db8::/32", "2001:db9::"));
	assert_true(contains("2001:db8::1", "2001:db8::1"));
	assert_false(contains("2001:db8::1/128", "2001:db8::2"));
}

static void the_widest_prefixes_hold_their_family(void **state)
{
	(void)state;
	assert_true(contains("0.0.0.0/0", "255.255.255.255"));
	assert_false(contains("0.0.0.0/0", "2001:db8::1"));
	assert_true(contains("::/0", "2001:db8::1"));
	assert_true(contains("::/0", "192.0.2.1")); /* as ::ffff:192.0.2.1 */
}

static void a_prefix_counts_128_bits(void **state)
{
	struct tenf_prefix p;

	(void)state;
	assert_true(tenf_prefix_parse("192.168.1.0/24", &p));
	assert_int_equal(p.length, 120);
	assert_true(tenf_prefix_parse("192.168.1.7", &p));
	assert_int_equal(p.length, 128);
	assert_true(tenf_prefix_parse("::ffff:192.168.1.0/120", &p));
	assert_int_equal(p.length, 120);
	assert_true(tenf_prefix_parse("::/0", &p));
	assert_int_equal(p.length, 0);
}

static void refuses_what_is_no_prefix(void **state)
{
	static const char *const wrong[] = { "", "/", "/24", "192.168.1.0/", "192.168.1.0/33",
					     "192.168.1.0/-1", "192.168.1.0/24/24",
					     "192.168.1.1/24",
					     "192.168.1.0/2x", "2001:db8::/129", "2001:db8::1/64",
					     "0.0.0.1/0", "192.168.1.0/255.255.255.0", "lan/24" };
	struct tenf_prefix p = { .length = 7 };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_false(tenf_prefix_parse(wrong[i], &p));
	assert_int_equal(p.length, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_is_carried_as_a_mapped_address),
		cmocka_unit_test(one_wrong_bit_of_the_96_is_no_ipv4),
		cmocka_unit_test(no_address_exists_in_both_families),
		cmocka_unit_test(the_zero_is_of_the_same_family),
		cmocka_unit_test(addresses_have_an_order),
		cmocka_unit_test(kinds_of_addresses_are_told_apart),
		cmocka_unit_test(nobody_is_at_an_address_of_many),
		cmocka_unit_test(multicast_is_known_in_both_families),
		cmocka_unit_test(addresses_are_written_as_they_are_read),
		cmocka_unit_test(a_mapped_address_is_written_as_ipv4),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(endpoints_take_the_default_port),
		cmocka_unit_test(refuses_what_is_no_endpoint),
		cmocka_unit_test(endpoints_are_written_as_they_are_read),
		cmocka_unit_test(endpoints_differ_by_port_and_by_address),
		cmocka_unit_test(a_prefix_holds_its_addresses_and_no_others),
		cmocka_unit_test(the_widest_prefixes_hold_their_family),
		cmocka_unit_test(a_prefix_counts_128_bits),
		cmocka_unit_test(refuses_what_is_no_prefix),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "igd/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define ENTRY(protocol, external, internal, client, text)                                \
	"<p:PortMappingEntry><p:NewRemoteHost></p:NewRemoteHost><p:NewExternalPort>" external \
	"</p:NewExternalPort><p:NewProtocol>" protocol "</p:NewProtocol><p:NewInternalPort>"  \
	internal "</p:NewInternalPort><p:NewInternalClient>" client                          \
	"</p:NewInternalClient><p:NewEnabled>1</p:NewEnabled><p:NewDescription>" text         \
	"</p:NewDescription><p:NewLeaseTime>345</p:NewLeaseTime></p:PortMappingEntry>"
#define GOOD ENTRY("TCP", "2345", "80", "192.168.1.9", "a &amp;lt; b")

static void a_list_in_one_answer_is_read_whole(void **state)
{
	struct igd_listing listing = { .count = 0 };
	size_t seen;

	(void)state;
	assert_int_equal(igd_listing_read(&listing, "<p:PortMappingList>" GOOD
					  ENTRY("udp", "9", "9", "192.168.1.8", "")
					  "</p:PortMappingList>", &seen), TENF_OK);
	assert_int_equal(seen, 2);
	assert_int_equal(listing.count, 2);
	assert_int_equal(listing.entries[0].protocol, TENF_TCP);
	assert_int_equal(listing.entries[0].external_port, 2345);
	assert_int_equal(listing.entries[0].internal_port, 80);
	assert_int_equal(listing.entries[0].lease_s, 345);
	assert_true(listing.entries[0].enabled);
	assert_string_equal(listing.entries[0].description, "a &lt; b");
	assert_int_equal(listing.entries[1].protocol, TENF_UDP);
	igd_listing_done(&listing);
}

static void a_list_that_is_escaped_whole_is_read_too(void **state)
{
	struct igd_listing listing = { .count = 0 };
	size_t seen;

	(void)state;
	assert_int_equal(igd_listing_read(&listing,
		"&lt;p:PortMappingEntry&gt;&lt;p:NewExternalPort&gt;1&lt;/p:NewExternalPort&gt;"
		"&lt;p:NewProtocol&gt;TCP&lt;/p:NewProtocol&gt;"
		"&lt;p:NewInternalPort&gt;2&lt;/p:NewInternalPort&gt;"
		"&lt;p:NewInternalClient&gt;10.0.0.1&lt;/p:NewInternalClient&gt;"
		"&lt;/p:PortMappingEntry&gt;", &seen), TENF_OK);
	assert_int_equal(listing.count, 1);
	assert_int_equal(listing.entries[0].internal_port, 2);
	igd_listing_done(&listing);
}

static void entries_that_make_no_sense_are_counted_and_left_out(void **state)
{
	struct igd_listing listing = { .count = 0 };
	size_t seen;

	(void)state;
	assert_int_equal(igd_listing_read(&listing,
		ENTRY("TCP", "-80", "80", "192.168.1.9", "")
		ENTRY("TCP", "80", "-1", "192.168.1.9", "")
		ENTRY("TCP", "65616", "80", "192.168.1.9", "")
		ENTRY("TCP", "0", "80", "192.168.1.9", "")
		ENTRY("ICMP", "80", "80", "192.168.1.9", "")
		ENTRY("TCP", "80", "80", "host.example", "")
		GOOD "<p:PortMappingEntry>", &seen), TENF_OK);
	assert_int_equal(listing.count, 1);
	assert_int_equal(listing.dropped, 6);
	igd_listing_done(&listing);
}

static void the_same_mapping_twice_is_one(void **state)
{
	struct igd_listing listing = { .count = 0 };
	size_t seen;

	(void)state;
	assert_int_equal(igd_listing_read(&listing, GOOD GOOD GOOD, &seen), TENF_OK);
	assert_int_equal(seen, 3);
	assert_int_equal(listing.count, 1);
	igd_listing_done(&listing);
}

static void a_listing_has_a_limit(void **state)
{
	struct igd_listing listing = { .count = 0 };
	struct igd_entry entry = { .protocol = TENF_TCP, .remote = tenf_address_none4 };

	(void)state;
	for (unsigned i = 0; i < IGD_ENTRIES_MAX; i++) {
		entry.external_port = (uint16_t)(i + 1);
		assert_int_equal(igd_listing_add(&listing, &entry), TENF_OK);
	}
	entry.external_port = 60000;
	assert_false(listing.cut);
	assert_int_equal(igd_listing_add(&listing, &entry), TENF_E_LIMIT);
	assert_true(listing.cut);
	assert_int_equal(listing.count, IGD_ENTRIES_MAX);
	entry.external_port = 1; /* known: no more than before */
	assert_int_equal(igd_listing_add(&listing, &entry), TENF_OK);
	igd_listing_done(&listing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_in_one_answer_is_read_whole),
		cmocka_unit_test(a_list_that_is_escaped_whole_is_read_too),
		cmocka_unit_test(entries_that_make_no_sense_are_counted_and_left_out),
		cmocka_unit_test(the_same_mapping_twice_is_one),
		cmocka_unit_test(a_listing_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

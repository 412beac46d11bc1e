/* SPDX-License-Identifier: MIT */
/* Where the daemon serves, and where it refuses to. */
#include "house.h"

#include "gateway/links.h"
#include "netns.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

static struct gateway_config config;
static struct links links;
static char why_buffer[512];

static bool find(const char *text)
{
	struct tenf_text why = tenf_text_of(why_buffer, sizeof(why_buffer));

	if (!config_read_text("g.conf", text, &config, &why))
		fail_msg("refused: %s", why_buffer);
	return links_find(&config, &links, &why);
}

static void enter(void)
{
	if (!netns_enter_with_links()) {
		print_message("# skip: no network namespaces here\n");
		skip();
	}
}

static void expect_link(size_t i, const char *endpoint, const char *name, const char *network,
			unsigned length)
{
	char text[TENF_ENDPOINT_TEXT];

	assert_true(i < links.count);
	assert_string_equal(tenf_endpoint_text(&links.at[i].address, text), endpoint);
	assert_string_equal(links.names[i], name);
	assert_int_equal(links.at[i].interface, if_nametoindex(name));
	assert_string_equal(tenf_address_text(&links.at[i].network.address, text), network);
	assert_int_equal(links.at[i].network.length, length);
}

static void every_address_of_an_internal_interface_is_served(void **state)
{
	(void)state;
	enter();
	assert_true(netns_ip("addr add 10.2.0.1/16 dev v1\n"));
	assert_true(netns_ip6("addr add fd00:1::1/64 dev v1 nodad\n"));
	assert_true(find("[Gateway]\nBackend=nftables\nExternal=v0\nInternal=v1\n"));
	assert_int_equal(links.count, 3); /* and not the link-local one */
	expect_link(0, "10.1.0.2:5351", "v1", "10.1.0.0", 120);
	expect_link(1, "10.2.0.1:5351", "v1", "10.2.0.0", 112);
	expect_link(2, "[fd00:1::1]:5351", "v1", "fd00:1::", 64);
}

static void an_interface_with_the_default_route_is_refused(void **state)
{
	static const char *const routes[] = { "route add default via 10.1.0.1 dev v1\n",
					      "route add default via 10.1.0.1 dev v1 table 7\n" };

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(routes); i++) {
		enter();
		assert_true(find("[Gateway]\nBackend=nftables\nExternal=v0\nInternal=v1\n"));
		assert_true(netns_ip(routes[i]));
		assert_false(find("[Gateway]\nBackend=nftables\nExternal=v0\nInternal=v1\n"));
		assert_non_null(strstr(why_buffer, "the default route leads through interface v1"));
		assert_non_null(strstr(why_buffer, "ServeExternal=yes"));
		assert_false(find("[Gateway]\nBackend=nftables\nExternal=v0\nListen=10.1.0.2\n"));
		assert_true(find("[Gateway]\nBackend=nftables\nExternal=v0\nInternal=v1\n"
				 "ServeExternal=yes\n"));
		/* The test gateway opens nothing, wherever it is asked. */
		assert_true(find("[Gateway]\nBackend=memory\nInternal=v1\n"));
	}
}

static void the_external_interface_is_served_only_on_demand(void **state)
{
	(void)state;
	enter();
	assert_false(find("[Gateway]\nBackend=nftables\nExternal=v1\nListen=10.1.0.2\n"));
	assert_non_null(strstr(why_buffer, "interface v1 is the external one"));
	assert_true(find("[Gateway]\nBackend=nftables\nExternal=v1\nListen=10.1.0.2\n"
			 "ServeExternal=yes\n"));
}

static void what_is_not_there_is_told(void **state)
{
	(void)state;
	enter();
	assert_false(find("[Gateway]\nBackend=memory\nInternal=nosuch\n"));
	assert_non_null(strstr(why_buffer, "there is no such interface"));
	assert_false(find("[Gateway]\nBackend=memory\nInternal=p0\n"));
	assert_non_null(strstr(why_buffer, "has no address"));
	assert_false(find("[Gateway]\nBackend=memory\nListen=192.0.2.1\n"));
	assert_non_null(strstr(why_buffer, "no interface of this machine"));
}

static void more_addresses_than_can_be_served_are_told(void **state)
{
	char lines[RESPONDER_LINKS_MAX * 40];
	size_t used = 0;

	(void)state;
	enter();
	for (unsigned i = 0; i < RESPONDER_LINKS_MAX; i++)
		used += (size_t)snprintf(lines + used, sizeof(lines) - used,
					 "addr add 10.9.%u.1/24 dev v1\n", i);
	assert_true(netns_ip(lines));
	assert_false(find("[Gateway]\nBackend=memory\nInternal=v1\n"));
	assert_non_null(strstr(why_buffer, "more addresses than can be served"));
}

static void the_external_address_is_the_one_said_or_that_of_the_interface(void **state)
{
	struct tenf_address address;
	char text[TENF_ADDRESS_TEXT];

	(void)state;
	enter();
	assert_true(find("[Gateway]\nBackend=memory\nExternal=v0\nInternal=v1\n"));
	address = links_external_address(&config);
	assert_string_equal(tenf_address_text(&address, text), "10.0.0.2");
	assert_true(netns_ip("addr del 10.0.0.2/24 dev v0\n"));
	address = links_external_address(&config);
	assert_true(tenf_address_is_none(&address));
	assert_true(find("[Gateway]\nBackend=memory\nExternal=v0\nInternal=v1\n"
			 "ExternalAddress=203.0.113.7\n"));
	address = links_external_address(&config);
	assert_string_equal(tenf_address_text(&address, text), "203.0.113.7");
}

static void a_pool_is_all_of_it(void **state)
{
	struct tenf_address all[CONFIG_EXTERNALS_MAX];
	char text[TENF_ADDRESS_TEXT];

	(void)state;
	enter();
	assert_true(find("[Gateway]\nBackend=memory\nExternal=v0\nInternal=v1\n"));
	assert_int_equal(links_external_addresses(&config, all), 1);
	assert_string_equal(tenf_address_text(&all[0], text), "10.0.0.2");
	assert_true(find("[Gateway]\nBackend=memory\nExternalAddress=203.0.113.16/28\n"
			 "Internal=v1\n"));
	assert_int_equal(links_external_addresses(&config, all), 16);
	assert_string_equal(tenf_address_text(&all[15], text), "203.0.113.31");
	assert_true(find("[Gateway]\nBackend=memory\nExternalAddress=none\nInternal=v1\n"));
	assert_int_equal(links_external_addresses(&config, all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_of_an_internal_interface_is_served),
		cmocka_unit_test(an_interface_with_the_default_route_is_refused),
		cmocka_unit_test(the_external_interface_is_served_only_on_demand),
		cmocka_unit_test(what_is_not_there_is_told),
		cmocka_unit_test(more_addresses_than_can_be_served_are_told),
		cmocka_unit_test(a_pool_is_all_of_it),
		cmocka_unit_test(the_external_address_is_the_one_said_or_that_of_the_interface),
	};

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}

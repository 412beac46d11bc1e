/* SPDX-License-Identifier: MIT */
/* What [Static] says is in the table, once. */
#include "house.h"

#include "gateway/statics.h"

#include <string.h>

static struct gateway_config config;
static struct house house;
static char why_buffer[512];

static bool add(const char *text)
{
	struct tenf_text why = tenf_text_of(why_buffer, sizeof(why_buffer));

	if (!config_read_text("g.conf", text, &config, &why))
		fail_msg("refused: %s", why_buffer);
	return statics_add(house.r, &config, house.now, &why);
}

static size_t count(enum tenf_protocol protocol, const char *host, uint16_t internal,
		    uint16_t external)
{
	const struct ledger_mapping *m = NULL;
	char text[TENF_ADDRESS_TEXT];
	size_t found = 0;

	while ((m = responder_mappings(house.r, m)) != NULL)
		found += m->maker == LEDGER_STATIC && m->protocol == protocol &&
			 m->internal_port == internal && m->external_port == external &&
			 strcmp(tenf_address_text(&m->internal_address, text), host) == 0;
	return found;
}

static int setup(void **state)
{
	(void)state;
	house_init(&house);
	house_start(&house);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&house);
	return 0;
}

static void each_port_and_protocol_is_a_mapping(void **state)
{
	(void)state;
	assert_true(add("[Gateway]\nBackend=memory\n[Static]\nForward=443:8443/tcp\n"
			"Host=192.168.1.20\n[Static]\nForward=7000-7002:6000-6002/both\n"
			"Host=192.168.1.21\n"));
	house_turn(&house);
	assert_int_equal(count(TENF_TCP, "192.168.1.20", 8443, 443), 1);
	assert_int_equal(count(TENF_UDP, "192.168.1.20", 8443, 443), 0);
	assert_int_equal(count(TENF_TCP, "192.168.1.21", 6000, 7000), 1);
	assert_int_equal(count(TENF_UDP, "192.168.1.21", 6002, 7002), 1);
	assert_int_equal(house.held, 7);
}

static void what_is_there_is_not_added_again(void **state)
{
	const char *text = "[Gateway]\nBackend=memory\n[Static]\nForward=443/both\n"
			   "Host=192.168.1.20\n";

	(void)state;
	assert_true(add(text));
	house_turn(&house);
	assert_true(add(text));
	house_turn(&house);
	assert_int_equal(house.held, 2);
}

static void the_last_port_of_all_can_be_given(void **state)
{
	(void)state;
	assert_true(add("[Gateway]\nBackend=memory\n[Static]\nForward=65535/udp\n"
			"Host=192.168.1.20\n"));
	assert_int_equal(count(TENF_UDP, "192.168.1.20", 65535, 65535), 1);
}

static void a_port_that_is_taken_is_told_with_its_line(void **state)
{
	(void)state;
	assert_false(add("[Gateway]\nBackend=memory\n[Static]\nForward=443/tcp\n"
			 "Host=192.168.1.20\n[Static]\nForward=443/tcp\nHost=192.168.1.21\n"));
	assert_non_null(strstr(why_buffer, "g.conf:6: port 443 cannot lead to 192.168.1.21"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_port_and_protocol_is_a_mapping, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_there_is_not_added_again, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_port_of_all_can_be_given, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_told_with_its_line, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("static mappings", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "cli/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOME "192.168.1.1 eth0 52:54:00:12:34:56"
#define CAFE "192.168.1.1 wlan0 52:54:00:ab:cd:ef"
#define ARP                                                                            \
	"IP address       HW type     Flags       HW address            Mask     Device\n" \
	"192.168.1.1      0x1         0x2         52:54:00:12:34:56     *        eth0\n"    \
	"192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0\n"

static void a_network_is_gateway_interface_and_hardware(void **state)
{
	char network[128];

	(void)state;
	devices_network(ARP, "192.168.1.1", "eth0", network, sizeof(network));
	assert_string_equal(network, HOME);
	devices_network(ARP, "192.168.1.1", "wlan0", network, sizeof(network));
	assert_string_equal(network, "192.168.1.1 wlan0 -");
	devices_network(ARP, "192.168.1.9", "eth0", network, sizeof(network));
	assert_string_equal(network, "192.168.1.9 eth0 -");
}

static void a_device_is_remembered_for_its_network_alone(void **state)
{
	char hints[256];

	(void)state;
	devices_choose(HOME " a b c d\n" CAFE " e f g h\n", ARP, hints, sizeof(hints));
	assert_string_equal(hints, "a b c d\ne f g h\n"); /* nothing is known of wlan0 */
	devices_choose("192.168.1.1 eth0 52:54:00:00:00:01 a b c d\n", ARP, hints,
		       sizeof(hints));
	assert_string_equal(hints, ""); /* another router with the same address */
	devices_choose("192.168.1.1 eth0 - a b c d\n", ARP, hints, sizeof(hints));
	assert_string_equal(hints, "a b c d\n");
}

static void what_is_no_line_of_ours_is_ignored(void **state)
{
	char hints[16];

	(void)state;
	devices_choose("\n\nx\nx y\nx y z\n \n", ARP, hints, sizeof(hints));
	assert_string_equal(hints, "");
	devices_choose("a b c this is far too long for the room there is\n" HOME " fits\n", ARP,
		       hints, sizeof(hints));
	assert_string_equal(hints, "fits\n");
}

static void the_newest_comes_first_and_once(void **state)
{
	char *one = devices_merge("", HOME, "a b"), *two, *three;

	(void)state;
	assert_string_equal(one, HOME " a b\n");
	assert_null(devices_merge(one, HOME, "a b"));
	two = devices_merge(one, CAFE, "c d");
	assert_string_equal(two, CAFE " c d\n" HOME " a b\n");
	three = devices_merge(two, "192.168.1.1 eth0 52:54:00:00:00:02", "e f");
	assert_string_equal(three, "192.168.1.1 eth0 52:54:00:00:00:02 e f\n" CAFE " c d\n");
	free(one);
	free(two);
	free(three);
}

static void only_so_many_networks_are_remembered(void **state)
{
	char *text = calloc(1, 1);
	unsigned lines = 0;

	(void)state;
	for (unsigned i = 0; i < DEVICES_MAX + 5; i++) {
		char network[64], *next;

		(void)snprintf(network, sizeof(network), "10.0.0.%u eth0 -", i);
		next = devices_merge(text, network, "x y");
		assert_non_null(next);
		free(text);
		text = next;
	}
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, DEVICES_MAX);
	assert_non_null(strstr(text, "10.0.0.36 "));
	assert_null(strstr(text, "10.0.0.4 "));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_gateway_interface_and_hardware),
		cmocka_unit_test(a_device_is_remembered_for_its_network_alone),
		cmocka_unit_test(what_is_no_line_of_ours_is_ignored),
		cmocka_unit_test(the_newest_comes_first_and_once),
		cmocka_unit_test(only_so_many_networks_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

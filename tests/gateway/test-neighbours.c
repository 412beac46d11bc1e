/* SPDX-License-Identifier: MIT */
/* Link-layer addresses of hosts: what is remembered, and what the kernel knows. */
#include "house.h"

#include "gateway/neighbours.h"
#include "netns.h"

#include <net/if.h>
#include <string.h>

struct kernel {
	unsigned asked;
	bool knows;
	uint8_t last; /* octet of the address it tells */
};

static bool answer(void *context, unsigned interface, const struct tenf_address *address,
		   uint8_t ret[NEIGHBOURS_MAC])
{
	struct kernel *k = context;
	const uint8_t mac[NEIGHBOURS_MAC] = { 2, 0, 0, 0, (uint8_t)interface, k->last };

	(void)address;
	k->asked++;
	if (k->knows)
		memcpy(ret, mac, sizeof(mac));
	return k->knows;
}

static struct neighbours *with(struct kernel *k)
{
	struct neighbours *n;

	assert_int_equal(neighbours_new(answer, k, &n), TENF_OK);
	return n;
}

static void a_known_host_is_asked_about_every_ten_seconds(void **state)
{
	struct kernel k = { .knows = true, .last = 1 };
	struct neighbours *n = with(&k);
	struct tenf_address host = house_host(20);
	uint8_t mac[NEIGHBOURS_MAC];

	(void)state;
	for (tenf_time now = 0; now < NEIGHBOURS_KEEP; now += TENF_SECOND)
		assert_true(neighbours_find(n, 2, &host, now, mac));
	assert_int_equal(k.asked, 1);
	k.last = 9; /* another machine has the address now */
	assert_true(neighbours_find(n, 2, &host, NEIGHBOURS_KEEP, mac));
	assert_int_equal(mac[5], 9);
	assert_int_equal(k.asked, 2);
	neighbours_free(n);
}

static void an_unknown_host_is_asked_about_again_soon(void **state)
{
	struct kernel k = { .knows = false };
	struct neighbours *n = with(&k);
	struct tenf_address host = house_host(20);
	uint8_t mac[NEIGHBOURS_MAC] = { 7 };

	(void)state;
	assert_false(neighbours_find(n, 2, &host, 0, mac));
	assert_false(neighbours_find(n, 2, &host, TENF_SECOND / 2, mac));
	assert_int_equal(k.asked, 1);
	assert_int_equal(mac[0], 7);
	k.knows = true;
	assert_true(neighbours_find(n, 2, &host, TENF_SECOND, mac));
	neighbours_free(n);
}

static void the_same_address_on_another_link_is_another_host(void **state)
{
	struct kernel k = { .knows = true };
	struct neighbours *n = with(&k);
	struct tenf_address host = house_host(20);
	uint8_t mac[NEIGHBOURS_MAC];

	(void)state;
	assert_true(neighbours_find(n, 2, &host, 0, mac));
	assert_true(neighbours_find(n, 3, &host, 0, mac));
	assert_int_equal(mac[4], 3);
	assert_int_equal(k.asked, 2);
	neighbours_free(n);
}

/* More hosts than there are places: right, though not from memory. */
static void more_hosts_than_places_are_still_told_right(void **state)
{
	struct kernel k = { .knows = true };
	struct neighbours *n = with(&k);
	uint8_t mac[NEIGHBOURS_MAC];

	(void)state;
	for (uint32_t i = 0; i < 4 * NEIGHBOURS_MAX; i++) {
		struct tenf_address host = tenf_address_v4(0x0a000000 + i);

		k.last = (uint8_t)i;
		assert_true(neighbours_find(n, 2, &host, 0, mac));
		assert_int_equal(mac[5], (uint8_t)i);
	}
	assert_int_equal(k.asked, 4 * NEIGHBOURS_MAX);
	neighbours_free(n);
}

static void a_text_is_read_and_written(void **state)
{
	static const char *const wrong[] = { "", "00:11:22:33:44", "00:11:22:33:44:55:66",
					     "00:11:22:33:44:5g", "00:11-22:33:44:55",
					     "0011.2233.4455", "00 11 22 33 44 55" };
	char text[NEIGHBOURS_TEXT];
	uint8_t mac[NEIGHBOURS_MAC];

	(void)state;
	assert_true(neighbours_parse("00:1a:2B:33:44:ff", mac));
	assert_string_equal(neighbours_text(mac, text), "00:1a:2b:33:44:ff");
	assert_true(neighbours_parse("00-1a-2b-33-44-fe", mac));
	assert_int_equal(mac[5], 0xfe);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_false(neighbours_parse(wrong[i], mac));
	assert_int_equal(mac[5], 0xfe);
}

static void the_kernel_tells_what_it_has_seen(void **state)
{
	struct tenf_address known = tenf_address_v4(0x0a000007);   /* 10.0.0.7 */
	struct tenf_address unknown = tenf_address_v4(0x0a000008);
	struct tenf_address own = tenf_address_v4(0x7f000001);
	struct tenf_address v6 = house_v6("fd00::7");
	char text[NEIGHBOURS_TEXT];
	uint8_t mac[NEIGHBOURS_MAC];
	struct neighbours *n;
	unsigned v0;

	(void)state;
	if (!netns_enter_with_links() ||
	    !netns_ip("neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0 nud stale\n"
		      "neigh add fd00::7 lladdr 02:00:00:00:00:17 dev v0 nud permanent\n")) {
		print_message("# skip: no network namespaces here\n");
		skip();
	}
	v0 = if_nametoindex("v0");
	assert_int_equal(neighbours_new(NULL, NULL, &n), TENF_OK);
	assert_true(neighbours_find(n, v0, &known, 0, mac));
	assert_string_equal(neighbours_text(mac, text), "02:00:00:00:00:07");
	assert_true(neighbours_find(n, v0, &v6, 0, mac));
	assert_string_equal(neighbours_text(mac, text), "02:00:00:00:00:17");
	assert_false(neighbours_find(n, v0, &unknown, 0, mac));
	assert_false(neighbours_find(n, if_nametoindex("v1"), &known, 0, mac));
	assert_false(neighbours_find(n, if_nametoindex("lo"), &own, 0, mac));
	neighbours_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_host_is_asked_about_every_ten_seconds),
		cmocka_unit_test(an_unknown_host_is_asked_about_again_soon),
		cmocka_unit_test(the_same_address_on_another_link_is_another_host),
		cmocka_unit_test(more_hosts_than_places_are_still_told_right),
		cmocka_unit_test(a_text_is_read_and_written),
		cmocka_unit_test(the_kernel_tells_what_it_has_seen),
	};

	return cmocka_run_group_tests_name("neighbours", tests, NULL, NULL);
}

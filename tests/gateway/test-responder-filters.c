/* SPDX-License-Identifier: MIT */
/* FILTERs beside each other, of one mapping and of all (RFC 6887 §13.3). */
#include "house.h"

#include <string.h>

struct options {
	uint8_t octets[1100];
	struct tenf_writer w;
};

static void begin(struct options *o)
{
	memset(o->octets, 0, sizeof(o->octets));
	o->w = tenf_writer_of(o->octets, sizeof(o->octets));
}

static void add_filter(struct options *o, uint8_t prefix, const char *address, uint16_t port)
{
	const struct pcp_filter filter = { prefix, port, house_v6(address) };

	pcp_write_filter(&o->w, &filter);
}

static struct wish wish_with(const struct options *o, uint16_t internal)
{
	return (struct wish){ .host = 20, .protocol = TENF_TCP, .internal = internal,
			      .lifetime_s = 3600, .nonce = 9,
			      .options = o->octets, .options_len = o->w.used };
}

static unsigned filters_of(const struct house *h)
{
	const struct ledger_mapping *m = responder_mappings(h->r, NULL);

	assert_non_null(m);
	return m->cold != NULL ? m->cold->filter_count : 0;
}

static void what_a_filter_covers_is_not_kept_beside_it(void **state)
{
	static const struct {
		uint8_t prefix;
		uint16_t port;
		unsigned count; /* after it */
		uint8_t result;
	} steps[] = {
		{ 128, 5000, 1, PCP_SUCCESS },
		{ 128, 65535, 2, PCP_SUCCESS },
		{ 120, 5000, 2, PCP_SUCCESS }, /* instead of the first */
		{ 128, 5000, 2, PCP_SUCCESS },
		{ 128, 0, 2, PCP_SUCCESS },    /* instead of the second */
		{ 120, 65535, 2, PCP_EXCESSIVE_REMOTE_PEERS }, /* crosses it at its end */
		{ 120, 0, 1, PCP_SUCCESS },    /* all */
		{ 121, 7, 1, PCP_SUCCESS },
	};
	struct options o;
	struct wish wish;
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(steps); i++) {
		begin(&o);
		add_filter(&o, steps[i].prefix, "198.51.100.9", steps[i].port);
		wish = wish_with(&o, 2000);
		assert_int_equal(house_pcp(&h, &wish).result, steps[i].result);
		assert_int_equal(filters_of(&h), steps[i].count);
	}
	house_stop(&h);
}

/* LEDGER_FILTERED_MAX and LEDGER_FILTERS_TOTAL_MAX: refused one by one, because in the
 * packet path it would be the end of the requests of others as well. */
static void filters_of_all_mappings_have_a_limit(void **state)
{
	const unsigned each[] = { 1, LEDGER_FILTERS_MAX };
	const unsigned most[] = { LEDGER_FILTERED_MAX,
				  LEDGER_FILTERS_TOTAL_MAX / LEDGER_FILTERS_MAX };

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		struct options o;
		struct wish wish;
		struct house h;

		house_init(&h);
		house_start(&h);
		begin(&o);
		for (unsigned i = 0; i < each[turn]; i++)
			add_filter(&o, 128, "198.51.100.9", (uint16_t)(1 + i));
		wish = wish_with(&o, 2000);
		for (unsigned i = 0; i < most[turn]; i++) {
			wish.internal = (uint16_t)(2000 + i);
			assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
		}
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS); /* a renewal */
		wish.internal++;
		assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
		assert_int_equal(house_count(&h), most[turn]);
		/* A failed batch takes nothing, and neither does what was there. */
		begin(&o);
		add_filter(&o, 0, "::", 0);
		wish = wish_with(&o, 2000);
		h.backend = TENF_E_SYSTEM;
		assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
		h.backend = TENF_OK;
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
		begin(&o);
		add_filter(&o, 128, "198.51.100.9", 1);
		wish = wish_with(&o, 3000);
		assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
		house_stop(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_filter_covers_is_not_kept_beside_it),
		cmocka_unit_test(filters_of_all_mappings_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

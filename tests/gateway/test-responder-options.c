/* SPDX-License-Identifier: MIT */
/* The options of a MAP request (RFC 6887 §7.3, §13; RFC 7220). */
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

static void add_raw(struct options *o, uint8_t code, uint16_t length, size_t octets)
{
	tenf_writer_u8(&o->w, code);
	tenf_writer_u8(&o->w, 0);
	tenf_writer_u16(&o->w, length);
	tenf_writer_fill(&o->w, 0x5a, octets);
}

static void add_filter(struct options *o, uint8_t prefix, const char *address, uint16_t port)
{
	const struct pcp_filter filter = { prefix, port, house_v6(address) };

	pcp_write_filter(&o->w, &filter);
}

static struct wish web_with(const struct options *o)
{
	return (struct wish){ .host = 20, .protocol = TENF_TCP, .internal = 8080,
			      .external = 10000, .lifetime_s = 3600, .nonce = 9,
			      .options = o->octets, .options_len = o->w.used };
}

static struct pcp_answer ask(struct house *h, const struct options *o)
{
	const struct wish wish = web_with(o);

	return house_pcp(h, &wish);
}

static uint8_t result_of(struct house *h, const struct options *o)
{
	return ask(h, o).result;
}

static void setup_house(struct house *h)
{
	house_init(h);
	house_start(h);
}

static const struct ledger_mapping *only(const struct house *h)
{
	const struct ledger_mapping *m = responder_mappings(h->r, NULL);

	assert_non_null(m);
	return m;
}

/* PCP-G-10, PCP-G-11: the bad option comes last, what came before has no effect */
static void an_error_echoes_everything_and_changes_nothing(void **state)
{
	struct wish wish;
	uint8_t sent[1200];
	struct options o;
	struct house h;
	size_t len;

	(void)state;
	setup_house(&h);
	begin(&o);
	pcp_write_description(&o.w, (const uint8_t *)"web", 3);
	add_filter(&o, 120, "198.51.100.0", 0);
	add_raw(&o, 99, 4, 4);
	wish = web_with(&o);
	len = house_write(&wish, sent, sizeof(sent));
	assert_int_equal(result_of(&h, &o), PCP_UNSUPP_OPTION);
	assert_int_equal(h.sent.len, len);
	assert_memory_equal(h.answer + 24, sent + 24, len - 24);
	assert_int_equal(house_count(&h), 0);
	assert_int_equal(h.installs, 0);

	/* Nor is a mapping that is there renewed. */
	begin(&o);
	(void)ask(&h, &o);
	house_wait(&h, 600 * TENF_SECOND);
	add_filter(&o, 130, "198.51.100.0", 0);
	assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	assert_int_equal(ledger_remaining_s(only(&h), h.now), 3000);
	assert_null(only(&h)->cold);
	house_stop(&h);
}

/* PCP-G-12, PCP-G-15: the unknown optional ones, padding and all, are left out */
static void a_success_echoes_what_was_processed(void **state)
{
	struct options o;
	struct house h;
	struct tenf_reader r;
	struct pcp_option got;

	(void)state;
	setup_house(&h);
	begin(&o);
	add_raw(&o, 200, 5, 8);
	pcp_write_prefer_failure(&o.w);
	add_raw(&o, 255, 0, 0);
	add_filter(&o, 128, "198.51.100.4", 443);
	pcp_write_description(&o.w, (const uint8_t *)"Grüße", 7);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	r = tenf_reader_of(h.answer + PCP_MAP_SIZE, h.sent.len - PCP_MAP_SIZE);
	assert_true(pcp_option_next(&r, &got));
	assert_int_equal(got.code, PCP_OPTION_PREFER_FAILURE);
	assert_true(pcp_option_next(&r, &got));
	assert_int_equal(got.code, PCP_OPTION_FILTER);
	assert_true(pcp_option_next(&r, &got));
	assert_int_equal(got.code, PCP_OPTION_DESCRIPTION);
	assert_int_equal(got.length, 7);
	assert_false(pcp_option_next(&r, &got));
	assert_false(r.failed);
	house_stop(&h);
}

/* PCP-G-14 */
static void an_option_over_the_end_is_malformed(void **state)
{
	struct options o;
	struct house h;

	(void)state;
	setup_house(&h);
	for (uint16_t length = 5; length < 60; length++) {
		begin(&o);
		add_raw(&o, 200, length, 4);
		assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	}
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* PCP-G-15: every code we do not know */
static void unknown_options_count_by_their_range(void **state)
{
	struct options o;
	struct house h;

	(void)state;
	setup_house(&h);
	for (unsigned code = 0; code < 256; code++) {
		if ((code >= 1 && code <= 3) || code == PCP_OPTION_DESCRIPTION)
			continue;
		begin(&o);
		add_raw(&o, (uint8_t)code, 5, 8);
		assert_int_equal(result_of(&h, &o),
				 code < 128 ? PCP_UNSUPP_OPTION : PCP_SUCCESS);
		if (code >= 128)
			assert_int_equal(h.sent.len, PCP_MAP_SIZE);
	}
	house_stop(&h);
}

/* PCP-G-16 */
static void options_that_come_once_do_not_come_twice(void **state)
{
	const struct tenf_address other = house_host(30);
	struct options o;
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[0].third_party = true;
	house_start(&h);
	begin(&o);
	pcp_write_third_party(&o.w, &other);
	pcp_write_third_party(&o.w, &other);
	assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	begin(&o);
	pcp_write_prefer_failure(&o.w);
	pcp_write_prefer_failure(&o.w);
	assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	begin(&o);
	pcp_write_description(&o.w, (const uint8_t *)"a", 1);
	pcp_write_description(&o.w, (const uint8_t *)"b", 1);
	assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* PCP-G-17: the first error is the answer; a filter behind a clearing one stays */
static void options_are_taken_in_their_order(void **state)
{
	struct options o;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	add_raw(&o, 99, 0, 0);
	add_raw(&o, PCP_OPTION_PREFER_FAILURE, 4, 4);
	assert_int_equal(result_of(&h, &o), PCP_UNSUPP_OPTION);
	begin(&o);
	add_raw(&o, PCP_OPTION_PREFER_FAILURE, 4, 4);
	add_raw(&o, 99, 0, 0);
	assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	begin(&o);
	add_filter(&o, 128, "198.51.100.1", 0);
	add_filter(&o, 0, "::", 0);
	add_filter(&o, 128, "198.51.100.2", 0);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	assert_int_equal(only(&h)->cold->filter_count, 1);
	assert_int_equal(only(&h)->cold->filters[0].address.octets[15], 2);
	house_stop(&h);
}

/* PCP-G-35: this endpoint or none; a zero address is any, a foreign one is not */
static void prefer_failure_gets_the_exact_port_or_an_error(void **state)
{
	struct pcp_answer a;
	struct options o;
	struct options none;
	struct wish wish;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	begin(&none);
	pcp_write_prefer_failure(&o.w);
	a = ask(&h, &o);
	assert_int_equal(a.result, PCP_SUCCESS);
	assert_int_equal(a.map.external_port, 10000);

	/* Taken: for as long as the conflict lasts, and 120 s. */
	wish = web_with(&o);
	wish.host = 30;
	house_wait(&h, 100 * TENF_SECOND);
	a = house_pcp(&h, &wish);
	assert_int_equal(a.result, PCP_CANNOT_PROVIDE_EXTERNAL);
	assert_int_equal(a.lifetime_s, 3500 + 120);

	/* Reserved for the protocol, and another address than the gateway's. */
	wish.external = 20000;
	wish.address = tenf_address_v4(0xc6336401);
	a = house_pcp(&h, &wish);
	assert_int_equal(a.result, PCP_CANNOT_PROVIDE_EXTERNAL);
	assert_int_equal(a.lifetime_s, 30);
	wish.address = house_external;
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 20000);

	/* Mapped elsewhere before. */
	wish.external = 20001;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_CANNOT_PROVIDE_EXTERNAL);
	assert_int_equal(house_count(&h), 2);
	house_stop(&h);
}

/* PCP-G-36 */
static void prefer_failure_without_a_wish_is_malformed(void **state)
{
	struct options o;
	struct wish wish;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	pcp_write_prefer_failure(&o.w);
	wish = web_with(&o);
	wish.external = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_MALFORMED_OPTION);
	wish.external = 80;
	wish.lifetime_s = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_MALFORMED_OPTION);
	begin(&o);
	add_raw(&o, PCP_OPTION_PREFER_FAILURE, 4, 4);
	assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	house_stop(&h);
}

static void exact_wishes_cannot_be_used_to_look_for_ports(void **state)
{
	struct options o;
	struct wish wish;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	(void)ask(&h, &o);
	pcp_write_prefer_failure(&o.w);
	wish = web_with(&o);
	wish.host = 30;
	for (int i = 0; i < RESPONDER_FAILURES_PER_MINUTE; i++)
		assert_int_equal(house_pcp(&h, &wish).result, PCP_CANNOT_PROVIDE_EXTERNAL);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	house_wait(&h, 6 * TENF_SECOND);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_CANNOT_PROVIDE_EXTERNAL);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	house_wait(&h, 60 * TENF_SECOND);
	for (int i = 0; i < RESPONDER_FAILURES_PER_MINUTE; i++)
		assert_int_equal(house_pcp(&h, &wish).result, PCP_CANNOT_PROVIDE_EXTERNAL);
	house_stop(&h);
}

/* PCP-G-39: and where it is on, for those alone who may */
static void third_party_is_off_unless_a_rule_says_otherwise(void **state)
{
	const struct tenf_address other = house_host(30);
	struct options o;
	struct wish wish;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	pcp_write_third_party(&o.w, &other);
	assert_int_equal(result_of(&h, &o), PCP_UNSUPP_OPTION);
	house_stop(&h);

	house_init(&h);
	h.rules[1] = h.rules[0];
	h.rules[0].third_party = true;
	assert_true(tenf_prefix_parse("192.168.1.20", &h.rules[0].client));
	h.rules[0].external = (struct policy_ports){ { { 10000, 10999 } }, 1 };
	h.config.rule_count = 2;
	house_start(&h);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	assert_true(tenf_address_equal(&only(&h)->internal_address, &other));
	assert_int_equal(h.sent.len, PCP_MAP_SIZE + 20);
	wish = web_with(&o);
	wish.host = 40;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_UNSUPP_OPTION);

	/* Outside the ports of its rule the next rule does not help. */
	wish.host = 20;
	wish.internal = 8081;
	wish.external = 20000;
	wish.nonce = 1;
	assert_in_range(house_pcp(&h, &wish).map.external_port, 10000, 10999);
	house_stop(&h);
}

/* PCP-G-40: nor the gateway, nor a host elsewhere */
static void third_party_names_another_host_of_the_network(void **state)
{
	const struct tenf_address others[] = { house_host(20), house_gateway, house_host(2),
					       tenf_address_v4(0x08080808) };
	const uint8_t results[] = { PCP_MALFORMED_REQUEST, PCP_NOT_AUTHORIZED,
				    PCP_NOT_AUTHORIZED, PCP_NOT_AUTHORIZED };
	struct options o;
	struct house h;

	(void)state;
	house_init(&h);
	h.rules[0].third_party = true;
	h.links[1] = h.links[0]; /* another address of the gateway on this network */
	h.links[1].address.address = house_host(2);
	house_start(&h);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(others); i++) {
		begin(&o);
		pcp_write_third_party(&o.w, &others[i]);
		assert_int_equal(result_of(&h, &o), results[i]);
	}
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

/* PCP-G-42: ranges, family, adding, clearing, and the limit reached */
static void filters_are_kept_within_their_rules(void **state)
{
	static const struct {
		uint8_t prefix;
		const char *address;
		uint8_t result;
	} cases[] = {
		{ 95, "198.51.100.1", PCP_MALFORMED_OPTION },
		{ 96, "198.51.100.1", PCP_SUCCESS },
		{ 128, "198.51.100.1", PCP_SUCCESS },
		{ 129, "198.51.100.1", PCP_MALFORMED_OPTION },
		{ 64, "2001:db8::", PCP_MALFORMED_OPTION },
		{ 1, "198.51.100.1", PCP_MALFORMED_OPTION },
		{ 0, "2001:db8::", PCP_SUCCESS },
	};
	struct options o;
	struct house h;
	char address[] = "198.51.100.10";

	(void)state;
	setup_house(&h);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		begin(&o);
		add_filter(&o, cases[i].prefix, cases[i].address, 0);
		assert_int_equal(result_of(&h, &o), cases[i].result);
	}
	assert_null(only(&h)->cold); /* the last one cleared them */
	for (unsigned i = 0; i < LEDGER_FILTERS_MAX; i++) {
		address[12] = (char)('0' + i % 10);
		begin(&o);
		add_filter(&o, 128, address, (uint16_t)(1000 + i));
		assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
		assert_int_equal(result_of(&h, &o), PCP_SUCCESS); /* again adds nothing */
		assert_int_equal(only(&h)->cold->filter_count, i + 1);
	}
	begin(&o);
	add_filter(&o, 128, "198.51.100.99", 0);
	assert_int_equal(result_of(&h, &o), PCP_EXCESSIVE_REMOTE_PEERS);
	assert_int_equal(only(&h)->cold->filter_count, LEDGER_FILTERS_MAX);
	begin(&o);
	add_filter(&o, 0, "::", 0);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	assert_null(only(&h)->cold);
	begin(&o);
	for (unsigned i = 0; i <= LEDGER_FILTERS_MAX + 3; i++)
		add_filter(&o, 128, "198.51.100.1", (uint16_t)(1 + i));
	assert_int_equal(result_of(&h, &o), PCP_EXCESSIVE_REMOTE_PEERS);
	house_stop(&h);
}

/* PCP-G-43 */
static void a_filter_with_a_deletion_is_malformed(void **state)
{
	struct options o;
	struct wish wish;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	add_filter(&o, 128, "198.51.100.1", 0);
	wish = web_with(&o);
	wish.lifetime_s = 0;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_MALFORMED_OPTION);
	house_stop(&h);
}

/* PCP-G-61: a backend without filters does not pretend */
static void a_filter_nobody_enforces_is_an_unsupported_option(void **state)
{
	struct options o;
	struct house h;

	(void)state;
	house_init(&h);
	h.config.filters_max = 0;
	house_start(&h);
	begin(&o);
	add_filter(&o, 128, "198.51.100.1", 0);
	assert_int_equal(result_of(&h, &o), PCP_UNSUPP_OPTION);
	assert_int_equal(house_count(&h), 0);
	house_stop(&h);
}

static void expect_description(const struct house *h, const char *text, size_t len)
{
	const struct ledger_cold *cold = only(h)->cold;

	if (len == 0) {
		assert_null(cold);
		return;
	}
	assert_non_null(cold);
	assert_int_equal(cold->description_len, len);
	assert_memory_equal(cold->description, text, len);
}

/* PCP-G-60: kept, cut between characters, kept by silence, erased, not invented */
static void a_description_is_stored_and_echoed(void **state)
{
	char longer[200];
	struct options o;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	pcp_write_description(&o.w, (const uint8_t *)"web", 3);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	assert_int_equal(h.sent.len, PCP_MAP_SIZE + 8);
	assert_memory_equal(h.answer + PCP_MAP_SIZE, "\200\0\0\003web", 8);
	begin(&o);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	expect_description(&h, "web", 3);

	/* 127 octets and then one character of two. */
	memset(longer, 'x', sizeof(longer));
	memcpy(longer + 127, "\303\274", 2);
	begin(&o);
	pcp_write_description(&o.w, (const uint8_t *)longer, sizeof(longer));
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	expect_description(&h, longer, 127);
	assert_int_equal(h.answer[PCP_MAP_SIZE + 3], 127);
	memcpy(longer + 126, "\303\274x", 3);
	begin(&o);
	pcp_write_description(&o.w, (const uint8_t *)longer, sizeof(longer));
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	expect_description(&h, longer, LEDGER_DESCRIPTION_MAX);

	begin(&o);
	pcp_write_description(&o.w, (const uint8_t *)"\303\050", 2);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	assert_int_equal(h.sent.len, PCP_MAP_SIZE);
	expect_description(&h, longer, LEDGER_DESCRIPTION_MAX);

	begin(&o);
	pcp_write_description(&o.w, (const uint8_t *)"", 0);
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	assert_int_equal(h.sent.len, PCP_MAP_SIZE + 4);
	expect_description(&h, "", 0);
	house_stop(&h);
}

/* PCP-G-62: nothing that is echoed is longer than it came, so the largest
 * request has an answer that fits */
static void the_largest_request_is_answered_within_1100_octets(void **state)
{
	struct options o;
	struct house h;

	(void)state;
	setup_house(&h);
	begin(&o);
	for (unsigned i = 0; i < 43; i++)
		add_filter(&o, 128, "198.51.100.1", 5);
	pcp_write_prefer_failure(&o.w);
	pcp_write_prefer_failure(&o.w);
	assert_int_equal(PCP_MAP_SIZE + o.w.used, PCP_MAX);
	assert_int_equal(result_of(&h, &o), PCP_MALFORMED_OPTION);
	assert_int_equal(h.sent.len, PCP_MAX);
	o.w.used -= 4;
	assert_int_equal(result_of(&h, &o), PCP_SUCCESS);
	assert_int_equal(h.sent.len, PCP_MAX - 4);
	assert_int_equal(only(&h)->cold->filter_count, 1);
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_echoes_everything_and_changes_nothing),
		cmocka_unit_test(a_success_echoes_what_was_processed),
		cmocka_unit_test(an_option_over_the_end_is_malformed),
		cmocka_unit_test(unknown_options_count_by_their_range),
		cmocka_unit_test(options_that_come_once_do_not_come_twice),
		cmocka_unit_test(options_are_taken_in_their_order),
		cmocka_unit_test(prefer_failure_gets_the_exact_port_or_an_error),
		cmocka_unit_test(prefer_failure_without_a_wish_is_malformed),
		cmocka_unit_test(exact_wishes_cannot_be_used_to_look_for_ports),
		cmocka_unit_test(third_party_is_off_unless_a_rule_says_otherwise),
		cmocka_unit_test(third_party_names_another_host_of_the_network),
		cmocka_unit_test(filters_are_kept_within_their_rules),
		cmocka_unit_test(a_filter_with_a_deletion_is_malformed),
		cmocka_unit_test(a_filter_nobody_enforces_is_an_unsupported_option),
		cmocka_unit_test(a_description_is_stored_and_echoed),
		cmocka_unit_test(the_largest_request_is_answered_within_1100_octets),
	};

	return cmocka_run_group_tests_name("gateway PCP options", tests, NULL, NULL);
}

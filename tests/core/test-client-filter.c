/* SPDX-License-Identifier: MIT */
/* The client that asks for FILTER (RFC 6887 §13.3): what it sends, and what it makes of
 * an answer that does not confirm it. */
#include "fixture.h"
#include "wire/pcp-option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct pcp_filter filter_of(const char *address, uint8_t prefix_length, uint16_t port)
{
	return (struct pcp_filter){ .address = address_of(address),
				    .prefix_length = prefix_length,
				    .port = port };
}

static void ask_filtered(struct fixture *f, struct inquiry *inquiry,
			 const struct pcp_filter *filters, uint8_t count, unsigned methods)
{
	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, methods, false);
	question_map(f, inquiry, TENF_TCP, 8080, 8080);
	inquiry->question.filters = filters;
	inquiry->question.filter_count = count;
	fixture_ask(f, inquiry);
}

/* A success with these filters in it. */
static enum client_receipt answer_with(struct fixture *f, const struct inquiry *inquiry,
				       const struct pcp_filter *filters, size_t count)
{
	struct pcp_answer answer = { .opcode = PCP_MAP, .lifetime_s = 7200, .epoch_s = 1000,
				     .map = { .protocol = TENF_TCP,
					      .internal_port = 8080,
					      .external_port = 8080,
					      .external_address = address_of("203.0.113.7") } };
	uint8_t data[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	memcpy(answer.map.nonce, inquiry->question.nonce, PCP_NONCE);
	pcp_write_answer(&w, &answer);
	for (size_t i = 0; i < count; i++)
		pcp_write_filter(&w, &filters[i]);
	assert_false(w.failed);
	return fixture_receive(f, data, w.used);
}

static void check_request(struct fixture *f, const char *name, const struct pcp_filter *filter,
			  bool clear)
{
	const struct vector *v = vector_find(name);
	char gateway[TENF_ENDPOINT_TEXT];
	char source[TENF_ADDRESS_TEXT];
	struct inquiry inquiry;

	assert_non_null(v);
	fixture_restart(f, tenf_endpoint_text(&v->target, gateway),
			tenf_address_text(&v->source.address, source), TENF_METHOD_PCP, false);
	question_map(f, &inquiry, TENF_TCP, v->decoded.internal_port, v->decoded.external_port);
	memcpy(inquiry.question.nonce, v->decoded.nonce, CORE_NONCE);
	inquiry.question.external_address = tenf_address_zero_of(&v->source.address);
	inquiry.question.filters = filter;
	inquiry.question.filter_count = 1;
	inquiry.question.clear_filters = clear;
	fixture_ask(f, &inquiry);
	sent_equals_golden(&f->sent[0], name);
	client_cancel(&f->client, &inquiry, f->now);
}

/* PCP-C-42: IPv4 prefixes count from bit 96; those that are there are cleared by prefix 0,
 * port 0 and an address of zeros. */
static void requests_with_filters_are_the_golden_ones(void **state)
{
	struct pcp_filter host = filter_of("198.51.100.9", 128, 0);
	struct pcp_filter network = filter_of("198.51.100.9", 120, 5000);
	struct pcp_filter network6 = filter_of("2001:db8:ffff::9", 64, 0);

	check_request(*state, "pcp-req-map-filter", &host, false);
	check_request(*state, "pcp-req-map-filter-replace", &network, true);
	check_request(*state, "pcp-req-map-filter-v6", &network6, false);
}

static unsigned filters_in(const struct sent *sent)
{
	struct tenf_reader options = sent_pcp(sent).options;
	struct pcp_option option;
	unsigned count = 0;

	while (pcp_option_next(&options, &option))
		count += option.code == PCP_OPTION_FILTER;
	return count;
}

/* PCP-C-42: the most there may be fit into one packet, and into its repetition. */
static void many_filters_go_into_one_packet(void **state)
{
	struct fixture *f = *state;
	struct pcp_filter filters[16];
	struct inquiry inquiry;

	for (uint8_t i = 0; i < 16; i++)
		filters[i] = filter_of("198.51.100.9", (uint8_t)(113 + i), i);
	ask_filtered(f, &inquiry, filters, 16, TENF_METHOD_PCP);
	fixture_run(f, f->now + 4 * TENF_SECOND);
	assert_int_equal(filters_in(sent_nth(f, sent_is_pcp, 0)), 16);
	assert_int_equal(filters_in(sent_nth(f, sent_is_pcp, 1)), 16);
	client_cancel(&f->client, &inquiry, f->now);
}

/* §13.3: a delete that has a FILTER is malformed. */
static void a_delete_has_no_filter(void **state)
{
	struct fixture *f = *state;
	struct pcp_filter host = filter_of("198.51.100.9", 128, 0);
	struct inquiry inquiry;

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_PCP, false);
	question_unmap(f, &inquiry, TENF_TCP, 8080);
	inquiry.question.filters = &host;
	inquiry.question.filter_count = 1;
	inquiry.question.clear_filters = true;
	fixture_ask(f, &inquiry);
	assert_int_equal(filters_in(sent_nth(f, sent_is_pcp, 0)), 0);
	client_cancel(&f->client, &inquiry, f->now);
}

/* PCP-C-43: granted and confirmed. */
static void a_filter_that_is_echoed_is_in_force(void **state)
{
	struct fixture *f = *state;
	struct pcp_filter wanted[] = { filter_of("198.51.100.9", 128, 0),
				       filter_of("192.0.2.0", 120, 443) };
	struct pcp_filter echoed[] = { wanted[1], filter_of("203.0.113.0", 120, 0), wanted[0] };
	struct inquiry inquiry;

	ask_filtered(f, &inquiry, wanted, 2, TENF_METHOD_PCP);
	assert_int_equal(answer_with(f, &inquiry, echoed, 3), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_false(inquiry.answer.unfiltered);
}

/* PCP-C-43: granted, but the gateway passed over the option, or over one of two, or made
 * another of it: anybody may come in, which is told. */
static void a_filter_that_is_not_echoed_is_told_as_unfiltered(void **state)
{
	struct fixture *f = *state;
	struct pcp_filter wanted[] = { filter_of("198.51.100.9", 128, 0),
				       filter_of("192.0.2.0", 120, 443) };
	struct pcp_filter wider = filter_of("198.51.100.9", 120, 0);
	struct pcp_filter elsewhere = filter_of("198.51.100.8", 128, 0);
	struct pcp_filter other_port = filter_of("198.51.100.9", 128, 80);
	const struct {
		uint8_t wanted;
		const struct pcp_filter *echoed;
		size_t count;
	} cases[] = { { 1, NULL, 0 }, { 2, wanted, 1 }, { 1, &wider, 1 }, { 1, &elsewhere, 1 },
		      { 1, &other_port, 1 } };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		struct inquiry inquiry;

		ask_filtered(f, &inquiry, wanted, cases[i].wanted, TENF_METHOD_PCP);
		(void)answer_with(f, &inquiry, cases[i].echoed, cases[i].count);
		fixture_expect(f, &inquiry, TENF_REASON_NONE);
		assert_true(inquiry.answer.unfiltered);
	}
}

/* PCP-C-43: who asked for no filter has none missing. */
static void without_a_filter_nothing_is_unfiltered(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	ask_filtered(f, &inquiry, NULL, 0, TENF_METHOD_PCP);
	(void)answer_with(f, &inquiry, NULL, 0);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_false(inquiry.answer.unfiltered);
}

/* NAT-PMP cannot ask for a filter, so it would open the port to everybody. */
static void natpmp_is_not_asked_for_what_it_cannot_do(void **state)
{
	struct fixture *f = *state;
	struct pcp_filter host = filter_of("198.51.100.9", 128, 0);
	struct fake_gateway gateway;
	struct inquiry inquiry;

	fake_gateway_init(&gateway, 0);
	gateway.pcp = false;
	f->answers = &gateway;
	ask_filtered(f, &inquiry, &host, 1, FIXTURE_BOTH);
	f->answers = NULL;
	fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
	assert_int_equal(sent_count(f, sent_is_natpmp_map), 0);
	assert_int_equal(fake_gateway_count(&gateway, f->now), 0);
	fake_gateway_done(&gateway);
}

/* RFC 6887 §7.4: too many for the gateway, or not known to it: no mapping at all. */
static void a_gateway_that_cannot_filter_grants_nothing(void **state)
{
	static const struct {
		uint8_t result;
		enum tenf_reason reason;
	} cases[] = { { PCP_EXCESSIVE_REMOTE_PEERS, TENF_REASON_RESOURCES },
		      { PCP_UNSUPP_OPTION, TENF_REASON_REFUSED },
		      { PCP_MALFORMED_OPTION, TENF_REASON_REFUSED } };
	struct fixture *f = *state;
	struct pcp_filter host = filter_of("198.51.100.9", 128, 0);

	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		struct inquiry inquiry;

		ask_filtered(f, &inquiry, &host, 1, TENF_METHOD_PCP);
		(void)answer_pcp(f, &inquiry, cases[i].result, 0, 1800, 1000);
		fixture_expect(f, &inquiry, cases[i].reason);
		assert_int_equal(inquiry.answer.lifetime_s, 1800);
	}
}

/* PCP-C-48 drops the name, never the filter. */
static void the_repetition_without_optional_options_keeps_the_filter(void **state)
{
	struct fixture *f = *state;
	struct pcp_filter host = filter_of("198.51.100.9", 128, 0);
	struct inquiry inquiry;

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_PCP, false);
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.filters = &host;
	inquiry.question.filter_count = 1;
	inquiry.question.description = "web";
	fixture_ask(f, &inquiry);
	(void)answer_pcp(f, &inquiry, PCP_UNSUPP_OPTION, 0, 1800, 1000);
	fixture_flush(f);
	assert_int_equal(sent_count(f, sent_is_pcp), 2);
	assert_int_equal(filters_in(sent_nth(f, sent_is_pcp, 1)), 1);
	client_cancel(&f->client, &inquiry, f->now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(requests_with_filters_are_the_golden_ones),
		FIXTURE_TEST(many_filters_go_into_one_packet),
		FIXTURE_TEST(a_delete_has_no_filter),
		FIXTURE_TEST(a_filter_that_is_echoed_is_in_force),
		FIXTURE_TEST(a_filter_that_is_not_echoed_is_told_as_unfiltered),
		FIXTURE_TEST(without_a_filter_nothing_is_unfiltered),
		FIXTURE_TEST(natpmp_is_not_asked_for_what_it_cannot_do),
		FIXTURE_TEST(a_gateway_that_cannot_filter_grants_nothing),
		FIXTURE_TEST(the_repetition_without_optional_options_keeps_the_filter),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}

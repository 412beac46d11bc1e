/* SPDX-License-Identifier: MIT */
/* The client with NAT-PMP alone: what it sends, when, and one at a time. */
#include "core/schedule.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define ADDRESS "203.0.113.7"

static void only_natpmp(struct fixture *f)
{
	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, TENF_METHOD_NATPMP, false);
}

/* Asks, and answers the address request that comes first. */
static void ask_and_tell_address(struct fixture *f, struct inquiry *inquiry)
{
	fixture_ask(f, inquiry);
	assert_int_equal(answer_address(f, NATPMP_SUCCESS, 1000, ADDRESS), CLIENT_TOOK);
	fixture_flush(f);
}

static const struct sent *last_sent(const struct fixture *f)
{
	assert_true(f->sent_count > 0);
	return &f->sent[f->sent_count - 1];
}

/* ---- What is sent --------------------------------------------------------------- */

/* NP-C-01, NP-C-02, NP-C-04, NP-C-05: the golden requests, 7200 s among them. */
static void map_requests_are_the_golden_ones(void **state)
{
	struct fixture *f = *state;
	struct inquiry tcp;
	struct inquiry udp;

	only_natpmp(f);
	question_map(f, &tcp, TENF_TCP, 8080, 8080);
	ask_and_tell_address(f, &tcp);
	sent_equals_golden(&f->sent[0], "np-req-address");
	sent_equals_golden(&f->sent[1], "np-req-map-tcp");
	(void)answer_map(f, TENF_TCP, 8080, 8080, 7200, NATPMP_SUCCESS, 1000);
	fixture_expect(f, &tcp, TENF_REASON_NONE);
	question_map(f, &udp, TENF_UDP, 5060, 5060);
	fixture_ask(f, &udp);
	sent_equals_golden(&f->sent[2], "np-req-map-udp");
	assert_int_equal(f->sent_count, 3);
}

/* NP-C-20: a delete has lifetime 0 and suggests port 0, whatever the question says. */
static void deletes_are_the_golden_ones(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	question_unmap(f, &inquiry, TENF_TCP, 8080);
	inquiry.question.external_port = 8080;
	inquiry.question.lifetime_s = 7200;
	fixture_ask(f, &inquiry);
	sent_equals_golden(last_sent(f), "np-req-delete-tcp");
	assert_int_equal(answer_map(f, TENF_TCP, 8080, 0, 0, NATPMP_SUCCESS, 1000), CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

/* NP-C-23: internal port 0 deletes all of a protocol. */
static void all_of_a_protocol_can_be_deleted(void **state)
{
	struct fixture *f = *state;
	struct inquiry tcp;
	struct inquiry udp;

	only_natpmp(f);
	question_unmap(f, &tcp, TENF_TCP, 0);
	fixture_ask(f, &tcp);
	sent_equals_golden(last_sent(f), "np-req-delete-all-tcp");
	assert_int_equal(fixture_golden(f, "np-resp-delete-all"), CLIENT_TOOK);
	fixture_expect(f, &tcp, TENF_REASON_NONE);
	question_unmap(f, &udp, TENF_UDP, 0);
	fixture_ask(f, &udp);
	sent_equals_golden(last_sent(f), "np-req-delete-all-udp");
}

/* ---- When ------------------------------------------------------------------------ */

static void check_attempts(const struct fixture *f, bool (*is)(const struct sent *sent))
{
	const struct vector_times *want = &vector_timers.natpmp_request_send;
	const struct sent *first = sent_nth(f, is, 0);

	assert_int_equal(sent_count(f, is), want->count);
	for (size_t i = 0; i < want->count; i++) {
		tenf_duration after = sent_nth(f, is, i)->at - first->at;

		assert_int_equal(after / TENF_MILLISECOND, want->ms[i]);
	}
}

/* NP-C-06, NP-C-07: nine attempts at the times of the table, the end 64 s after. */
static void a_silent_gateway_is_asked_nine_times(void **state)
{
	struct fixture *f = *state;
	tenf_time start = f->now;
	tenf_duration give_up = vector_timers.natpmp_request_give_up_ms * TENF_MILLISECOND;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	inquiry.question.give_up = start + 1000 * TENF_SECOND;
	fixture_ask(f, &inquiry);
	fixture_run(f, start + give_up - 1);
	fixture_expect_none(f);
	fixture_run(f, start + give_up);
	fixture_expect(f, &inquiry, TENF_REASON_SILENT);
	check_attempts(f, sent_is_address_request);
	fixture_run(f, start + 2000 * TENF_SECOND);
	assert_int_equal(f->sent_count, NATPMP_ATTEMPTS);
}

/* NP-C-06, NP-C-07: the same for the map request itself. */
static void a_map_request_without_answer_is_sent_nine_times(void **state)
{
	struct fixture *f = *state;
	tenf_time start = f->now;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_UDP, 53, 0);
	inquiry.question.give_up = start + 1000 * TENF_SECOND;
	ask_and_tell_address(f, &inquiry);
	fixture_run(f, start + 1000 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_SILENT);
	check_attempts(f, sent_is_natpmp_map);
}

static void the_verdict_comes_when_it_is_wanted(void **state)
{
	struct fixture *f = *state;
	tenf_time start = f->now;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	fixture_ask(f, &inquiry);
	fixture_run(f, start + 5 * TENF_SECOND - 1);
	fixture_expect_none(f);
	fixture_run(f, start + 5 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_SILENT);
	fixture_run(f, start + 100 * TENF_SECOND);
	assert_true(client_deadline(&f->client) == TENF_NEVER);
	assert_int_equal(f->sent_count, 5);
}

/* Somebody who asks for ever goes on at the slowest spacing. */
static void asking_for_ever_goes_on_every_64_s(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	inquiry.question.give_up = TENF_NEVER;
	fixture_ask(f, &inquiry);
	fixture_run(f, f->now + 3600 * TENF_SECOND);
	fixture_expect_none(f);
	assert_in_range(f->sent_count, 60, 65);
	for (size_t i = NATPMP_ATTEMPTS; i < f->sent_count; i++)
		assert_true(f->sent[i].at - f->sent[i - 1].at == 64 * TENF_SECOND);
	assert_int_equal(answer_address(f, NATPMP_SUCCESS, 1000, ADDRESS), CLIENT_TOOK);
	fixture_flush(f);
	assert_true(sent_is_natpmp_map(last_sent(f)));
}

/* Who comes while another's question is in a long pause gets a packet of its own:
 * the gateway may be back, and the verdict is due in 5 s. */
static void a_newcomer_does_not_wait_for_an_old_pause(void **state)
{
	struct fixture *f = *state;
	struct inquiry old;
	struct inquiry fresh;

	only_natpmp(f);
	question_map(f, &old, TENF_TCP, 1, 0);
	old.question.give_up = TENF_NEVER;
	fixture_ask(f, &old);
	fixture_run(f, f->now + 1000 * TENF_SECOND);
	question_map(f, &fresh, TENF_TCP, 2, 0);
	fixture_ask(f, &fresh);
	assert_true(sent_is_address_request(last_sent(f)));
	assert_true(last_sent(f)->at == f->now);
	assert_int_equal(answer_address(f, NATPMP_SUCCESS, 1000, ADDRESS), CLIENT_TOOK);
}

/* NP-C-08: port unreachable ends every question at once, and all sending. */
static void port_unreachable_ends_everything(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiries[CLIENT_FRESH_MAX + 8];

	only_natpmp(f);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		question_map(f, &inquiries[i], TENF_TCP, (uint16_t)(i + 1), 0);
		fixture_ask(f, &inquiries[i]);
	}
	client_unreachable(&f->client, f->now);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		struct inquiry *done = client_next_answer(&f->client);

		assert_non_null(done);
		assert_int_equal(done->answer.reason, TENF_REASON_NO_SERVICE);
		assert_int_equal(done->answer.result, -1);
	}
	fixture_expect_none(f);
	assert_true(client_deadline(&f->client) == TENF_NEVER);
	fixture_run(f, f->now + 300 * TENF_SECOND);
	assert_int_equal(f->sent_count, 1);
}

/* ---- One at a time ---------------------------------------------------------------- */

/* NP-C-09: the next map request leaves when the one before is answered. */
static void one_request_is_outstanding(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiries[5];

	only_natpmp(f);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		question_map(f, &inquiries[i], TENF_TCP, (uint16_t)(i + 1), 0);
		fixture_ask(f, &inquiries[i]);
	}
	assert_int_equal(f->sent_count, 1);
	(void)answer_address(f, NATPMP_SUCCESS, 1000, ADDRESS);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		uint16_t port = (uint16_t)(i + 1);

		fixture_flush(f);
		assert_int_equal(f->sent_count, i + 2);
		assert_int_equal(sent_natpmp(last_sent(f)).internal_port, port);
		(void)answer_map(f, TENF_TCP, port, port, 60, NATPMP_SUCCESS, 1000);
		fixture_expect(f, &inquiries[i], TENF_REASON_NONE);
	}
	fixture_flush(f);
	assert_int_equal(f->sent_count, 1 + TENF_ARRAY_SIZE(inquiries));
}

/* Mappings that a gateway never answers must not starve the one it would. */
static void the_unanswered_do_not_block_the_others(void **state)
{
	struct fixture *f = *state;
	static struct inquiry inquiries[CLIENT_FRESH_MAX + 1];
	struct fake_gateway gateway;

	only_natpmp(f);
	fake_gateway_init(&gateway, f->now);
	gateway.natpmp_deaf_to_maps = true;
	f->answers = &gateway;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(inquiries); i++) {
		question_map(f, &inquiries[i], TENF_TCP, (uint16_t)(i + 1), 0);
		inquiries[i].question.give_up = TENF_NEVER;
		client_ask(&f->client, &inquiries[i], f->now);
	}
	fixture_run(f, f->now + 40 * 128 * TENF_SECOND);
	for (size_t i = 0; i < f->sent_count; i++) {
		if (sent_is_natpmp_map(&f->sent[i]) &&
		    sent_natpmp(&f->sent[i]).internal_port == CLIENT_FRESH_MAX + 1)
			return;
	}
	fail_msg("the last one was never asked");
}

/* ---- Answers --------------------------------------------------------------------- */

/* NP-C-16: another port than the wish, and the address that was told before. */
static void another_port_is_accepted_and_reported(void **state)
{
	struct fixture *f = *state;
	struct tenf_address external = address_of(ADDRESS);
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	ask_and_tell_address(f, &inquiry);
	assert_int_equal(answer_map(f, TENF_TCP, 8080, 61001, 60, NATPMP_SUCCESS, 1001),
			 CLIENT_TOOK);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.method, TENF_METHOD_NATPMP);
	assert_int_equal(inquiry.answer.external_port, 61001);
	assert_int_equal(inquiry.answer.lifetime_s, 60);
	assert_int_equal(inquiry.answer.epoch_s, 1001);
	assert_true(tenf_address_equal(&inquiry.answer.external_address, &external));
}

static void insisting_on_a_port_refuses_another(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 8080);
	inquiry.question.prefer_failure = true;
	ask_and_tell_address(f, &inquiry);
	(void)answer_map(f, TENF_TCP, 8080, 61001, 60, NATPMP_SUCCESS, 1001);
	fixture_expect(f, &inquiry, TENF_REASON_OTHER_PORT);
	assert_int_equal(inquiry.answer.external_port, 61001);
}

static void each_result_has_its_reason(void **state)
{
	static const struct {
		uint16_t result;
		enum tenf_reason reason;
	} cases[] = {
		{ NATPMP_NOT_AUTHORIZED, TENF_REASON_REFUSED },
		{ NATPMP_NETWORK_FAILURE, TENF_REASON_NO_NETWORK },
		{ NATPMP_OUT_OF_RESOURCES, TENF_REASON_RESOURCES },
		{ NATPMP_UNSUPP_OPCODE, TENF_REASON_NO_SERVICE },
		{ 77, TENF_REASON_REFUSED },
		{ 256, TENF_REASON_REFUSED },
	};
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(cases); i++) {
		question_map(f, &inquiry, TENF_TCP, 8080, 0);
		fixture_ask(f, &inquiry);
		if (i == 0)
			(void)answer_address(f, NATPMP_SUCCESS, 1000, ADDRESS);
		fixture_flush(f);
		(void)answer_map(f, TENF_TCP, 8080, 0, 0, cases[i].result, 1000);
		fixture_expect(f, &inquiry, cases[i].reason);
		assert_int_equal(inquiry.answer.result, cases[i].result);
		assert_int_equal(inquiry.answer.external_port, 0);
	}
}

/* A delete that was sent twice is answered twice: the second answer must not end
 * the create that follows. */
static void a_late_delete_answer_does_not_end_a_create(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	ask_and_tell_address(f, &inquiry);
	(void)answer_map(f, TENF_TCP, 8080, 0, 0, NATPMP_SUCCESS, 1000);
	fixture_expect_none(f);
	(void)answer_map(f, TENF_TCP, 8080, 8080, 60, NATPMP_SUCCESS, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(inquiry.answer.external_port, 8080);
}

/* NP-C-38: but when nothing better comes, nothing usable was granted. */
static void a_grant_of_nothing_ends_as_malformed(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	ask_and_tell_address(f, &inquiry);
	(void)answer_map(f, TENF_TCP, 8080, 0, 0, NATPMP_SUCCESS, 1000);
	fixture_run(f, f->now + 1 * TENF_SECOND);
	fixture_expect(f, &inquiry, TENF_REASON_MALFORMED);
}

static void a_late_create_answer_does_not_confirm_a_delete(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	question_unmap(f, &inquiry, TENF_TCP, 8080);
	fixture_ask(f, &inquiry);
	assert_int_equal(answer_map(f, TENF_TCP, 8080, 61001, 60, NATPMP_SUCCESS, 1000),
			 CLIENT_DROPPED);
	fixture_expect_none(f);
	assert_int_equal(f->client.counters.dropped_unasked, 1);
}

static void the_address_is_asked_again_after_a_minute(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	only_natpmp(f);
	question_map(f, &inquiry, TENF_TCP, 1, 0);
	ask_and_tell_address(f, &inquiry);
	(void)answer_map(f, TENF_TCP, 1, 1, 60, NATPMP_SUCCESS, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	f->now += 59 * TENF_SECOND;
	question_map(f, &inquiry, TENF_TCP, 1, 0);
	fixture_ask(f, &inquiry);
	(void)answer_map(f, TENF_TCP, 1, 1, 60, NATPMP_SUCCESS, 1059);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
	assert_int_equal(sent_count(f, sent_is_address_request), 1);
	f->now += 2 * TENF_SECOND;
	question_map(f, &inquiry, TENF_TCP, 1, 0);
	fixture_ask(f, &inquiry);
	assert_int_equal(sent_count(f, sent_is_address_request), 2);
}

/* ---- Where NAT-PMP is meant -------------------------------------------------------- */

static bool is_natpmp_asked(struct fixture *f, const char *gateway, const char *source, bool forced)
{
	struct inquiry inquiry;

	fixture_restart(f, gateway, source, FIXTURE_BOTH, forced);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	fixture_ask(f, &inquiry);
	assert_int_equal(sent_count(f, sent_is_pcp), 1);
	client_cancel(&f->client, &inquiry, f->now);
	return f->sent_count > 1;
}

/* NP-C-39: only from private addresses unless forced, never over IPv6. */
static void natpmp_is_left_out_where_it_cannot_be_meant(void **state)
{
	struct fixture *f = *state;

	assert_true(is_natpmp_asked(f, "192.168.1.1", "192.168.1.20", false));
	assert_true(is_natpmp_asked(f, "10.0.0.1", "10.1.2.3", false));
	assert_true(is_natpmp_asked(f, "172.16.0.1", "172.31.0.9", false));
	assert_false(is_natpmp_asked(f, "198.51.100.1", "198.51.100.9", false));
	assert_false(is_natpmp_asked(f, "172.32.0.1", "172.32.0.9", false));
	assert_true(is_natpmp_asked(f, "198.51.100.1", "198.51.100.9", true));
	assert_false(is_natpmp_asked(f, "[2001:db8::1]:5351", "2001:db8::20", true));
}

static void without_any_protocol_there_is_no_service(void **state)
{
	struct fixture *f = *state;
	struct inquiry inquiry;

	fixture_restart(f, "198.51.100.1", "198.51.100.9", TENF_METHOD_NATPMP, false);
	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	fixture_ask(f, &inquiry);
	fixture_expect(f, &inquiry, TENF_REASON_NO_SERVICE);
	assert_int_equal(f->sent_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(map_requests_are_the_golden_ones),
		FIXTURE_TEST(deletes_are_the_golden_ones),
		FIXTURE_TEST(all_of_a_protocol_can_be_deleted),
		FIXTURE_TEST(a_silent_gateway_is_asked_nine_times),
		FIXTURE_TEST(a_map_request_without_answer_is_sent_nine_times),
		FIXTURE_TEST(the_verdict_comes_when_it_is_wanted),
		FIXTURE_TEST(asking_for_ever_goes_on_every_64_s),
		FIXTURE_TEST(a_newcomer_does_not_wait_for_an_old_pause),
		FIXTURE_TEST(port_unreachable_ends_everything),
		FIXTURE_TEST(one_request_is_outstanding),
		FIXTURE_TEST(the_unanswered_do_not_block_the_others),
		FIXTURE_TEST(another_port_is_accepted_and_reported),
		FIXTURE_TEST(insisting_on_a_port_refuses_another),
		FIXTURE_TEST(each_result_has_its_reason),
		FIXTURE_TEST(a_late_delete_answer_does_not_end_a_create),
		FIXTURE_TEST(a_grant_of_nothing_ends_as_malformed),
		FIXTURE_TEST(a_late_create_answer_does_not_confirm_a_delete),
		FIXTURE_TEST(the_address_is_asked_again_after_a_minute),
		FIXTURE_TEST(natpmp_is_left_out_where_it_cannot_be_meant),
		FIXTURE_TEST(without_any_protocol_there_is_no_service),
	};

	return cmocka_run_group_tests_name("client-natpmp", tests, NULL, NULL);
}

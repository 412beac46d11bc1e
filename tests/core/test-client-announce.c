/* SPDX-License-Identifier: MIT */
/* Multicast announcements: what they change, and what they do not. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static enum client_receipt announce_natpmp(struct fixture *f, const char *from, uint16_t result,
					   uint32_t epoch_s, const char *external)
{
	struct natpmp_answer answer = { .opcode = NATPMP_ADDRESS + NATPMP_ANSWER,
					.result = result,
					.epoch_s = epoch_s,
					.external_address = address_of(external) };
	struct tenf_endpoint source = endpoint_of(from);
	uint8_t data[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	natpmp_write_answer(&w, &answer);
	return client_announced(&f->client, &source, data, w.used, f->now);
}

static enum client_receipt announce_pcp(struct fixture *f, const char *from, uint32_t epoch_s)
{
	struct pcp_answer answer = { .opcode = PCP_ANNOUNCE, .epoch_s = epoch_s };
	struct tenf_endpoint source = endpoint_of(from);
	uint8_t data[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	pcp_write_answer(&w, &answer);
	return client_announced(&f->client, &source, data, w.used, f->now);
}

/* NP-C-29: only the gateway's own count. */
static void announcements_of_others_are_dropped(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(announce_natpmp(f, "192.168.1.66", 0, 3, "203.0.113.7"), CLIENT_DROPPED);
	assert_int_equal(announce_pcp(f, "192.168.1.66", 3), CLIENT_DROPPED);
	assert_int_equal(announce_pcp(f, "192.168.1.1:4711", 3), CLIENT_DROPPED);
	assert_int_equal(f->client.counters.dropped_foreign, 3);
	assert_false(f->client.alive);
	assert_false(f->client.natpmp_epoch.known);
	assert_false(f->client.pcp_epoch.known);
}

static void gateways_that_share_an_address_are_told_apart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(announce_natpmp(f, "192.168.1.1:5350", 0, 3, "203.0.113.7"), CLIENT_TOOK);
	fixture_restart(f, "192.168.1.1:15351", FIXTURE_SOURCE, FIXTURE_BOTH, false);
	assert_int_equal(announce_natpmp(f, "192.168.1.1:25351", 0, 3, "203.0.113.7"),
			 CLIENT_DROPPED);
	assert_false(f->client.natpmp_epoch.known);
	assert_false(f->client.address_changed);
	assert_int_equal(announce_natpmp(f, "192.168.1.1:15351", 0, 3, "203.0.113.7"),
			 CLIENT_TOOK);
}

/* NP-C-30, PCP-C-25: an epoch in range is a sign of life and no restart. */
static void an_epoch_in_range_is_no_restart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(announce_natpmp(f, FIXTURE_GATEWAY, 0, 1000, "203.0.113.7"), CLIENT_TOOK);
	assert_int_equal(announce_pcp(f, FIXTURE_GATEWAY, 500), CLIENT_TOOK);
	f->now += 60 * TENF_SECOND;
	assert_int_equal(announce_natpmp(f, FIXTURE_GATEWAY, 0, 1060, "203.0.113.7"), CLIENT_TOOK);
	assert_int_equal(announce_pcp(f, FIXTURE_GATEWAY, 560), CLIENT_TOOK);
	assert_false(f->client.restarted);
	assert_true(f->client.alive);
	assert_int_equal(f->client.natpmp_epoch.server_s, 1060);
	assert_int_equal(f->client.pcp_epoch.server_s, 560);
	assert_false(client_next_send(&f->client, f->now, &(struct tenf_writer){ 0 }));
}

static void an_epoch_that_went_back_is_a_restart(void **state)
{
	struct fixture *f = *state;

	(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, 1000, "203.0.113.7");
	f->now += 60 * TENF_SECOND;
	(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, 2, "203.0.113.7");
	assert_true(f->client.restarted);
	f->client.restarted = false;
	(void)announce_pcp(f, FIXTURE_GATEWAY, 1000);
	assert_false(f->client.restarted);
	(void)announce_pcp(f, FIXTURE_GATEWAY, 0);
	assert_true(f->client.restarted);
}

static void announce_by(struct fixture *f, enum tenf_method method, uint32_t epoch_s)
{
	if (method == TENF_METHOD_PCP)
		(void)announce_pcp(f, FIXTURE_GATEWAY, epoch_s);
	else
		(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, epoch_s, "203.0.113.7");
}

static void a_restart_told_by_both_protocols_is_one(void **state)
{
	static const enum tenf_method both[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, FIXTURE_BOTH, false);
		announce_by(f, both[0], 1000);
		announce_by(f, both[1], 1000);
		f->now += 60 * TENF_SECOND;
		announce_by(f, both[i], 0);
		assert_true(f->client.restarted);
		f->client.restarted = false;
		announce_by(f, both[1 - i], 0);
		assert_false(f->client.restarted);
		f->now += 60 * TENF_SECOND;
		announce_by(f, both[1 - i], 0);
		assert_true(f->client.restarted);
	}
}

/* Each of the ten packets of a series is checked against the one before. */
static void a_series_of_announcements_is_one_restart(void **state)
{
	struct fixture *f = *state;
	tenf_time start = f->now + 3600 * TENF_SECOND;
	unsigned restarts = 0;

	(void)announce_pcp(f, FIXTURE_GATEWAY, 100000);
	for (size_t i = 0; i < vector_timers.announcement_send.count; i++) {
		int64_t ms = vector_timers.announcement_send.ms[i];

		f->now = start + ms * TENF_MILLISECOND;
		(void)announce_pcp(f, FIXTURE_GATEWAY, (uint32_t)(ms / 1000));
		restarts += f->client.restarted;
		f->client.restarted = false;
	}
	assert_int_equal(restarts, 1);
}

/* NP-C-31: the address of an announcement is news. */
static void a_new_address_is_reported(void **state)
{
	struct fixture *f = *state;
	struct tenf_address second = address_of("203.0.113.99");

	(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, 1000, "203.0.113.7");
	assert_true(f->client.address_changed);
	f->client.address_changed = false;
	(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, 1001, "203.0.113.7");
	assert_false(f->client.address_changed);
	(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, 1002, "203.0.113.99");
	assert_true(f->client.address_changed);
	assert_true(tenf_address_equal(&f->client.external, &second));
}

/* NP-C-15: beside an error the address field means nothing. */
static void an_announcement_with_an_error_tells_no_address(void **state)
{
	struct fixture *f = *state;

	(void)announce_natpmp(f, FIXTURE_GATEWAY, NATPMP_NETWORK_FAILURE, 1000, "203.0.113.7");
	(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, 1001, "0.0.0.0");
	assert_false(f->client.address_changed);
	assert_int_equal(f->client.natpmp_epoch.server_s, 1001);
}

static bool natpmp_is_raced(struct fixture *f)
{
	struct inquiry inquiry;
	bool raced;

	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	fixture_ask(f, &inquiry);
	raced = inquiry.natpmp != NATPMP_IDLE;
	client_cancel(&f->client, &inquiry, f->now);
	return raced;
}

/* Makes a gateway that was heard to speak PCP and to lack NAT-PMP. */
static void learn_that_natpmp_lacks(struct fixture *f)
{
	struct inquiry inquiry;

	question_map(f, &inquiry, TENF_TCP, 8080, 0);
	fixture_ask(f, &inquiry);
	(void)fixture_golden(f, "pcp-resp-to-natpmp");
	(void)answer_pcp(f, &inquiry, PCP_SUCCESS, 8080, 60, 1000);
	fixture_expect(f, &inquiry, TENF_REASON_NONE);
}

/* NP-C-37: "no NAT-PMP here" is forgotten on an announcement of either kind, */
static void an_announcement_voids_the_negative_cache(void **state)
{
	struct fixture *f = *state;

	learn_that_natpmp_lacks(f);
	assert_false(natpmp_is_raced(f));
	(void)announce_natpmp(f, FIXTURE_GATEWAY, 0, 3, "203.0.113.7");
	assert_true(natpmp_is_raced(f));

	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, FIXTURE_BOTH, false);
	learn_that_natpmp_lacks(f);
	assert_false(natpmp_is_raced(f));
	(void)announce_pcp(f, FIXTURE_GATEWAY, 1000);
	assert_true(natpmp_is_raced(f));
}

/* NP-C-37: and by itself after a quarter of an hour. */
static void the_negative_cache_ends_after_15_minutes(void **state)
{
	struct fixture *f = *state;

	learn_that_natpmp_lacks(f);
	f->now += 899 * TENF_SECOND;
	assert_false(natpmp_is_raced(f));
	f->now += 2 * TENF_SECOND;
	assert_true(natpmp_is_raced(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(announcements_of_others_are_dropped),
		FIXTURE_TEST(gateways_that_share_an_address_are_told_apart),
		FIXTURE_TEST(an_epoch_in_range_is_no_restart),
		FIXTURE_TEST(an_epoch_that_went_back_is_a_restart),
		FIXTURE_TEST(a_restart_told_by_both_protocols_is_one),
		FIXTURE_TEST(a_series_of_announcements_is_one_restart),
		FIXTURE_TEST(a_new_address_is_reported),
		FIXTURE_TEST(an_announcement_with_an_error_tells_no_address),
		FIXTURE_TEST(an_announcement_voids_the_negative_cache),
		FIXTURE_TEST(the_negative_cache_ends_after_15_minutes),
	};

	return cmocka_run_group_tests_name("client-announce", tests, NULL, NULL);
}

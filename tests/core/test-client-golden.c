/* SPDX-License-Identifier: MIT */
/*
 * Every golden answer and announcement through the client, with the request it
 * answers outstanding: what the client makes of it is what its entry says.
 */
#include "core/schedule.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define GOLDEN_RESPONSES 84
#define GOLDEN_ANNOUNCEMENTS 13

#define GOLDEN(v, condition) golden_check(v, condition, #condition)

static void golden_check(const struct vector *v, bool good, const char *what)
{
	if (!good)
		fail_msg("%s: %s", v->name, what);
}

/* Answers to requests that our client never makes: unasked whatever they say. */
static bool is_never_asked(const struct vector *v)
{
	return strcmp(v->answers->name, "pcp-req-peer") == 0 ||
	       strcmp(v->answers->name, "np-req-opcode-3") == 0;
}

static enum vector_action action_of(const struct vector *v)
{
	return is_never_asked(v) ? VECTOR_DROP : v->expect.action;
}

static void restart_for(struct fixture *f, const struct tenf_endpoint *gateway,
			const struct tenf_address *source)
{
	char gateway_text[TENF_ENDPOINT_TEXT];
	char source_text[TENF_ADDRESS_TEXT];

	fixture_restart(f, tenf_endpoint_text(gateway, gateway_text),
			tenf_address_text(source, source_text), FIXTURE_BOTH, false);
}

/* Brings the request that `v` answers onto the wire. */
static void make_outstanding(struct fixture *f, struct inquiry *inquiry, const struct vector *v)
{
	const struct vector *request = v->answers;

	restart_for(f, &request->target, &request->source.address);
	question_golden(f, inquiry, request);
	if (v->expect.action == VECTOR_FALLBACK || v->expect.action == VECTOR_RETRY)
		inquiry->question.methods = FIXTURE_BOTH;
	fixture_ask(f, inquiry);
	if (request->protocol == VECTOR_NATPMP && inquiry->question.op == CORE_MAP) {
		assert_int_equal(answer_address(f, NATPMP_SUCCESS, 1, "203.0.113.7"), CLIENT_TOOK);
		fixture_flush(f);
	}
	f->client.natpmp_epoch.known = false;
	f->client.pcp_epoch.known = false;
}

static bool is_under_way(const struct inquiry *inquiry)
{
	return inquiry->place == INQUIRY_ACTIVE;
}

/* PREFER_FAILURE's line comes after the epoch check (RFC 6887 §13.2): such a
 * packet is an answer, only not what is waited for. */
static bool may_feed_the_clock(const struct vector *v)
{
	return strcmp(v->name, "pcp-bad-resp-prefer-failure-other") == 0;
}

static void check_dropped(const struct fixture *f, const struct inquiry *inquiry,
			  const struct vector *v, enum client_receipt receipt)
{
	GOLDEN(v, is_under_way(inquiry));
	if (may_feed_the_clock(v))
		return;
	GOLDEN(v, receipt != CLIENT_TOOK);
	GOLDEN(v, !f->client.natpmp_epoch.known);
	GOLDEN(v, !f->client.pcp_epoch.known);
}

static void check_accepted(struct fixture *f, const struct inquiry *inquiry,
			   const struct vector *v)
{
	const struct core_answer *answer = &inquiry->answer;

	GOLDEN(v, client_next_answer(&f->client) == inquiry);
	GOLDEN(v, answer->reason == TENF_REASON_NONE);
	GOLDEN(v, answer->result == 0);
	if (v->protocol == VECTOR_PCP)
		GOLDEN(v, f->client.pcp_epoch.server_s == v->decoded.epoch_s);
	else
		GOLDEN(v, f->client.natpmp_epoch.server_s == v->decoded.epoch_s);
	if (inquiry->question.op != CORE_MAP)
		return;
	GOLDEN(v, answer->external_port == v->decoded.external_port);
	GOLDEN(v, answer->lifetime_s == v->decoded.lifetime_s);
	if (v->expect.lifetime_used_s != VECTOR_UNSET)
		GOLDEN(v, schedule_planned_s(answer->lifetime_s) == v->expect.lifetime_used_s);
}

static void check_error(struct fixture *f, const struct inquiry *inquiry, const struct vector *v)
{
	const struct core_answer *answer = &inquiry->answer;

	GOLDEN(v, client_next_answer(&f->client) == inquiry);
	/* A gateway that says no was discovered all the same. */
	if (inquiry->question.op != CORE_DISCOVER || v->expect.result == VECTOR_UNSET)
		GOLDEN(v, answer->reason != TENF_REASON_NONE);
	if (v->expect.result != VECTOR_UNSET)
		GOLDEN(v, answer->result == v->expect.result);
	else
		GOLDEN(v, answer->reason == TENF_REASON_MALFORMED);
	if (v->expect.hold_s != VECTOR_UNSET)
		GOLDEN(v, answer->lifetime_s == v->expect.hold_s);
}

/* NP-C-33, PCP-C-37, PCP-C-14: the same question goes on by NAT-PMP. */
static void check_fallback(struct fixture *f, const struct inquiry *inquiry,
			   const struct vector *v)
{
	GOLDEN(v, is_under_way(inquiry));
	GOLDEN(v, !inquiry->pcp.on);
	GOLDEN(v, sent_count(f, sent_is_address_request) == 1);
	GOLDEN(v, answer_address(f, NATPMP_SUCCESS, 0x12346, "203.0.113.7") == CLIENT_TOOK);
	fixture_flush(f);
	GOLDEN(v, sent_count(f, sent_is_natpmp_map) == 1);
	GOLDEN(v, sent_nth(f, sent_is_natpmp_map, 0)->at == f->now);
}

/* NP-C-36: what stands where NAT-PMP has its epoch is none. */
static void check_retry(struct fixture *f, const struct inquiry *inquiry, const struct vector *v)
{
	GOLDEN(v, is_under_way(inquiry));
	GOLDEN(v, inquiry->natpmp == NATPMP_ENDED);
	GOLDEN(v, inquiry->pcp.on);
	GOLDEN(v, sent_count(f, sent_is_pcp) == 1);
	GOLDEN(v, !f->client.natpmp_epoch.known);
	GOLDEN(v, !f->client.pcp_epoch.known);
}

static void check_response(struct fixture *f, const struct vector *v)
{
	struct inquiry inquiry;
	enum client_receipt receipt;

	make_outstanding(f, &inquiry, v);
	receipt = fixture_golden(f, v->name);
	fixture_flush(f);
	switch (action_of(v)) {
	case VECTOR_DROP:
		check_dropped(f, &inquiry, v, receipt);
		break;
	case VECTOR_ACCEPT:
		check_accepted(f, &inquiry, v);
		break;
	case VECTOR_ERROR:
		check_error(f, &inquiry, v);
		break;
	case VECTOR_FALLBACK:
		check_fallback(f, &inquiry, v);
		break;
	case VECTOR_RETRY:
		check_retry(f, &inquiry, v);
		break;
	case VECTOR_REPLY:
		fail_msg("%s: no client replies", v->name);
	}
	client_cancel(&f->client, &inquiry, f->now);
}

/* NP-C-11, NP-C-12, NP-C-13, NP-C-14, NP-C-15, NP-C-38, PCP-C-12, PCP-C-13, PCP-C-15,
 * PCP-C-16, PCP-C-17, PCP-C-34: packets that are right or wrong by one thing. */
static void every_response_does_what_its_entry_says(void **state)
{
	size_t ran = 0;

	for (size_t i = 0; i < vector_count; i++) {
		if (vectors[i].direction != VECTOR_RESPONSE)
			continue;
		golden_check(&vectors[i], vectors[i].answers != NULL, "answers something");
		check_response(*state, &vectors[i]);
		ran++;
	}
	assert_int_equal(ran, GOLDEN_RESPONSES);
}

static void check_announcement(struct fixture *f, const struct vector *v)
{
	bool v6 = !tenf_address_is_v4(&v->target.address);
	struct tenf_endpoint gateway =
		endpoint_of(v6 ? "[2001:db8:1::1]:5351" : "192.168.1.1:5351");
	struct tenf_address source = address_of(v6 ? "2001:db8:1::20" : "192.168.1.20");
	enum client_receipt receipt;

	restart_for(f, &gateway, &source);
	receipt = client_announced(&f->client, &v->source, v->data, v->len, f->now);
	if (v->expect.action == VECTOR_DROP) {
		GOLDEN(v, receipt == CLIENT_DROPPED);
		GOLDEN(v, !f->client.natpmp_epoch.known && !f->client.pcp_epoch.known);
		GOLDEN(v, !f->client.alive);
		return;
	}
	GOLDEN(v, receipt == CLIENT_TOOK);
	GOLDEN(v, f->client.alive);
	if (v->protocol == VECTOR_NATPMP)
		GOLDEN(v, f->client.natpmp_epoch.server_s == v->decoded.epoch_s);
	else
		GOLDEN(v, f->client.pcp_epoch.server_s == v->decoded.epoch_s);
}

/* NP-C-29: those of others are dropped, and only those. */
static void every_announcement_does_what_its_entry_says(void **state)
{
	size_t ran = 0;

	for (size_t i = 0; i < vector_count; i++) {
		if (vectors[i].direction != VECTOR_ANNOUNCEMENT)
			continue;
		check_announcement(*state, &vectors[i]);
		ran++;
	}
	assert_int_equal(ran, GOLDEN_ANNOUNCEMENTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(every_response_does_what_its_entry_says),
		FIXTURE_TEST(every_announcement_does_what_its_entry_says),
	};

	return cmocka_run_group_tests_name("client-golden", tests, NULL, NULL);
}

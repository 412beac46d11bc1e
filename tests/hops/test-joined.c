/* SPDX-License-Identifier: MIT */
/* Two hops as one mapping. What the sessions and real routers do is in tests/netns. */
#include "hops/joined.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define NOW 1795338183

static struct tenf_mapping held(const char *address, uint16_t internal, uint16_t external,
				int64_t expires_at)
{
	struct tenf_mapping m = { .id = 7,
				  .protocol = TENF_TCP,
				  .state = TENF_STATE_MAPPED,
				  .internal_port = internal,
				  .external_port = external,
				  .requested_external_port = external,
				  .lifetime_s = (uint32_t)(expires_at - NOW),
				  .expires_at = expires_at,
				  .error.result = -1 };

	snprintf(m.external_address, sizeof(m.external_address), "%s", address);
	return m;
}

/* The inner router has the port, and the outer one was asked. */
static struct hop half_way(void)
{
	struct hop hop = { .inner = held("10.20.0.14", 8080, 4080, NOW + 7200) };

	hop_asked(&hop, 3);
	return hop;
}

static bool tell(struct hop *hop, enum tenf_event_kind kind, struct tenf_event *ret)
{
	struct tenf_event cause = { .kind = kind, .at = NOW };

	return hop_compose(hop, &cause, ret);
}

static void only_a_private_outside_needs_a_second_hop(void **state)
{
	struct tenf_mapping m = held("10.20.0.14", 8080, 4080, NOW + 60);

	(void)state;
	assert_true(hop_is_needed(&m));
	m.state = TENF_STATE_LOST;
	assert_false(hop_is_needed(&m));
	m = held("203.0.113.7", 8080, 4080, NOW + 60);
	assert_false(hop_is_needed(&m));
	m = held("100.64.7.9", 8080, 4080, NOW + 60); /* the provider's, who opens nothing */
	assert_false(hop_is_needed(&m));
	m = held("fd00::1", 8080, 4080, NOW + 60);
	assert_false(hop_is_needed(&m));
}

static void the_outer_router_is_asked_for_the_inner_ones_port(void **state)
{
	struct hop hop = { .inner = held("10.20.0.14", 8080, 4081, NOW + 60) };
	struct tenf_request request;

	(void)state;
	hop.inner.requested_external_port = 4080;
	hop_request(&hop, &request);
	assert_int_equal(request.internal_port, 4081);
	assert_int_equal(request.external_port, 4080); /* what was wished for */
	assert_true(request.keep);
	assert_false(hop_fits(&hop));
	hop_asked(&hop, 3);
	assert_true(hop_fits(&hop));
	hop.inner.external_port = 4082;
	assert_false(hop_fits(&hop));
}

static void it_is_mapped_when_both_are_and_ends_when_the_first_does(void **state)
{
	struct hop hop = half_way();
	struct tenf_event event;

	(void)state;
	assert_false(tell(&hop, TENF_EVENT_MAPPED, &event)); /* nothing is open yet */
	hop.outer = held("203.0.113.7", 4080, 80, NOW + 3600);
	assert_true(tell(&hop, TENF_EVENT_MAPPED, &event));
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	assert_string_equal(event.mapping.external_address, "203.0.113.7");
	assert_int_equal(event.mapping.external_port, 80);
	assert_int_equal(event.mapping.internal_port, 8080);
	assert_int_equal(event.mapping.expires_at, NOW + 3600);
	assert_int_equal(event.before.id, 0);
	assert_false(tell(&hop, TENF_EVENT_RENEWED, &event)); /* of the one that lasts longer */
	hop.outer.expires_at = NOW + 5400;
	assert_true(tell(&hop, TENF_EVENT_RENEWED, &event));
	assert_int_equal(event.kind, TENF_EVENT_RENEWED);
	hop.outer.external_port = 81;
	assert_true(tell(&hop, TENF_EVENT_CHANGED, &event));
	assert_int_equal(event.kind, TENF_EVENT_CHANGED);
	assert_int_equal(event.before.external_port, 80);
}

static void what_the_outer_router_refuses_is_told_as_its_word_and_once(void **state)
{
	struct hop hop = half_way();
	struct tenf_event event;

	(void)state;
	hop.outer.state = TENF_STATE_REFUSED;
	hop.outer.error = (struct tenf_error){ .reason = TENF_REASON_REFUSED, .result = 2,
					       .text = "Not you." };
	assert_true(tell(&hop, TENF_EVENT_REFUSED, &event));
	assert_int_equal(event.kind, TENF_EVENT_REFUSED);
	assert_string_equal(event.mapping.error.text, "The outer router: Not you.");
	assert_int_equal(event.mapping.external_port, 0);
	assert_int_equal(event.mapping.expires_at, 0);
	assert_false(tell(&hop, TENF_EVENT_REFUSED, &event));
	hop.outer.error.text[0] = '\0';
	assert_string_equal(hop_joined(&hop).error.text, "The outer router: refused");
	hop.outer.error.reason = TENF_REASON_NO_SERVICE;
	assert_string_equal(hop_joined(&hop).error.text,
			    "The outer router: It does not speak NAT-PMP, by which alone it can be "
			    "asked from behind another router.");
}

static void a_router_that_is_not_found_is_a_loss_until_it_is(void **state)
{
	struct hop hop = { .inner = held("10.20.0.14", 8080, 4080, NOW + 7200) };
	struct tenf_event event;

	(void)state;
	hop_failed(&hop, TENF_REASON_NO_GATEWAY, "Nobody is there.");
	assert_true(tell(&hop, TENF_EVENT_MAPPED, &event));
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	hop_asked(&hop, 3);
	hop.outer = held("203.0.113.7", 4080, 80, NOW + 3600);
	assert_true(tell(&hop, TENF_EVENT_MAPPED, &event));
	assert_int_equal(event.kind, TENF_EVENT_MAPPED);
	hop.inner.state = TENF_STATE_LOST;
	hop_dropped(&hop);
	assert_true(tell(&hop, TENF_EVENT_LOST, &event));
	assert_int_equal(event.kind, TENF_EVENT_LOST);
	assert_int_equal(event.mapping.external_port, 80); /* where it was, for who asks */
}

static void it_is_removed_when_both_hops_are(void **state)
{
	struct hop hop = half_way();
	struct tenf_event event;

	(void)state;
	hop.outer = held("203.0.113.7", 4080, 80, NOW + 3600);
	assert_true(tell(&hop, TENF_EVENT_MAPPED, &event));
	hop.inner.state = TENF_STATE_REMOVED;
	assert_false(tell(&hop, TENF_EVENT_REMOVED, &event));
	hop.outer.state = TENF_STATE_REMOVED;
	assert_true(tell(&hop, TENF_EVENT_REMOVED, &event));
	assert_int_equal(event.kind, TENF_EVENT_REMOVED);
	assert_false(tell(&hop, TENF_EVENT_REMOVED, &event));
}

static void where_one_router_is_enough_it_is_told_alone(void **state)
{
	struct hop hop = { .inner = held("203.0.113.7", 8080, 4080, NOW + 7200) };
	struct tenf_event event;

	(void)state;
	assert_true(tell(&hop, TENF_EVENT_MAPPED, &event));
	assert_int_equal(event.mapping.external_port, 4080);
	hop.inner.state = TENF_STATE_REMOVED;
	assert_true(tell(&hop, TENF_EVENT_REMOVED, &event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_private_outside_needs_a_second_hop),
		cmocka_unit_test(the_outer_router_is_asked_for_the_inner_ones_port),
		cmocka_unit_test(it_is_mapped_when_both_are_and_ends_when_the_first_does),
		cmocka_unit_test(what_the_outer_router_refuses_is_told_as_its_word_and_once),
		cmocka_unit_test(a_router_that_is_not_found_is_a_loss_until_it_is),
		cmocka_unit_test(it_is_removed_when_both_hops_are),
		cmocka_unit_test(where_one_router_is_enough_it_is_told_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* keep and run through two routers. The inner one has port 8080 at 10.20.0.14:80, the
 * outer one leads 203.0.113.9:4080 there. With real packets it is in tests/netns. */
#include "command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEEP "keep 4080:8080 --through"
#define HELD "09:03:03  203.0.113.9:4080/tcp → 192.168.1.20:8080   held, renews every 1 h\n"

static int setup(void **state)
{
	int status = command_setup(state);

	fake.ports[0] = (struct fake_port){ .internal_port = 8080,
					    .external_port = 80,
					    .external_address = "10.20.0.14" };
	fake.ports[1] = (struct fake_port){ .external_address = "203.0.113.9" };
	fake_host.outer = "10.20.0.1";
	return status;
}

/* Steps are played in each session; these act in one of them. */
static bool is_inner(struct tenf_session *session)
{
	struct tenf_mapping m;

	return tenf_session_mapping(session, 1, &m) && m.internal_port == 8080;
}

static bool nothing(struct tenf_session *session)
{
	(void)session;
	return true;
}

static bool interrupt(struct tenf_session *session)
{
	return !is_inner(session) || kill(getpid(), SIGINT) == 0;
}

static void move_inside(struct tenf_mapping *m)
{
	m->external_port = 81;
}

static void move_outside(struct tenf_mapping *m)
{
	m->external_port = 4090;
}

static void other_network(struct tenf_mapping *m)
{
	strcpy(m->external_address, "10.30.0.2");
}

static bool inner_moves(struct tenf_session *session)
{
	if (is_inner(session))
		fake_event(session, 0, TENF_EVENT_CHANGED, move_inside);
	return true;
}

static bool inner_address_changes(struct tenf_session *session)
{
	if (is_inner(session)) {
		fake_host.outer = "10.30.0.1";
		fake_event(session, 0, TENF_EVENT_CHANGED, other_network);
	}
	return true;
}

static bool inner_is_lost(struct tenf_session *session)
{
	if (is_inner(session))
		fake_event(session, 0, TENF_EVENT_LOST, fake_lose);
	return true;
}

static bool inner_comes_back(struct tenf_session *session)
{
	if (is_inner(session))
		fake_event(session, 0, TENF_EVENT_MAPPED, fake_come_back);
	return true;
}

static bool outer_moves(struct tenf_session *session)
{
	if (!is_inner(session))
		fake_event(session, 0, TENF_EVENT_CHANGED, move_outside);
	return true;
}

static bool outer_restarts(struct tenf_session *session)
{
	if (!is_inner(session)) {
		fake_gateway_event(session, TENF_EVENT_GATEWAY_RESTART);
		fake_event(session, 0, TENF_EVENT_LOST, fake_lose);
		fake_event(session, 0, TENF_EVENT_MAPPED, fake_come_back);
	}
	return true;
}

static bool outer_is_found(struct tenf_session *session)
{
	(void)session;
	fake_host.outer = "10.20.0.1";
	fake.steady_ms += 60000;
	return true;
}

static void both_hops_are_held_as_one_and_removed(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = interrupt;
	c = command(KEEP);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, HELD "09:03:03  removed\n");
	assert_string_equal(c.err, "");
	assert_int_equal(fake.request_count, 2);
	assert_true(fake.requests[1].request.keep);
	assert_int_equal(fake.requests[1].request.internal_port, 80);
	assert_int_equal(fake.requests[1].request.external_port, 4080);
	assert_string_equal(fake.gateway_asked, "10.20.0.1");
	assert_int_equal(fake.options.methods, TENF_METHOD_NATPMP);
	assert_int_equal(fake.freed, 2);
	assert_string_equal(command("list").out, "");
}

static void a_pair_is_told_once(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = interrupt;
	c = command("keep 4080:8080/both --through");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "09:03:03  203.0.113.9:4080/tcp+udp → 192.168.1.20:8080   "
				   "held, renews every 1 h\n"
				   "09:03:03  removed\n");
	assert_int_equal(fake.requests[1].request.protocol, TENF_TCP);
	assert_int_equal(fake.requests[2].request.protocol, TENF_UDP);
	assert_string_equal(command("list").out, "");
}

static void events_tell_the_outermost_endpoint(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = outer_moves;
	fake.steps[1] = interrupt;
	c = command(KEEP " --json");
	assert_null(strstr(c.out, "10.20.0.14"));
	assert_non_null(strstr(c.out, "\"event\": \"mapped\""));
	assert_non_null(strstr(c.out, "203.0.113.9"));
	assert_non_null(strstr(c.out, "\"event\": \"changed\""));
	assert_non_null(strstr(c.out, "4090"));
}

static void the_outer_hop_follows_the_port_of_the_inner_one(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = inner_moves;
	fake.steps[1] = interrupt;
	c = command(KEEP);
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.request_count, 3);
	assert_int_equal(fake.requests[2].request.internal_port, 81);
	assert_string_equal(c.out, HELD "09:03:03  removed\n"); /* outside nothing changed */
	assert_string_equal(command("list").out, "");
}

static void where_the_inner_address_changes_the_outer_router_is_looked_for_again(void **state)
{
	(void)state;
	fake.steps[0] = inner_address_changes;
	fake.steps[1] = interrupt;
	assert_int_equal(command(KEEP).status, 0);
	assert_int_equal(fake.request_count, 3);
	assert_string_equal(fake.gateway_asked, "10.30.0.1");
	assert_int_equal(fake.freed, 3);
}

static void a_lost_inner_hop_takes_the_outer_one_with_it_and_brings_it_back(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = inner_is_lost;
	fake.steps[1] = inner_comes_back;
	fake.steps[2] = interrupt;
	c = command(KEEP);
	assert_int_equal(c.status, 0);
	assert_int_equal(fake.request_count, 3);
	assert_non_null(strstr(c.out, HELD "09:03:03  lost: "));
	assert_non_null(strstr(strstr(c.out, "lost: "), HELD "09:03:03  removed\n"));
}

static void a_restart_of_the_outer_router_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.steps[0] = outer_restarts;
	fake.steps[1] = nothing;
	fake.steps[2] = interrupt;
	c = command(KEEP);
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "gateway restarted; asking again\n"));
	assert_non_null(strstr(c.out, "lost: The outer router: "));
	assert_non_null(strstr(strstr(c.out, "lost: "), HELD));
}

static void an_outer_router_that_refuses_is_told(void **state)
{
	struct command c;

	(void)state;
	fake.ports[1].reason = TENF_REASON_REFUSED;
	fake.ports[1].text = "Policy.";
	fake.steps[0] = interrupt;
	c = command(KEEP);
	assert_int_equal(c.status, 6);
	assert_non_null(strstr(c.out, "not mapped: The outer router: Policy.\n"));
	assert_null(strstr(c.out, "→"));
}

static void an_outer_router_that_is_not_found_is_looked_for_again(void **state)
{
	struct command c;

	(void)state;
	fake_host.outer = NULL;
	fake.steps[0] = interrupt;
	c = command(KEEP);
	assert_int_equal(c.status, 3);
	assert_non_null(strstr(c.out, "not mapped: The outer router: It cannot be found"));
	fake.steps[0] = outer_is_found;
	fake.steps[1] = nothing;
	fake.steps[2] = interrupt;
	c = command(KEEP);
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, HELD));
}

static void where_it_is_public_one_router_is_held(void **state)
{
	(void)state;
	fake.ports[0].external_address = "203.0.113.7";
	fake.steps[0] = interrupt;
	assert_int_equal(command(KEEP).status, 0);
	assert_int_equal(fake.request_count, 1);
	assert_int_equal(fake.freed, 1);
}

static bool time_passes(struct tenf_session *session)
{
	(void)session;
	fake.steady_ms += 60000;
	return true;
}

static void later(struct tenf_mapping *m)
{
	m->expires_at = fake.now + 7200;
}

static bool inner_renews(struct tenf_session *session)
{
	if (is_inner(session)) {
		fake.now += 3600;
		fake_event(session, 0, TENF_EVENT_RENEWED, later);
	}
	return true;
}

static bool outer_renews(struct tenf_session *session)
{
	if (!is_inner(session))
		fake_event(session, 0, TENF_EVENT_RENEWED, later);
	return true;
}

static void a_renewal_is_told_when_both_hops_are_renewed(void **state)
{
	struct command c;
	const char *first;

	(void)state;
	fake.steps[0] = inner_renews;
	fake.steps[1] = outer_renews;
	fake.steps[2] = interrupt;
	c = command("--verbose " KEEP);
	first = strstr(c.out, "renewed ");
	assert_non_null(first);
	assert_null(strstr(first + 1, "renewed "));
}

static void what_no_router_confirms_stays_recorded_as_one(void **state)
{
	struct command c;

	(void)state;
	fake.removal = TENF_REASON_SILENT;
	fake.steps[0] = interrupt;
	fake.steps[1] = time_passes;
	c = command(KEEP);
	assert_int_equal(c.status, 4);
	assert_non_null(strstr(c.out, "not removed: "));
	c = command("list");
	assert_non_null(strstr(c.out, "m1  -     203.0.113.9:4080/tcp  192.168.1.20:8080"));
	assert_null(strstr(c.out, "m2"));
}

static void run_tells_its_command_the_outermost_endpoint(void **state)
{
	char line[400], seen[300];
	FILE *file;

	(void)state;
	snprintf(seen, sizeof(seen), "%s/seen", command_folder());
	snprintf(line, sizeof(line),
		 "run 4080:8080 --through -- sh -c 'echo $1:$2 >%s' sh {external_address} "
		 "{external_port}",
		 seen);
	assert_int_equal(command(line).status, 0);
	file = fopen(seen, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	assert_string_equal(line, "203.0.113.9:4080\n");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(both_hops_are_held_as_one_and_removed),
		EACH(a_pair_is_told_once),
		EACH(events_tell_the_outermost_endpoint),
		EACH(the_outer_hop_follows_the_port_of_the_inner_one),
		EACH(where_the_inner_address_changes_the_outer_router_is_looked_for_again),
		EACH(a_lost_inner_hop_takes_the_outer_one_with_it_and_brings_it_back),
		EACH(a_restart_of_the_outer_router_is_told),
		EACH(an_outer_router_that_refuses_is_told),
		EACH(an_outer_router_that_is_not_found_is_looked_for_again),
		EACH(where_it_is_public_one_router_is_held),
		EACH(a_renewal_is_told_when_both_hops_are_renewed),
		EACH(what_no_router_confirms_stays_recorded_as_one),
		EACH(run_tells_its_command_the_outermost_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

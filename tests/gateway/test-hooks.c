/* SPDX-License-Identifier: MIT */
/*
 * How often a hook is told again, and when it is given up, in virtual time: the clock, the
 * timers and the commands are ours, by the linker.
 */
#include "house.h"

#include "gateway/hooks.h"
#include "hooks/run.h"
#include "net/clock.h"

#include <string.h>

static struct {
	struct event_base *base;
	struct hooks *hooks;
	tenf_time now;
	unsigned started;
	unsigned fail_until; /* commands before this one fail */
	tenf_time started_at[64];
	hook_done_fn done; /* of the command that runs */
	void *context;
} v;

tenf_time __wrap_net_now(void);
int __wrap_event_add(struct event *event, const struct timeval *wait);
int __real_event_add(struct event *event, const struct timeval *wait);
struct hook_run *__wrap_hook_run_start(struct event_base *base, const char *command,
				       const struct news *news, uint32_t timeout_s,
				       hook_note_fn note, hook_done_fn done, void *context);
void __wrap_hook_run_cancel(struct hook_run *run);

tenf_time __wrap_net_now(void)
{
	return v.now;
}

/* A wait is over at once, and the clock says so. */
int __wrap_event_add(struct event *event, const struct timeval *wait)
{
	assert_non_null(wait);
	v.now += wait->tv_sec * TENF_SECOND + wait->tv_usec;
	event_active(event, EV_TIMEOUT, 0);
	return 0;
}

struct hook_run *__wrap_hook_run_start(struct event_base *base, const char *command,
				       const struct news *news, uint32_t timeout_s,
				       hook_note_fn note, hook_done_fn done, void *context)
{
	(void)timeout_s;
	(void)note;
	assert_ptr_equal(base, v.base);
	assert_string_equal(command, "page-somebody");
	assert_non_null(news);
	assert_true(v.started < TENF_ARRAY_SIZE(v.started_at));
	v.started_at[v.started++] = v.now;
	v.done = done;
	v.context = context;
	return (struct hook_run *)(void *)&v; /* never looked into */
}

void __wrap_hook_run_cancel(struct hook_run *run)
{
	if (run != NULL)
		v.done = NULL;
}

static void on_changed(void *context)
{
	assert_ptr_equal(context, &v);
}

static int set_up(void **state)
{
	static struct gateway_config config;

	(void)state;
	memset(&v, 0, sizeof(v));
	v.now = 1000 * TENF_SECOND;
	v.base = event_base_new();
	config = (struct gateway_config){ .hook_count = 1 };
	config.hooks[0] = (struct config_hook){ .events = CONFIG_ON_ALL, .kind = CONFIG_RUN,
						.target = "page-somebody", .timeout_s = 30 };
	return v.base != NULL && hooks_new(v.base, &config, on_changed, &v, &v.hooks) == TENF_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	hooks_free(v.hooks);
	event_base_free(v.base);
	return 0;
}

static void tell(unsigned events)
{
	const struct notice n = {
		.at = 1795784400, .action = POLICY_ALLOW, .gateway = house_gateway,
		.record = { .verdict = RESPONDER_GRANTED, .version = 2, .protocol = TENF_TCP,
			    .client = house_host(20), .internal = { house_host(20), 80 },
			    .external = { house_external, 80 }, .lifetime_s = 600, .id = 1,
			    .rule = POLICY_NO_RULE },
	};

	for (unsigned i = 0; i < events; i++)
		hooks_tell(v.hooks, &n);
}

/* Until nothing is left to do. */
static void live(void)
{
	for (unsigned round = 0; !hooks_are_idle(v.hooks); round++) {
		assert_true(round < 1000);
		(void)event_base_loop(v.base, EVLOOP_NONBLOCK);
		if (v.done != NULL) {
			hook_done_fn done = v.done;

			v.done = NULL;
			done(v.context, v.started < v.fail_until ? "it failed" : NULL);
		}
	}
}

static struct hooks_counts counts(void)
{
	struct hooks_counts c;

	hooks_count(v.hooks, &c);
	return c;
}

/* HOOKS_TRIES_MAX */
static void an_event_is_given_up_after_six_tries_over_half_a_minute(void **state)
{
	tenf_duration wait = 0;

	(void)state;
	v.fail_until = 1000;
	tell(1);
	live();
	assert_int_equal(v.started, HOOKS_TRIES_MAX);
	assert_int_equal(counts().failed, 1);
	assert_int_equal(counts().told, 0);
	for (unsigned i = 1; i < HOOKS_TRIES_MAX; i++) {
		tenf_duration this = v.started_at[i] - v.started_at[i - 1];

		assert_true(this > wait); /* each longer than the one before */
		wait = this;
	}
	assert_in_range(v.now - v.started_at[0], 23 * TENF_SECOND, 63 * TENF_SECOND);
	assert_true(hooks_are_idle(v.hooks));
}

static void the_next_event_begins_with_tries_of_its_own(void **state)
{
	(void)state;
	v.fail_until = HOOKS_TRIES_MAX + 3;
	tell(3);
	live();
	/* The first is given up; the second fails twice and is told, and so is the third. */
	assert_int_equal(v.started, HOOKS_TRIES_MAX + 3 + 1);
	assert_int_equal(counts().failed, 1);
	assert_int_equal(counts().told, 2);
	assert_true(v.started_at[HOOKS_TRIES_MAX] == v.started_at[HOOKS_TRIES_MAX - 1]);
	assert_in_range(v.started_at[HOOKS_TRIES_MAX + 1] - v.started_at[HOOKS_TRIES_MAX],
			TENF_SECOND / 2, TENF_SECOND);
}

static void a_hook_that_stays_keeps_what_waits_and_one_that_goes_drops_it(void **state)
{
	struct config_hook list[2] = {
		{ .events = CONFIG_ON_REFUSED, .kind = CONFIG_RUN, .target = "page-somebody",
		  .timeout_s = 5 },
		{ .events = CONFIG_ON_ALL, .kind = CONFIG_RUN, .target = "another",
		  .timeout_s = 5 },
	};

	(void)state;
	tell(3);
	(void)event_base_loop(v.base, EVLOOP_NONBLOCK);
	assert_int_equal(v.started, 1);
	assert_int_equal(hooks_set(v.hooks, list, 1), TENF_OK);
	tell(1); /* which it does not want any more */
	live();
	assert_int_equal(counts().told, 3);
	assert_int_equal(hooks_set(v.hooks, list + 1, 1), TENF_OK);
	tell(4);
	assert_int_equal(hooks_set(v.hooks, NULL, 0), TENF_OK);
	assert_int_equal(counts().dropped, 4);
	assert_true(hooks_are_idle(v.hooks));
	tell(1);
	live();
	assert_int_equal(counts().told, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_given_up_after_six_tries_over_half_a_minute),
		TEST(the_next_event_begins_with_tries_of_its_own),
		TEST(a_hook_that_stays_keeps_what_waits_and_one_that_goes_drops_it),
	};

	return cmocka_run_group_tests_name("gateway hooks", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "hooks/outgoing.h"

#include "loop.h"
#include "scratch.h"

#include <event2/buffer.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct stage {
	struct scratch *scratch;
	struct event_base *base;
	struct deliveries *deliveries;
	struct agent_config config;
	struct config_hook hooks[4];
	struct fake fake;
};

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	void *scratch;

	if (scratch_make(&scratch) != 0)
		return -1;
	s->scratch = scratch;
	s->base = event_base_new();
	s->config.hooks = s->hooks;
	setenv("SCRATCH", s->scratch->path, 1);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;
	void *scratch = s->scratch;

	deliveries_free(s->deliveries);
	fake_stop(&s->fake);
	event_base_free(s->base);
	free(s);
	return scratch_remove(&scratch);
}

static struct config_hook *add_hook(struct stage *s, enum hook_kind kind, const char *target)
{
	struct config_hook *hook = &s->hooks[s->config.hook_count++];

	hook->kind = kind;
	hook->timeout_s = 10;
	snprintf(hook->target, sizeof(hook->target), "%s", target);
	return hook;
}

static void begin(struct stage *s)
{
	assert_int_equal(deliveries_new(s->base, NULL, &s->config, &s->deliveries), TENF_OK);
	deliveries_set_pace(s->deliveries, 20 * TENF_MILLISECOND, 10 * TENF_MILLISECOND);
}

static void tell(struct stage *s, uint64_t number, const char *name, enum tenf_event_kind kind,
		 uint16_t external_port)
{
	struct tenf_event event = event_of(kind, TENF_TCP, 8080, external_port);
	json_t *json = json_pack("{ss si}", "event", "x", "port", (int)external_port);

	deliveries_tell(s->deliveries, number, name, &event, json);
	json_decref(json);
}

struct expectation {
	struct stage *stage;
	uint64_t number;
	const char *state;
};

static bool has_state(void *context)
{
	const struct expectation *e = context;

	return strcmp(state_of(e->stage->deliveries, e->number, NULL), e->state) == 0;
}

static void expect(struct stage *s, uint64_t number, const char *state)
{
	struct expectation e = { s, number, state };

	if (!loop_until(s->base, has_state, &e))
		fail_msg("%s instead of %s: %s", state_of(s->deliveries, number, NULL), state,
			 error_of(s->deliveries, number, ""));
}

static void a_command_gets_environment_and_json(void **state)
{
	struct stage *s = *state;

	setenv("TENFORWARD_SOCKET", "/s", 1);
	add_hook(s, HOOK_RUN, "cat >$SCRATCH/in; env | grep ^TENFORWARD_ | sort >$SCRATCH/env");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 4711);
	expect(s, 1, "confirmed");
	assert_string_equal(scratch_read(s->scratch, "in"), "{\"event\":\"x\",\"port\":4711}");
	assert_string_equal(scratch_read(s->scratch, "env"),
			    "TENFORWARD_EVENT=mapped\n"
			    "TENFORWARD_EXPIRES_AT=2023-11-14T22:14:20Z\n"
			    "TENFORWARD_EXTERNAL_ADDRESS=203.0.113.7\n"
			    "TENFORWARD_EXTERNAL_PORT=4711\n"
			    "TENFORWARD_GATEWAY=10.2.0.1\n"
			    "TENFORWARD_INTERNAL_PORT=8080\n"
			    "TENFORWARD_NAME=web\n"
			    "TENFORWARD_PROTOCOL=tcp\n");
	unsetenv("TENFORWARD_SOCKET");
}

static void a_command_that_fails_is_run_again_until_it_succeeds(void **state)
{
	struct stage *s = *state;

	add_hook(s, HOOK_RUN, "echo x >>$SCRATCH/tries; test $(wc -l <$SCRATCH/tries) -ge 4");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 4711);
	expect(s, 1, "failed");
	assert_string_equal(error_of(s->deliveries, 1, "run"), "failed with exit status 1");
	expect(s, 1, "confirmed");
	assert_string_equal(scratch_read(s->scratch, "tries"), "x\nx\nx\nx\n");
}

static void newer_news_takes_the_place_of_what_waits(void **state)
{
	struct stage *s = *state;

	add_hook(s, HOOK_RUN, "while ! test -e $SCRATCH/gate; do sleep 0.01; done; "
			      "echo $TENFORWARD_EXTERNAL_PORT >>$SCRATCH/out");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 1);
	tell(s, 1, "web", TENF_EVENT_CHANGED, 2);
	tell(s, 1, "web", TENF_EVENT_CHANGED, 3);
	assert_string_equal(state_of(s->deliveries, 1, NULL), "running");
	scratch_write(s->scratch, "gate", "");
	expect(s, 1, "confirmed");
	assert_string_equal(scratch_read(s->scratch, "out"), "1\n3\n");
}

static void a_command_over_its_time_ends_with_all_it_started(void **state)
{
	struct stage *s = *state;
	int pid, status;

	/* What the command leaves behind becomes our child, so that we see its end. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	add_hook(s, HOOK_RUN, "sleep 1000 & echo $! >$SCRATCH/pid; wait")->timeout_s = 1;
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 1);
	expect(s, 1, "failed");
	assert_string_equal(error_of(s->deliveries, 1, "run"),
			    "took longer than 1 s and was ended");
	pid = atoi(scratch_read(s->scratch, "pid"));
	deliveries_free(s->deliveries);
	s->deliveries = NULL;
	assert_true(pid > 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static bool has_told_pid(void *context)
{
	const struct stage *s = context;

	return strchr(scratch_read(s->scratch, "pid"), '\n') != NULL;
}

static void the_end_of_deliveries_ends_what_runs(void **state)
{
	struct stage *s = *state;
	int pid;

	/* What it says wakes the loop. */
	add_hook(s, HOOK_RUN, "echo $$ >$SCRATCH/pid; echo; exec sleep 1000");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 1);
	assert_true(loop_until(s->base, has_told_pid, s));
	pid = atoi(scratch_read(s->scratch, "pid"));
	assert_true(pid > 1);
	deliveries_free(s->deliveries);
	s->deliveries = NULL;
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void children_of_others_are_left_alone(void **state)
{
	struct stage *s = *state;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(42);
	add_hook(s, HOOK_RUN, "true");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 1);
	expect(s, 1, "confirmed");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void what_a_command_says_is_logged_within_bounds(void **state)
{
	struct stage *s = *state;
	char path[PATH_MAX];
	int kept = dup(2), file;
	const char *log;

	add_hook(s, HOOK_RUN, "echo hello; printf 'a\\033[31mb\\n'; head -c 3000000 /dev/zero | "
			      "tr '\\0' x");
	begin(s);
	file = open(scratch_path(s->scratch, "log", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	dup2(file, 2);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 1);
	expect(s, 1, "confirmed");
	dup2(kept, 2);
	close(kept);
	close(file);
	log = scratch_read(s->scratch, "log");
	assert_non_null(strstr(log, ": hello\n"));
	assert_non_null(strstr(log, ": a [31mb\n"));
	assert_true(strlen(log) < 6000);
}

static void a_command_need_not_read_its_input(void **state)
{
	struct stage *s = *state;
	struct tenf_event event = event_of(TENF_EVENT_MAPPED, TENF_TCP, 1, 2);
	char *large = malloc(1000001);
	json_t *json;

	memset(large, 'x', 1000000);
	large[1000000] = '\0';
	json = json_pack("{ss}", "large", large);
	add_hook(s, HOOK_RUN, "exec <&-; true");
	begin(s);
	deliveries_tell(s->deliveries, 1, "", &event, json);
	expect(s, 1, "confirmed");
	json_decref(json);
	free(large);
}

static void many_are_told_a_few_at_a_time(void **state)
{
	struct stage *s = *state;
	struct delivery_counts counts;

	add_hook(s, HOOK_RUN, "true");
	begin(s);
	for (uint64_t number = 1; number <= 100; number++)
		tell(s, number, "web", TENF_EVENT_MAPPED, 1);
	for (uint64_t number = 1; number <= 100; number++)
		expect(s, number, "confirmed");
	deliveries_count(s->deliveries, &counts);
	assert_int_equal(counts.confirmed, 100);
	assert_int_equal(counts.failed + counts.waiting, 0);
}

static void hear(struct fake *fake, struct evhttp_request *request, const char *path,
		 const char *body)
{
	struct stage *s = fake->context;

	assert_string_equal(path, "/hook?a=b");
	assert_string_equal(fake_header(request, "Content-Type"), "application/json");
	assert_string_equal(body, "{\"event\":\"x\",\"port\":4711}");
	scratch_write(s->scratch, "heard", body);
	fake_answer(request, fake->requests < 3 ? 503 : 204, "");
}

static void begin_webhook(struct stage *s, fake_handler handler, uint32_t timeout_s)
{
	char url[128];

	fake_start(&s->fake, s->base, 0, handler, s);
	snprintf(url, sizeof(url), "%s/hook?a=b", s->fake.url);
	add_hook(s, HOOK_WEBHOOK, url)->timeout_s = timeout_s;
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 4711);
}

static void a_webhook_is_posted_until_it_is_taken(void **state)
{
	struct stage *s = *state;

	begin_webhook(s, hear, 10);
	expect(s, 1, "failed");
	assert_string_equal(error_of(s->deliveries, 1, "webhook http://127.0.0.1"),
			    "answered with status 503");
	expect(s, 1, "confirmed");
	assert_int_equal(s->fake.requests, 3);
}

static void send_elsewhere(struct fake *fake, struct evhttp_request *request, const char *path,
			   const char *body)
{
	(void)path;
	(void)body;
	evhttp_add_header(evhttp_request_get_output_headers(request), "Location", fake->url);
	fake_answer(request, 302, "");
}

static void answer_too_much(struct fake *fake, struct evhttp_request *request, const char *path,
			    const char *body)
{
	struct evbuffer *buffer = evbuffer_new();

	(void)fake;
	(void)path;
	(void)body;
	for (unsigned i = 0; i < OUTGOING_BODY_MAX / 10 + 10; i++)
		evbuffer_add(buffer, "0123456789", 10);
	evhttp_send_reply(request, 200, "answer", buffer);
	evbuffer_free(buffer);
}

static void say_nothing(struct fake *fake, struct evhttp_request *request, const char *path,
			const char *body)
{
	(void)path;
	(void)body;
	(void)request;
	(void)fake;
}

static void no_webhook_is_followed_elsewhere(void **state)
{
	struct stage *s = *state;

	begin_webhook(s, send_elsewhere, 10);
	expect(s, 1, "failed");
	assert_string_equal(error_of(s->deliveries, 1, "webhook"), "answered with status 302");
}

static void an_endless_answer_is_cut(void **state)
{
	struct stage *s = *state;

	begin_webhook(s, answer_too_much, 10);
	expect(s, 1, "failed");
	assert_string_equal(error_of(s->deliveries, 1, "webhook"), "the answer is too large");
}

static void a_silent_webhook_is_given_up(void **state)
{
	struct stage *s = *state;

	begin_webhook(s, say_nothing, 1);
	expect(s, 1, "failed");
	assert_non_null(strstr(error_of(s->deliveries, 1, "webhook"), "timed out"));
}

static void a_file_holds_the_port_while_there_is_one(void **state)
{
	struct stage *s = *state;
	char plain[PATH_MAX], formatted[PATH_MAX];
	struct config_hook *hook;

	add_hook(s, HOOK_FILE, scratch_path(s->scratch, "plain", plain));
	hook = add_hook(s, HOOK_FILE, scratch_path(s->scratch, "formatted", formatted));
	snprintf(hook->format, sizeof(hook->format), "{name} {{{protocol}} {external_address}:"
						     "{external_port} {event} {gateway}");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 4711);
	expect(s, 1, "confirmed");
	assert_string_equal(scratch_read(s->scratch, "plain"), "4711\n");
	assert_string_equal(scratch_read(s->scratch, "formatted"),
			    "web {tcp} 203.0.113.7:4711 mapped 10.2.0.1\n");
	tell(s, 0, "", TENF_EVENT_ADDRESS, 0);
	assert_string_equal(scratch_read(s->scratch, "plain"), "4711\n");
	tell(s, 1, "web", TENF_EVENT_LOST, 4711);
	expect(s, 1, "confirmed");
	assert_int_equal(access(plain, F_OK), -1);
	assert_int_equal(access(formatted, F_OK), -1);
}

static void a_file_that_cannot_be_written_says_why_and_is_tried_again(void **state)
{
	struct stage *s = *state;
	char path[PATH_MAX];

	add_hook(s, HOOK_FILE, scratch_path(s->scratch, "later/port", path));
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 4711);
	expect(s, 1, "failed");
	assert_string_equal(error_of(s->deliveries, 1, "file"), "No such file or directory");
	scratch_write(s->scratch, "later/other", "");
	expect(s, 1, "confirmed");
	assert_string_equal(scratch_read(s->scratch, "later/port"), "4711\n");
}

static void the_port_file_is_of_the_first_mapping(void **state)
{
	struct stage *s = *state;
	struct record_wish wishes[2] = {
		{ .name = "web", .protocol = TENF_TCP, .internal_port = 8080 },
		{ .name = "other", .protocol = TENF_TCP, .internal_port = 8080 },
	};

	scratch_path(s->scratch, "port", s->config.port_file);
	s->config.mappings = wishes;
	s->config.mapping_count = 2;
	begin(s);
	tell(s, 1, "other", TENF_EVENT_MAPPED, 1);
	tell(s, 2, "web", TENF_EVENT_MAPPED, 2);
	expect(s, 2, "confirmed");
	assert_string_equal(state_of(s->deliveries, 1, NULL), "");
	assert_string_equal(scratch_read(s->scratch, "port"), "2\n");
}

static void only_those_are_told_who_asked_for_it(void **state)
{
	struct stage *s = *state;

	add_hook(s, HOOK_RUN, "echo lost >>$SCRATCH/out")->events = 1u << TENF_EVENT_LOST;
	snprintf(add_hook(s, HOOK_RUN, "echo web >>$SCRATCH/out")->mapping, AGENT_NAME, "web");
	begin(s);
	tell(s, 1, "other", TENF_EVENT_MAPPED, 1);
	assert_string_equal(state_of(s->deliveries, 1, NULL), "");
	tell(s, 1, "other", TENF_EVENT_LOST, 1);
	expect(s, 1, "confirmed");
	tell(s, 2, "web", TENF_EVENT_MAPPED, 1);
	expect(s, 2, "confirmed");
	assert_string_equal(scratch_read(s->scratch, "out"), "lost\nweb\n");
}

static bool is_forgotten(void *context)
{
	struct stage *s = context;

	return state_of(s->deliveries, 1, NULL)[0] == '\0';
}

static void a_removed_mapping_is_forgotten_once_that_was_told(void **state)
{
	struct stage *s = *state;

	add_hook(s, HOOK_RUN, "test $TENFORWARD_EVENT = removed && "
			      "echo x >>$SCRATCH/tries && test $(wc -l <$SCRATCH/tries) -ge 3");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 1);
	expect(s, 1, "failed");
	tell(s, 1, "web", TENF_EVENT_REMOVED, 1);
	deliveries_forget(s->deliveries, 1);
	assert_true(loop_until(s->base, is_forgotten, s));
	assert_string_equal(scratch_read(s->scratch, "tries"), "x\nx\nx\n");

	tell(s, 1, "web", TENF_EVENT_MAPPED, 1);
	expect(s, 1, "failed");
	deliveries_forget(s->deliveries, 1);
	assert_true(is_forgotten(s));
}

static void telling_of_a_removal_that_never_works_comes_to_an_end(void **state)
{
	struct stage *s = *state;

	add_hook(s, HOOK_RUN, "false");
	begin(s);
	tell(s, 1, "web", TENF_EVENT_REMOVED, 1);
	deliveries_forget(s->deliveries, 1);
	assert_true(loop_until(s->base, is_forgotten, s));
}

static void equal_targets_stay_and_new_ones_are_introduced(void **state)
{
	struct stage *s = *state;
	struct tenf_event event = event_of(TENF_EVENT_MAPPED, TENF_TCP, 8080, 4711);

	add_hook(s, HOOK_RUN, "echo old >>$SCRATCH/out");
	add_hook(s, HOOK_RUN, "echo gone >>$SCRATCH/out")->events = 1u << TENF_EVENT_LOST;
	begin(s);
	tell(s, 1, "web", TENF_EVENT_MAPPED, 4711);
	tell(s, 1, "web", TENF_EVENT_LOST, 4711);
	expect(s, 1, "confirmed");
	scratch_write(s->scratch, "out", "");
	s->config.hook_count = 1;
	add_hook(s, HOOK_RUN, "echo new >>$SCRATCH/out")->events = 0;
	assert_int_equal(deliveries_reconfigure(s->deliveries, &s->config), TENF_OK);
	assert_string_equal(state_of(s->deliveries, 1, "run echo gone"), "");
	assert_string_equal(state_of(s->deliveries, 1, "run echo old"), "confirmed");
	deliveries_introduce(s->deliveries, 1, "web", &event, NULL);
	expect(s, 1, "confirmed");
	assert_string_equal(state_of(s->deliveries, 1, "run echo new"), "confirmed");
	assert_string_equal(scratch_read(s->scratch, "out"), "new\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_gets_environment_and_json),
		TEST(a_command_that_fails_is_run_again_until_it_succeeds),
		TEST(newer_news_takes_the_place_of_what_waits),
		TEST(a_command_over_its_time_ends_with_all_it_started),
		TEST(the_end_of_deliveries_ends_what_runs),
		TEST(children_of_others_are_left_alone),
		TEST(what_a_command_says_is_logged_within_bounds),
		TEST(a_command_need_not_read_its_input),
		TEST(many_are_told_a_few_at_a_time),
		TEST(a_webhook_is_posted_until_it_is_taken),
		TEST(no_webhook_is_followed_elsewhere),
		TEST(an_endless_answer_is_cut),
		TEST(a_silent_webhook_is_given_up),
		TEST(a_file_holds_the_port_while_there_is_one),
		TEST(a_file_that_cannot_be_written_says_why_and_is_tried_again),
		TEST(the_port_file_is_of_the_first_mapping),
		TEST(only_those_are_told_who_asked_for_it),
		TEST(a_removed_mapping_is_forgotten_once_that_was_told),
		TEST(telling_of_a_removal_that_never_works_comes_to_an_end),
		TEST(equal_targets_stay_and_new_ones_are_introduced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

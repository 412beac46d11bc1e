/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "control/remote.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* The server runs in a process of its own, because requests block. */
struct daemon {
	struct house *house;
	pid_t pid;
	uint16_t tcp_port;
};

static void stop(evutil_socket_t signal_number, short what, void *context)
{
	(void)signal_number;
	(void)what;
	(void)event_base_loopbreak(context);
}

/* Tells its port when it listens, serves until SIGTERM. */
static void serve(struct house *h, int ready)
{
	struct event *end = evsignal_new(h->base, SIGTERM, stop, h->base);
	uint16_t port;

	(void)event_add(end, NULL);
	house_open(h);
	port = control_server_tcp_port(h->server);
	if (write(ready, &port, sizeof(port)) == sizeof(port))
		(void)event_base_dispatch(h->base);
	event_free(end);
	control_stream_free(h->stream);
	control_server_free(h->server);
	_exit(0);
}

static void start(struct daemon *d)
{
	int ready[2];

	assert_int_equal(pipe(ready), 0);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0) {
		(void)event_reinit(d->house->base);
		serve(d->house, ready[1]);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &d->tcp_port, sizeof(d->tcp_port)), sizeof(d->tcp_port));
	(void)close(ready[0]);
}

static void end(struct daemon *d, int signal_number)
{
	int status;

	if (d->pid <= 0)
		return;
	(void)kill(d->pid, signal_number);
	(void)waitpid(d->pid, &status, 0);
	d->pid = 0;
	if (signal_number == SIGTERM)
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int set_up(void **state)
{
	struct daemon *d = calloc(1, sizeof(*d));
	void *house;

	if (d == NULL || house_set_up(&house) != 0)
		return -1;
	d->house = house;
	d->house->options.tcp = "127.0.0.1";
	d->house->options.token = "secret";
	*state = d;
	return unsetenv("TENFORWARD_TOKEN");
}

static int tear_down(void **state)
{
	struct daemon *d = *state;
	void *house = d->house;

	end(d, SIGTERM);
	free(d);
	return house_tear_down(&house);
}

static struct remote *open_remote(const struct daemon *d)
{
	struct tenf_error error = { 0 };
	struct remote *remote = NULL;
	enum tenf_status status = remote_open(REMOTE_AGENT, d->house->path, &remote, &error);

	assert_string_equal(error.text, "");
	assert_int_equal(status, TENF_OK);
	return remote;
}

static void expect(struct remote *remote, const char *method, const char *path,
		   const json_t *body, int status, const char *answer)
{
	struct tenf_error error = { 0 };
	json_t *got = NULL;
	int got_status = 0;
	char *text;

	assert_int_equal(remote_request(remote, method, path, body, &got_status, &got, &error),
			 TENF_OK);
	text = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);
	assert_int_equal(got_status, status);
	assert_string_equal(text, answer);
	free(text);
	json_decref(got);
}

static void requests_are_answered_on_one_connection(void **state)
{
	struct daemon *d = *state;
	json_t *body = json_pack("{ss}", "forward", "80:8080");
	struct remote *remote;

	start(d);
	remote = open_remote(d);
	assert_string_equal(remote_where(remote), d->house->path);
	expect(remote, "GET", "/v1/status", NULL, 200, "{\"mappings\":3}");
	expect(remote, "POST", "/v1/mappings", body, 201, "{\"forward\":\"80:8080\"}");
	expect(remote, "DELETE", "/v1/mappings/m1", NULL, 204, "null");
	expect(remote, "HEAD", "/v1/status", NULL, 200, "null");
	expect(remote, "GET", "/v1/none", NULL, 404,
	       "{\"error\":{\"code\":\"not-found\",\"text\":\"there is nothing at this path\"}}");
	expect(remote, "GET", "/v1/mappings/m2", NULL, 200, "{\"id\":\"m2\"}");
	remote_close(remote);
	json_decref(body);
}

static void a_long_list_arrives_whole(void **state)
{
	struct daemon *d = *state;
	struct remote *remote;
	json_t *body = NULL;

	start(d);
	remote = open_remote(d);
	assert_int_equal(remote_request(remote, "GET", "/v1/large", NULL, NULL, &body, NULL),
			 TENF_OK);
	assert_int_equal(json_array_size(body), 200000);
	json_decref(body);
	remote_close(remote);
}

static void no_socket_is_no_daemon(void **state)
{
	struct daemon *d = *state;
	struct tenf_error error;
	struct remote *remote = NULL;

	assert_int_equal(remote_open(REMOTE_AGENT, d->house->path, &remote, &error),
			 TENF_E_NOT_FOUND);
	assert_non_null(strstr(error.text, d->house->path));
	assert_null(remote);
}

static void a_socket_nobody_listens_on_is_no_daemon(void **state)
{
	struct daemon *d = *state;
	struct tenf_error error;
	struct remote *remote = NULL;

	start(d);
	end(d, SIGKILL);
	assert_int_equal(access(d->house->path, F_OK), 0);
	assert_int_equal(remote_open(REMOTE_AGENT, d->house->path, &remote, &error),
			 TENF_E_NOT_FOUND);
	assert_null(remote);
}

static void a_daemon_that_went_away_is_noticed(void **state)
{
	struct daemon *d = *state;
	struct tenf_error error;
	struct remote *remote;

	start(d);
	remote = open_remote(d);
	expect(remote, "GET", "/v1/status", NULL, 200, "{\"mappings\":3}");
	end(d, SIGKILL);
	assert_int_equal(remote_request(remote, "GET", "/v1/status", NULL, NULL, NULL, &error),
			 TENF_E_NOT_FOUND);
	remote_close(remote);
}

static void a_user_has_an_agent_of_their_own(void **state)
{
	struct daemon *d = *state;
	char folder[128], path[160];
	struct remote *remote = NULL;
	struct tenf_error error;

	(void)snprintf(folder, sizeof(folder), "%s/tenforward", d->house->folder);
	(void)snprintf(path, sizeof(path), "%s/agent.sock", folder);
	d->house->options.path = path;
	start(d);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", d->house->folder, 1), 0);
	assert_int_equal(remote_open(REMOTE_AGENT, NULL, &remote, &error), TENF_OK);
	assert_string_equal(remote_where(remote), path);
	expect(remote, "GET", "/v1/status", NULL, 200, "{\"mappings\":3}");
	remote_close(remote);
	end(d, SIGTERM);
	assert_int_equal(rmdir(folder), 0);
}

static void a_token_opens_tcp(void **state)
{
	struct daemon *d = *state;
	struct remote *remote = NULL;
	char url[64];
	int status = 0;

	start(d);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", d->tcp_port);
	assert_int_equal(remote_open(REMOTE_GATEWAY, url, &remote, NULL), TENF_OK);
	assert_int_equal(remote_request(remote, "GET", "/v1/status", NULL, &status, NULL, NULL),
			 TENF_OK);
	assert_int_equal(status, 401);
	remote_close(remote);
	assert_int_equal(setenv("TENFORWARD_TOKEN", "secret", 1), 0);
	assert_int_equal(remote_open(REMOTE_GATEWAY, url, &remote, NULL), TENF_OK);
	expect(remote, "GET", "/v1/status", NULL, 200, "{\"mappings\":3}");
	remote_close(remote);
}

static void a_module_that_is_missing_is_told(void **state)
{
	struct daemon *d = *state;
	char *modules = strdup(getenv("TENFORWARD_MODULES"));
	struct remote *remote = NULL;
	struct tenf_error error;

	start(d);
	assert_int_equal(setenv("TENFORWARD_MODULES", d->house->folder, 1), 0);
	assert_int_equal(remote_open(REMOTE_AGENT, d->house->path, &remote, &error),
			 TENF_E_SYSTEM);
	assert_non_null(strstr(error.text, "module"));
	assert_int_equal(setenv("TENFORWARD_MODULES", modules, 1), 0);
	free(modules);
}

/* Publishes {"n": number}. */
static void publish(struct remote *remote, int number)
{
	json_t *body = json_pack("{si}", "n", number);
	int status = 0;

	assert_int_equal(remote_request(remote, "PUT", "/v1/publish", body, &status, NULL, NULL),
			 TENF_OK);
	assert_int_equal(status, 204);
	json_decref(body);
}

/* Polls as the command does; the number of the next event, -1 at the end. */
static int next_event(struct remote_stream *stream)
{
	for (;;) {
		struct pollfd waiting = { .fd = remote_stream_fd(stream), .events = POLLIN };
		json_t *event;
		int number;

		if (remote_stream_next(stream, &event)) {
			number = (int)json_integer_value(json_object_get(event, "n"));
			json_decref(event);
			return number;
		}
		(void)poll(&waiting, 1, remote_stream_timeout_ms(stream));
		if (remote_stream_process(stream, NULL) != TENF_OK)
			return -1;
	}
}

static void events_are_pulled_in_a_poll_loop_and_resumed(void **state)
{
	struct daemon *d = *state;
	struct remote_stream *stream = NULL;
	struct remote *remote;
	char last[32];

	start(d);
	remote = open_remote(d);
	assert_int_equal(remote_stream_open(remote, "/v1/events", NULL, &stream, NULL), TENF_OK);
	assert_string_equal(remote_stream_last_id(stream), "");
	for (int i = 1; i <= 20; i++)
		publish(remote, i);
	for (int i = 1; i <= 20; i++)
		assert_int_equal(next_event(stream), i);
	(void)snprintf(last, sizeof(last), "%s", remote_stream_last_id(stream));
	assert_string_equal(last, "20");
	remote_stream_close(stream);
	publish(remote, 21);
	assert_int_equal(remote_stream_open(remote, "/v1/events", last, &stream, NULL), TENF_OK);
	assert_int_equal(next_event(stream), 21);
	end(d, SIGTERM);
	assert_int_equal(next_event(stream), -1);
	remote_stream_close(stream);
	remote_close(remote);
}

static void a_stream_that_is_refused_says_why(void **state)
{
	struct daemon *d = *state;
	struct remote_stream *stream = NULL;
	struct remote *remote;
	struct tenf_error error;

	start(d);
	remote = open_remote(d);
	assert_int_equal(remote_stream_open(remote, "/v1/none", NULL, &stream, &error),
			 TENF_E_NOT_FOUND);
	assert_string_equal(error.text, "no events (status 404): there is nothing at this path");
	assert_int_equal(remote_stream_open(remote, "/v1/events", "x", &stream, &error),
			 TENF_E_SYSTEM);
	assert_null(stream);
	remote_close(remote);
}

/* A process that is stopped or stuck: its kernel still accepts for it. */
static void a_daemon_that_hangs_is_given_up_in_time(void **state)
{
	struct daemon *d = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct remote_stream *stream = NULL;
	struct remote *remote = NULL;
	struct tenf_error error;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", d->house->path);
	*strrchr(address.sun_path, '/') = '\0';
	(void)mkdir(address.sun_path, 0700);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", d->house->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	remote = open_remote(d);
	remote_set_timeout(remote, 30);
	assert_int_equal(remote_request(remote, "GET", "/v1/status", NULL, NULL, NULL, &error),
			 TENF_E_SYSTEM);
	assert_string_equal(error.text, "the daemon did not answer in time");
	assert_int_equal(remote_stream_open(remote, "/v1/events", NULL, &stream, &error),
			 TENF_E_SYSTEM);
	assert_string_equal(error.text, "the daemon did not answer in time");
	assert_null(stream);
	remote_close(remote);
	(void)close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(requests_are_answered_on_one_connection),
		TEST(a_long_list_arrives_whole),
		TEST(no_socket_is_no_daemon),
		TEST(a_socket_nobody_listens_on_is_no_daemon),
		TEST(a_daemon_that_went_away_is_noticed),
		TEST(a_user_has_an_agent_of_their_own),
		TEST(a_token_opens_tcp),
		TEST(a_module_that_is_missing_is_told),
		TEST(events_are_pulled_in_a_poll_loop_and_resumed),
		TEST(a_stream_that_is_refused_says_why),
		TEST(a_daemon_that_hangs_is_given_up_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "house.h"

#include "control/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static unsigned mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void the_parent_and_the_socket_have_their_modes(void **state)
{
	const struct house *h = *state;
	mode_t before = umask(077);
	char parent[96];
	int fd = -1;

	(void)snprintf(parent, sizeof(parent), "%s/run", h->folder);
	assert_int_equal(control_listen_unix(h->path, 0660, NULL, &fd, NULL), TENF_OK);
	(void)umask(before);
	assert_int_equal(mode_of(parent), 0755);
	assert_int_equal(mode_of(h->path), 0660);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	(void)close(fd);
}

static void a_stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	const struct house *h = *state;
	struct tenf_error error;
	int first = -1, second = -1;

	assert_int_equal(control_listen_unix(h->path, 0600, NULL, &first, NULL), TENF_OK);
	assert_int_equal(control_listen_unix(h->path, 0600, NULL, &second, &error),
			 TENF_E_SYSTEM);
	assert_int_equal(error.system_error, EADDRINUSE);
	assert_non_null(strstr(error.text, "another daemon answers"));
	assert_int_equal(second, -1);
	(void)close(first);
	assert_int_equal(control_listen_unix(h->path, 0600, NULL, &second, &error), TENF_OK);
	(void)close(second);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	const struct house *h = *state;
	struct tenf_error error;
	char parent[96];
	int fd = -1, file;

	(void)snprintf(parent, sizeof(parent), "%s/run", h->folder);
	assert_int_equal(mkdir(parent, 0755), 0);
	file = open(h->path, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	(void)close(file);
	assert_int_equal(control_listen_unix(h->path, 0600, NULL, &fd, &error), TENF_E_SYSTEM);
	assert_int_equal(error.system_error, EEXIST);
	assert_int_equal(access(h->path, F_OK), 0);
}

static void a_group_may_be_named_or_numbered(void **state)
{
	const struct house *h = *state;
	struct tenf_error error;
	struct stat status;
	char number[16];
	int fd = -1;

	(void)snprintf(number, sizeof(number), "%u", (unsigned)getgid());
	assert_int_equal(control_listen_unix(h->path, 0660, number, &fd, NULL), TENF_OK);
	assert_int_equal(stat(h->path, &status), 0);
	assert_int_equal(status.st_gid, getgid());
	(void)close(fd);
	assert_int_equal(control_listen_unix(h->path, 0660, "no-such-group-here", &fd, &error),
			 TENF_E_ARGUMENT);
	assert_string_equal(error.text, "there is no group \"no-such-group-here\"");
	assert_int_equal(access(h->path, F_OK), -1);
}

/* The file's rights are somebody's secret; the linker has bind() go by here. */
static const char *victim; /* NULL: nobody attacks */
static bool by_hard_link;

int __real_bind(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len);

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct sockaddr_un *at = (const struct sockaddr_un *)(const void *)address;
	int result = __real_bind(fd, address, len);

	if (victim != NULL && result == 0) {
		assert_int_equal(unlink(at->sun_path), 0);
		assert_int_equal(by_hard_link ? link(victim, at->sun_path)
					      : symlink(victim, at->sun_path), 0);
	}
	return result;
}

static void what_takes_the_place_of_the_socket_keeps_its_rights(void **state)
{
	const struct house *h = *state;
	struct tenf_error error;
	struct stat before, after;
	char path[96], number[16];
	int fd = -1, file;

	(void)snprintf(path, sizeof(path), "%s/secret", h->folder);
	file = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	(void)close(file);
	assert_int_equal(stat(path, &before), 0);
	(void)snprintf(number, sizeof(number), "%u", (unsigned)getgid());
	for (unsigned turn = 0; turn < 4; turn++) {
		victim = path;
		by_hard_link = turn % 2 == 1;
		if (turn >= 2) {
			assert_int_equal(control_listen_unix(h->path, 0666, number, &fd, &error),
					 TENF_E_SYSTEM);
			assert_non_null(strstr(error.text, "replaced by somebody else"));
		} else {
			assert_int_equal(control_listen_unix(h->path, 0666, NULL, &fd, NULL),
					 TENF_OK);
			(void)close(fd);
			assert_int_equal(unlink(h->path), 0);
		}
		victim = NULL;
		assert_int_equal(stat(path, &after), 0);
		assert_int_equal(after.st_mode, before.st_mode);
		assert_true(after.st_ctim.tv_sec == before.st_ctim.tv_sec || by_hard_link);
	}
	assert_int_equal(unlink(path), 0);
}

static void a_path_that_is_no_path_is_an_argument(void **state)
{
	char path[200];
	struct tenf_error error;
	int fd = -1;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_listen_unix("", 0660, NULL, &fd, &error), TENF_E_ARGUMENT);
	assert_int_equal(control_listen_unix(path, 0660, NULL, &fd, &error), TENF_E_ARGUMENT);
	assert_int_equal(control_listen_unix("/proc/no/agent.sock", 0660, NULL, &fd, &error),
			 TENF_E_SYSTEM);
	assert_int_equal(fd, -1);
}

static void tcp_takes_any_port_and_tells_it(void **state)
{
	struct tenf_error error;
	uint16_t port = 0, again = 0;
	char where[32];
	int fd = -1, second = -1;

	(void)state;
	assert_int_equal(control_listen_tcp("127.0.0.1", &fd, &port, NULL), TENF_OK);
	assert_true(port > 0);
	(void)snprintf(where, sizeof(where), "127.0.0.1:%u", port);
	assert_int_equal(control_listen_tcp(where, &second, &again, &error), TENF_E_SYSTEM);
	assert_int_equal(error.system_error, EADDRINUSE);
	(void)close(fd);
	assert_int_equal(control_listen_tcp("localhost:80", &fd, &port, &error),
			 TENF_E_ARGUMENT);
}

static void a_socket_that_listens_already_is_served(void **state)
{
	struct house *h = *state;
	int fd = -1;

	assert_int_equal(control_listen_unix(h->path, 0600, NULL, &fd, NULL), TENF_OK);
	h->options.path = NULL;
	h->options.fd = fd;
	house_open(h);
	house_expect(h, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL);
	control_server_free(h->server);
	h->server = NULL;
	assert_int_equal(access(h->path, F_OK), 0); /* it was not ours to remove */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_parent_and_the_socket_have_their_modes),
		TEST(a_stale_socket_is_replaced_and_a_live_one_is_not),
		TEST(a_file_that_is_no_socket_is_left_alone),
		TEST(a_group_may_be_named_or_numbered),
		TEST(what_takes_the_place_of_the_socket_keeps_its_rights),
		TEST(a_path_that_is_no_path_is_an_argument),
		TEST(tcp_takes_any_port_and_tells_it),
		TEST(a_socket_that_listens_already_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

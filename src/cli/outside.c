/* SPDX-License-Identifier: MIT */
#include "cli/outside.h"

#include "base/forward.h"
#include "cli/child.h"
#include "control/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ssh to a busy host, and five seconds of trying there. */
#define SSH_TIMEOUT_MS 30000
#define COMMAND_SIZE 1024
#define ANSWER_SIZE 4096
#define URL_SIZE 2048
#define MARK "tenforward="

/* ---- The far shell ------------------------------------------------------------------ */

/* bash opens the connection itself, nc is there where bash is not; 124 is what
 * `timeout` ends with. A datagram is waited an answer for. */
bool outside_command(const struct outside_target *target, char *ret, size_t size)
{
	static const char tcp[] =
		"a=%s p=%u; if command -v bash >/dev/null; then timeout 5 bash -c "
		"\": </dev/tcp/$a/$p\"; elif command -v nc >/dev/null; then nc -z -w 5 $a $p; "
		"else (exit 99); fi 2>/dev/null; echo " MARK "$?";
	static const char udp[] =
		"a=%s p=%u; if command -v bash >/dev/null; then timeout 5 bash -c "
		"\"exec 3<>/dev/udp/$a/$p && printf x >&3 && head -c 1 <&3 >/dev/null\"; "
		"else (exit 99); fi 2>/dev/null; echo " MARK "$?";
	int len = snprintf(ret, size, target->protocol == TENF_TCP ? tcp : udp, target->address,
			   target->port);

	return len > 0 && (size_t)len < size;
}

enum outside outside_read_shell(const char *text, struct tenf_text *why)
{
	const char *mark = strstr(text, MARK);
	uint64_t status = 0;
	size_t len;

	if (mark == NULL) {
		tenf_text_add(why, "the other computer did not run the check");
		return OUTSIDE_FAILED;
	}
	mark += strlen(MARK);
	len = strspn(mark, "0123456789");
	if (!tenf_text_number(mark, len, 255, &status)) {
		tenf_text_add(why, "the other computer's answer makes no sense");
		return OUTSIDE_FAILED;
	}
	if (status == 0)
		return OUTSIDE_OPEN;
	if (status == 124)
		return OUTSIDE_SILENT;
	if (status != 99 && status != 127)
		return OUTSIDE_REFUSED;
	tenf_text_add(why, "the other computer has neither bash nor nc");
	return OUTSIDE_FAILED;
}

/* Reads to the end, or to the time-out; false then. */
static bool read_all(struct cli *cli, int fd, char *ret, size_t size)
{
	int64_t end = cli->steady_ms() + SSH_TIMEOUT_MS;
	size_t used = 0;
	ssize_t got = 1;

	while (got > 0 && used + 1 < size) {
		struct pollfd waiting = { .fd = fd, .events = POLLIN };
		int64_t left = end - cli->steady_ms();

		if (left <= 0 || poll(&waiting, 1, (int)left) == 0)
			break;
		got = read(fd, ret + used, size - 1 - used);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			used += (size_t)got;
	}
	ret[used] = '\0';
	return got <= 0 || used + 1 >= size;
}

static enum outside failed(struct tenf_text *why, const char *what, int error)
{
	tenf_text_add(why, what);
	if (error != 0) {
		tenf_text_add(why, ": ");
		tenf_text_add(why, strerror(error));
	}
	return OUTSIDE_FAILED;
}

/* ssh as the user has set it up; it may ask for nothing, since nobody would see it. */
static enum outside run_ssh(struct cli *cli, const char *host, char *command, int output[2],
			    struct tenf_text *why)
{
	char ssh[] = "ssh", batch[] = "-oBatchMode=yes", time[] = "-oConnectTimeout=10";
	char end[] = "--", answer[ANSWER_SIZE], place[256];
	char *arguments[] = { ssh, batch, time, end, place, command, NULL };
	struct child child = { .arguments = arguments, .environment = environ,
			       .output = output[1] };
	sigset_t mask;
	bool complete;
	int error, status;
	pid_t pid;

	(void)snprintf(place, sizeof(place), "%s", host);
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	child.mask = &mask;
	error = child_start(&child, &pid);
	close(output[1]);
	output[1] = -1;
	if (error != 0)
		return failed(why, "ssh cannot be started", error);
	complete = read_all(cli, output[0], answer, sizeof(answer));
	if (!complete)
		(void)kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (!complete)
		return failed(why, "ssh did not end in time", 0);
	if (child_exit(status) == 255) /* its own failure, of which it told itself */
		return failed(why, "ssh could not get there", 0);
	return outside_read_shell(answer, why);
}

enum outside outside_by_ssh(struct cli *cli, const char *host,
			    const struct outside_target *target, struct tenf_text *why)
{
	char command[COMMAND_SIZE];
	int output[2];
	enum outside result;

	if (!outside_command(target, command, sizeof(command)))
		return failed(why, "the address is too long", 0);
	if (pipe2(output, O_CLOEXEC) != 0)
		return failed(why, "no pipe", errno);
	(void)cli_flush(cli);
	result = run_ssh(cli, host, command, output, why);
	close(output[0]);
	if (output[1] >= 0)
		close(output[1]);
	return result;
}

/* ---- A check service ------------------------------------------------------------------ */

bool outside_url(const char *url, const struct outside_target *target, char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return false;
	while (*url != '\0') {
		size_t skip = 1;

		if (strncmp(url, "{address}", 9) == 0) {
			tenf_text_add(&t, target->address);
			skip = 9;
		} else if (strncmp(url, "{port}", 6) == 0) {
			tenf_text_add_number(&t, target->port);
			skip = 6;
		} else if (strncmp(url, "{protocol}", 10) == 0) {
			tenf_text_add(&t, tenf_protocol_name(target->protocol));
			skip = 10;
		} else {
			tenf_text_add_char(&t, *url);
		}
		url += skip;
	}
	return !t.cut;
}

static bool is_word(const char *text, const char *word)
{
	static const char blank[] = " \t\r\n.";
	size_t len = strlen(word);

	text += strspn(text, blank);
	return strncasecmp(text, word, len) == 0 && text[len + strspn(text + len, blank)] == '\0';
}

enum outside outside_read_answer(const char *text, struct tenf_text *why)
{
	json_t *answer = json_loads(text, JSON_DECODE_ANY, NULL);
	const json_t *open = json_is_boolean(answer) ? answer : json_object_get(answer, "open");
	enum outside result = OUTSIDE_FAILED;

	if (json_is_boolean(open))
		result = json_is_true(open) ? OUTSIDE_OPEN : OUTSIDE_REFUSED;
	else if (is_word(text, "open"))
		result = OUTSIDE_OPEN;
	else if (is_word(text, "closed"))
		result = OUTSIDE_REFUSED;
	else
		tenf_text_add(why, "it says neither open nor closed");
	json_decref(answer);
	return result;
}

static enum outside failed_with(struct tenf_text *why, int status)
{
	tenf_text_add(why, "it answered with status ");
	tenf_text_add_number(why, (uint64_t)status);
	return OUTSIDE_FAILED;
}

enum outside outside_by_url(struct cli *cli, const char *url,
			    const struct outside_target *target, struct tenf_text *why)
{
	struct tenf_error error = { .result = -1 };
	char filled[URL_SIZE], *text = NULL;
	enum outside result;
	int status = 0;

	if (!outside_url(url, target, filled, sizeof(filled)))
		return failed(why, "that is no URL of http or https", 0);
	if (remote_fetch(filled, cli->global.ask.timeout_ms, &status, &text, &error) != TENF_OK)
		return failed(why, error.text, 0);
	if (status == 200)
		result = outside_read_answer(text, why);
	else
		result = failed_with(why, status);
	free(text);
	return result;
}

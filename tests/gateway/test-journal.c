/* SPDX-License-Identifier: MIT */
/* Decisions as the journal gets them, by a socket that stands in for it. */
#include "house.h"

#include "gateway/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SENDS_MAX 100000 /* more than any queue of a socket */

struct stand_in {
	char folder[64];
	char path[80];
	char stream[64]; /* of our standard error */
	int fd;
};

static int set_up(void **state)
{
	struct stand_in *s = calloc(1, sizeof(*s));
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat info;

	*state = s;
	snprintf(s->folder, sizeof(s->folder), "/tmp/tenforward-journal-XXXXXX");
	if (mkdtemp(s->folder) == NULL || fstat(STDERR_FILENO, &info) != 0)
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	snprintf(s->stream, sizeof(s->stream), "%ju:%ju", (uintmax_t)info.st_dev,
		 (uintmax_t)info.st_ino);
	memcpy(at.sun_path, s->path, strlen(s->path) + 1);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return bind(s->fd, (const struct sockaddr *)&at, sizeof(at));
}

static int tear_down(void **state)
{
	struct stand_in *s = *state;

	close(s->fd);
	unlink(s->path);
	rmdir(s->folder);
	free(s);
	return 0;
}

static struct responder_record lease(void)
{
	return (struct responder_record){
		.verdict = RESPONDER_GRANTED, .version = PCP_VERSION, .opcode = PCP_MAP,
		.protocol = TENF_TCP, .client = house_host(20),
		.internal = { house_host(21), 8080 },
		.external = { house_external, 80 }, .lifetime_s = 7200, .rule = 2, .count = 1,
	};
}

static void expect_entry(struct stand_in *s, const struct responder_record *record,
			 const char *rule, const char *wanted)
{
	char entry[JOURNAL_ENTRY_MAX + 1];
	int fd = journal_open(s->stream, STDERR_FILENO);
	ssize_t got;

	assert_true(fd >= 0);
	assert_true(journal_send(fd, s->path, "one\nline", record, rule));
	got = recv(s->fd, entry, sizeof(entry) - 1, MSG_DONTWAIT);
	assert_true(got > 0);
	entry[got] = '\0';
	assert_string_equal(entry, wanted);
	close(fd);
}

static void a_decision_has_fields(void **state)
{
	struct responder_record r = lease();

	expect_entry(*state, &r, "web",
		     "MESSAGE=one line\nPRIORITY=6\nSYSLOG_IDENTIFIER=tenforward-gatewayd\n"
		     "TENFORWARD_EVENT=granted\nTENFORWARD_METHOD=pcp\nTENFORWARD_RESULT=SUCCESS\n"
		     "TENFORWARD_CLIENT=192.168.1.20\nTENFORWARD_PROTOCOL=tcp\n"
		     "TENFORWARD_INTERNAL_ADDRESS=192.168.1.21\nTENFORWARD_INTERNAL_PORT=8080\n"
		     "TENFORWARD_EXTERNAL_PORT=80\nTENFORWARD_LIFETIME=7200\n"
		     "TENFORWARD_EXTERNAL_ADDRESS=203.0.113.7\nTENFORWARD_RULE_NUMBER=3\n"
		     "TENFORWARD_RULE=web\n");
	r.verdict = RESPONDER_REFUSED;
	r.version = NATPMP_VERSION;
	r.result = NATPMP_NOT_AUTHORIZED;
	r.external = (struct tenf_endpoint){ tenf_address_none4, 0 };
	r.lifetime_s = 0;
	expect_entry(*state, &r, "",
		     "MESSAGE=one line\nPRIORITY=5\nSYSLOG_IDENTIFIER=tenforward-gatewayd\n"
		     "TENFORWARD_EVENT=refused\nTENFORWARD_METHOD=natpmp\n"
		     "TENFORWARD_RESULT=NOT_AUTHORIZED\n"
		     "TENFORWARD_CLIENT=192.168.1.20\nTENFORWARD_PROTOCOL=tcp\n"
		     "TENFORWARD_INTERNAL_ADDRESS=192.168.1.21\nTENFORWARD_INTERNAL_PORT=8080\n"
		     "TENFORWARD_RULE_NUMBER=3\nTENFORWARD_RULE=3\n");
	r = (struct responder_record){ .verdict = RESPONDER_RESTARTED, .rule = POLICY_NO_RULE,
				       .client = tenf_address_none4,
				       .external = { house_external, 0 } };
	expect_entry(*state, &r, "",
		     "MESSAGE=one line\nPRIORITY=5\nSYSLOG_IDENTIFIER=tenforward-gatewayd\n"
		     "TENFORWARD_EVENT=restarted\nTENFORWARD_EXTERNAL_ADDRESS=203.0.113.7\n");
}

static void who_does_not_write_to_the_journal_does_not_speak_to_it(void **state)
{
	const struct stand_in *s = *state;

	assert_int_equal(journal_open(NULL, STDERR_FILENO), -1);
	assert_int_equal(journal_open("", STDERR_FILENO), -1);
	assert_int_equal(journal_open("1:2", STDERR_FILENO), -1);
	assert_int_equal(journal_open(s->stream, s->fd), -1); /* another file */
	assert_int_equal(journal_open(s->stream, -1), -1);
}

static void a_full_or_missing_journal_is_told_at_once(void **state)
{
	struct stand_in *s = *state;
	struct responder_record r = lease();
	int fd = journal_open(s->stream, STDERR_FILENO);
	unsigned sent = 0;

	assert_true(fd >= 0);
	while (sent < SENDS_MAX && journal_send(fd, s->path, "x", &r, ""))
		sent++;
	assert_in_range(sent, 1, SENDS_MAX - 1);
	unlink(s->path);
	assert_false(journal_send(fd, s->path, "x", &r, ""));
	close(fd);
}

static void what_does_not_fit_an_entry_is_not_cut(void **state)
{
	struct stand_in *s = *state;
	struct responder_record r = lease();
	char line[JOURNAL_ENTRY_MAX + 1];
	int fd = journal_open(s->stream, STDERR_FILENO);

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_true(fd >= 0);
	assert_false(journal_send(fd, s->path, line, &r, ""));
	line[399] = '\0'; /* the longest line of the log */
	assert_true(journal_send(fd, s->path, line, &r, "a rule with a name of 31 octets"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_decision_has_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_does_not_write_to_the_journal_does_not_speak_to_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_or_missing_journal_is_told_at_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_an_entry_is_not_cut, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("gateway journal", tests, NULL, NULL);
}

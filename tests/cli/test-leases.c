/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "cli/leases.h"
#include "files/whole-file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8
#define WRITES 10

static char *messages;
static size_t messages_len;

static int64_t fake_clock(void)
{
	return fake.now;
}

static struct cli quiet_cli(void)
{
	struct cli cli = { .out = stdout, .now = fake_clock };

	cli.err = open_memstream(&messages, &messages_len);
	assert_non_null(cli.err);
	return cli;
}

static void done_cli(struct cli *cli)
{
	fclose(cli->err);
	free(messages);
	messages = NULL;
}

static struct lease make_lease(uint16_t port)
{
	struct lease lease = {
		.name = "web \xe2\x82\xac",
		.for_other = true,
		.mapping = {
			.protocol = TENF_UDP,
			.state = TENF_STATE_MAPPED,
			.method = TENF_METHOD_NATPMP,
			.internal_port = port,
			.external_port = 4000,
			.requested_external_port = 80,
			.gateway_port = 5351,
			.lifetime_s = UINT32_MAX,
			.expires_at = FAKE_NOW + 7200,
			.renews_at = FAKE_NOW + 3600,
			.internal_address = "192.168.1.31",
			.external_address = "203.0.113.7",
			.gateway = "fe80::1%eth0",
			.nonce = { 0, 1, 0xfe, 0xff, 4, 5, 6, 7, 8, 9, 10, 11 },
		},
	};

	return lease;
}

static void write_record(const char *text)
{
	assert_int_equal(whole_file_folders(command_record()), TENF_OK);
	assert_int_equal(whole_file_write(command_record(), text, strlen(text), 0600), TENF_OK);
}

static void a_lease_comes_back_as_it_was_written(void **state)
{
	struct cli cli = quiet_cli();
	struct lease lease = make_lease(8080);
	struct leases leases;

	(void)state;
	assert_true(leases_open(&cli, &leases));
	assert_int_equal(leases_put(&leases, &lease), 1);
	assert_true(leases_write(&cli, &leases));
	leases_done(&leases);
	leases_read(&cli, &leases);
	assert_int_equal(leases.count, 1);
	lease.number = 1;
	assert_memory_equal(&leases.items[0].mapping, &lease.mapping, sizeof(lease.mapping));
	assert_string_equal(leases.items[0].name, lease.name);
	assert_true(leases.items[0].for_other);
	leases_done(&leases);
	done_cli(&cli);
}

static void the_record_is_for_its_owner_alone(void **state)
{
	struct stat file, folder;
	char path[200];

	(void)state;
	(void)command("add 8080");
	assert_int_equal(stat(command_record(), &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/tenforward", command_folder());
	assert_int_equal(stat(path, &folder), 0);
	assert_int_equal(folder.st_mode & 0777, 0700);
}

static void ids_are_stable_and_never_used_twice(void **state)
{
	struct cli cli = quiet_cli();
	struct lease lease = make_lease(1);
	struct leases leases;

	(void)state;
	assert_true(leases_open(&cli, &leases));
	assert_int_equal(leases_put(&leases, &lease), 1);
	lease = make_lease(2);
	assert_int_equal(leases_put(&leases, &lease), 2);
	assert_int_equal(leases_put(&leases, &lease), 2); /* the same wish again */
	leases_drop(&leases, 2);
	leases_drop(&leases, 7); /* unknown: nothing happens */
	assert_true(leases_write(&cli, &leases));
	leases_done(&leases);
	assert_true(leases_open(&cli, &leases));
	assert_int_equal(leases.count, 1);
	lease = make_lease(3);
	assert_int_equal(leases_put(&leases, &lease), 3);
	leases_done(&leases);
	done_cli(&cli);
}

static void ended_leases_are_dropped(void **state)
{
	struct command c;

	(void)state;
	(void)command("add 8080 --lifetime 1m");
	(void)command("add 8081 --lifetime 2m");
	fake.now += 60;
	c = command("list");
	assert_null(strstr(c.out, "8080"));
	assert_non_null(strstr(c.out, "8081"));
	c = command("remove m1");
	assert_int_equal(c.status, 2);
}

#define HEAD "tenforward-leases 1 next=3\n"
#define FIELDS \
	"id=1 protocol=tcp internal=10.0.0.2 port=80 external=- external-port=80 requested=0 " \
	"gateway=10.0.0.1 gateway-port=5351 method=pcp lifetime=60 expires=1895338183 " \
	"renews=0 keeper=0 for-other=0 nonce=000102030405060708090a0b name="

static const char *const damaged[] = {
	"",
	"{}",
	"tenforward-leases 2 next=1\n",
	"tenforward-leases 1 next=0\n",
	"tenforward-leases 1 next=-1\n",
	"tenforward-leases 1\n",
	"tenforward-leases 1 next=3",
	HEAD "\n",
	HEAD "end\n",
	HEAD "id=0 protocol=tcp\n",
	HEAD "id=9223372036854775807 protocol=tcp\n",
	HEAD "id=1\n",
	HEAD "id=1 protocol=sctp\n",
	HEAD FIELDS "0123456789012345678901234567890123456789012345678901234567890123456789"
		    "0123456789012345678901234567890123456789012345678901234567\n",
};

static void the_shape_of_the_record_stays_what_it_is(void **state)
{
	struct command c;

	(void)state;
	write_record(HEAD FIELDS "a web server\n");
	c = command("list");
	assert_string_equal(c.err, "");
	assert_non_null(strstr(c.out, "a web server"));
}

static void a_damaged_file_is_set_aside_with_a_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct command c;
		char aside[300], *kept;
		size_t len;

		write_record(damaged[i]);
		c = command("list --json");
		assert_int_equal(c.status, 0);
		snprintf(aside, sizeof(aside), "%s.damaged-%zu", command_record(), i + 1);
		if (strstr(c.err, aside) == NULL)
			fail_msg("%s: %s", damaged[i], c.err);
		assert_int_equal(whole_file_read(aside, 1000, &kept, &len), TENF_OK);
		assert_string_equal(kept, damaged[i]);
		free(kept);
		c = command("list");
		assert_null(strstr(c.err, "damaged"));
	}
}

static void what_can_be_read_of_a_damaged_file_stays(void **state)
{
	struct command c;
	char *text, *broken;
	size_t len;

	(void)state;
	(void)command("add 8080");
	(void)command("add 8081");
	assert_int_equal(whole_file_read(command_record(), 100000, &text, &len), TENF_OK);
	broken = strstr(text, "=pcp");
	assert_non_null(broken);
	memcpy(broken, "=foo", 4);
	write_record(text);
	free(text);
	c = command("list");
	assert_non_null(strstr(c.err, "\"method\" of lease m1 makes no sense"));
	c = command("add 8082 --json");
	assert_non_null(strstr(c.out, "\"m")); /* a record can be written again */
	c = command("list");
	assert_string_equal(c.err, "");
	assert_null(strstr(c.out, "8080"));
	assert_non_null(strstr(c.out, "8081"));
	assert_non_null(strstr(c.out, "8082"));
}

static void a_file_that_is_too_large_is_set_aside(void **state)
{
	struct command c;
	FILE *file;

	(void)state;
	write_record("{}");
	file = fopen(command_record(), "w");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)LEASES_FILE_MAX + 1, SEEK_SET), 0);
	assert_int_equal(fputc('x', file), 'x');
	assert_int_equal(fclose(file), 0);
	c = command("list");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "it is too large"));
}

static ino_t file_number(void)
{
	struct stat file;

	assert_int_equal(stat(command_record(), &file), 0);
	return file.st_ino;
}

/* So that the disk has nothing to wait for, and a crash can take the last line alone. */
static void a_renewal_is_a_line_at_the_end(void **state)
{
	struct command c;
	char *before, *after;
	size_t len, later;
	ino_t number;

	(void)state;
	(void)command("add 8080");
	(void)command("add 8081");
	number = file_number();
	assert_int_equal(whole_file_read(command_record(), 100000, &before, &len), TENF_OK);
	fake.now += 60;
	(void)command("add 8080");
	assert_int_equal(file_number(), number);
	assert_int_equal(whole_file_read(command_record(), 100000, &after, &later), TENF_OK);
	assert_true(later > len);
	assert_memory_equal(before, after, len);
	c = command("list");
	assert_null(strstr(strstr(c.out, "8080") + 1, "\nm1"));
	assert_true(strstr(c.out, "m1") < strstr(c.out, "m2"));
	free(before);
	free(after);
}

static void what_is_of_no_use_any_more_has_a_limit(void **state)
{
	char *text;
	size_t len, first = 0;

	(void)state;
	for (int i = 0; i < 4 * LEASES_STALE_MAX; i++) {
		(void)command("add 8080");
		assert_int_equal(whole_file_read(command_record(), 100000, &text, &len), TENF_OK);
		free(text);
		first = first == 0 ? len : first;
		assert_true(len <= first * (LEASES_STALE_MAX + 2));
	}
}

static void a_drop_writes_the_record_anew(void **state)
{
	ino_t number;
	char *text;
	size_t len;

	(void)state;
	(void)command("add 8080");
	(void)command("add 8081");
	number = file_number();
	assert_int_equal(command("remove m1").status, 0);
	assert_true(file_number() != number);
	assert_int_equal(whole_file_read(command_record(), 100000, &text, &len), TENF_OK);
	assert_null(strstr(text, "id=1 "));
	assert_non_null(strstr(text, "id=2 "));
	free(text);
}

/* What a full disk or a crash leaves of the last line. */
static void a_line_without_its_end_is_nothing(void **state)
{
	struct command c;
	char *text;
	size_t len;

	(void)state;
	(void)command("add 8080");
	(void)command("add 8081");
	assert_int_equal(whole_file_read(command_record(), 100000, &text, &len), TENF_OK);
	for (size_t cut = 1; cut < 100; cut++) {
		text[len - cut] = '\0';
		write_record(text);
		c = command("list");
		assert_string_equal(c.err, "");
		assert_non_null(strstr(c.out, "8080"));
		assert_null(strstr(c.out, "8081"));
	}
	free(text);
	c = command("add 8082");
	assert_int_equal(c.status, 0);
	c = command("list");
	assert_string_equal(c.err, "");
	assert_non_null(strstr(c.out, "8080"));
	assert_non_null(strstr(c.out, "8082"));
}

static void what_stands_before_a_hole_stays(void **state)
{
	struct command c;
	FILE *file;

	(void)state;
	(void)command("add 8080");
	file = fopen(command_record(), "a");
	assert_non_null(file);
	assert_int_equal(fwrite("\0\0\0\0", 4, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	c = command("add 8081");
	assert_non_null(strstr(c.err, "it is no text"));
	c = command("list");
	assert_string_equal(c.err, "");
	assert_non_null(strstr(c.out, "8080"));
	assert_non_null(strstr(c.out, "8081"));
}

static void what_cannot_be_recorded_is_told_once(void **state)
{
	struct command c;
	char lock[300];

	(void)state;
	(void)command("add 8080");
	snprintf(lock, sizeof(lock), "%s.lock", command_record());
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkdir(lock, 0700), 0);
	c = command("add 8080");
	assert_int_equal(c.status, 0); /* the port is open all the same */
	assert_non_null(strstr(c.err, "cannot record leases"));
	assert_null(strstr(strstr(c.err, "cannot record leases") + 1, "cannot record leases"));
	assert_int_equal(rmdir(lock), 0);
}

/* What was read is not read again, unless somebody wrote meanwhile. */
static void a_record_that_another_wrote_to_is_read_again(void **state)
{
	struct cli cli = quiet_cli();
	struct lease lease = make_lease(1);
	struct leases mine, other;

	(void)state;
	for (int i = 0; i < 3; i++) {
		leases_read(&cli, &mine);
		assert_true(leases_open(&cli, &other));
		lease.mapping.internal_port = (uint16_t)(100 + i);
		assert_int_equal(leases_put(&other, &lease), 2 * i + 1);
		if (i == 2)
			leases_drop(&other, 1); /* written anew, as long as before */
		assert_true(leases_write(&cli, &other));
		leases_done(&other);
		assert_true(leases_reopen(&cli, &mine));
		lease.mapping.internal_port = (uint16_t)(200 + i);
		assert_int_equal(leases_put(&mine, &lease), 2 * i + 2);
		assert_true(leases_write(&cli, &mine));
		leases_done(&mine);
	}
	leases_read(&cli, &mine);
	assert_int_equal(mine.count, 5);
	assert_true(leases_reopen(&cli, &mine));
	assert_int_equal(mine.count, 5);
	leases_done(&mine);
	done_cli(&cli);
}

static void write_some(uint16_t base)
{
	for (uint16_t i = 0; i < WRITES; i++) {
		struct cli cli = { .out = stdout, .err = stderr, .now = fake_clock };
		struct lease lease = make_lease((uint16_t)(base + i));
		struct leases leases;

		if (!leases_open(&cli, &leases) || leases_put(&leases, &lease) == 0 ||
		    !leases_write(&cli, &leases))
			_exit(1);
		leases_done(&leases);
	}
	_exit(0);
}

static void writers_at_the_same_time_lose_nothing(void **state)
{
	struct cli cli = quiet_cli();
	struct leases leases;

	(void)state;
	for (uint16_t i = 0; i < WRITERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			write_some((uint16_t)(1000 + i * WRITES));
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	leases_read(&cli, &leases);
	assert_int_equal(leases.count, WRITERS * WRITES);
	assert_int_equal(leases.next_number, WRITERS * WRITES + 1);
	leases_done(&leases);
	done_cli(&cli);
}

static void the_record_has_a_limit(void **state)
{
	struct cli cli = quiet_cli();
	struct leases leases;

	(void)state;
	assert_true(leases_open(&cli, &leases));
	for (unsigned i = 1; i <= LEASES_MAX; i++) {
		struct lease lease = make_lease((uint16_t)i);

		assert_int_equal(leases_put(&leases, &lease), i);
	}
	assert_int_equal(leases_put(&leases, &(struct lease){ .name = "one more" }), 0);
	leases_done(&leases);
	done_cli(&cli);
}

static void the_place_follows_the_environment(void **state)
{
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(setenv("HOME", "/somewhere", 1), 0);
	assert_true(leases_path(path, sizeof(path)));
	assert_string_equal(path, command_record());
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
	assert_true(leases_path(path, sizeof(path)));
	assert_string_equal(path, "/somewhere/.local/state/tenforward/leases");
	assert_int_equal(unsetenv("HOME"), 0);
	assert_int_equal(leases_path(path, sizeof(path)), geteuid() == 0);
	if (geteuid() == 0)
		assert_string_equal(path, "/var/lib/tenforward/leases");
}

static void a_file_is_written_whole_or_not_at_all(void **state)
{
	char path[300], *text;
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/file", command_folder());
	assert_int_equal(whole_file_write(path, "first", 5, 0644), TENF_OK);
	assert_int_equal(whole_file_write(path, "second", 6, 0600), TENF_OK);
	assert_int_equal(whole_file_read(path, 100, &text, &len), TENF_OK);
	assert_string_equal(text, "second");
	assert_int_equal(len, 6);
	free(text);
	assert_int_equal(whole_file_read(path, 5, &text, &len), TENF_E_LIMIT);
	snprintf(path, sizeof(path), "%s/none/file", command_folder());
	assert_int_equal(whole_file_write(path, "x", 1, 0600), TENF_E_SYSTEM);
	assert_int_equal(whole_file_read(path, 100, &text, &len), TENF_E_NOT_FOUND);
	/* A folder stands where the file would be: nothing is left behind. */
	snprintf(path, sizeof(path), "%s/folder", command_folder());
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(whole_file_write(path, "x", 1, 0600), TENF_E_SYSTEM);
	snprintf(path, sizeof(path), "rm -r %s/folder %s/file && test -z \"$(ls %s)\"",
		 command_folder(), command_folder(), command_folder());
	assert_int_equal(system(path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lease_comes_back_as_it_was_written),
		TEST(the_record_is_for_its_owner_alone),
		TEST(ids_are_stable_and_never_used_twice),
		TEST(ended_leases_are_dropped),
		TEST(the_shape_of_the_record_stays_what_it_is),
		TEST(a_damaged_file_is_set_aside_with_a_message),
		TEST(what_can_be_read_of_a_damaged_file_stays),
		TEST(a_file_that_is_too_large_is_set_aside),
		TEST(a_renewal_is_a_line_at_the_end),
		TEST(what_cannot_be_recorded_is_told_once),
		TEST(a_record_that_another_wrote_to_is_read_again),
		TEST(what_is_of_no_use_any_more_has_a_limit),
		TEST(a_drop_writes_the_record_anew),
		TEST(a_line_without_its_end_is_nothing),
		TEST(what_stands_before_a_hole_stays),
		TEST(writers_at_the_same_time_lose_nothing),
		TEST(the_record_has_a_limit),
		TEST(the_place_follows_the_environment),
		TEST(a_file_is_written_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

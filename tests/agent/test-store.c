/* SPDX-License-Identifier: MIT */
#include "agent/store.h"

#include "scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct store *open_store(const struct scratch *scratch)
{
	struct tenf_error error;
	struct store *store = NULL;

	if (store_open(scratch->path, &store, &error) != TENF_OK)
		fail_msg("%s", error.text);
	return store;
}

static struct record sample(uint64_t number)
{
	struct record r = {
		.number = number,
		.origin = RECORD_RUNTIME,
		.followed_port = 4712,
		.wish = { .name = "web",
			  .protocol = TENF_BOTH,
			  .internal_port = 8080,
			  .external_port = 80,
			  .lifetime_s = UINT32_MAX,
			  .exact = true,
			  .follow = true,
			  .internal_address = "192.168.1.20",
			  .place = { .interface = "wg0", .gateway = "10.2.0.1", .methods = 3,
				     .namespace = "vpn" } },
		.lease = { { .external_port = 80,
			     .nonce = { 0, 1, 2, 255 },
			     .expires_at = 4000000000 },
			   { .external_port = 81, .nonce = { 9 } } },
		.hop = { { .gateway = tenf_address_none4 }, { .gateway = tenf_address_none4 } },
	};

	return r;
}

/* The same held at two routers. */
static struct record sample_through(uint64_t number)
{
	struct record r = sample(number);

	r.wish.follow = false;
	r.wish.through = true;
	r.hop[0] = (struct record_hop){ .gateway = tenf_address_v4(0x0a140001),
					.internal_port = 80,
					.external_port = 4080,
					.expires_at = 4000000000 };
	return r;
}

static void assert_same(const struct record *a, const struct record *b)
{
	assert_true(a->number == b->number);
	assert_int_equal(a->origin, b->origin);
	assert_string_equal(a->wish.name, b->wish.name);
	assert_true(record_same_wish(&a->wish, &b->wish));
	for (int half = 0; half < 2; half++) {
		assert_int_equal(a->lease[half].external_port, b->lease[half].external_port);
		assert_int_equal(a->followed_port, b->followed_port);
		assert_memory_equal(a->lease[half].nonce, b->lease[half].nonce, TENF_NONCE_SIZE);
		assert_true(a->lease[half].expires_at == b->lease[half].expires_at);
		assert_true(tenf_address_equal(&a->hop[half].gateway, &b->hop[half].gateway));
		assert_int_equal(a->hop[half].internal_port, b->hop[half].internal_port);
		assert_int_equal(a->hop[half].external_port, b->hop[half].external_port);
		assert_true(a->hop[half].expires_at == b->hop[half].expires_at);
	}
}

static void keeps_records_over_a_restart(void **state)
{
	struct store *store = open_store(*state);
	struct record first = sample(7), second = sample(3), *loaded;
	size_t count;

	second.lease[1] = (struct record_lease){ .external_port = 0 };
	assert_int_equal(store_put(store, &first), TENF_OK);
	first.lease[0].external_port = 4711;
	assert_int_equal(store_put(store, &first), TENF_OK);
	assert_int_equal(store_put(store, &second), TENF_OK);
	store_close(store);

	store = open_store(*state);
	assert_int_equal(store_load(store, &loaded, &count), TENF_OK);
	assert_int_equal(count, 2);
	assert_same(&loaded[0], &second);
	assert_same(&loaded[1], &first);
	free(loaded);
	assert_int_equal(store_drop(store, 7), TENF_OK);
	assert_int_equal(store_drop(store, 7), TENF_E_NOT_FOUND);
	assert_int_equal(store_load(store, &loaded, &count), TENF_OK);
	assert_int_equal(count, 1);
	free(loaded);
	store_close(store);
}

static void keeps_the_hops_of_what_goes_through_two_routers(void **state)
{
	struct store *store = open_store(*state);
	struct record first = sample_through(7), second = sample_through(9), *loaded;
	size_t count;

	assert_int_equal(store_put(store, &first), TENF_OK);
	assert_int_equal(store_put(store, &second), TENF_OK);
	first.hop[1] = first.hop[0];
	first.hop[1].external_port = 4081;
	assert_int_equal(store_put(store, &first), TENF_OK);
	store_close(store);
	store = open_store(*state);
	assert_int_equal(store_load(store, &loaded, &count), TENF_OK);
	assert_int_equal(count, 2);
	assert_same(&loaded[0], &first);
	assert_same(&loaded[1], &second);
	free(loaded);
	assert_int_equal(store_drop(store, 7), TENF_OK);
	second = sample_through(7); /* nothing is left of the one before */
	second.hop[0] = (struct record_hop){ .gateway = tenf_address_none4 };
	assert_int_equal(store_put(store, &second), TENF_OK);
	assert_int_equal(store_load(store, &loaded, &count), TENF_OK);
	assert_same(&loaded[0], &second);
	free(loaded);
	store_close(store);
}

static void never_gives_a_number_twice(void **state)
{
	struct store *store = open_store(*state);
	struct record record = sample(40);
	uint64_t a, b, c;

	assert_int_equal(store_next_number(store, &a), TENF_OK);
	assert_int_equal(store_put(store, &record), TENF_OK);
	assert_int_equal(store_drop(store, 40), TENF_OK);
	assert_int_equal(store_next_number(store, &b), TENF_OK);
	store_close(store);
	store = open_store(*state);
	assert_int_equal(store_next_number(store, &c), TENF_OK);
	store_close(store);
	assert_true(a == 1 && b == 41 && c == 42);
}

static void a_second_agent_is_told_so(void **state)
{
	const struct scratch *scratch = *state;
	struct store *store = open_store(scratch), *other = NULL;
	struct tenf_error error;

	assert_int_equal(store_open(scratch->path, &other, &error), TENF_E_SYSTEM);
	assert_null(other);
	assert_non_null(strstr(error.text, "another agent"));
	store_close(store);
	store_close(open_store(scratch));
}

/* Puts one record after the other and tells each that is done on `fd`. */
static void put_for_ever(const struct scratch *scratch, int fd)
{
	struct store *store = NULL;
	uint64_t number;

	if (store_open(scratch->path, &store, NULL) != TENF_OK)
		_exit(1);
	for (;;) {
		struct record record;

		if (store_next_number(store, &number) != TENF_OK)
			_exit(1);
		record = sample(number % 500 + 1);
		record.lease[0].expires_at = (int64_t)number;
		record.lease[1].expires_at = (int64_t)number;
		if (store_put(store, &record) != TENF_OK ||
		    store_note(store, (int64_t)number, number, 80, "{}") != TENF_OK)
			_exit(1);
		if (write(fd, &number, sizeof(number)) != sizeof(number))
			_exit(1);
	}
}

/* Reads what the child told until it told `enough`, kills it, reads the rest. */
static uint64_t kill_after(pid_t child, int fd, uint64_t enough)
{
	uint64_t told = 0, number;
	bool killed = false;
	int status;

	while (read(fd, &number, sizeof(number)) == sizeof(number)) {
		told = number;
		if (!killed && number >= enough) {
			assert_int_equal(kill(child, SIGKILL), 0);
			killed = true;
		}
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return told;
}

static void check_after_kill(const struct scratch *scratch, uint64_t told)
{
	struct store *store = open_store(scratch);
	struct record *loaded;
	uint64_t next, newest = 0;
	size_t count;

	assert_int_equal(store_load(store, &loaded, &count), TENF_OK);
	for (size_t i = 0; i < count; i++) {
		uint64_t number = (uint64_t)loaded[i].lease[0].expires_at;

		/* Whole: both halves are of one put, and of this record. */
		assert_true(loaded[i].lease[1].expires_at == (int64_t)number);
		assert_true(number % 500 + 1 == loaded[i].number);
		newest = number > newest ? number : newest;
	}
	free(loaded);
	assert_true(newest >= told); /* what was done is there */
	assert_int_equal(store_next_number(store, &next), TENF_OK);
	assert_true(next > newest);
	store_close(store);
}

static void a_kill_at_any_moment_leaves_it_as_before_or_as_after(void **state)
{
	const struct scratch *scratch = *state;
	uint64_t told = 0;

	for (unsigned round = 0; round < 25; round++) {
		int fds[2];
		pid_t child;

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(fds[0]);
			put_for_ever(scratch, fds[1]);
		}
		close(fds[1]);
		told = kill_after(child, fds[0], told + 1 + round * 37 % 301);
		close(fds[0]);
		check_after_kill(scratch, told);
	}
	assert_int_equal(scratch_count(scratch), 1); /* never set aside */
}

static void damage(const struct scratch *scratch, long at, const char *with)
{
	char path[PATH_MAX];
	FILE *file = fopen(scratch_path(scratch, "agent.db", path), "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	for (unsigned i = 0; i < 500; i++)
		assert_true(fputs(with, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void expect_begun_again(const struct scratch *scratch)
{
	struct store *store = NULL;
	struct record *loaded;
	struct tenf_error error;
	size_t count;

	assert_int_equal(store_open(scratch->path, &store, &error), TENF_OK);
	assert_non_null(strstr(error.text, "damaged"));
	assert_int_equal(store_load(store, &loaded, &count), TENF_OK);
	assert_int_equal(count, 0);
	free(loaded);
	store_close(store);
}

static void a_damaged_file_is_set_aside_with_a_message(void **state)
{
	const struct scratch *scratch = *state;
	struct store *store = open_store(scratch);
	struct record record = sample(1);

	assert_int_equal(store_put(store, &record), TENF_OK);
	store_close(store);
	damage(scratch, 0, "not a store "); /* no SQLite at all */
	expect_begun_again(scratch);
	assert_int_equal(scratch_count(scratch), 2);

	store = open_store(scratch);
	for (record.number = 1; record.number < 200; record.number++)
		assert_int_equal(store_put(store, &record), TENF_OK);
	store_close(store);
	damage(scratch, 8192, "garbage "); /* a page within */
	expect_begun_again(scratch);
	assert_int_equal(scratch_count(scratch), 3);
}

struct seen {
	unsigned count, limit;
	char last[32];
};

static bool see(void *context, const char *json)
{
	struct seen *seen = context;

	seen->count++;
	snprintf(seen->last, sizeof(seen->last), "%s", json);
	return seen->limit == 0 || seen->count < seen->limit;
}

static void make_old(const struct scratch *scratch, const char *sql)
{
	char path[PATH_MAX];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(scratch_path(scratch, "agent.db", path), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define WITHOUT_HOPS "DROP TABLE hop; ALTER TABLE record DROP COLUMN through;"
#define WITHOUT_NAMESPACES "ALTER TABLE record DROP COLUMN namespace;"

static void take_over(const struct scratch *scratch, const char *sql)
{
	struct store *store = open_store(scratch);
	struct record record = sample(5), *found;
	size_t count;

	record.wish.place.namespace[0] = '\0';
	assert_int_equal(store_put(store, &record), TENF_OK);
	store_close(store);
	make_old(scratch, sql);
	store = open_store(scratch);
	assert_int_equal(store_load(store, &found, &count), TENF_OK);
	assert_int_equal(count, 1);
	assert_same(&found[0], &record);
	free(found);
	record = sample_through(6);
	assert_int_equal(store_put(store, &record), TENF_OK);
	assert_int_equal(store_load(store, &found, &count), TENF_OK);
	assert_same(&found[1], &record);
	free(found);
	store_close(store);
}

static void a_store_from_before_namespaces_is_taken_over(void **state)
{
	take_over(*state, WITHOUT_HOPS WITHOUT_NAMESPACES "PRAGMA user_version = 1;");
}

static void a_store_from_before_two_routers_is_taken_over(void **state)
{
	take_over(*state, WITHOUT_HOPS "PRAGMA user_version = 2;");
}

static void tells_history_by_time_and_port_oldest_first(void **state)
{
	struct store *store = open_store(*state);
	struct seen all = { 0 }, port = { 0 }, late = { 0 }, few = { .limit = 3 };
	char json[32];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(json, sizeof(json), "{\"n\":%u}", i);
		assert_int_equal(store_note(store, 1000 + i, i, (uint16_t)(80 + i % 2), json),
				 TENF_OK);
	}
	assert_int_equal(store_history(store, 0, 0, see, &all), TENF_OK);
	assert_int_equal(all.count, 200);
	assert_string_equal(all.last, "{\"n\":199}");
	assert_int_equal(store_history(store, 0, 80, see, &port), TENF_OK);
	assert_int_equal(port.count, 100);
	assert_int_equal(store_history(store, 1190, 0, see, &late), TENF_OK);
	assert_int_equal(late.count, 10);
	assert_int_equal(store_history(store, 0, 0, see, &few), TENF_OK);
	assert_string_equal(few.last, "{\"n\":2}");
	store_close(store);

	store = open_store(*state);
	all.count = 0;
	assert_int_equal(store_history(store, 0, 0, see, &all), TENF_OK);
	assert_int_equal(all.count, 200);
	store_close(store);
}

static void history_is_bounded_by_age_and_number(void **state)
{
	struct store *store = open_store(*state);
	struct seen seen = { 0 };

	for (unsigned i = 0; i < STORE_HISTORY_MAX + 1000; i++)
		assert_int_equal(store_note(store, 5, 1, 80, "{}"), TENF_OK);
	assert_int_equal(store_history(store, 0, 0, see, &seen), TENF_OK);
	assert_int_equal(seen.count, STORE_HISTORY_MAX);

	assert_int_equal(store_note(store, STORE_HISTORY_AGE_S + 6, 1, 80, "{}"), TENF_OK);
	seen.count = 0;
	assert_int_equal(store_history(store, 0, 0, see, &seen), TENF_OK);
	assert_int_equal(seen.count, 1);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_records_over_a_restart),
		TEST(keeps_the_hops_of_what_goes_through_two_routers),
		TEST(never_gives_a_number_twice),
		TEST(a_second_agent_is_told_so),
		TEST(a_kill_at_any_moment_leaves_it_as_before_or_as_after),
		TEST(a_damaged_file_is_set_aside_with_a_message),
		TEST(a_store_from_before_namespaces_is_taken_over),
		TEST(a_store_from_before_two_routers_is_taken_over),
		TEST(tells_history_by_time_and_port_oldest_first),
		TEST(history_is_bounded_by_age_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

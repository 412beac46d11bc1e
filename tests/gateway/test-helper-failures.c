/* SPDX-License-Identifier: MIT */
/*
 * The helper's commits against a real kernel whose answers are lost, cut, forged
 * and late, one failure at a time at each step. Whatever happens, what the
 * daemon is told must be what the kernel holds.
 */
#include "house.h"

#include "gateway/helper/helper-private.h"
#include "kernel.h"
#include "samples.h"

#include <errno.h>

#define MANY 20 /* mappings of a batch */
#define FOR_EVER UINT32_MAX

enum failure {
	NONE,
	SEND_FAILS,        /* nothing was sent */
	SEND_SEEMS_TO,     /* it was sent, and the kernel has it */
	ANSWER_LOST,       /* ENOBUFS, and the answer is gone */
	ANSWER_LATE,       /* EAGAIN; it is still there */
	ANSWER_TOO_LARGE,
	ANSWER_CUT,        /* after half of its header */
	ANSWER_OF_ANOTHER, /* another number, then nothing */
	OTHERS_CHANGE,     /* somebody else changes another table, just before */
	OTHERS_FLUSH,      /* and empties the whole ruleset */
	OTHERS_EMPTY,      /* and empties and makes our table again */
	FAILURES,
};

struct faulty {
	struct helper_transport real;
	enum failure failure;
	unsigned calls; /* until it happens */
	unsigned times; /* how often then */
	bool happened;
};

static struct netlink_transport netlink;
static struct faulty faulty;
static struct helper helper;
static struct helper_setup setup;

static void meddle(enum failure failure)
{
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	if (failure == OTHERS_CHANGE)
		assert_true(table_run("add table inet other\ndelete table inet other\n", &why));
	else
		assert_true(table_run("flush ruleset\n", &why));
	if (failure == OTHERS_EMPTY)
		assert_true(table_make(&setup, true, &why));
}

static bool is_of_send(enum failure failure)
{
	return failure == SEND_FAILS || failure == SEND_SEEMS_TO || failure >= OTHERS_CHANGE;
}

/* Is it the turn of the failure? */
static bool strikes(bool is_send)
{
	if (faulty.failure == NONE || is_of_send(faulty.failure) != is_send || faulty.times == 0)
		return false;
	if (faulty.calls > 0) {
		faulty.calls--;
		return false;
	}
	faulty.times -= faulty.times != FOR_EVER;
	faulty.happened = true;
	return true;
}

static int send_faulty(void *context, const void *data, size_t len)
{
	(void)context;
	if (!strikes(true))
		return faulty.real.send(faulty.real.context, data, len);
	if (faulty.failure == SEND_FAILS)
		return ENOBUFS;
	if (faulty.failure >= OTHERS_CHANGE) {
		meddle(faulty.failure);
		return faulty.real.send(faulty.real.context, data, len);
	}
	assert_int_equal(faulty.real.send(faulty.real.context, data, len), 0);
	return ENOBUFS;
}

static int receive_faulty(void *context, void *buffer, size_t size, bool wait, size_t *ret_len)
{
	struct nlmsghdr *message = buffer;
	int code;

	(void)context;
	if (!wait || !strikes(false)) /* who waits for nothing gets what is there */
		return faulty.real.receive(faulty.real.context, buffer, size, false, ret_len);
	if (faulty.failure == ANSWER_LATE)
		return EAGAIN;
	code = faulty.real.receive(faulty.real.context, buffer, size, false, ret_len);
	if (faulty.failure == ANSWER_LOST)
		return ENOBUFS;
	if (faulty.failure == ANSWER_TOO_LARGE)
		return EMSGSIZE;
	if (code == 0 && faulty.failure == ANSWER_CUT)
		*ret_len = 8;
	if (code == 0 && faulty.failure == ANSWER_OF_ANOTHER)
		message->nlmsg_seq ^= 0x40000000;
	return code;
}

/* ---- Mappings ------------------------------------------------------------------- */

static struct helper_mapping mapping(unsigned i)
{
	struct helper_mapping m = sample_mapping4();

	m.external.port = (uint16_t)(2000 + i);
	m.internal.port = (uint16_t)(3000 + i);
	m.filter_count = i == 0 ? 2 : 0;
	m.ends_at = 100 * TENF_SECOND;
	return m;
}

static enum helper_outcome change_all(enum helper_change_kind kind, bool flush, unsigned first,
				      unsigned count, tenf_time now)
{
	static uint8_t data[HELPER_MESSAGE_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct helper_change change = { .kind = HELPER_FLUSH };
	struct tenf_reader r;
	uint16_t changes = 0;
	int code;

	if (flush) {
		helper_write_change(&w, &change);
		change = (struct helper_change){ .kind = HELPER_EPOCH, .epoch_start = 77 };
		helper_write_change(&w, &change);
		changes = 2;
	}
	for (unsigned i = first; i < first + count; i++) {
		change = (struct helper_change){ .kind = kind, .mapping = mapping(i) };
		change.mapping.ends_at += now;
		helper_write_change(&w, &change);
		changes++;
	}
	r = tenf_reader_of(data, w.used);
	helper_put_changes(&helper, &r, changes, now);
	return helper_commit(&helper, &code);
}

static void count_one(const struct element *e, uint64_t left_ms, void *context)
{
	unsigned *count = context;

	(void)e;
	(void)left_ms;
	++*count;
}

/* Past all failures; a table that is gone holds nothing. */
static unsigned held(enum element_set set)
{
	unsigned count = 0;
	int code = table_read(&faulty.real, set, NULL, count_one, &count);

	assert_true(code == 0 || code == ENOENT);
	return code == 0 ? count : 0;
}

/* In all parts of dnat4, of snat4. */
static unsigned held_parts(enum element_set first)
{
	unsigned count = 0;

	for (unsigned part = 0; part < ELEMENT_PARTS; part++)
		count += held((enum element_set)((unsigned)first + part));
	return count;
}

static void expect_held(unsigned mappings, unsigned filters)
{
	assert_int_equal(held_parts(SET_DNAT4), mappings);
	assert_int_equal(held_parts(SET_SNAT4), mappings);
	assert_int_equal(held(SET_FILTERED4), filters > 0 ? 1 : 0);
	assert_int_equal(held(SET_ALLOWED4), filters);
}

/* ---- The state of a case ------------------------------------------------------------ */

static void start(bool destroy, bool update)
{
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));
	bool fresh;

	faulty = (struct faulty){ .real = netlink_transport_of(&netlink) };
	transport_drain(&faulty.real);
	helper = (struct helper){
		.nft = { .send_max = netlink.send_max, .send = send_faulty,
			 .receive = receive_faulty },
		.epoch_start = TENF_NEVER,
	};
	helper.transaction = transaction_new(&helper.nft, &helper.features);
	helper.cut = cut_new(&faulty.real, &faulty.real);
	assert_non_null(helper.transaction);
	assert_non_null(helper.cut);
	assert_int_equal(changes_init(&helper.changes), 0);
	if (!helper_set_up(&helper, &setup, &fresh, &why))
		fail_msg("%s", buffer);
	/* What an older kernel cannot do is not done. */
	helper.features.destroy &= destroy;
	helper.features.update &= update;
	assert_int_equal(change_all(HELPER_INSTALL, true, 0, MANY, 0), HELPER_OK);
	expect_held(MANY, 2);
}

static void stop(void)
{
	transaction_free(helper.transaction);
	cut_free(helper.cut);
	changes_done(&helper.changes);
}

/* What must hold after a batch: either what was, or what was asked for. */
struct wanted {
	enum helper_change_kind kind;
	unsigned first;
	unsigned before;
	unsigned after;
	unsigned filters_before;
	unsigned filters_after;
};

static const struct wanted wishes[] = {
	{ HELPER_INSTALL, MANY, MANY, 2 * MANY, 2, 2 },
	{ HELPER_RENEW, 0, MANY, MANY, 2, 2 },
	{ HELPER_REMOVE, 0, MANY, 0, 2, 0 },
};

static void judge(const struct wanted *wanted, enum helper_outcome outcome)
{
	switch (outcome) {
	case HELPER_OK:
		expect_held(wanted->after, wanted->filters_after);
		break;
	case HELPER_REFUSED:
		expect_held(wanted->before, wanted->filters_before);
		break;
	case HELPER_UNSURE: /* the daemon then says all it knows, and that holds */
		assert_true(helper.lost);
		faulty.failure = NONE;
		assert_int_equal(change_all(HELPER_INSTALL, true, 0, MANY, 0), HELPER_OK);
		expect_held(MANY, 2);
		break;
	}
	assert_true(outcome == HELPER_UNSURE || !helper.lost);
}

static bool is_flush(enum failure failure)
{
	return failure == OTHERS_FLUSH || failure == OTHERS_EMPTY;
}

/* True when the failure happened. */
static bool try(const struct wanted *wanted, enum failure failure, unsigned calls, unsigned times)
{
	enum helper_outcome outcome;
	bool happened;

	faulty.failure = failure;
	faulty.calls = calls;
	faulty.times = times;
	faulty.happened = false;
	outcome = change_all(wanted->kind, false, wanted->first, MANY, 0);
	happened = faulty.happened;
	faulty.failure = NONE;
	if (happened && is_flush(failure)) /* nothing of before can hold */
		assert_int_equal(outcome, HELPER_UNSURE);
	judge(wanted, outcome);
	/* And the next batch is as good as any. */
	assert_int_equal(change_all(HELPER_INSTALL, true, 0, MANY, 0), HELPER_OK);
	expect_held(MANY, 2);
	return happened;
}

/* Each failure, at each step, once and for ever, for a kernel that can do so much. */
static void try_all(bool destroy, bool update)
{
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wishes); i++) {
		for (unsigned failure = SEND_FAILS; failure < FAILURES; failure++) {
			for (unsigned calls = 0; calls < 4; calls++) {
				unsigned happened;

				start(destroy, update);
				happened = try(&wishes[i], failure, calls, 1);
				if (failure < OTHERS_CHANGE)
					(void)try(&wishes[i], failure, calls, FOR_EVER);
				assert_true(happened || calls > 0);
				stop();
			}
		}
	}
}

static void no_answer_lies_on_a_kernel_of_today(void **state)
{
	(void)state;
	try_all(true, true);
}

static void no_answer_lies_on_a_kernel_that_cannot_extend(void **state)
{
	(void)state;
	try_all(true, false);
}

static void no_answer_lies_on_a_kernel_that_cannot_destroy(void **state)
{
	(void)state;
	try_all(false, false);
}

/* ---- What elements can be like already ------------------------------------------------ */

/* Installed over what is there, renewed and removed though it is not: on every kernel
 * the end is what was asked for. */
static void what_is_there_already_does_not_matter(void **state)
{
	(void)state;
	for (unsigned kernel = 0; kernel < 3; kernel++) {
		start(kernel == 0, kernel < 2);
		assert_int_equal(change_all(HELPER_INSTALL, false, 0, MANY, 0), HELPER_OK);
		expect_held(MANY, 2);
		assert_int_equal(change_all(HELPER_REMOVE, false, 10, MANY, 0), HELPER_OK);
		expect_held(10, 2);
		assert_int_equal(change_all(HELPER_RENEW, false, 0, MANY, 0), HELPER_OK);
		expect_held(MANY, 2);
		assert_int_equal(change_all(HELPER_REMOVE, false, 0, 2 * MANY, 0), HELPER_OK);
		expect_held(0, 0);
		stop();
	}
}

/* No room: none of the batch holds, and what was stays. */
static void a_batch_without_room_is_refused_whole(void **state)
{
	static const char full[] = "add element inet tenforward filtered4 { ";
	static char text[TABLE_FILTERED_MAX * 32];
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	(void)state;
	start(true, true);
	tenf_text_add(&t, full);
	for (unsigned i = 0; i < TABLE_FILTERED_MAX - 1; i++) {
		tenf_text_add(&t, i > 0 ? ", tcp . 192.0.2.1 . " : "tcp . 192.0.2.1 . ");
		tenf_text_add_number(&t, i + 1);
	}
	tenf_text_add(&t, " }\n");
	assert_false(t.cut);
	assert_true(table_run(text, &why));
	/* Removed and added again is one too many now: the set counts both. */
	assert_int_equal(change_all(HELPER_INSTALL, false, MANY, MANY, 0), HELPER_OK);
	for (unsigned i = 0; i < 2; i++) {
		struct helper_change change = { .kind = HELPER_INSTALL };
		int code;

		change.mapping = mapping(100 + i);
		change.mapping.filter_count = 1;
		helper.batch.begun = true;
		helper.batch.code = changes_put(&helper.changes, helper.transaction, &change, 0);
		assert_int_equal(helper_commit(&helper, &code), HELPER_REFUSED);
		assert_int_equal(code, ENFILE);
	}
	assert_int_equal(held_parts(SET_DNAT4), 2 * MANY);
	stop();
}

static void filters_have_their_limit(void **state)
{
	struct helper_change change = { .kind = HELPER_INSTALL };

	(void)state;
	start(true, true);
	for (unsigned i = 1; i <= CHANGES_FILTERED_MAX; i++) {
		change.mapping = mapping(i);
		change.mapping.filter_count = 1;
		assert_int_equal(changes_put(&helper.changes, helper.transaction, &change, 0),
				 i < CHANGES_FILTERED_MAX ? 0 : ENOSPC);
	}
	stop();
}

/* More than a transaction takes is done in several; what was told to flush as well. */
static void a_very_large_batch_is_split(void **state)
{
	struct helper_change change = { .kind = HELPER_FLUSH };
	static uint8_t data[HELPER_MESSAGE_MAX];
	unsigned total = 30000;
	int code;

	(void)state;
	start(true, true);
	for (unsigned i = 0; i < total; i++) {
		struct tenf_writer w = tenf_writer_of(data, sizeof(data));
		struct tenf_reader r;

		helper_write_change(&w, &change);
		r = tenf_reader_of(data, w.used);
		helper_put_changes(&helper, &r, 1, 0);
		change = (struct helper_change){ .kind = HELPER_INSTALL, .mapping = mapping(0) };
		change.mapping.filter_count = 0;
		change.mapping.external.port = (uint16_t)(i + 1);
		change.mapping.internal.port = (uint16_t)(i + 1);
	}
	assert_true(helper.batch.split);
	assert_int_equal(helper_commit(&helper, &code), HELPER_OK);
	expect_held(total - 1, 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_answer_lies_on_a_kernel_of_today),
		cmocka_unit_test(no_answer_lies_on_a_kernel_that_cannot_extend),
		cmocka_unit_test(no_answer_lies_on_a_kernel_that_cannot_destroy),
		cmocka_unit_test(what_is_there_already_does_not_matter),
		cmocka_unit_test(a_batch_without_room_is_refused_whole),
		cmocka_unit_test(filters_have_their_limit),
		cmocka_unit_test(a_very_large_batch_is_split),
	};
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	setup = sample_setup();
	if (!kernel_enter() || netlink_transport_open(&netlink) != 0 ||
	    !table_make(&setup, true, &why)) {
		(void)printf("1..0 # SKIP no namespace with nftables here\n");
		return 0;
	}
	return cmocka_run_group_tests_name("failures of the helper", tests, NULL, NULL);
}

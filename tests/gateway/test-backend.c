/* SPDX-License-Identifier: MIT */
/* The seam to backends, with the memory backend and with one that fails. */
#include "house.h"

#include "gateway/backend/backend.h"

static const struct wish web = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
				 .external = 10000, .lifetime_s = 600, .nonce = 9 };

static void hand_in(struct house *h, const struct wish *wish)
{
	const struct tenf_endpoint from = { house_host(wish->host), 50000 };
	uint8_t data[100];

	house_hand_in(h, &from, data, house_write(wish, data, sizeof(data)));
}

static void the_memory_backend_holds_what_the_ledger_holds(void **state)
{
	struct backend *backend;
	struct wish wish = web;
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	assert_int_equal(backend_memory_open(&tenf_memory_libc, &backend), TENF_OK);
	assert_string_equal(backend->ops->name, "memory");
	for (uint16_t port = 1; port <= 100; port++) {
		wish.internal = port;
		hand_in(&h, &wish);
		if (port % 10 == 0)
			backend_run(backend, h.r, h.now);
	}
	assert_int_equal(backend_memory_count(backend), 100);
	wish.lifetime_s = 0;
	hand_in(&h, &wish);
	backend_run(backend, h.r, h.now);
	assert_int_equal(backend_memory_count(backend), 99);
	assert_int_equal(house_count(&h), 99);
	responder_reboot(h.r, h.now);
	backend_run(backend, h.r, h.now);
	assert_int_equal(backend_memory_count(backend), 0);
	backend->ops->close(backend);
	house_stop(&h);
}

/* Changes that do not fit what came before fail as a whole, then all is as it was. */
static void a_batch_that_does_not_fit_fails_whole(void **state)
{
	const struct responder_change install = { .kind = RESPONDER_INSTALL };
	const struct responder_change removal = { .kind = RESPONDER_REMOVE };
	const struct responder_change renewal = { .kind = RESPONDER_RENEW };
	struct backend *backend;

	(void)state;
	assert_int_equal(backend_memory_open(&tenf_memory_libc, &backend), TENF_OK);
	assert_int_equal(backend->ops->stage(backend, &renewal), TENF_E_FAILED);
	backend->ops->submit(backend);
	assert_int_equal(backend->ops->commit(backend), TENF_E_FAILED);
	assert_int_equal(backend->ops->stage(backend, &install), TENF_OK);
	backend->ops->submit(backend);
	assert_int_equal(backend->ops->commit(backend), TENF_OK);
	assert_int_equal(backend->ops->stage(backend, &removal), TENF_OK);
	assert_int_equal(backend->ops->stage(backend, &removal), TENF_E_FAILED);
	backend->ops->submit(backend);
	assert_int_equal(backend->ops->commit(backend), TENF_E_FAILED);
	assert_int_equal(backend_memory_count(backend), 1);
	backend->ops->close(backend);
}

struct failing {
	struct backend base;
	unsigned stages;
	unsigned submits;
	unsigned commits;
	unsigned fail_stage; /* at the n-th, 0: never */
	bool fail_commit;
	bool failed;
};

static enum tenf_status stage(struct backend *backend, const struct responder_change *change)
{
	struct failing *f = (struct failing *)backend;

	assert_true(change->mapping != NULL || change->kind == RESPONDER_EPOCH);
	f->failed |= ++f->stages == f->fail_stage;
	return f->failed ? TENF_E_SYSTEM : TENF_OK;
}

static void submit(struct backend *backend)
{
	struct failing *f = (struct failing *)backend;

	assert_int_equal(f->submits++, f->commits); /* never two at once */
}

static enum tenf_status commit(struct backend *backend)
{
	struct failing *f = (struct failing *)backend;
	bool failed = f->failed || f->fail_commit;

	assert_int_equal(++f->commits, f->submits);
	f->failed = false;
	return failed ? TENF_E_SYSTEM : TENF_OK;
}

static const struct backend_ops failing_ops = { .name = "failing", .stage = stage,
						.submit = submit, .commit = commit };

static void a_failure_of_either_step_takes_the_batch_back(void **state)
{
	struct house h;

	(void)state;
	for (unsigned which = 0; which < 3; which++) {
		struct failing f = { .base = { &failing_ops }, .fail_stage = which,
				     .fail_commit = which == 0 };
		struct wish wish = web;
		struct responder_counts counts;

		house_init(&h);
		house_start(&h);
		for (uint16_t port = 1; port <= 3; port++) {
			wish.internal = port;
			hand_in(&h, &wish);
		}
		backend_run(&f.base, h.r, h.now);
		assert_int_equal(f.commits, 1);
		assert_int_equal(house_count(&h), 0);
		responder_count(h.r, &counts);
		assert_int_equal(counts.rolled_back, 3);
		f.fail_stage = 0;
		f.fail_commit = false;
		hand_in(&h, &wish);
		backend_run(&f.base, h.r, h.now);
		assert_int_equal(house_count(&h), 1);
		backend_run(&f.base, h.r, h.now); /* nothing to do: not bothered */
		assert_int_equal(f.commits, 2);
		house_stop(&h);
	}
}

/* The edge does other things meanwhile; until the end nothing is known, nothing told. */
static void what_came_of_a_batch_is_told_at_its_end(void **state)
{
	struct failing f = { .base = { &failing_ops } };
	struct responder_datagram out;
	struct wish wish = web;
	struct house h;

	(void)state;
	house_init(&h);
	house_start(&h);
	hand_in(&h, &wish);
	assert_int_equal(backend_run(&f.base, h.r, h.now), TENF_OK);
	wish.internal++;
	hand_in(&h, &wish);
	backend_begin(&f.base, h.r);
	assert_int_equal(f.submits, 2);
	assert_int_equal(f.commits, 1);
	assert_true(responder_next_send(h.r, h.now, &out)); /* of the first */
	assert_false(responder_next_send(h.r, h.now, &out));
	f.fail_commit = true;
	assert_int_equal(backend_end(&f.base, h.r, h.now), TENF_E_SYSTEM);
	assert_int_equal(f.commits, 2);
	assert_true(responder_next_send(h.r, h.now, &out));
	assert_int_equal(out.data[3], PCP_NO_RESOURCES);
	assert_int_equal(house_count(&h), 1);
	backend_begin(&f.base, h.r); /* nothing to do: not bothered */
	assert_int_equal(backend_end(&f.base, h.r, h.now), TENF_OK);
	assert_int_equal(f.submits, 2);
	house_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_memory_backend_holds_what_the_ledger_holds),
		cmocka_unit_test(a_batch_that_does_not_fit_fails_whole),
		cmocka_unit_test(a_failure_of_either_step_takes_the_batch_back),
		cmocka_unit_test(what_came_of_a_batch_is_told_at_its_end),
	};

	return cmocka_run_group_tests_name("gateway backends", tests, NULL, NULL);
}

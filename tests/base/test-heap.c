/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define MANY 200

/* Fails the allocation number `fail_at`, counted from one; 0 fails none. */
struct counted {
	unsigned calls;
	unsigned fail_at;
};

static void *counted_resize(void *context, void *old, size_t size)
{
	struct counted *counted = context;

	if (size > 0 && ++counted->calls == counted->fail_at)
		return NULL;
	return tenf_memory_libc.resize(NULL, old, size);
}

/* What a heap must be at any moment: slots are right, parents are not later. */
static void check_invariants(const struct tenf_heap *heap)
{
	assert_true(heap->count <= heap->size);
	for (size_t slot = 1; slot <= heap->count; slot++) {
		const struct tenf_heap_entry *entry = heap->entries[slot - 1];

		assert_int_equal(entry->slot, slot);
		assert_true(entry->at != TENF_NEVER);
		if (slot > 1)
			assert_true(heap->entries[(slot - 2) / 8]->at <= entry->at);
	}
}

static void an_empty_heap_has_no_deadline(void **state)
{
	struct tenf_heap heap;

	(void)state;
	tenf_heap_init(&heap, &tenf_memory_libc);
	assert_null(tenf_heap_first(&heap));
	assert_true(tenf_heap_deadline(&heap) == TENF_NEVER);
	tenf_heap_done(&heap);
}

static void the_earliest_comes_first(void **state)
{
	static const tenf_time times[] = { 50, 10, 40, 10, 30, 20, 60, -5, 0 };
	struct tenf_heap_entry entries[TENF_ARRAY_SIZE(times)] = { 0 };
	struct tenf_heap heap;
	tenf_time before = INT64_MIN;

	(void)state;
	tenf_heap_init(&heap, &tenf_memory_libc);
	assert_int_equal(tenf_heap_reserve(&heap, TENF_ARRAY_SIZE(times)), TENF_OK);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(times); i++) {
		tenf_heap_set(&heap, &entries[i], times[i]);
		check_invariants(&heap);
	}
	for (size_t left = TENF_ARRAY_SIZE(times); left > 0; left--) {
		struct tenf_heap_entry *first = tenf_heap_first(&heap);

		assert_int_equal(heap.count, left);
		assert_true(first->at >= before);
		assert_true(tenf_heap_deadline(&heap) == first->at);
		before = first->at;
		tenf_heap_set(&heap, first, TENF_NEVER);
		assert_int_equal(first->slot, 0);
		check_invariants(&heap);
	}
	assert_null(tenf_heap_first(&heap));
	tenf_heap_done(&heap);
}

static void an_entry_moves_both_ways(void **state)
{
	struct tenf_heap_entry entries[3] = { 0 };
	struct tenf_heap heap;

	(void)state;
	tenf_heap_init(&heap, &tenf_memory_libc);
	assert_int_equal(tenf_heap_reserve(&heap, 3), TENF_OK);
	for (int i = 0; i < 3; i++)
		tenf_heap_set(&heap, &entries[i], 10 * (i + 1));
	tenf_heap_set(&heap, &entries[2], 5);
	assert_ptr_equal(tenf_heap_first(&heap), &entries[2]);
	tenf_heap_set(&heap, &entries[2], 100);
	assert_ptr_equal(tenf_heap_first(&heap), &entries[0]);
	tenf_heap_set(&heap, &entries[0], 10);
	assert_ptr_equal(tenf_heap_first(&heap), &entries[0]);
	assert_int_equal(heap.count, 3);
	check_invariants(&heap);
	tenf_heap_done(&heap);
}

static void never_keeps_an_entry_out(void **state)
{
	struct tenf_heap_entry entry = { 0 };
	struct tenf_heap heap;

	(void)state;
	tenf_heap_init(&heap, &tenf_memory_libc);
	/* nothing is reserved: an entry that stays out needs no room */
	tenf_heap_set(&heap, &entry, TENF_NEVER);
	assert_int_equal(heap.count, 0);
	assert_int_equal(entry.slot, 0);
	assert_true(entry.at == TENF_NEVER);
	tenf_heap_done(&heap);
}

static void reserving_twice_costs_one_allocation(void **state)
{
	struct counted counted = { 0 };
	const struct tenf_memory memory = { counted_resize, &counted };
	struct tenf_heap heap;

	(void)state;
	tenf_heap_init(&heap, &memory);
	assert_int_equal(tenf_heap_reserve(&heap, 0), TENF_OK);
	assert_int_equal(counted.calls, 0);
	for (size_t count = 1; count <= 8; count++)
		assert_int_equal(tenf_heap_reserve(&heap, count), TENF_OK);
	assert_int_equal(counted.calls, 1);
	tenf_heap_done(&heap);
}

static void a_failed_reservation_changes_nothing(void **state)
{
	struct counted counted = { .fail_at = 2 };
	const struct tenf_memory memory = { counted_resize, &counted };
	struct tenf_heap_entry entry = { 0 };
	struct tenf_heap heap;

	(void)state;
	tenf_heap_init(&heap, &memory);
	assert_int_equal(tenf_heap_reserve(&heap, 1), TENF_OK);
	tenf_heap_set(&heap, &entry, 7);
	assert_int_equal(tenf_heap_reserve(&heap, 1000), TENF_E_MEMORY);
	assert_true(tenf_heap_deadline(&heap) == 7);
	check_invariants(&heap);
	assert_int_equal(tenf_heap_reserve(&heap, 1000), TENF_OK);
	assert_true(tenf_heap_deadline(&heap) == 7);
	tenf_heap_done(&heap);
}

static void a_reservation_beyond_all_memory_fails(void **state)
{
	struct tenf_heap heap;

	(void)state;
	tenf_heap_init(&heap, &tenf_memory_libc);
	assert_int_equal(tenf_heap_reserve(&heap, SIZE_MAX), TENF_E_MEMORY);
	assert_int_equal(tenf_heap_reserve(&heap, SIZE_MAX / 2 + 2), TENF_E_MEMORY);
	assert_int_equal(tenf_heap_reserve(&heap, SIZE_MAX / sizeof(void *) + 1), TENF_E_MEMORY);
	assert_int_equal(heap.size, 0);
	tenf_heap_done(&heap);
}

static void a_finished_heap_can_be_used_again(void **state)
{
	struct tenf_heap_entry entry = { 0 };
	struct tenf_heap heap;

	(void)state;
	tenf_heap_init(&heap, &tenf_memory_libc);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(tenf_heap_reserve(&heap, 1), TENF_OK);
		entry = (struct tenf_heap_entry){ 0 };
		tenf_heap_set(&heap, &entry, round);
		assert_ptr_equal(tenf_heap_first(&heap), &entry);
		tenf_heap_done(&heap);
		tenf_heap_done(&heap);
		assert_int_equal(heap.count, 0);
	}
}

/* A plain search of all entries says the same as the heap, whatever happens. */
static void agrees_with_a_plain_search_in_ten_thousand_steps(void **state)
{
	struct tenf_heap_entry entries[MANY] = { 0 };
	struct tenf_seeded seeded;
	struct tenf_random random = tenf_seeded_random(&seeded);
	struct tenf_heap heap;

	(void)state;
	tenf_seeded_init(&seeded, 10);
	tenf_heap_init(&heap, &tenf_memory_libc);
	assert_int_equal(tenf_heap_reserve(&heap, MANY), TENF_OK);
	for (size_t i = 0; i < MANY; i++)
		tenf_heap_set(&heap, &entries[i], TENF_NEVER);
	for (unsigned step = 0; step < 10000; step++) {
		struct tenf_heap_entry *entry = &entries[tenf_random_below(&random, MANY)];
		bool take_out = tenf_random_below(&random, 3) == 0;
		tenf_time earliest = TENF_NEVER;

		/* few different times, so that many are equal */
		tenf_heap_set(&heap, entry,
			      take_out ? TENF_NEVER : (tenf_time)tenf_random_below(&random, 50));
		check_invariants(&heap);
		for (size_t i = 0; i < MANY; i++)
			earliest = tenf_time_min(earliest, entries[i].at);
		assert_true(tenf_heap_deadline(&heap) == earliest);
	}
	tenf_heap_done(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_heap_has_no_deadline),
		cmocka_unit_test(the_earliest_comes_first),
		cmocka_unit_test(an_entry_moves_both_ways),
		cmocka_unit_test(never_keeps_an_entry_out),
		cmocka_unit_test(reserving_twice_costs_one_allocation),
		cmocka_unit_test(a_failed_reservation_changes_nothing),
		cmocka_unit_test(a_reservation_beyond_all_memory_fails),
		cmocka_unit_test(a_finished_heap_can_be_used_again),
		cmocka_unit_test(agrees_with_a_plain_search_in_ten_thousand_steps),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The table of what PEER made, against an array under random operations. */
#include "house.h"

#include "gateway/peers.h"

#include <string.h>

#define HOSTS 3
#define PORTS 3
#define REMOTES 3
#define ALL (HOSTS * PORTS * REMOTES)

struct slot { /* what is known of one five-tuple */
	tenf_time ends_at;  /* 0: not there */
	tenf_time held;     /* by the backend */
	bool over; /* in this batch, by the clock */
};

static struct peers table;
static struct slot model[ALL];
static tenf_time now;
static struct tenf_seeded seeded;
static struct tenf_random chance;

static unsigned draw(unsigned below)
{
	return (unsigned)tenf_random_below(&chance, below);
}

static struct responder_peer peer_of(unsigned i)
{
	return (struct responder_peer){
		.protocol = TENF_UDP, .internal = { house_host(20 + i % HOSTS),
						    (uint16_t)(1 + i / HOSTS % PORTS) },
		.remote = { tenf_address_v4(0x08080800 + i / HOSTS / PORTS), 53 },
		.external = { house_external, (uint16_t)(5000 + i % (HOSTS * PORTS)) },
		.made_at = now, .id = i + 1,
	};
}

static struct peers_entry *find(unsigned i)
{
	const struct responder_peer p = peer_of(i);

	return peers_find(&table, p.protocol, &p.internal, &p.remote);
}

static void compare(void)
{
	const struct responder_peer *p = NULL;
	tenf_time next = TENF_NEVER;
	unsigned live = 0;
	unsigned seen = 0;

	for (unsigned i = 0; i < ALL; i++) {
		const struct peers_entry *e = find(i);

		assert_int_equal(e != NULL, model[i].ends_at != 0);
		if (e == NULL)
			continue;
		assert_true(e->peer.ends_at == model[i].ends_at);
		assert_ptr_equal(peers_by_id(&table, i + 1), e);
		next = tenf_time_min(next, model[i].ends_at);
		live++;
	}
	while ((p = peers_each(&table, p)) != NULL)
		seen++;
	assert_int_equal(seen, live);
	assert_true(peers_deadline(&table) <= next);
}

static void check_changes(void)
{
	const struct responder_peer *p;
	enum peers_change kind;
	size_t at = 0;
	unsigned told = 0;
	unsigned wanted = 0;

	while (peers_next_change(&table, &at, &kind, &p)) {
		const struct slot *s = &model[p->id - 1];

		assert_int_equal(kind, s->ends_at == 0 ? PEERS_REMOVE
				       : s->held == 0  ? PEERS_INSTALL
						       : PEERS_RENEW);
		told += kind != PEERS_RENEW;
	}
	for (unsigned i = 0; i < ALL; i++)
		wanted += (model[i].ends_at == 0) != (model[i].held == 0);
	assert_int_equal(told, wanted);
}

static unsigned gone;

static void count_gone(void *context, const struct responder_peer *peer)
{
	assert_null(context);
	assert_int_not_equal(peer->end, LEDGER_NOT_ENDED);
	gone++;
}

static void close_batch(void)
{
	bool fails = draw(3) == 0;

	check_changes();
	if (fails)
		peers_rollback(&table, count_gone, NULL);
	else
		peers_commit(&table, count_gone, NULL);
	for (unsigned i = 0; i < ALL; i++) {
		struct slot *s = &model[i];

		if (!fails)
			s->held = s->ends_at;
		else if (s->over)
			s->held = s->ends_at = 0;
		else
			s->ends_at = s->held;
		s->over = false;
	}
	assert_false(peers_batch_is_open(&table));
}

static void step(void)
{
	unsigned i = draw(ALL);
	struct peers_entry *e = find(i);
	struct responder_peer p = peer_of(i);
	const struct responder_peer *over;

	switch (draw(5)) {
	case 0:
	case 1:
		p.ends_at = now + tenf_seconds(1 + draw(100));
		/* One that came, ended and comes again within a batch is another matter. */
		if (e != NULL || model[i].held != 0)
			break;
		assert_int_equal(peers_add(&table, &p), TENF_OK);
		model[i].ends_at = p.ends_at;
		break;
	case 2:
		if (e == NULL)
			break;
		model[i].ends_at = now + tenf_seconds(200);
		peers_renew(&table, e, model[i].ends_at, 200);
		break;
	case 3:
		if (e == NULL)
			break;
		peers_end(&table, e, LEDGER_REVOKED);
		model[i].ends_at = 0;
		break;
	default:
		if (peers_batch_is_open(&table))
			break;
		now += tenf_seconds(draw(40));
		while ((over = peers_expire_one(&table, now)) != NULL) {
			assert_int_equal(over->end, LEDGER_EXPIRED);
			assert_true(model[over->id - 1].ends_at <= now);
			model[over->id - 1].ends_at = 0;
			model[over->id - 1].over = true;
		}
		break;
	}
}

static void agrees_with_an_array_under_random_operations(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		tenf_seeded_init(&seeded, seed);
		chance = tenf_seeded_random(&seeded);
		memset(model, 0, sizeof(model));
		now = TENF_SECOND;
		peers_init(&table, &tenf_memory_libc);
		for (unsigned i = 0; i < 3000; i++) {
			if (draw(4) == 0)
				close_batch();
			else
				step();
			compare();
		}
		peers_done(&table);
	}
	assert_true(gone > 1000);
}

/* PEERS_MAX */
static void the_table_is_finite(void **state)
{
	struct responder_peer p = peer_of(0);
	struct house_memory memory;

	(void)state;
	peers_init(&table, &tenf_memory_libc);
	p.ends_at = 1;
	for (uint32_t i = 0; i < PEERS_MAX; i++) {
		p.internal.port = (uint16_t)i;
		assert_int_equal(peers_add(&table, &p), TENF_OK);
	}
	assert_int_equal(peers_count(&table, &p.internal.address), PEERS_MAX);
	assert_int_equal(peers_add(&table, &p), TENF_E_LIMIT);
	peers_clear(&table);
	assert_int_equal(peers_count(&table, &p.internal.address), 0);
	assert_false(peers_batch_is_open(&table));
	peers_done(&table);

	house_memory_init(&memory, 0);
	peers_init(&table, &memory.memory);
	assert_int_equal(peers_add(&table, &p), TENF_E_MEMORY);
	peers_done(&table);
}

static void what_is_restored_is_in_no_batch(void **state)
{
	struct responder_peer p = peer_of(0);
	enum peers_change kind;
	const struct responder_peer *told;
	size_t at = 0;

	(void)state;
	now = 0;
	peers_init(&table, &tenf_memory_libc);
	p.ends_at = 100;
	assert_int_equal(peers_restore(&table, &p), TENF_OK);
	assert_false(peers_batch_is_open(&table));
	assert_false(peers_next_change(&table, &at, &kind, &told));
	assert_true(peers_deadline(&table) == 100);
	peers_remove(&table, peers_by_id(&table, 1));
	assert_null(peers_each(&table, NULL));
	peers_done(&table);
}

static void a_failed_batch_takes_back_all_of_its_renewals(void **state)
{
	struct responder_peer p = peer_of(0);
	struct peers_entry *e;

	(void)state;
	peers_init(&table, &tenf_memory_libc);
	p.ends_at = 100;
	p.lifetime_s = 50;
	p.renewals = 0;
	assert_int_equal(peers_add(&table, &p), TENF_OK);
	peers_commit(&table, count_gone, NULL);
	e = find(0);
	peers_renew(&table, e, 200, 60);
	peers_renew(&table, e, 300, 70);
	peers_rollback(&table, count_gone, NULL);
	assert_true(e->peer.ends_at == 100);
	assert_int_equal(e->peer.lifetime_s, 50);
	assert_int_equal(e->peer.renewals, 0);
	peers_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_an_array_under_random_operations),
		cmocka_unit_test(the_table_is_finite),
		cmocka_unit_test(what_is_restored_is_in_no_batch),
		cmocka_unit_test(a_failed_batch_takes_back_all_of_its_renewals),
	};

	return cmocka_run_group_tests_name("gateway peers", tests, NULL, NULL);
}

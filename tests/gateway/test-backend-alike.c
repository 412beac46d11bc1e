/* SPDX-License-Identifier: MIT */
/*
 * What every backend must do, asked alike of each: the responder's batches through
 * it, and after each the same number of mappings in both. For the kernel's the
 * mappings themselves are compared as well, by a second one that starts from them.
 */
#include "house.h"

#include "gateway/backend/nftables.h"
#include "gateway/helper/table.h"
#include "gateway/responder-govern.h"
#include "kernel.h"
#include "net/clock.h"
#include "samples.h"

#define STEPS 400

struct place {
	const char *name;
	struct backend *backend;
	bool is_kernel;
};

static struct netlink_transport netlink;
static struct helper_setup setup;

static bool open_kernel(struct place *place)
{
	char buffer[512];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	place->name = "nftables";
	place->is_kernel = true;
	if (backend_nftables_open(&setup, "", &place->backend, &why))
		return true;
	print_message("# %s\n", buffer);
	return false;
}

static void open_memory(struct place *place)
{
	place->name = "memory";
	place->is_kernel = false;
	assert_int_equal(backend_memory_open(&tenf_memory_libc, &place->backend), TENF_OK);
}

static void count_one(const struct element *e, uint64_t left_ms, void *context)
{
	uint32_t *count = context;

	(void)e;
	(void)left_ms;
	++*count;
}

static uint32_t held(const struct place *place)
{
	struct helper_transport transport = netlink_transport_of(&netlink);
	uint32_t count = 0;

	if (!place->is_kernel)
		return backend_memory_count(place->backend);
	for (unsigned set = SET_DNAT4; element_set_is_dnat4(set); set++)
		assert_int_equal(table_read(&transport, (enum element_set)set, NULL, count_one,
					    &count), 0);
	assert_int_equal(table_read(&transport, SET_PINHOLE6, NULL, count_one, &count), 0);
	return count;
}

static void run(struct house *h, const struct place *place)
{
	struct responder_datagram datagram;
	struct responder_record record;

	assert_int_equal(backend_run(place->backend, h->r, h->now), TENF_OK);
	while (responder_next_send(h->r, h->now, &datagram))
		continue;
	while (responder_next_record(h->r, &record))
		continue;
	assert_int_equal(held(place), house_count(h));
}

static void ask(struct house *h, const struct wish *wish)
{
	const struct tenf_endpoint from = { house_host(wish->host), 50000 };
	uint8_t data[100];

	house_hand_in(h, &from, data, house_write(wish, data, sizeof(data)));
}

/* The kernel's clock is the real one, so the house's begins there. */
static void begin(struct house *h, const struct place *place)
{
	house_init(h);
	h->now = net_now();
	h->config.mappings_max = 20000;
	h->config.withhold_tcp_s = h->config.withhold_udp_s = 0;
	house_start(h);
	run(h, place);
}

/* ---- The cases -------------------------------------------------------------------- */

static void a_life(const struct place *place)
{
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
			     .external = 10000, .lifetime_s = 600, .nonce = 9 };
	struct house h;

	begin(&h, place);
	ask(&h, &wish);
	run(&h, place);
	assert_int_equal(held(place), 1);
	wish.lifetime_s = 900; /* renewed */
	ask(&h, &wish);
	run(&h, place);
	for (uint16_t i = 0; i < 200; i++) { /* many in one batch */
		wish.internal = (uint16_t)(20000 + i);
		ask(&h, &wish);
	}
	run(&h, place);
	assert_int_equal(held(place), 201);
	wish.internal = 8080;
	wish.lifetime_s = 0; /* removed */
	ask(&h, &wish);
	run(&h, place);
	assert_int_equal(held(place), 200);
	h.now += tenf_seconds(901); /* over */
	responder_expire(h.r, h.now);
	run(&h, place);
	assert_int_equal(held(place), 0);
	house_stop(&h);
}

static void a_reboot_and_a_rebuild(const struct place *place)
{
	struct wish wish = { .host = 21, .protocol = TENF_UDP, .lifetime_s = 600, .nonce = 1 };
	struct house h;

	begin(&h, place);
	for (uint16_t i = 0; i < 100; i++) {
		wish.internal = (uint16_t)(5000 + i);
		ask(&h, &wish);
	}
	run(&h, place);
	responder_rebuild(h.r, h.now, "a test");
	run(&h, place);
	assert_int_equal(held(place), 100);
	responder_reboot(h.r, h.now);
	run(&h, place);
	assert_int_equal(held(place), 0);
	house_stop(&h);
}

/* Another external address moves every mapping, in one batch. */
static void a_move(const struct place *place)
{
	const struct tenf_address other = tenf_address_v4(0xcb007109);
	struct wish wish = { .host = 22, .protocol = TENF_TCP, .lifetime_s = 600, .nonce = 1 };
	struct house h;

	begin(&h, place);
	for (uint16_t i = 0; i < 100; i++) {
		wish.internal = (uint16_t)(5000 + i);
		ask(&h, &wish);
	}
	run(&h, place);
	responder_set_external(h.r, &other, h.now);
	run(&h, place);
	assert_int_equal(held(place), 100);
	responder_reboot(h.r, h.now);
	run(&h, place);
	house_stop(&h);
}

struct comparison {
	const struct house *house;
	uint32_t told;
};

/* Each mapping that is told is the ledger's, in all that counts. */
static enum tenf_status compare(void *context, const struct responder_kept *kept)
{
	struct comparison *c = context;
	const struct ledger_mapping *m = responder_find(c->house->r, kept->id);

	assert_non_null(m);
	assert_int_equal(m->protocol, kept->protocol);
	assert_int_equal(m->maker, kept->maker);
	assert_int_equal(m->internal_port, kept->internal.port);
	assert_int_equal(m->external_port, kept->external.port);
	assert_true(tenf_address_equal(&m->internal_address, &kept->internal.address));
	assert_memory_equal(m->nonce, kept->nonce, sizeof(m->nonce));
	assert_true(m->made_at == kept->made_at);
	/* Ends are the kernel's, which counts in ticks. */
	assert_true(kept->ends_at <= m->until + 100 * TENF_MILLISECOND);
	assert_true(kept->ends_at >= m->until - 30 * TENF_SECOND);
	c->told++;
	return TENF_OK;
}

static enum tenf_status compare_peer(void *context, const struct responder_peer *kept)
{
	(void)context;
	(void)kept;
	fail_msg("there is no PEER here");
	return TENF_E_FAILED;
}

static void start_again(const struct house *h)
{
	struct comparison c = { h, 0 };
	const struct backend_keeper keeper = { compare, compare_peer, &c };
	struct place again;
	tenf_time epoch_start;

	assert_true(open_kernel(&again));
	assert_int_equal(again.backend->ops->restore(again.backend, &keeper, &epoch_start),
			 TENF_OK);
	assert_true(epoch_start <= net_now());
	assert_int_equal(c.told, house_count(h));
	again.backend->ops->close(again.backend);
}

/* Requests and removals at random, a few in each batch. */
static void at_random(const struct place *place)
{
	struct tenf_seeded seeded;
	struct tenf_random random;
	struct house h;

	tenf_seeded_init(&seeded, 20261127);
	random = tenf_seeded_random(&seeded);
	begin(&h, place);
	for (unsigned step = 0; step < STEPS; step++) {
		uint8_t dice[6];

		for (unsigned i = 0; i < 1 + step % 5; i++) {
			struct wish wish = { .external = 0, .nonce = 3 };

			random.fill(random.context, dice, sizeof(dice));
			wish.host = 20u + dice[0] % 4;
			wish.protocol = dice[1] % 2 == 0 ? TENF_TCP : TENF_UDP;
			wish.internal = (uint16_t)(4000 + dice[2] % 50);
			wish.external = (uint16_t)(4000 + dice[3] % 50);
			wish.lifetime_s = dice[4] % 3 == 0 ? 0 : 600u + dice[5];
			ask(&h, &wish);
		}
		run(&h, place);
	}
	assert_true(house_count(&h) > 20);
	if (place->is_kernel)
		start_again(&h);
	responder_reboot(h.r, h.now);
	run(&h, place);
	house_stop(&h);
}

static void ask_all(void (*ask_one)(const struct place *place))
{
	struct place place;

	open_memory(&place);
	ask_one(&place);
	place.backend->ops->close(place.backend);
	if (netlink.fd < 0) {
		print_message("# skip: no namespace with nftables here, memory alone\n");
		skip();
	}
	assert_true(open_kernel(&place));
	ask_one(&place);
	place.backend->ops->close(place.backend);
}

static void both_live_through_a_life(void **state)
{
	(void)state;
	ask_all(a_life);
}

static void both_live_through_reboot_and_rebuild(void **state)
{
	(void)state;
	ask_all(a_reboot_and_a_rebuild);
}

static void both_move_to_another_address(void **state)
{
	(void)state;
	ask_all(a_move);
}

static void both_hold_what_was_asked_at_random(void **state)
{
	(void)state;
	ask_all(at_random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_live_through_a_life),
		cmocka_unit_test(both_live_through_reboot_and_rebuild),
		cmocka_unit_test(both_move_to_another_address),
		cmocka_unit_test(both_hold_what_was_asked_at_random),
	};
	char buffer[256];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	setup = sample_setup();
	netlink.fd = -1;
	if (kernel_enter() && netlink_transport_open(&netlink) == 0 &&
	    !table_make(&setup, true, &why))
		netlink_transport_close(&netlink);
	return cmocka_run_group_tests_name("backends alike", tests, NULL, NULL);
}

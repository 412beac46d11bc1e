/* SPDX-License-Identifier: MIT */
/* Mappings outlive the daemon, a loss of the packet path and another address. */
#include "house.h"

#include "gateway/responder-govern.h"
#include "gateway/responder-restore.h"

#include <string.h>

#define KEPT_MAX 16

static struct house h;

static int setup(void **state)
{
	(void)state;
	house_init(&h);
	house_start(&h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&h);
	return 0;
}

static struct responder_kept kept_of(const struct ledger_mapping *m)
{
	const struct tenf_address *asker = ledger_asker(m);
	struct responder_kept k = {
		.protocol = (enum tenf_protocol)m->protocol,
		.internal = { m->internal_address, m->internal_port },
		.external = responder_external_of(h.r, m), .maker = (enum ledger_maker)m->maker,
		.made_at = m->made_at, .ends_at = m->until, .lifetime_s = m->lifetime_s,
		.renewals = m->renewals, .id = m->id, .rule = m->rule, .asker = *asker,
		.has_asker = !tenf_address_equal(asker, &m->internal_address),
	};

	memcpy(k.nonce, m->nonce, sizeof(k.nonce));
	return k;
}

static struct responder_kept sound(void)
{
	return (struct responder_kept){
		.protocol = TENF_TCP, .internal = { house_host(20), 8080 },
		.external = { house_external, 8000 }, .maker = LEDGER_BY_PCP, .nonce = { 1 },
		.made_at = h.now - 60 * TENF_SECOND, .ends_at = h.now + 500 * TENF_SECOND,
		.lifetime_s = 600, .renewals = 3, .id = 77,
	};
}

static enum tenf_status restore(const struct responder_kept *k)
{
	enum tenf_status status = responder_restore(h.r, k, h.now);

	h.held += status == TENF_OK;
	return status;
}

/* NP-G-45: a daemon that was away goes on with the same leases and the same epoch */
static void after_a_restart_nobody_notices(void **state)
{
	const struct tenf_endpoint server = { house_host(9), 22 };
	const struct tenf_address v6 = house_v6("2001:db8:1::20");
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
			     .external = 8000, .lifetime_s = 3600, .nonce = 5 };
	struct wish pinhole = wish;
	const struct ledger_mapping *m = NULL;
	struct responder_kept kept[KEPT_MAX];
	struct responder_datagram out;
	struct pcp_answer a;
	size_t count = 0;
	tenf_time epoch;
	uint32_t id;

	(void)state;
	pinhole.from = &v6;
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	id = h.record.id;
	assert_int_equal(house_pcp(&h, &pinhole).result, 0);
	assert_int_equal(house_natpmp(&h, 20, TENF_UDP, 7, 7000, 600).result, 0);
	assert_int_equal(responder_add_static(h.r, TENF_TCP, &server, 2222, h.now), TENF_OK);
	house_turn(&h);
	epoch = h.epoch_start;
	h.now += 100 * TENF_SECOND;
	while ((m = responder_mappings(h.r, m)) != NULL)
		kept[count++] = kept_of(m);
	assert_int_equal(count, 4);

	house_stop(&h);
	h.now += 50 * TENF_SECOND;
	house_start(&h);
	h.held = h.installs = h.epochs = 0;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(restore(&kept[i]), TENF_OK);
	responder_resume(h.r, epoch);
	assert_false(responder_next_send(h.r, h.now, &out)); /* no announcement */
	house_turn(&h);
	assert_int_equal(h.installs + h.renewals + h.removals + h.flushes + h.epochs, 0);
	assert_int_equal(responder_epoch_s(h.r, h.now), 150);
	assert_int_equal(responder_find(h.r, id)->external_port, 8000);

	wish.nonce = 6; /* nobody else's */
	a = house_pcp(&h, &wish);
	assert_int_equal(a.result, PCP_NOT_AUTHORIZED);
	assert_int_equal(a.lifetime_s, 3450);
	wish.nonce = 5;
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 8000);
	assert_int_equal(h.record.verdict, RESPONDER_RENEWED);
	assert_int_equal(h.record.renewals, 1);
	house_wait(&h, 450 * TENF_SECOND); /* NAT-PMP's ends when it was to end */
	assert_null(house_find(&h, TENF_UDP, 7000));
	assert_int_equal(house_count(&h), 3);
	wish.internal = 9999; /* a new one is not mistaken for an old one */
	wish.external = 0;
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	assert_true(h.record.id > id + 3);
}

static void what_was_said_of_a_mapping_comes_back(void **state)
{
	const struct pcp_filter filters[2] = { { .prefix_length = 128, .port = 1 },
					       { .prefix_length = 120, .port = 2 } };
	struct responder_kept k = sound();
	const struct ledger_mapping *m;

	(void)state;
	k.description = (const uint8_t *)"camera";
	k.description_len = 6;
	k.filters = filters;
	k.filter_count = 2;
	assert_int_equal(restore(&k), TENF_OK);
	m = responder_find(h.r, 77);
	assert_int_equal(m->renewals, 3);
	assert_true(m->made_at == k.made_at);
	assert_int_equal(m->lifetime_s, 600);
	assert_int_equal(ledger_remaining_s(m, h.now), 500);
	assert_int_equal(m->rule, 0);
	assert_memory_equal(m->cold->description, "camera", 6);
	assert_int_equal(m->cold->filters[1].port, 2);
	house_turn(&h);
	assert_int_equal(h.installs, 0);
}

static void what_makes_no_sense_is_refused_and_leaves_nothing(void **state)
{
	const struct tenf_address v6 = house_v6("2001:db8:1::20");

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		struct responder_kept k = sound();

		switch (i) {
		case 0: k.protocol = TENF_BOTH; break;
		case 1: k.internal.port = 0; break;
		case 2: k.external.port = 0; break;
		case 3: k.internal.address = tenf_address_none4; break;
		case 4: k.internal.address = v6; break; /* families differ */
		case 5: k.internal.address = k.external.address = v6; break; /* ports differ */
		case 6: k.external.address = tenf_address_none4; break;
		case 7: k.internal.address = tenf_address_v4(0xe0000001); break;
		case 8: k.maker = (enum ledger_maker)9; break;
		case 9: k.ends_at = h.now; break; /* over */
		case 10: k.ends_at = TENF_NEVER; break; /* static alone */
		case 11: k.maker = LEDGER_STATIC; break; /* never alone */
		case 12: k.lifetime_s = 0; break;
		case 13: k.made_at = h.now + 1; break;
		case 14: k.description_len = LEDGER_DESCRIPTION_MAX + 1; break;
		default: k.filter_count = LEDGER_FILTERS_MAX + 1; break;
		}
		assert_int_equal(restore(&k), TENF_E_ARGUMENT);
	}
	assert_int_equal(house_count(&h), 0);
}

static void what_does_not_fit_what_is_there_is_refused(void **state)
{
	const struct responder_reserved ssh = { TENF_TCP, 22 };
	struct responder_kept k = sound();

	(void)state;
	assert_int_equal(responder_set_reserved(h.r, &ssh, 1), TENF_OK);
	assert_int_equal(restore(&k), TENF_OK);
	k.external.port = 8001;
	assert_int_equal(restore(&k), TENF_E_LIMIT); /* the endpoint is there */
	k = sound();
	k.internal.port = 8081;
	assert_int_equal(restore(&k), TENF_E_LIMIT); /* the port is */
	k.internal.address = house_host(30);
	k.protocol = TENF_UDP;
	assert_int_equal(restore(&k), TENF_E_LIMIT); /* its twin is another host's */
	k.external.port = PCP_PORT;
	assert_int_equal(restore(&k), TENF_E_LIMIT);
	k.protocol = TENF_TCP;
	k.external.port = 22;
	assert_int_equal(restore(&k), TENF_E_LIMIT);
	k.external.port = 8001;
	house_hand_in(&h, &(struct tenf_endpoint){ house_host(40), 5 }, (const uint8_t *)
		      "\0\2\0\0\0\7\0\7\0\0\0\x3c", 12);
	assert_int_equal(restore(&k), TENF_E_AGAIN);
	house_turn(&h);
	assert_int_equal(restore(&k), TENF_OK);
}

static void a_full_table_takes_no_more_back(void **state)
{
	struct responder_kept k = sound();

	(void)state;
	house_stop(&h);
	h.config.mappings_max = 1;
	house_start(&h);
	assert_int_equal(restore(&k), TENF_OK);
	k.internal.port = 1;
	k.external.port = 9001;
	assert_int_equal(restore(&k), TENF_E_LIMIT);
}

/* PCP-G-47: another address is another epoch, also when it came while nobody was there */
static void what_was_kept_at_another_address_is_moved(void **state)
{
	struct responder_kept k = sound();
	struct responder_datagram out;

	(void)state;
	k.external.address = tenf_address_v4(0xcb007108);
	assert_int_equal(restore(&k), TENF_OK);
	responder_resume(h.r, h.now - 1000 * TENF_SECOND);
	assert_int_equal(responder_epoch_s(h.r, h.now), 0);
	assert_true(responder_next_send(h.r, h.now, &out));
	house_turn(&h);
	assert_int_equal(h.flushes, 1);
	assert_int_equal(h.installs, 1);
	assert_int_equal(h.epochs, 1);
	assert_true(tenf_address_equal(&h.installed.address, &house_external));
}

static void without_an_address_of_its_own_it_takes_the_kept_one(void **state)
{
	const struct tenf_address other = tenf_address_v4(0xcb007108);
	struct responder_kept k = sound();

	(void)state;
	house_stop(&h);
	h.config.external_address = tenf_address_none4;
	house_start(&h);
	assert_int_equal(restore(&k), TENF_OK);
	responder_resume(h.r, h.now - 1000 * TENF_SECOND);
	responder_set_external(h.r, &house_external, h.now);
	house_turn(&h);
	assert_int_equal(responder_epoch_s(h.r, h.now), 1000);
	assert_int_equal(h.flushes, 0);
	responder_set_external(h.r, &other, h.now);
	house_turn(&h);
	assert_int_equal(responder_epoch_s(h.r, h.now), 0);
	assert_int_equal(h.flushes, 1);
	assert_true(tenf_address_equal(&h.installed.address, &other));
}

static void a_start_that_lies_in_the_future_is_none(void **state)
{
	(void)state;
	responder_resume(h.r, h.now + 1);
	assert_int_equal(responder_epoch_s(h.r, h.now), 0);
	house_turn(&h);
	assert_int_equal(h.epochs, 1);
}

static void a_packet_path_that_lost_everything_is_filled_again(void **state)
{
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
			     .external = 8000, .lifetime_s = 600, .nonce = 5 };
	struct responder_datagram out;

	(void)state;
	for (uint16_t i = 0; i < 500; i++) { /* more than one batch of requests makes */
		wish.internal = (uint16_t)(100 + i);
		wish.external = (uint16_t)(8000 + i);
		assert_int_equal(house_pcp(&h, &wish).result, 0);
	}
	house_wait(&h, 300 * TENF_SECOND);
	h.installs = h.epochs = 0;
	responder_rebuild(h.r, h.now, "the table was flushed by others");
	assert_true(responder_deadline(h.r) <= h.now);
	h.backend = TENF_E_SYSTEM;
	house_turn(&h);
	assert_int_equal(h.record.verdict, RESPONDER_RESTARTED);
	assert_string_equal(h.record.why, "the table was flushed by others");
	assert_int_equal(house_count(&h), 500); /* not forgotten */
	wish.external = 9000; /* nothing can be promised meanwhile */
	wish.internal = 9000;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	h.backend = TENF_OK;
	h.held = 0;
	h.installs = 0;
	assert_true(responder_deadline(h.r) <= h.now + RESPONDER_RETRY);
	house_wait(&h, RESPONDER_RETRY);
	assert_int_equal(h.installs, 500);
	assert_int_equal(responder_epoch_s(h.r, h.now), 1);
	assert_true(h.epoch_start == h.now - RESPONDER_RETRY);
	while (responder_next_send(h.r, h.now, &out))
		assert_int_equal(out.to.port, PCP_ANNOUNCE_PORT);
	h.flushes = 0;
	house_wait(&h, 300 * TENF_SECOND); /* leases end when they were to end */
	assert_int_equal(house_count(&h), 0);
	assert_int_equal(h.flushes, 0);
}

static void a_loss_that_is_told_during_a_commit_is_not_forgotten(void **state)
{
	struct responder_change change;

	(void)state;
	house_turn(&h);
	assert_false(responder_next_change(h.r, &change));
	responder_rebuild(h.r, h.now, "lost");
	responder_committed(h.r, TENF_OK, h.now);
	house_turn(&h);
	assert_int_equal(h.flushes, 1);
	assert_int_equal(h.epochs, 2);
}

static void a_batch_that_fails_while_all_is_moved_takes_back_its_own_part_alone(void **state)
{
	const struct tenf_address other = tenf_address_v4(0xcb007108);
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 8080,
			     .external = 8000, .lifetime_s = 600, .nonce = 5 };
	struct pcp_answer a;

	(void)state;
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	responder_set_external(h.r, &other, h.now);
	h.backend = TENF_E_SYSTEM;
	wish.lifetime_s = 0; /* a removal and an addition in the batch that moves */
	assert_int_equal(house_pcp(&h, &wish).result, PCP_NO_RESOURCES);
	assert_int_equal(house_count(&h), 1);
	h.backend = TENF_OK;
	h.installs = 0;
	assert_int_equal(house_pcp(&h, &wish).result, 0);
	assert_int_equal(h.installs, 0); /* flushed, and nothing to put in */
	assert_int_equal(house_count(&h), 0);
	wish.lifetime_s = 600;
	a = house_pcp(&h, &wish);
	assert_true(tenf_address_equal(&a.map.external_address, &other));
}

static void running_out_of_memory_restores_less_and_breaks_nothing(void **state)
{
	unsigned restored = 0;
	unsigned refused = 0;

	(void)state;
	for (long left = 0; left < 16; left++) {
		static struct house_memory memory; /* outlives what uses it */
		struct responder_kept k;
		enum tenf_status status;

		house_stop(&h);
		house_memory_init(&memory, 1000);
		assert_int_equal(responder_new(&h.config, &h.random, &memory.memory, h.now, &h.r),
				 TENF_OK);
		h.held = 0;
		k = sound();
		k.description = (const uint8_t *)"x";
		k.description_len = 1;
		memory.left = left;
		status = restore(&k);
		assert_true(status == TENF_OK || status == TENF_E_MEMORY);
		assert_int_equal(house_count(&h), status == TENF_OK);
		restored += status == TENF_OK;
		refused += status == TENF_E_MEMORY;
		memory.left = 1000;
		house_turn(&h);
	}
	assert_true(restored > 3 && refused > 3);
}

static void who_asked_for_another_host_is_known_after_a_restart(void **state)
{
	struct responder_kept k = sound();
	struct policy_rule rules[2];

	(void)state;
	k.has_asker = true;
	k.asker = house_host(21);
	assert_int_equal(restore(&k), TENF_OK);
	rules[0] = h.rules[0];
	rules[0].third_party = true;
	assert_true(tenf_prefix_parse("192.168.1.21", &rules[0].client));
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
	assert_true(tenf_prefix_parse("192.168.1.20", &rules[0].client));
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 0);
	k.asker = tenf_address_none4;
	k.external.port++;
	assert_int_equal(restore(&k), TENF_E_ARGUMENT);
}

static void what_a_rule_with_a_mac_may_allow_is_not_closed_before_its_host_is_heard(void **state)
{
	struct responder_kept k = sound();
	struct policy_rule rules[2] = { { .has_mac = true, .mac = { 1 }, .action = POLICY_ALLOW } };

	(void)state;
	assert_int_equal(restore(&k), TENF_OK);
	k.internal.port = 9;
	k.external.port = 9;
	k.id = 78;
	assert_int_equal(restore(&k), TENF_OK);
	/* Nobody was heard yet: it may be the one, but its port 9 is for nobody. */
	rules[0].internal = (struct policy_ports){ { { 1000, 65535 } }, 1 };
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
	/* Heard under another address of its link, it is closed when the rules are applied. */
	h.has_mac = true;
	memset(h.mac, 2, sizeof(h.mac));
	(void)house_natpmp(&h, 20, TENF_TCP, 7000, 7000, 60);
	assert_int_equal(responder_set_policy(h.r, rules, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 0);
}

static void a_rule_that_denies_one_mac_closes_nothing_of_hosts_that_are_not_known(void **state)
{
	struct responder_kept k = sound();
	struct policy_rule rules[2] = { { .has_mac = true, .mac = { 1 }, .action = POLICY_DENY },
					{ .action = POLICY_ALLOW } };

	(void)state;
	assert_int_equal(restore(&k), TENF_OK);
	assert_int_equal(responder_set_policy(h.r, rules, 2, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(house_count(&h), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(after_a_restart_nobody_notices),
		CASE(what_was_said_of_a_mapping_comes_back),
		CASE(what_makes_no_sense_is_refused_and_leaves_nothing),
		CASE(what_does_not_fit_what_is_there_is_refused),
		CASE(a_full_table_takes_no_more_back),
		CASE(what_was_kept_at_another_address_is_moved),
		CASE(without_an_address_of_its_own_it_takes_the_kept_one),
		CASE(a_start_that_lies_in_the_future_is_none),
		CASE(a_packet_path_that_lost_everything_is_filled_again),
		CASE(a_loss_that_is_told_during_a_commit_is_not_forgotten),
		CASE(a_batch_that_fails_while_all_is_moved_takes_back_its_own_part_alone),
		CASE(running_out_of_memory_restores_less_and_breaks_nothing),
		CASE(who_asked_for_another_host_is_known_after_a_restart),
		CASE(what_a_rule_with_a_mac_may_allow_is_not_closed_before_its_host_is_heard),
		CASE(a_rule_that_denies_one_mac_closes_nothing_of_hosts_that_are_not_known),
	};

	return cmocka_run_group_tests_name("gateway restores", tests, NULL, NULL);
}

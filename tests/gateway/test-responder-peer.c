/* SPDX-License-Identifier: MIT */
/* PEER: flows are reported, extended, and never cut short (RFC 6887 §12). */
#include "house.h"

#include "gateway/responder-govern.h"
#include "gateway/responder-restore.h"
#include "wire/pcp-option.h"

#include <string.h>

static struct house h;
static struct responder_flows flows;

/* What the packet path knows of one flow. */
static struct {
	bool is_there;
	struct tenf_endpoint external;
	uint32_t lifetime_s;
	unsigned asked;
} flow;

static bool find_flow(void *context, enum tenf_protocol protocol,
		      const struct tenf_endpoint *internal, const struct tenf_endpoint *remote,
		      struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s)
{
	assert_ptr_equal(context, &flow);
	assert_int_equal(protocol, TENF_TCP);
	assert_int_equal(internal->port, 4000);
	assert_int_equal(remote->port, 443);
	flow.asked++;
	if (!flow.is_there)
		return false;
	*ret_external = flow.external;
	*ret_lifetime_s = flow.lifetime_s;
	return true;
}

static int setup(void **state)
{
	(void)state;
	memset(&flow, 0, sizeof(flow));
	flows = (struct responder_flows){ find_flow, &flow };
	house_init(&h);
	h.config.peer = true;
	h.config.flows = &flows;
	house_start(&h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	house_stop(&h);
	return 0;
}

struct asked {
	unsigned host;
	uint8_t nonce;
	uint8_t protocol;
	uint16_t internal;
	uint16_t external;
	uint16_t remote_port;
	uint32_t remote;
	uint32_t lifetime_s;
	struct tenf_address address; /* suggested; zero is none4 */
	const uint8_t *options;
	size_t options_len;
};

static const struct asked plain = { .host = 20, .nonce = 1, .protocol = TENF_TCP, .internal = 4000,
				    .remote_port = 443, .remote = 0x08080808, .lifetime_s = 600 };

static struct pcp_answer ask(const struct asked *asked)
{
	struct pcp_request request = {
		.opcode = PCP_PEER, .lifetime_s = asked->lifetime_s,
		.client = house_host(asked->host),
		.map = { .protocol = asked->protocol, .internal_port = asked->internal,
			 .external_port = asked->external, .external_address = asked->address },
		.remote = { asked->remote_port, tenf_address_v4(asked->remote) },
	};
	const struct tenf_endpoint from = { house_host(asked->host), 50000 };
	uint8_t data[200];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct pcp_answer a;

	if (tenf_address_equal(&asked->address, &tenf_address_none6))
		request.map.external_address = tenf_address_none4;
	memset(request.map.nonce, asked->nonce, PCP_NONCE);
	pcp_write_request(&w, &request);
	tenf_writer_copy(&w, asked->options, asked->options_len);
	house_send(&h, &from, data, w.used);
	assert_int_equal(h.answers, 1);
	assert_int_equal(pcp_decode_answer(h.answer, h.sent.len, &a), TENF_OK);
	assert_int_equal(a.opcode, PCP_PEER);
	return a;
}

/* PCP-G-44: what PEER is about must be said */
static void fields_that_are_zero_or_impossible_are_malformed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		struct asked asked = plain;

		switch (i) {
		case 0: asked.protocol = 0; break;
		case 1: asked.internal = 0; break;
		case 2: asked.remote_port = 0; break;
		case 3: asked.remote = 0; break;
		case 4: asked.remote = 0x7f000001; break;
		case 5: asked.remote = 0xe0000001; break;
		default: asked.remote = UINT32_MAX; break;
		}
		assert_int_equal(ask(&asked).result, PCP_MALFORMED_REQUEST);
	}
	assert_int_equal(ask(&(struct asked){ .host = 20, .protocol = 132, .internal = 1,
					      .remote_port = 1, .remote = 1, .lifetime_s = 60 })
				 .result, PCP_UNSUPP_PROTOCOL);
	assert_int_equal(h.peers, 0);
}

/* PCP-G-37: and other options of MAP's have no place in it either */
static void prefer_failure_is_a_malformed_request(void **state)
{
	static const uint8_t prefer_failure[] = { PCP_OPTION_PREFER_FAILURE, 0, 0, 0 };
	static const uint8_t filter[24] = { PCP_OPTION_FILTER, 0, 0, 20, 0, 128 };
	struct asked asked = plain;

	(void)state;
	asked.external = 7000;
	asked.options = prefer_failure;
	asked.options_len = sizeof(prefer_failure);
	assert_int_equal(ask(&asked).result, PCP_MALFORMED_REQUEST);
	asked.options = filter;
	asked.options_len = sizeof(filter);
	assert_int_equal(ask(&asked).result, PCP_MALFORMED_OPTION);
	assert_int_equal(h.peers, 0);
}

/* PCP-G-45: an existing flow is told as it is, and lasts longer from now on */
static void a_flow_is_reported_and_extended_and_never_cut_short(void **state)
{
	struct asked asked = plain;
	struct pcp_answer a;

	(void)state;
	flow.is_there = true;
	flow.external = (struct tenf_endpoint){ house_external, 34567 };
	flow.lifetime_s = 1000;
	asked.external = 7000; /* suggestions are ignored */
	a = ask(&asked);
	assert_int_equal(a.result, PCP_SUCCESS);
	assert_int_equal(a.map.external_port, 34567);
	assert_int_equal(a.lifetime_s, 1000); /* 600 would be less than it has */
	assert_int_equal(a.remote.port, 443);
	assert_int_equal(h.peer.external.port, 34567);
	assert_int_equal(h.peer.remote.port, 443);
	assert_int_equal(h.peer_installs, 1);
	assert_int_equal(h.record.verdict, RESPONDER_GRANTED);
	assert_int_equal(h.record.remote.port, 443);

	h.now += 100 * TENF_SECOND;
	asked.lifetime_s = 0; /* no deletion */
	assert_int_equal(ask(&asked).lifetime_s, 900);
	asked.lifetime_s = 120; /* no shortening */
	assert_int_equal(ask(&asked).lifetime_s, 900);
	assert_int_equal(h.peer_renewals, 0);
	asked.lifetime_s = 7200;
	a = ask(&asked);
	assert_int_equal(a.lifetime_s, 7200);
	assert_int_equal(a.map.external_port, 34567);
	assert_int_equal(h.peer_renewals, 1);
	assert_int_equal(flow.asked, 1); /* the table knows by now */
	asked.nonce = 2; /* the first one is remembered */
	a = ask(&asked);
	assert_int_equal(a.result, PCP_NOT_AUTHORIZED);
	assert_int_equal(a.lifetime_s, 7200);
	assert_int_equal(h.peers, 1);
}

static void a_flow_on_a_port_of_another_host_is_told_and_not_kept(void **state)
{
	struct pcp_answer a;

	(void)state;
	assert_int_equal(house_natpmp(&h, 30, TENF_TCP, 9, 9000, 600).external_port, 9000);
	flow.is_there = true;
	flow.external = (struct tenf_endpoint){ house_external, 9000 };
	flow.lifetime_s = 77;
	a = ask(&plain);
	assert_int_equal(a.result, PCP_SUCCESS);
	assert_int_equal(a.map.external_port, 9000);
	assert_int_equal(a.lifetime_s, 77);
	flow.external.address = tenf_address_v4(0x01020304); /* nor through another address */
	flow.external.port = 9001;
	assert_int_equal(ask(&plain).lifetime_s, 77);
	assert_int_equal(h.peers, 0);
}

/* PCP-G-45: without a flow one is made room for, as if the host had sent a packet */
static void without_a_flow_the_suggestion_is_met_or_refused(void **state)
{
	struct asked asked = plain;

	(void)state;
	asked.external = 7000;
	assert_int_equal(ask(&asked).map.external_port, 7000);
	asked.host = 30; /* its port, for whatever remote peer */
	asked.remote = 0x09090909;
	assert_int_equal(ask(&asked).result, PCP_CANNOT_PROVIDE_EXTERNAL);
	asked.external = 0;
	asked.address = tenf_address_v4(0x01020304);
	assert_int_equal(ask(&asked).result, PCP_CANNOT_PROVIDE_EXTERNAL);
	asked.address = house_external;
	assert_int_equal(ask(&asked).result, PCP_SUCCESS);
	assert_int_equal(h.peers, 2);
	asked = plain; /* a deletion of nothing makes nothing */
	asked.remote = 0x0a0a0a0a;
	asked.lifetime_s = 0;
	assert_int_equal(ask(&asked).lifetime_s, 0);
	assert_int_equal(h.peers, 2);
}

static void an_internal_endpoint_has_one_external_endpoint(void **state)
{
	struct asked asked = plain;
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 4000,
			     .lifetime_s = 600, .nonce = 3 };

	(void)state;
	asked.external = 7000;
	assert_int_equal(ask(&asked).map.external_port, 7000);
	asked.external = 0;
	asked.remote = 0x09090909;
	assert_int_equal(ask(&asked).map.external_port, 7000);
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 7000); /* MAP too */
	wish.host = 30; /* and nobody else has it */
	wish.external = 7000;
	assert_int_not_equal(house_pcp(&h, &wish).map.external_port, 7000);
	wish.protocol = TENF_UDP;
	assert_int_not_equal(house_pcp(&h, &wish).map.external_port, 7000);
	wish = (struct wish){ .host = 40, .protocol = TENF_TCP, .internal = 4000,
			      .external = 7500, .lifetime_s = 600, .nonce = 3 };
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 7500);
	asked.host = 40; /* the other way round: MAP's is PEER's */
	assert_int_equal(ask(&asked).map.external_port, 7500);
}

static void ports_come_back_when_the_last_lease_is_over(void **state)
{
	struct asked asked = plain;
	struct wish wish = { .host = 30, .protocol = TENF_TCP, .internal = 1, .external = 7000,
			     .lifetime_s = 600, .nonce = 3 };

	(void)state;
	asked.external = 7000;
	(void)ask(&asked);
	asked.remote = 0x09090909;
	asked.lifetime_s = 1200;
	(void)ask(&asked);
	h.now += 600 * TENF_SECOND;
	house_turn(&h);
	assert_int_equal(h.peers, 1);
	assert_int_equal(h.record.verdict, RESPONDER_EXPIRED);
	assert_int_equal(h.record.opcode, PCP_PEER);
	assert_int_not_equal(house_pcp(&h, &wish).map.external_port, 7000);
	assert_true(responder_deadline(h.r) <= h.now + 600 * TENF_SECOND);
	house_wait(&h, 600 * TENF_SECOND);
	assert_int_equal(h.peers, 0);
	wish.internal = 2;
	assert_int_equal(house_pcp(&h, &wish).map.external_port, 7000);
}

static void no_answer_promises_what_did_not_come_true(void **state)
{
	struct asked asked = plain;

	(void)state;
	h.backend = TENF_E_SYSTEM;
	asked.external = 7000;
	assert_int_equal(ask(&asked).result, PCP_NO_RESOURCES);
	assert_null(responder_peers(h.r, NULL));
	h.backend = TENF_OK;
	asked.host = 30; /* the port is free again */
	assert_int_equal(ask(&asked).map.external_port, 7000);
	h.backend = TENF_E_SYSTEM;
	h.now += 100 * TENF_SECOND;
	assert_int_equal(ask(&asked).result, PCP_NO_RESOURCES);
	h.backend = TENF_OK;
	asked.lifetime_s = 0;
	assert_int_equal(ask(&asked).lifetime_s, 500);
}

/* PEERS_OF_HOST_MAX, and the rules that hold for MAP */
static void limits_and_rules_hold(void **state)
{
	const struct policy_rule none = { .action = POLICY_DENY };
	struct asked asked = plain;

	(void)state;
	for (uint32_t i = 0; i < PEERS_OF_HOST_MAX; i++) {
		asked.remote = 0x08080000 + i;
		assert_int_equal(ask(&asked).result, PCP_SUCCESS);
	}
	asked.remote++;
	assert_int_equal(ask(&asked).result, PCP_USER_EX_QUOTA);
	asked.host = 30;
	assert_int_equal(ask(&asked).result, PCP_SUCCESS);
	assert_int_equal(responder_set_policy(h.r, &none, 1, NULL, false, h.now), TENF_OK);
	assert_int_equal(ask(&asked).result, PCP_NOT_AUTHORIZED);
	asked.remote++;
	assert_int_equal(ask(&asked).result, PCP_NOT_AUTHORIZED);
	assert_int_equal(h.peers, PEERS_OF_HOST_MAX + 1);
	assert_int_equal(responder_set_policy(h.r, &none, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.peers, 0);
	assert_int_equal(h.record.verdict, RESPONDER_REVOKED);
	assert_int_equal(h.record.end, LEDGER_DISALLOWED);
}

static void an_administrator_may_end_one(void **state)
{
	uint32_t id;

	(void)state;
	assert_int_equal(ask(&plain).result, PCP_SUCCESS);
	id = responder_peers(h.r, NULL)->id;
	assert_int_equal(h.record.id, id);
	assert_int_equal(responder_revoke(h.r, id, h.now), TENF_OK);
	h.backend = TENF_E_SYSTEM;
	house_turn(&h);
	assert_int_equal(h.record.end, LEDGER_NOT_ENDED);
	h.backend = TENF_OK;
	assert_int_equal(responder_revoke(h.r, id, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.record.end, LEDGER_REVOKED);
	assert_int_equal(h.peers, 0);
}

static void what_map_may_not_have_back_peer_may_not_either(void **state)
{
	const struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 4000,
				   .external = 7000, .lifetime_s = 600, .nonce = 1 };
	struct asked asked = plain;
	struct pcp_answer a;

	(void)state;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(responder_revoke(h.r, h.record.id, h.now), TENF_OK);
	house_turn(&h);
	for (unsigned i = 0; i < 2; i++) {
		flow.is_there = i == 1;
		flow.external = (struct tenf_endpoint){ house_external, 7001 };
		flow.lifetime_s = 60;
		a = ask(&asked);
		assert_int_equal(a.result, PCP_NOT_AUTHORIZED);
		assert_int_equal(a.lifetime_s, LEDGER_REVOKED_S);
	}
	flow.is_there = false;
	assert_int_equal(h.peers, 0);
	house_wait(&h, (LEDGER_REVOKED_S + 1) * TENF_SECOND);
	assert_int_equal(ask(&asked).result, PCP_SUCCESS);
}

static void peer_and_map_share_the_quota_of_a_rule(void **state)
{
	const struct policy_rule few = { .action = POLICY_ALLOW, .mappings_max = 2 };
	struct wish wish = { .host = 20, .protocol = TENF_TCP, .internal = 4000,
			     .external = 7000, .lifetime_s = 600, .nonce = 1 };
	const struct responder_ask why = { .client = house_host(20), .protocol = TENF_TCP,
					   .internal_port = 4001 };
	struct responder_explanation told;
	struct asked asked = plain;

	(void)state;
	assert_int_equal(responder_set_policy(h.r, &few, 1, NULL, false, h.now), TENF_OK);
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
	assert_int_equal(ask(&asked).result, PCP_SUCCESS);
	asked.remote++;
	assert_int_equal(ask(&asked).result, PCP_USER_EX_QUOTA);
	wish.internal++;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_USER_EX_QUOTA);
	responder_explain(h.r, &why, h.now, &told);
	assert_false(told.granted);
	assert_string_equal(told.why, "over MaxMappings of the rule");
	asked.remote--;
	assert_int_equal(ask(&asked).result, PCP_SUCCESS); /* a renewal */
	wish.host = asked.host = 30;
	assert_int_equal(house_pcp(&h, &wish).result, PCP_SUCCESS);
}

static void what_is_kept_of_a_long_flow_is_no_longer_than_a_lease(void **state)
{
	const struct policy_rule brief = { .action = POLICY_ALLOW, .lifetime_max_s = 300 };

	(void)state;
	flow.is_there = true;
	flow.external = (struct tenf_endpoint){ house_external, 34567 };
	flow.lifetime_s = 432000; /* of TCP */
	assert_int_equal(responder_set_policy(h.r, &brief, 1, NULL, false, h.now), TENF_OK);
	assert_int_equal(ask(&plain).lifetime_s, 300);
	assert_true(h.peer.ends_at == h.now + 300 * TENF_SECOND);
}

/* PCP-G-31 for PEER too; an IPv6 host has its own ports */
static void the_ports_of_the_protocol_are_not_opened_for_a_peer(void **state)
{
	struct pcp_request request = {
		.opcode = PCP_PEER, .lifetime_s = 600, .client = house_v6("2001:db8:1::20"),
		.map = { .protocol = TENF_UDP, .external_address = tenf_address_none6 },
		.remote = { 443, house_v6("2001:db8:2::1") },
	};
	const struct tenf_endpoint from = { request.client, 50000 };
	const uint16_t ports[] = { PCP_PORT, PCP_ANNOUNCE_PORT, 5352 };

	(void)state;
	house_stop(&h);
	h.config.flows = NULL;
	house_start(&h);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(ports); i++) {
		uint8_t data[200];
		struct tenf_writer w = tenf_writer_of(data, sizeof(data));
		struct pcp_answer a;

		request.map.internal_port = ports[i];
		pcp_write_request(&w, &request);
		house_send(&h, &from, data, w.used);
		assert_int_equal(pcp_decode_answer(h.answer, h.sent.len, &a), TENF_OK);
		assert_int_equal(a.result, i < 2 ? PCP_NOT_AUTHORIZED : PCP_SUCCESS);
	}
	assert_int_equal(h.peers, 1);
}

static void rules_of_a_link_layer_address_are_applied_to_what_is_there(void **state)
{
	struct policy_rule rule = { .action = POLICY_ALLOW, .has_mac = true };

	(void)state;
	memset(rule.mac, 2, sizeof(rule.mac));
	h.has_mac = true;
	memset(h.mac, 2, sizeof(h.mac));
	assert_int_equal(responder_set_policy(h.r, &rule, 1, NULL, false, h.now), TENF_OK);
	assert_int_equal(ask(&plain).result, PCP_SUCCESS);
	assert_int_equal(responder_set_policy(h.r, &rule, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.peers, 1);
	memset(rule.mac, 4, sizeof(rule.mac));
	assert_int_equal(responder_set_policy(h.r, &rule, 1, NULL, true, h.now), TENF_OK);
	house_turn(&h);
	assert_int_equal(h.peers, 0);
}

static void another_address_ends_them_and_a_flush_does_not(void **state)
{
	const struct tenf_address other = tenf_address_v4(0xcb007108);

	(void)state;
	assert_int_equal(ask(&plain).result, PCP_SUCCESS);
	responder_rebuild(h.r, h.now, "lost");
	h.peer_installs = 0;
	house_turn(&h);
	assert_int_equal(h.peer_installs, 1);
	assert_int_equal(h.peers, 1);
	responder_set_external(h.r, &other, h.now);
	house_turn(&h);
	assert_int_equal(h.flushes, 2);
	assert_int_equal(h.peers, 0);
	assert_null(responder_peers(h.r, NULL));
	assert_int_equal(ask(&plain).result, PCP_SUCCESS);
	responder_set_external(h.r, &tenf_address_none4, h.now);
	assert_int_equal(ask(&plain).result, PCP_NETWORK_FAILURE);
	responder_reboot(h.r, h.now);
	house_turn(&h);
	assert_null(responder_peers(h.r, NULL));
}

static void they_outlive_the_daemon_too(void **state)
{
	struct asked asked = plain;
	struct responder_peer kept;
	tenf_time epoch;

	(void)state;
	asked.external = 7000;
	assert_int_equal(ask(&asked).result, PCP_SUCCESS);
	kept = *responder_peers(h.r, NULL);
	epoch = h.epoch_start;
	h.now += 100 * TENF_SECOND;
	house_stop(&h);
	house_start(&h);
	h.peer_installs = h.peer_renewals = 0;
	assert_int_equal(responder_restore_peer(h.r, &kept, h.now), TENF_OK);
	assert_int_equal(responder_restore_peer(h.r, &kept, h.now), TENF_E_LIMIT);
	kept.internal.port++; /* another endpoint on the same port */
	assert_int_equal(responder_restore_peer(h.r, &kept, h.now), TENF_E_LIMIT);
	kept.external.address = tenf_address_v4(0x01020304);
	assert_int_equal(responder_restore_peer(h.r, &kept, h.now), TENF_E_LIMIT);
	kept.ends_at = h.now;
	assert_int_equal(responder_restore_peer(h.r, &kept, h.now), TENF_E_ARGUMENT);
	responder_resume(h.r, epoch);
	house_turn(&h);
	assert_int_equal(h.peer_installs, 0);
	asked.lifetime_s = 0;
	assert_int_equal(ask(&asked).lifetime_s, 500);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(fields_that_are_zero_or_impossible_are_malformed),
		CASE(prefer_failure_is_a_malformed_request),
		CASE(a_flow_is_reported_and_extended_and_never_cut_short),
		CASE(a_flow_on_a_port_of_another_host_is_told_and_not_kept),
		CASE(without_a_flow_the_suggestion_is_met_or_refused),
		CASE(an_internal_endpoint_has_one_external_endpoint),
		CASE(ports_come_back_when_the_last_lease_is_over),
		CASE(no_answer_promises_what_did_not_come_true),
		CASE(limits_and_rules_hold),
		CASE(an_administrator_may_end_one),
		CASE(what_map_may_not_have_back_peer_may_not_either),
		CASE(peer_and_map_share_the_quota_of_a_rule),
		CASE(what_is_kept_of_a_long_flow_is_no_longer_than_a_lease),
		CASE(the_ports_of_the_protocol_are_not_opened_for_a_peer),
		CASE(rules_of_a_link_layer_address_are_applied_to_what_is_there),
		CASE(another_address_ends_them_and_a_flush_does_not),
		CASE(they_outlive_the_daemon_too),
	};

	return cmocka_run_group_tests_name("gateway peer", tests, NULL, NULL);
}

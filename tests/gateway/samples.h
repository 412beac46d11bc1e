/* SPDX-License-Identifier: MIT */
/* Mappings and setups for the tests of the helper, as far from zero as can be. */
#ifndef TENF_TESTS_GATEWAY_SAMPLES_H
#define TENF_TESTS_GATEWAY_SAMPLES_H

#include "gateway/helper/messages.h"

#include <string.h>

static inline struct tenf_address sample_address(const char *text)
{
	struct tenf_address a = tenf_address_none4;

	if (!tenf_address_parse(text, &a))
		return tenf_address_none4;
	return a;
}

static inline struct helper_mapping sample_mapping4(void)
{
	struct helper_mapping m = {
		.protocol = TENF_TCP, .maker = LEDGER_BY_PCP,
		.external = { sample_address("203.0.113.7"), 443 },
		.internal = { sample_address("10.0.0.5"), 8443 },
		.made_at = INT64_C(0x123456789a), .ends_at = INT64_C(0x22345678900),
		.lifetime_s = 7200, .renewals = 70000, .id = 0xfedcba98, .rule = -1,
		.nonce = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
		.description_len = 9, .description = "web \"a\"\\\n",
		.filter_count = 2, .has_asker = true, .asker = sample_address("10.0.0.9"),
	};

	m.filters[0] = (struct pcp_filter){ 96 + 24, 0, sample_address("198.51.100.0") };
	m.filters[1] = (struct pcp_filter){ 128, 5000, sample_address("192.0.2.9") };
	return m;
}

static inline struct helper_mapping sample_mapping6(void)
{
	struct helper_mapping m = sample_mapping4();

	m.protocol = TENF_UDP;
	m.internal = (struct tenf_endpoint){ sample_address("2001:db8::5"), 9000 };
	m.external = m.internal;
	m.filters[0] = (struct pcp_filter){ 33, 0, sample_address("2001:db8::") };
	m.filters[1] = (struct pcp_filter){ 128, 53, sample_address("2001:db8::1:9") };
	return m;
}

static inline struct helper_mapping sample_peer(void)
{
	struct helper_mapping m = sample_mapping4();

	m.description_len = 0;
	m.filter_count = 0;
	m.remote = (struct tenf_endpoint){ sample_address("198.51.100.9"), 53 };
	return m;
}

static inline struct helper_setup sample_setup(void)
{
	struct helper_setup s = { .flood_per_s = 1000, .manage_forward = true };

	strcpy(s.external.at[s.external.count++], "wan0");
	strcpy(s.external.at[s.external.count++], "ppp0");
	strcpy(s.internal.at[s.internal.count++], "lan0.7");
	s.links[s.link_count++] = (struct helper_link){
		.interface = "lan0.7", .address = { sample_address("10.0.0.1"), 5351 },
		.network = { sample_address("10.0.0.0"), 96 + 24 } };
	s.links[s.link_count++] = (struct helper_link){
		.interface = "lan0.7", .address = { sample_address("2001:db8::1"), 5351 },
		.network = { sample_address("2001:db8::"), 64 } };
	return s;
}

static inline bool sample_mappings_equal(const struct helper_mapping *a,
					 const struct helper_mapping *b)
{
	bool same = a->protocol == b->protocol && a->maker == b->maker &&
		    tenf_endpoint_equal(&a->external, &b->external) &&
		    tenf_endpoint_equal(&a->internal, &b->internal) &&
		    a->remote.port == b->remote.port &&
		    (a->remote.port == 0 || tenf_endpoint_equal(&a->remote, &b->remote)) &&
		    a->made_at == b->made_at &&
		    a->ends_at == b->ends_at && a->lifetime_s == b->lifetime_s &&
		    a->renewals == b->renewals && a->id == b->id && a->rule == b->rule &&
		    memcmp(a->nonce, b->nonce, sizeof(a->nonce)) == 0 &&
		    a->description_len == b->description_len &&
		    memcmp(a->description, b->description, a->description_len) == 0 &&
		    a->filter_count == b->filter_count && a->has_asker == b->has_asker &&
		    (!a->has_asker || tenf_address_equal(&a->asker, &b->asker));

	for (uint8_t i = 0; same && i < a->filter_count; i++) {
		same = a->filters[i].prefix_length == b->filters[i].prefix_length &&
		       a->filters[i].port == b->filters[i].port &&
		       tenf_address_equal(&a->filters[i].address, &b->filters[i].address);
	}
	return same;
}

#endif

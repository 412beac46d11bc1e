/* SPDX-License-Identifier: MIT */
/*
 * A gateway for tests of the client: answers one request at a time by NAT-PMP
 * and PCP, remembers what it mapped, and misbehaves as told. It is no model of a
 * good gateway (that one is in src/gateway); it knows what a client can notice.
 */
#ifndef TENF_TESTS_CORE_GATEWAY_H
#define TENF_TESTS_CORE_GATEWAY_H

#include "base/address.h"
#include "base/time.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#define FAKE_TAKEN_MAX 8

struct fake_mapping {
	enum tenf_protocol protocol;
	uint16_t internal_port;
	uint16_t external_port;
	uint8_t nonce[PCP_NONCE];
	bool by_pcp;
	tenf_time expires;
};

struct fake_gateway {
	/* What it speaks. A silent one drops, one that lacks PCP says so. */
	bool silent;
	bool pcp;
	bool natpmp;
	bool drops_pcp;    /* without pcp: no UNSUPP_VERSION either */
	bool natpmp_deaf_to_maps; /* answers the address request alone */

	tenf_time started;
	uint32_t epoch_at_start;
	struct tenf_address external;
	uint32_t lifetime_max_s;

	/* Results for create and renew, and for delete; 0 is success. */
	uint8_t pcp_result;
	uint8_t pcp_delete_result;
	uint32_t pcp_error_s;
	uint16_t natpmp_result;
	uint16_t natpmp_address_result;
	bool ignores_prefer_failure;
	bool checks_nonce;
	bool drops_options; /* works, but echoes none */
	bool always_other_port; /* never what was suggested */

	/* External ports that belong to somebody else. */
	struct {
		enum tenf_protocol protocol;
		uint16_t port;
	} taken[FAKE_TAKEN_MAX];
	size_t taken_count;
	uint16_t next_port;

	struct fake_mapping *held; /* grows, freed by fake_gateway_done */
	size_t held_count;
	size_t held_size;
};

/* Speaks both, external address 203.0.113.7, grants up to 7200 s. */
void fake_gateway_init(struct fake_gateway *gateway, tenf_time now);
void fake_gateway_done(struct fake_gateway *gateway);
/* Loses all mappings; the epoch begins again. */
void fake_gateway_restart(struct fake_gateway *gateway, tenf_time now);
void fake_gateway_take_port(struct fake_gateway *gateway, enum tenf_protocol protocol,
			    uint16_t port);
uint32_t fake_gateway_epoch(const struct fake_gateway *gateway, tenf_time now);
/* NULL when there is none alive. */
const struct fake_mapping *fake_gateway_find(const struct fake_gateway *gateway,
					     enum tenf_protocol protocol, uint16_t internal_port,
					     tenf_time now);
size_t fake_gateway_count(const struct fake_gateway *gateway, tenf_time now);

/* False when it stays silent. */
bool fake_gateway_answer(struct fake_gateway *gateway, const uint8_t *data, size_t len,
			 tenf_time now, struct tenf_writer *w);

#endif

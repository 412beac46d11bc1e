/* SPDX-License-Identifier: MIT */
#include "gateway.h"

#include "wire/pcp-option.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_HIGH_PORT 40000

void fake_gateway_init(struct fake_gateway *gateway, tenf_time now)
{
	*gateway = (struct fake_gateway){
		.pcp = true,
		.natpmp = true,
		.started = now,
		.epoch_at_start = 1000,
		.external = tenf_address_v4(0xcb007107),
		.lifetime_max_s = 7200,
		.checks_nonce = true,
		.next_port = FIRST_HIGH_PORT,
	};
}

void fake_gateway_done(struct fake_gateway *gateway)
{
	free(gateway->held);
	gateway->held = NULL;
	gateway->held_count = gateway->held_size = 0;
}

void fake_gateway_restart(struct fake_gateway *gateway, tenf_time now)
{
	gateway->started = now;
	gateway->epoch_at_start = 0;
	gateway->held_count = 0;
}

void fake_gateway_take_port(struct fake_gateway *gateway, enum tenf_protocol protocol,
			    uint16_t port)
{
	if (gateway->taken_count == FAKE_TAKEN_MAX)
		abort();
	gateway->taken[gateway->taken_count].protocol = protocol;
	gateway->taken[gateway->taken_count].port = port;
	gateway->taken_count++;
}

uint32_t fake_gateway_epoch(const struct fake_gateway *gateway, tenf_time now)
{
	return gateway->epoch_at_start + (uint32_t)((now - gateway->started) / TENF_SECOND);
}

/* ---- The table ------------------------------------------------------------------ */

static struct fake_mapping *find(const struct fake_gateway *gateway, enum tenf_protocol protocol,
				 uint16_t internal_port, tenf_time now)
{
	for (size_t i = 0; i < gateway->held_count; i++) {
		struct fake_mapping *m = &gateway->held[i];

		if (m->protocol == protocol && m->internal_port == internal_port &&
		    m->expires > now)
			return m;
	}
	return NULL;
}

const struct fake_mapping *fake_gateway_find(const struct fake_gateway *gateway,
					     enum tenf_protocol protocol, uint16_t internal_port,
					     tenf_time now)
{
	return find(gateway, protocol, internal_port, now);
}

size_t fake_gateway_count(const struct fake_gateway *gateway, tenf_time now)
{
	size_t count = 0;

	for (size_t i = 0; i < gateway->held_count; i++)
		count += gateway->held[i].expires > now;
	return count;
}

static bool is_taken(const struct fake_gateway *gateway, enum tenf_protocol protocol,
		     uint16_t port)
{
	for (size_t i = 0; i < gateway->taken_count; i++) {
		if (gateway->taken[i].protocol == protocol && gateway->taken[i].port == port)
			return true;
	}
	return false;
}

static uint16_t choose_port(struct fake_gateway *gateway, enum tenf_protocol protocol,
			    uint16_t suggested)
{
	if (suggested != 0 && !gateway->always_other_port &&
	    !is_taken(gateway, protocol, suggested))
		return suggested;
	return gateway->next_port++;
}

static struct fake_mapping *new_mapping(struct fake_gateway *gateway)
{
	if (gateway->held_count == gateway->held_size) {
		size_t size = gateway->held_size > 0 ? 2 * gateway->held_size : 16;
		struct fake_mapping *grown = realloc(gateway->held, size * sizeof(*grown));

		if (grown == NULL)
			abort();
		gateway->held = grown;
		gateway->held_size = size;
	}
	return &gateway->held[gateway->held_count++];
}

static struct fake_mapping *create(struct fake_gateway *gateway, enum tenf_protocol protocol,
				   uint16_t internal_port, uint16_t suggested, uint32_t lifetime_s,
				   tenf_time now)
{
	struct fake_mapping *m = find(gateway, protocol, internal_port, now);

	if (m == NULL) {
		uint16_t port = choose_port(gateway, protocol, suggested);

		m = new_mapping(gateway);
		*m = (struct fake_mapping){ .protocol = protocol,
					    .internal_port = internal_port,
					    .external_port = port };
	}
	m->expires = now + tenf_seconds(lifetime_s);
	return m;
}

static uint32_t granted_s(const struct fake_gateway *gateway, uint32_t asked_s)
{
	return asked_s < gateway->lifetime_max_s ? asked_s : gateway->lifetime_max_s;
}

/* ---- NAT-PMP -------------------------------------------------------------------- */

static void natpmp_map(struct fake_gateway *gateway, const struct natpmp_request *request,
		       tenf_time now, struct natpmp_answer *answer)
{
	enum tenf_protocol protocol = request->opcode == NATPMP_MAP_TCP ? TENF_TCP : TENF_UDP;
	struct fake_mapping *m = find(gateway, protocol, request->internal_port, now);

	answer->internal_port = request->internal_port;
	if (request->lifetime_s == 0) {
		if (m != NULL)
			m->expires = now;
		return;
	}
	answer->result = gateway->natpmp_result;
	if (answer->result != NATPMP_SUCCESS)
		return;
	answer->lifetime_s = granted_s(gateway, request->lifetime_s);
	m = create(gateway, protocol, request->internal_port, request->external_port,
		   answer->lifetime_s, now);
	answer->external_port = m->external_port;
}

static bool answer_natpmp(struct fake_gateway *gateway, const uint8_t *data, size_t len,
			  tenf_time now, struct tenf_writer *w)
{
	struct natpmp_answer answer = { .epoch_s = fake_gateway_epoch(gateway, now) };
	struct natpmp_request request;

	if (natpmp_decode_request(data, len, &request) != TENF_OK)
		return false;
	answer.opcode = (uint8_t)(request.opcode + NATPMP_ANSWER);
	if (request.opcode == NATPMP_ADDRESS) {
		answer.result = gateway->natpmp_address_result;
		answer.external_address = gateway->external;
	} else if (gateway->natpmp_deaf_to_maps) {
		return false;
	} else {
		natpmp_map(gateway, &request, now, &answer);
	}
	natpmp_write_answer(w, &answer);
	return true;
}

/* ---- PCP ------------------------------------------------------------------------ */

static bool has_option(const struct pcp_request *request, uint8_t code)
{
	struct tenf_reader options = request->options;
	struct pcp_option option;

	while (pcp_option_next(&options, &option)) {
		if (option.code == code)
			return true;
	}
	return false;
}

static uint8_t pcp_delete(struct fake_gateway *gateway, struct fake_mapping *m, tenf_time now)
{
	if (gateway->pcp_delete_result == PCP_SUCCESS && m != NULL)
		m->expires = now;
	return gateway->pcp_delete_result;
}

static uint8_t pcp_map(struct fake_gateway *gateway, const struct pcp_request *request,
		       tenf_time now, struct pcp_answer *answer)
{
	const struct pcp_map *map = &request->map;
	enum tenf_protocol protocol = map->protocol == TENF_TCP ? TENF_TCP : TENF_UDP;
	struct fake_mapping *m = find(gateway, protocol, map->internal_port, now);
	bool exact = has_option(request, PCP_OPTION_PREFER_FAILURE) &&
		     !gateway->ignores_prefer_failure;

	if (m != NULL && m->by_pcp && gateway->checks_nonce &&
	    memcmp(m->nonce, map->nonce, PCP_NONCE) != 0)
		return PCP_NOT_AUTHORIZED;
	if (request->lifetime_s == 0)
		return pcp_delete(gateway, m, now);
	if (gateway->pcp_result != PCP_SUCCESS)
		return gateway->pcp_result;
	if (exact && (m != NULL ? m->external_port != map->external_port :
				  is_taken(gateway, protocol, map->external_port)))
		return PCP_CANNOT_PROVIDE_EXTERNAL;
	answer->lifetime_s = granted_s(gateway, request->lifetime_s);
	m = create(gateway, protocol, map->internal_port, map->external_port, answer->lifetime_s,
		   now);
	m->by_pcp = true;
	memcpy(m->nonce, map->nonce, PCP_NONCE);
	answer->map.external_port = m->external_port;
	answer->map.external_address = gateway->external;
	return PCP_SUCCESS;
}

/* What a gateway that speaks NAT-PMP alone says to PCP (RFC 6886 §1.1). */
static bool refuse_pcp(const struct fake_gateway *gateway, tenf_time now, struct tenf_writer *w)
{
	struct natpmp_answer answer = { .opcode = NATPMP_ANSWER,
					.result = NATPMP_UNSUPP_VERSION,
					.epoch_s = fake_gateway_epoch(gateway, now) };

	if (!gateway->natpmp || gateway->drops_pcp)
		return false;
	natpmp_write_answer(w, &answer);
	return true;
}

static bool answer_pcp(struct fake_gateway *gateway, const uint8_t *data, size_t len,
		       tenf_time now, struct tenf_writer *w)
{
	struct pcp_answer answer = { .epoch_s = fake_gateway_epoch(gateway, now) };
	struct pcp_request request;
	enum pcp_result reject;

	if (pcp_parse_request(data, len, &request, &reject) != PCP_PARSED)
		return false;
	answer.opcode = request.opcode;
	answer.map = request.map;
	if (request.opcode == PCP_MAP)
		answer.result = pcp_map(gateway, &request, now, &answer);
	if (answer.result != PCP_SUCCESS) {
		pcp_write_error(w, data, len, (enum pcp_result)answer.result, gateway->pcp_error_s,
				answer.epoch_s);
		return true;
	}
	pcp_write_answer(w, &answer);
	if (gateway->drops_options)
		return true;
	tenf_writer_copy(w, request.options.at, request.options.left);
	return true;
}

bool fake_gateway_answer(struct fake_gateway *gateway, const uint8_t *data, size_t len,
			 tenf_time now, struct tenf_writer *w)
{
	if (gateway->silent || len == 0)
		return false;
	if (data[0] == NATPMP_VERSION && gateway->natpmp)
		return answer_natpmp(gateway, data, len, now, w);
	if (data[0] == PCP_VERSION && gateway->pcp)
		return answer_pcp(gateway, data, len, now, w);
	if (data[0] == PCP_VERSION)
		return refuse_pcp(gateway, now, w);
	if (gateway->pcp) { /* PCP alone, asked in NAT-PMP */
		pcp_write_error(w, data, len, PCP_UNSUPP_VERSION, 1800,
				fake_gateway_epoch(gateway, now));
		return true;
	}
	return false;
}

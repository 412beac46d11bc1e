/* SPDX-License-Identifier: MIT */
/*
 * RFC 6887: from a datagram to a question and from the outcome to an answer,
 * in the order of §8.2.
 */
#include "gateway/responder-private.h"

#include <string.h>

/* What the answer needs of the request. */
struct pcp_exchange {
	struct responder *r;
	const struct responder_datagram *in;
	struct pcp_request request;
	tenf_time now;
};

static void write_failure(const struct pcp_exchange *x, enum pcp_result result,
			  uint32_t lifetime_s, struct tenf_writer *w)
{
	pcp_write_error(w, x->in->data, x->in->len, result, lifetime_s,
			responder_epoch_s(x->r, x->now));
}

static void answer_error(const struct pcp_exchange *x, enum pcp_result result, uint32_t lifetime_s,
			 struct responder_record record)
{
	struct tenf_writer w = responder_writer(x->r);

	record.version = x->request.version;
	record.opcode = x->request.opcode;
	record.result = (uint8_t)result;
	if (record.verdict != RESPONDER_PENDING)
		record.verdict = RESPONDER_REFUSED;
	write_failure(x, result, lifetime_s, &w);
	(void)responder_answer(x->r, x->in, &w, &record);
}

/* A request that did not come as far as a decision. */
static void reject(const struct pcp_exchange *x, enum pcp_result result)
{
	const struct responder_record record = {
		.client = x->in->from.address, .rule = POLICY_NO_RULE,
	};

	answer_error(x, result, pcp_error_lifetime_s(result), record);
}

static enum pcp_result result_of(enum map_result result)
{
	switch (result) {
	case MAP_DONE:
		return PCP_SUCCESS;
	case MAP_DENIED:
	case MAP_PENDING:
	case MAP_NONCE:
		return PCP_NOT_AUTHORIZED;
	case MAP_NO_NETWORK:
		return PCP_NETWORK_FAILURE;
	case MAP_QUOTA:
		return PCP_USER_EX_QUOTA;
	case MAP_NOT_EXACT:
		return PCP_CANNOT_PROVIDE_EXTERNAL;
	case MAP_PEERS:
		return PCP_EXCESSIVE_REMOTE_PEERS;
	case MAP_RATE:
	case MAP_RESOURCES:
		return PCP_NO_RESOURCES;
	}
	return PCP_NO_RESOURCES;
}

/* RFC 6887 §7.4 names no lifetime for CANNOT_PROVIDE_EXTERNAL; one that is not
 * known to last is short. */
static uint32_t error_lifetime_s(const struct map_outcome *out)
{
	if (out->lifetime_s > 0)
		return out->lifetime_s;
	return pcp_error_lifetime_s(out->result == MAP_NOT_EXACT ? PCP_NO_RESOURCES
								 : result_of(out->result));
}

static void answer_announce(const struct pcp_exchange *x)
{
	const struct pcp_answer answer = {
		.opcode = PCP_ANNOUNCE, .result = PCP_SUCCESS,
		.epoch_s = responder_epoch_s(x->r, x->now),
	};
	const struct responder_record record = {
		.verdict = RESPONDER_ANSWERED, .version = PCP_VERSION, .opcode = PCP_ANNOUNCE,
		.client = x->in->from.address, .rule = POLICY_NO_RULE,
	};
	struct tenf_writer w = responder_writer(x->r);

	pcp_write_answer(&w, &answer);
	(void)responder_answer(x->r, x->in, &w, &record);
}

/* Success: a deletion copies the suggestions back (§15.1), a mapping says what it is. */
static void write_success(const struct pcp_exchange *x, const struct map_question *q,
			  const struct map_outcome *out, struct tenf_writer *w)
{
	struct pcp_answer answer = {
		.opcode = PCP_MAP, .result = PCP_SUCCESS,
		.epoch_s = responder_epoch_s(x->r, x->now), .map = x->request.map,
	};
	bool mapped = x->request.lifetime_s > 0;

	if (mapped) {
		struct tenf_endpoint external = responder_external_of(x->r, out->mapping);

		answer.lifetime_s = out->lifetime_s;
		answer.map.external_port = external.port;
		answer.map.external_address = external.address;
	}
	pcp_write_answer(w, &answer);
	responder_echo_options(&x->request, q, mapped ? out->mapping : NULL, w);
}

/* What leaves in the answer's place when its batch fails. */
static void prepare_failure(const struct pcp_exchange *x, struct responder_answer *a)
{
	struct tenf_writer w = responder_writer(x->r);

	write_failure(x, PCP_NO_RESOURCES, pcp_error_lifetime_s(PCP_NO_RESOURCES), &w);
	a->failure = responder_keep(x->r, &w);
	a->failure_len = w.used;
	a->failure_result = PCP_NO_RESOURCES;
}

static void answer_map(const struct pcp_exchange *x, const struct map_question *q,
		       const struct map_outcome *out)
{
	struct responder_record record = responder_record_of(x->r, q, out);
	struct tenf_writer w = responder_writer(x->r);
	struct responder_answer *a;

	if (out->result != MAP_DONE) {
		answer_error(x, result_of(out->result), error_lifetime_s(out), record);
		return;
	}
	record.version = PCP_VERSION;
	record.opcode = PCP_MAP;
	write_success(x, q, out, &w);
	a = responder_answer(x->r, x->in, &w, &record);
	if (a != NULL)
		prepare_failure(x, a);
}

/* A third party is a host of the same network, and not the gateway itself, by
 * whichever of its addresses. */
static bool is_possible_third_party(const struct responder *r, const struct map_question *q)
{
	if (!q->extras.third_party)
		return true;
	for (size_t i = 0; i < r->link_count; i++) {
		if (tenf_address_equal(&q->internal, &r->links[i].address.address))
			return false;
	}
	return tenf_prefix_contains(&q->link->network, &q->internal);
}

static void serve_map(const struct pcp_exchange *x, const struct map_question *q)
{
	bool one_port = (q->protocol == TENF_TCP || q->protocol == TENF_UDP) &&
			q->internal_port != 0;
	struct map_outcome out = { .rule = POLICY_NO_RULE, .verdict = RESPONDER_REMOVED };

	if (q->lifetime_s > 0 && !one_port) {
		reject(x, PCP_UNSUPP_PROTOCOL);
		return;
	}
	if (!is_possible_third_party(x->r, q)) {
		out.result = MAP_DENIED;
		out.verdict = RESPONDER_REFUSED;
		out.why = "not a host of this network";
	} else if (q->lifetime_s > 0) {
		responder_map(x->r, q, x->now, &out);
	} else if (one_port) {
		responder_unmap(x->r, q, x->now, &out);
	}
	/* A deletion of what is never made (all ports, other protocols) finds nothing. */
	answer_map(x, q, &out);
}

/* Success: the flow's external endpoint; where there is none, what was asked comes back. */
static void answer_peer(const struct pcp_exchange *x, const struct map_question *q,
			const struct map_outcome *out)
{
	struct responder_record record = responder_record_of(x->r, q, out);
	struct pcp_answer answer = {
		.opcode = PCP_PEER, .result = PCP_SUCCESS, .lifetime_s = out->lifetime_s,
		.epoch_s = responder_epoch_s(x->r, x->now), .map = x->request.map,
		.remote = x->request.remote,
	};
	struct tenf_writer w;
	struct responder_answer *a;

	record.remote = q->remote;
	if (out->result != MAP_DONE) {
		answer_error(x, result_of(out->result), error_lifetime_s(out), record);
		return;
	}
	record.version = PCP_VERSION;
	record.opcode = PCP_PEER;
	if (out->external.port != 0) {
		answer.map.external_port = out->external.port;
		answer.map.external_address = out->external.address;
		record.external = out->external;
	}
	if (out->peer != NULL) {
		record.id = out->peer->id;
		record.renewals = out->peer->renewals;
		record.made_at = out->peer->made_at;
	}
	w = responder_writer(x->r);
	pcp_write_answer(&w, &answer);
	responder_echo_options(&x->request, q, NULL, &w);
	a = responder_answer(x->r, x->in, &w, &record);
	if (a != NULL)
		prepare_failure(x, a);
}

static void serve_peer(const struct pcp_exchange *x, struct map_question *q)
{
	struct map_outcome out = { .rule = POLICY_NO_RULE };

	q->remote = (struct tenf_endpoint){ x->request.remote.address, x->request.remote.port };
	if (q->protocol != TENF_TCP && q->protocol != TENF_UDP) {
		reject(x, PCP_UNSUPP_PROTOCOL);
		return;
	}
	if (is_possible_third_party(x->r, q))
		responder_peer(x->r, q, x->now, &out);
	else
		responder_refuse(&out, MAP_DENIED, POLICY_NO_RULE, "not a host of this network");
	answer_peer(x, q, &out);
}

/* Fields of the opcode, spec section 4 row 12. */
static bool are_fields_sound(const struct pcp_request *request)
{
	const struct pcp_map *map = &request->map;
	const struct tenf_address *remote = &request->remote.address;

	if (request->opcode == PCP_MAP)
		return map->protocol != 0 || map->internal_port == 0;
	if (request->opcode != PCP_PEER)
		return true;
	return map->protocol != 0 && map->internal_port != 0 && request->remote.port != 0 &&
	       tenf_address_is_v4(remote) == tenf_address_is_v4(&request->client) &&
	       !tenf_address_is_none(remote) && !tenf_address_is_loopback(remote) &&
	       !tenf_address_is_multicast(remote) && !tenf_address_is_link_local(remote) &&
	       !(tenf_address_is_v4(remote) && tenf_address_to_v4(remote) == UINT32_MAX);
}

static void serve(const struct pcp_exchange *x, const struct responder_link *link)
{
	const struct pcp_request *request = &x->request;
	const struct pcp_map *map = &request->map;
	struct map_question q = {
		.link = link, .client = x->in->from.address, .internal = x->in->from.address,
		.client_port = x->in->from.port, .mac = x->in->has_mac ? x->in->mac : NULL,
		.lifetime_s = request->lifetime_s,
	};
	enum pcp_result result;

	if (request->opcode != PCP_ANNOUNCE) {
		q.protocol = (enum tenf_protocol)map->protocol;
		q.internal_port = map->internal_port;
		q.external_port = map->external_port;
		q.external_address = map->external_address;
		q.nonce = map->nonce;
	}
	if (!tenf_address_equal(&request->client, &q.client)) {
		reject(x, PCP_ADDRESS_MISMATCH);
		return;
	}
	if (!pcp_options_are_sound(request->options)) {
		reject(x, PCP_MALFORMED_OPTION);
		return;
	}
	if (!are_fields_sound(request)) {
		reject(x, PCP_MALFORMED_REQUEST);
		return;
	}
	result = responder_options(x->r, request, &q);
	if (result != PCP_SUCCESS)
		reject(x, result);
	else if (request->opcode == PCP_MAP)
		serve_map(x, &q);
	else if (request->opcode == PCP_PEER)
		serve_peer(x, &q);
	else
		answer_announce(x);
}

/* PEER where it is not served: switched off for everybody is the same as unknown (spec
 * section 3), and that is looked at before what the opcode's data should be. */
static bool is_unknown_peer(const struct pcp_exchange *x)
{
	const struct pcp_request *request = &x->request;
	size_t len = x->in->len;

	if (x->r->config.peer)
		return false;
	return request->version == PCP_VERSION && request->opcode == PCP_PEER && len <= PCP_MAX &&
	       len % 4 == 0;
}

void responder_pcp(struct responder *r, const struct responder_link *link,
		   const struct responder_datagram *in, tenf_time now)
{
	struct pcp_exchange x = { .r = r, .in = in, .now = now };
	enum pcp_result result = PCP_MALFORMED_REQUEST;

	switch (pcp_parse_request(in->data, in->len, &x.request, &result)) {
	case PCP_DROP:
		r->counts.dropped_bytes++;
		break;
	case PCP_REJECT:
		reject(&x, is_unknown_peer(&x) ? PCP_UNSUPP_OPCODE : result);
		break;
	case PCP_PARSED:
		if (is_unknown_peer(&x))
			reject(&x, PCP_UNSUPP_OPCODE);
		else
			serve(&x, link);
		break;
	}
}

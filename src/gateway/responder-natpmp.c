/* SPDX-License-Identifier: MIT */
/* RFC 6886: a request to a question, the outcome to an answer. */
#include "gateway/responder-private.h"

static enum natpmp_result result_of(enum map_result result)
{
	switch (result) {
	case MAP_DONE:
		return NATPMP_SUCCESS;
	case MAP_DENIED:
	case MAP_PENDING:
	case MAP_NONCE:
		return NATPMP_NOT_AUTHORIZED;
	case MAP_NO_NETWORK:
		return NATPMP_NETWORK_FAILURE;
	case MAP_RATE:
	case MAP_QUOTA:
	case MAP_RESOURCES:
	case MAP_NOT_EXACT:
	case MAP_PEERS:
		return NATPMP_OUT_OF_RESOURCES;
	}
	return NATPMP_OUT_OF_RESOURCES;
}

static void answer_address(struct responder *r, const struct responder_datagram *in, tenf_time now)
{
	struct tenf_address external = responder_address_for(r, &in->from.address);
	bool has_address = !tenf_address_is_none(&external);
	const struct natpmp_answer answer = {
		.opcode = NATPMP_ANSWER + NATPMP_ADDRESS,
		.result = has_address ? NATPMP_SUCCESS : NATPMP_NETWORK_FAILURE,
		.epoch_s = responder_epoch_s(r, now), .external_address = external,
	};
	const struct responder_record record = {
		.verdict = has_address ? RESPONDER_ANSWERED : RESPONDER_REFUSED,
		.opcode = NATPMP_ADDRESS, .result = (uint8_t)answer.result,
		.client = in->from.address, .external = { external, 0 },
		.rule = POLICY_NO_RULE, .why = has_address ? NULL : "no external address",
	};
	struct tenf_writer w = responder_writer(r);

	natpmp_write_answer(&w, &answer);
	(void)responder_answer(r, in, &w, &record);
}

static void answer_unsupp_opcode(struct responder *r, const struct responder_datagram *in,
				 uint8_t opcode, tenf_time now)
{
	const struct responder_record record = {
		.verdict = RESPONDER_REFUSED, .opcode = opcode, .result = NATPMP_UNSUPP_OPCODE,
		.client = in->from.address, .rule = POLICY_NO_RULE, .why = "unknown opcode",
	};
	struct tenf_writer w = responder_writer(r);

	natpmp_write_unsupp_opcode(&w, in->data, in->len, responder_epoch_s(r, now));
	(void)responder_answer(r, in, &w, &record);
}

void responder_natpmp_unsupp_version(struct responder *r, const struct responder_datagram *in,
				     tenf_time now)
{
	const struct natpmp_answer answer = {
		.opcode = NATPMP_ANSWER, .result = NATPMP_UNSUPP_VERSION, /* erratum 3618 */
		.epoch_s = responder_epoch_s(r, now),
	};
	const struct responder_record record = {
		.verdict = RESPONDER_REFUSED, .version = in->data[0], .opcode = in->data[1],
		.result = NATPMP_UNSUPP_VERSION, .client = in->from.address,
		.rule = POLICY_NO_RULE, .why = "only NAT-PMP is spoken here",
	};
	struct tenf_writer w = responder_writer(r);

	natpmp_write_answer(&w, &answer);
	(void)responder_answer(r, in, &w, &record);
}

/* Errors and deletions carry external port 0 and lifetime 0 (§3.5, §3.4). */
static void answer_map(struct responder *r, const struct responder_datagram *in,
		       const struct natpmp_request *request, const struct map_question *q,
		       const struct map_outcome *out, tenf_time now)
{
	struct natpmp_answer answer = {
		.opcode = (uint8_t)(NATPMP_ANSWER + request->opcode),
		.result = (uint16_t)result_of(out->result), .epoch_s = responder_epoch_s(r, now),
		.internal_port = request->internal_port,
	};
	struct responder_record record = responder_record_of(r, q, out);
	struct tenf_writer w = responder_writer(r);
	struct responder_answer *a;

	record.opcode = request->opcode;
	record.result = (uint8_t)answer.result;
	if (out->result == MAP_DONE && request->lifetime_s > 0) {
		answer.external_port = out->mapping->external_port;
		answer.lifetime_s = out->lifetime_s;
	}
	natpmp_write_answer(&w, &answer);
	a = responder_answer(r, in, &w, &record);
	if (a == NULL || out->result != MAP_DONE)
		return;
	answer.result = NATPMP_OUT_OF_RESOURCES;
	answer.external_port = 0;
	answer.lifetime_s = 0;
	w = responder_writer(r);
	natpmp_write_answer(&w, &answer);
	a->failure = responder_keep(r, &w);
	a->failure_len = w.used;
	a->failure_result = NATPMP_OUT_OF_RESOURCES;
}

static void map(struct responder *r, const struct responder_link *link,
		const struct responder_datagram *in, const struct natpmp_request *request,
		tenf_time now)
{
	const struct map_question q = {
		.link = link, .client = in->from.address, .internal = in->from.address,
		.client_port = in->from.port, .mac = in->has_mac ? in->mac : NULL,
		.protocol = request->opcode == NATPMP_MAP_TCP ? TENF_TCP : TENF_UDP,
		.internal_port = request->internal_port, .external_port = request->external_port,
		.external_address = tenf_address_none4, .lifetime_s = request->lifetime_s,
	};
	struct map_outcome out = { .rule = POLICY_NO_RULE };

	if (request->lifetime_s == 0) {
		responder_unmap(r, &q, now, &out);
	} else if (request->internal_port == 0) {
		out.result = MAP_DENIED;
		out.verdict = RESPONDER_REFUSED;
		out.why = "internal port 0";
	} else {
		responder_map(r, &q, now, &out);
	}
	answer_map(r, in, request, &q, &out, now);
}

void responder_natpmp(struct responder *r, const struct responder_link *link,
		      const struct responder_datagram *in, tenf_time now)
{
	struct natpmp_request request;

	if (natpmp_decode_request(in->data, in->len, &request) != TENF_OK) {
		r->counts.dropped_bytes++;
		return;
	}
	switch (request.opcode) {
	case NATPMP_ADDRESS:
		answer_address(r, in, now);
		break;
	case NATPMP_MAP_UDP:
	case NATPMP_MAP_TCP:
		map(r, link, in, &request, now);
		break;
	default:
		answer_unsupp_opcode(r, in, request.opcode, now);
		break;
	}
}

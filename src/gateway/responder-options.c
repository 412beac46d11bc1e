/* SPDX-License-Identifier: MIT */
/*
 * The options of a PCP request, one by one in packet order (RFC 6887 §7.3,
 * §13; RFC 7220), and their echo in the answer.
 */
#include "gateway/responder-private.h"

#define V4_PREFIX 96 /* of 128: the bits of ::ffff:0:0/96 */

static enum pcp_result third_party(struct responder *r, const struct pcp_option *o,
				   struct map_question *q)
{
	struct tenf_address internal;

	if (!policy_third_party(&r->policy, &q->client, q->mac))
		return PCP_UNSUPP_OPTION;
	if (q->extras.third_party || pcp_option_third_party(o, &internal) != TENF_OK)
		return PCP_MALFORMED_OPTION;
	if (tenf_address_equal(&internal, &q->client))
		return PCP_MALFORMED_REQUEST;
	q->extras.third_party = true;
	q->internal = internal;
	return PCP_SUCCESS;
}

static enum pcp_result prefer_failure(const struct pcp_option *o, struct map_question *q)
{
	if (q->extras.exact || o->length != 0 || q->external_port == 0 || q->lifetime_s == 0)
		return PCP_MALFORMED_OPTION;
	q->extras.exact = true;
	return PCP_SUCCESS;
}

/* Prefix 0 removes all filters, whatever else it says (erratum 3891); 96 for
 * IPv4 is any IPv4 address. */
static enum pcp_result filter(const struct responder *r, const struct pcp_option *o,
			      struct map_question *q)
{
	bool v4 = tenf_address_is_v4(&q->client);
	struct map_extras *extras = &q->extras;
	struct pcp_filter f;

	if (r->config.filters_max == 0)
		return PCP_UNSUPP_OPTION;
	if (pcp_option_filter(o, &f) != TENF_OK || q->lifetime_s == 0)
		return PCP_MALFORMED_OPTION;
	if (f.prefix_length == 0) {
		extras->clear_filters = true;
		extras->filter_count = 0;
		return PCP_SUCCESS;
	}
	if (f.prefix_length > 128 || (v4 && f.prefix_length < V4_PREFIX) ||
	    tenf_address_is_v4(&f.address) != v4)
		return PCP_MALFORMED_OPTION;
	if (extras->filter_count < TENF_ARRAY_SIZE(extras->filters))
		extras->filters[extras->filter_count++] = f;
	return PCP_SUCCESS;
}

/* Cut where a character begins. */
static size_t stored_length(const uint8_t *text, size_t len)
{
	if (len <= LEDGER_DESCRIPTION_MAX)
		return len;
	len = LEDGER_DESCRIPTION_MAX;
	while (len > 0 && (text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* What is not UTF-8 is passed over like an option nobody knows. */
static enum pcp_result description(const struct pcp_option *o, struct map_question *q)
{
	const uint8_t *text;
	size_t len;

	if (q->extras.described)
		return PCP_MALFORMED_OPTION;
	if (pcp_option_description(o, &text, &len) != TENF_OK)
		return PCP_SUCCESS;
	q->extras.described = true;
	q->extras.description = text;
	q->extras.description_len = stored_length(text, len);
	return PCP_SUCCESS;
}

/* THIRD_PARTY, PREFER_FAILURE and FILTER belong to MAP, the first to PEER as well;
 * with another opcode they make no sense. PEER has an error of its own (§12.1). */
static enum pcp_result misplaced(const struct pcp_request *request, uint8_t code)
{
	bool peer = request->opcode == PCP_PEER;

	if (request->opcode == PCP_MAP || code < PCP_OPTION_THIRD_PARTY ||
	    code > PCP_OPTION_FILTER || (peer && code == PCP_OPTION_THIRD_PARTY))
		return PCP_SUCCESS;
	return peer && code == PCP_OPTION_PREFER_FAILURE ? PCP_MALFORMED_REQUEST
							 : PCP_MALFORMED_OPTION;
}

static enum pcp_result one(struct responder *r, const struct pcp_request *request,
			   const struct pcp_option *o, struct map_question *q)
{
	enum pcp_result place = misplaced(request, o->code);

	if (place != PCP_SUCCESS)
		return place;
	switch (o->code) {
	case PCP_OPTION_THIRD_PARTY:
		return third_party(r, o, q);
	case PCP_OPTION_PREFER_FAILURE:
		return prefer_failure(o, q);
	case PCP_OPTION_FILTER:
		return filter(r, o, q);
	case PCP_OPTION_DESCRIPTION:
		return request->opcode == PCP_MAP ? description(o, q) : PCP_SUCCESS;
	default:
		return pcp_option_is_mandatory(o->code) ? PCP_UNSUPP_OPTION : PCP_SUCCESS;
	}
}

enum pcp_result responder_options(struct responder *r, const struct pcp_request *request,
				  struct map_question *q)
{
	struct tenf_reader options = request->options;
	struct pcp_option o;

	while (pcp_option_next(&options, &o)) {
		enum pcp_result result = one(r, request, &o, q);

		if (result != PCP_SUCCESS)
			return result;
	}
	return PCP_SUCCESS;
}

static void echo_filter(const struct pcp_option *o, struct tenf_writer *w)
{
	struct pcp_filter f;

	if (pcp_option_filter(o, &f) == TENF_OK)
		pcp_write_filter(w, &f);
}

/* The text as it is kept, which may be shorter than the one sent. */
static void echo_description(const struct pcp_option *o, const struct ledger_mapping *m,
			     struct tenf_writer *w)
{
	static const uint8_t nothing[1];
	const uint8_t *text;
	size_t len;

	if (pcp_option_description(o, &text, &len) != TENF_OK)
		return;
	if (m->cold != NULL)
		pcp_write_description(w, m->cold->description, m->cold->description_len);
	else
		pcp_write_description(w, nothing, 0);
}

void responder_echo_options(const struct pcp_request *request, const struct map_question *q,
			    const struct ledger_mapping *m, struct tenf_writer *w)
{
	struct tenf_reader options = request->options;
	struct pcp_option o;

	while (pcp_option_next(&options, &o)) {
		switch (o.code) {
		case PCP_OPTION_THIRD_PARTY:
			pcp_write_third_party(w, &q->internal);
			break;
		case PCP_OPTION_PREFER_FAILURE:
			pcp_write_prefer_failure(w);
			break;
		case PCP_OPTION_FILTER:
			echo_filter(&o, w);
			break;
		case PCP_OPTION_DESCRIPTION:
			if (m != NULL)
				echo_description(&o, m, w);
			break;
		default:
			break;
		}
	}
}

/* SPDX-License-Identifier: MIT */
#include "gateway/meters.h"

#include "wire/natpmp.h"

const tenf_duration meters_bounds[METERS_BUCKETS] = {
	50,		      100,		    250,
	500,		      TENF_MILLISECOND,	    2500,
	5 * TENF_MILLISECOND, 10 * TENF_MILLISECOND, 25 * TENF_MILLISECOND,
	50 * TENF_MILLISECOND, 250 * TENF_MILLISECOND, TENF_SECOND,
};

/* Did somebody ask for it? */
static bool is_request(const struct responder_record *record)
{
	switch (record->verdict) {
	case RESPONDER_GRANTED:
	case RESPONDER_RENEWED:
	case RESPONDER_REMOVED:
	case RESPONDER_REFUSED:
	case RESPONDER_ANSWERED:
	case RESPONDER_PENDING:
		return true;
	case RESPONDER_EXPIRED:
	case RESPONDER_REVOKED:
	case RESPONDER_RESTARTED:
		break;
	}
	return false;
}

void meters_record(struct meters *m, const struct responder_record *record)
{
	enum meters_method method = record->version == NATPMP_VERSION ? METERS_NATPMP : METERS_PCP;

	if ((unsigned)record->verdict < METERS_VERDICTS)
		m->decisions[record->verdict]++;
	if (is_request(record) && record->result < METERS_RESULTS)
		m->requests[method][record->result]++;
}

void meters_answers(struct meters *m, uint64_t answers, tenf_duration took)
{
	size_t bucket = 0;

	if (answers == 0)
		return;
	while (bucket < METERS_BUCKETS && took > meters_bounds[bucket])
		bucket++;
	m->latency[bucket] += answers;
	m->latency_sum += took * (tenf_duration)answers;
	m->turns++;
}

void meters_error(struct meters *m, int code)
{
	m->errors[code > 0 && code < METERS_ERRORS ? code : 0]++;
}

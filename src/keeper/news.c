/* SPDX-License-Identifier: MIT */
/* What is told of a mapping: how what it has now stands to what was told last. */
#include "keeper/keeper-private.h"

bool news_same_endpoint(const struct keeper_grant *a, const struct keeper_grant *b)
{
	if (a->external_port != b->external_port)
		return false;
	return tenf_address_is_none(&a->external_address) ||
	       tenf_address_is_none(&b->external_address) ||
	       tenf_address_equal(&a->external_address, &b->external_address);
}

bool news_told_as_held(const struct keeper_mapping *m)
{
	return m->told.known && (m->told.state == TENF_STATE_MAPPED ||
				 m->told.state == TENF_STATE_RENEWING);
}

static bool is_there(const struct keeper_mapping *m)
{
	return m->state == TENF_STATE_MAPPED || m->state == TENF_STATE_RENEWING;
}

/* Somebody knows what is held now; the half of a pair that came first waits. */
bool news_is_told(const struct keeper_mapping *m)
{
	return news_told_as_held(m) && news_same_endpoint(&m->told.grant, &m->grant);
}

void news_grant(struct keeper *keeper, struct keeper_mapping *m)
{
	if (m->told.known && m->told.grant.external_port != 0 &&
	    !news_same_endpoint(&m->told.grant, &m->grant))
		keeper_tell(keeper, m, TENF_EVENT_CHANGED);
	else if (news_told_as_held(m))
		keeper_tell(keeper, m, TENF_EVENT_RENEWED);
	else
		keeper_tell(keeper, m, TENF_EVENT_MAPPED);
}

void life_readdress(struct keeper *keeper, struct keeper_mapping *m,
		    const struct tenf_address *external)
{
	if (!life_holds(m) || m->grant.method != TENF_METHOD_NATPMP ||
	    tenf_address_is_none(external))
		return;
	m->grant.external_address = *external;
	if (news_told_as_held(m) && !news_is_told(m) && pair_is_even(m))
		news_grant(keeper, m);
}

/* The same failure again is no news. */
void life_fail_by(struct keeper *keeper, struct keeper_mapping *m, enum tenf_state state,
		  const struct keeper_error *error)
{
	bool news = m->state != state || m->error.reason != error->reason;

	m->state = state;
	m->error = *error;
	if (news)
		keeper_tell(keeper, m,
			    state == TENF_STATE_REFUSED ? TENF_EVENT_REFUSED : TENF_EVENT_LOST);
	pair_failed(keeper, m);
}

void life_fail(struct keeper *keeper, struct keeper_mapping *m, enum tenf_state state,
	       enum tenf_reason reason, int result)
{
	struct keeper_error error = {
		.reason = reason, .result = result, .method = m->inquiry.answer.method
	};

	life_fail_by(keeper, m, state, &error);
}

/* The half that came first, or that waited on a port of its own for this one. */
void news_other_half(struct keeper *keeper, struct keeper_mapping *m)
{
	if (m->phase == PHASE_HELD && m->error.reason == TENF_REASON_OTHER_PORT) {
		m->state = TENF_STATE_MAPPED;
		m->error = (struct keeper_error){ .reason = TENF_REASON_NONE, .result = -1 };
	}
	if (is_there(m) && !news_is_told(m))
		news_grant(keeper, m);
}

/* SPDX-License-Identifier: MIT */
/*
 * Pairs: TCP and UDP that need one external port, or fail as one.
 *
 * The leader (TCP) is asked first, then the follower with the leader's port as
 * suggestion. When the ports differ, the half that was there before is
 * released and asked for the port of the newcomer, and so on, a bounded number of
 * times. Neither protocol can ask for both at once (RFC 6887 §11.1), and a
 * gateway that keeps the companion port for the same host ends this in one round.
 */
#include "keeper/keeper-private.h"

#define PAIR_ROUNDS_MAX 6

bool pair_may_ask(const struct keeper_mapping *m)
{
	return m->pair == NULL || m->leads || life_holds(m->pair);
}

static void fail_as_one(struct keeper *keeper, struct keeper_mapping *m, tenf_time again,
			enum tenf_state state, enum tenf_reason reason, tenf_time now)
{
	m->after_release = m->leads ? again : TENF_NEVER;
	m->suggest = 0;
	m->pair_rounds = 0;
	life_fail(keeper, m, state, reason, -1);
	life_release(keeper, m, now);
}

bool pair_is_even(const struct keeper_mapping *m)
{
	return m->pair == NULL || m->pair->grant.external_port == m->grant.external_port;
}

bool pair_settle(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	struct keeper_mapping *other = m->pair;

	if (other == NULL)
		return true;
	if (other->phase == PHASE_RELEASING) {
		/* On its way out, and then to this port. */
		other->suggest = m->grant.external_port;
		other->after_release = now;
		return false;
	}
	if (!life_holds(other)) {
		other->suggest = m->grant.external_port;
		if (other->phase == PHASE_HOLD)
			life_ask(keeper, other, now);
		return false;
	}
	if (other->grant.external_port == m->grant.external_port) {
		m->pair_rounds = other->pair_rounds = 0;
		m->suggest = other->suggest = 0;
		return true;
	}
	m->pair_rounds++;
	if (m->pair_rounds + other->pair_rounds > PAIR_ROUNDS_MAX) {
		tenf_time again = m->wish.keep ? now + 120 * TENF_SECOND : TENF_NEVER;

		fail_as_one(keeper, m, again, TENF_STATE_REFUSED, TENF_REASON_OTHER_PORT, now);
		fail_as_one(keeper, other, again, TENF_STATE_REFUSED, TENF_REASON_OTHER_PORT,
			    now);
		return false;
	}
	other->suggest = m->grant.external_port;
	other->after_release = now;
	life_release(keeper, other, now);
	return false;
}

void pair_failed(struct keeper *keeper, struct keeper_mapping *m)
{
	struct keeper_mapping *other = m->pair;

	if (other == NULL || !m->leads || other->phase != PHASE_HOLD || life_holds(other))
		return;
	if (other->state != m->state || other->error.reason != m->error.reason)
		life_fail_by(keeper, other, m->state, &m->error); /* it was not asked itself */
}

void pair_broke(struct keeper *keeper, struct keeper_mapping *m, tenf_time again, tenf_time now)
{
	struct keeper_mapping *other = m->pair;

	if (other == NULL || other->phase == PHASE_REMOVING || other->phase == PHASE_REMOVED ||
	    other->phase == PHASE_RELEASING)
		return;
	/* The leader starts over for both when the hold is over. */
	if (life_holds(other))
		fail_as_one(keeper, other, again, m->state, m->error.reason, now);
	if (!m->leads && m->phase == PHASE_HOLD)
		keeper_set_timer(keeper, m, TENF_NEVER);
	if (!m->leads && m->phase == PHASE_RELEASING)
		m->after_release = TENF_NEVER;
}

/* SPDX-License-Identifier: MIT */
/* The life of one mapping; the drawing is in mapping.h. */
#include "keeper/keeper-private.h"

#include "core/client.h"
#include "core/schedule.h"

#include <string.h>

/* RFC 6887 §11.4 names no end; deployed gateways say this of deletes of nothing. */
#define HOLD_MAX_ON_DELETE (30 * TENF_SECOND)

/* How long a delete is repeated before the mapping is left to its expiry. */
#define RELEASE_MAX (20 * TENF_SECOND)

bool life_holds(const struct keeper_mapping *m)
{
	return m->grant.expires != TENF_NEVER;
}

/* ---- Asking --------------------------------------------------------------- */

void life_hold(struct keeper *keeper, struct keeper_mapping *m, tenf_time until)
{
	m->phase = PHASE_HOLD;
	keeper_set_timer(keeper, m, until);
	keeper_want_ask(keeper, m); /* takes back what is under way */
}

/* Why a mapping may not be asked for at present; TENF_NEVER in *ret_until: until
 * something else happens. */
static bool must_wait(const struct keeper *keeper, const struct keeper_mapping *m, tenf_time now,
		      enum tenf_reason *ret_reason, tenf_time *ret_until)
{
	if (!keeper->has_gateway) {
		*ret_reason = TENF_REASON_NO_GATEWAY;
		*ret_until = TENF_NEVER;
		return true;
	}
	if (now < keeper->hold_all || (!life_holds(m) && now < keeper->hold_new)) {
		*ret_reason = TENF_REASON_RESOURCES;
		*ret_until = tenf_time_max(keeper->hold_all, keeper->hold_new);
		return true;
	}
	return false;
}

/* The time for the one verdict is over, and half of a pair at most was granted. */
static void fail_once(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	m->after_release = TENF_NEVER;
	if (m->phase != PHASE_RELEASING)
		life_hold(keeper, m, TENF_NEVER);
	life_fail(keeper, m, TENF_STATE_LOST, TENF_REASON_SILENT, -1);
	pair_broke(keeper, m, TENF_NEVER, now);
}

void life_ask(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	enum tenf_reason reason;
	tenf_time until;

	if (!pair_may_ask(m)) {
		life_hold(keeper, m, TENF_NEVER);
		return;
	}
	if (must_wait(keeper, m, now, &reason, &until)) {
		enum tenf_state state = reason == TENF_REASON_RESOURCES ? TENF_STATE_REFUSED :
									  TENF_STATE_LOST;

		life_hold(keeper, m, m->wish.keep ? until : TENF_NEVER);
		life_fail(keeper, m, state, reason, -1);
		if (!m->wish.keep)
			pair_broke(keeper, m, TENF_NEVER, now);
		return;
	}
	if (m->verdict_by <= now) {
		fail_once(keeper, m, now);
		return;
	}
	m->phase = PHASE_ASKING;
	m->packets_out = true;
	m->last_try = now;
	m->give_up = m->verdict_by;
	keeper_set_timer(keeper, m,
			 m->wish.keep ? tenf_time_add(now, keeper->config.verdict) : TENF_NEVER);
	keeper_want_ask(keeper, m);
}

/* What was held is held no more. It is asked for again, but neither before an
 * error that was told has ended (§8.3) nor within 4 s of the try before (§11.2.1). */
static void lost(struct keeper *keeper, struct keeper_mapping *m, enum tenf_reason reason,
		 int result, tenf_time now)
{
	tenf_time again = tenf_time_max(m->not_before, m->last_try + RENEWAL_SPACING);

	m->grant.expires = TENF_NEVER;
	m->recreate = false;
	life_fail(keeper, m, TENF_STATE_LOST, reason, result);
	if (!m->wish.keep)
		life_hold(keeper, m, TENF_NEVER);
	else if (again > now)
		life_hold(keeper, m, again);
	else
		life_ask(keeper, m, now);
}

/* The lease ended. When its renewal was refused, that is why. */
static void ended(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	if (m->state == TENF_STATE_REFUSED && m->error.reason != TENF_REASON_NONE)
		lost(keeper, m, m->error.reason, m->error.result, now);
	else
		lost(keeper, m, TENF_REASON_SILENT, -1, now);
}

/* ---- Holding and renewing -------------------------------------------------- */

static tenf_duration since_plan(const struct keeper_mapping *m)
{
	return m->last_try == RENEWAL_NONE ? RENEWAL_NONE : m->last_try - m->plan_from;
}

/* Sets next_try to a point of the window of try `tries + 1`. */
static void plan_next_try(struct keeper *keeper, struct keeper_mapping *m)
{
	tenf_duration at =
		schedule_renewal(m->plan_s, m->tries + 1, since_plan(m), &keeper->random);

	m->next_try = tenf_time_add(at, at == TENF_NEVER ? 0 : m->plan_from);
	if (m->next_try >= m->grant.expires)
		m->next_try = TENF_NEVER;
}

static tenf_time plan_end(const struct keeper_mapping *m)
{
	return tenf_time_add(m->plan_from, tenf_seconds(m->plan_s));
}

static void await_next_try(struct keeper *keeper, struct keeper_mapping *m)
{
	m->phase = PHASE_HELD;
	keeper_set_timer(keeper, m,
			 tenf_time_min(m->next_try, tenf_time_min(plan_end(m), m->grant.expires)));
}

static void plan_renewals(struct keeper *keeper, struct keeper_mapping *m, uint64_t lifetime_s,
			  tenf_time now)
{
	m->plan_from = now;
	m->plan_s = schedule_planned_s(lifetime_s < UINT32_MAX ? (uint32_t)lifetime_s :
								 UINT32_MAX);
	m->tries = 0;
	plan_next_try(keeper, m);
	await_next_try(keeper, m);
}

/* A lease longer than a day, whose day is over: what is left of it. */
static void plan_the_rest(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	plan_renewals(keeper, m, (uint64_t)((m->grant.expires - now) / TENF_SECOND), now);
}

void life_revise(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	tenf_time soon = tenf_time_max(m->not_before, m->last_try + RENEWAL_SPACING);

	keeper_set_timer(keeper, m, tenf_time_min(m->timer.at, tenf_time_max(soon, now)));
}

/* The windows of renewals are far apart because there is time; whoever changed the
 * wish waits. */
static void plan_revision(struct keeper_mapping *m, tenf_time now)
{
	m->next_try = tenf_time_min(m->next_try,
				    tenf_time_add(now, RENEWAL_SPACING * m->revisions));
	m->revisions *= 2;
}

static void granted(struct keeper *keeper, struct keeper_mapping *m,
		    const struct keeper_grant *grant, tenf_time now)
{
	bool restarted = m->recreate;

	m->grant = *grant;
	m->error = (struct keeper_error){ .reason = TENF_REASON_NONE, .result = -1 };
	m->state = TENF_STATE_MAPPED;
	m->recreate = false;
	m->failures = 0;
	m->not_before = 0;
	m->granted_at = now;
	if (m->last_try >= m->revised_at)
		m->revisions = 0;
	if (m->wish.keep) {
		plan_renewals(keeper, m, grant->lifetime_s, now);
		if (m->revisions > 0)
			life_revise(keeper, m, now);
	} else {
		m->phase = PHASE_HELD;
		m->next_try = TENF_NEVER;
		keeper_set_timer(keeper, m, m->grant.expires);
	}
	if (pair_settle(keeper, m, now)) {
		news_grant(keeper, m);
		if (m->pair != NULL)
			news_other_half(keeper, m->pair);
	} else if (restarted && news_told_as_held(m) && !news_is_told(m)) {
		/* The port that was told is gone since the restart, and the pair has
		 * no new one yet. Else the other half follows within a round trip. */
		life_fail(keeper, m, TENF_STATE_LOST, TENF_REASON_OTHER_PORT, -1);
	}
}

/* Windows that passed while an error held the mapping back are not made up for. */
static void skip_past_windows(struct keeper_mapping *m, tenf_time now)
{
	tenf_duration from;
	tenf_duration to = 0;

	while (m->tries < 30) {
		schedule_renewal_window(m->plan_s, m->tries + 1, &from, &to);
		if (tenf_time_add(m->plan_from, to) >= now)
			break;
		m->tries++;
	}
}

static void try_renewal(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	m->phase = PHASE_RENEWING;
	m->state = TENF_STATE_RENEWING;
	m->tries += m->revisions == 0;
	m->last_try = now;
	skip_past_windows(m, now);
	plan_next_try(keeper, m);
	if (m->revisions > 0)
		plan_revision(m, now);
	m->give_up = tenf_time_min(m->next_try, tenf_time_min(plan_end(m), m->grant.expires));
	keeper_set_timer(keeper, m, TENF_NEVER);
	keeper_want_ask(keeper, m);
}

/* What is held comes to a point where something is due. */
static void held_is_due(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	if (now >= m->grant.expires)
		ended(keeper, m, now);
	else if (now < keeper->hold_all)
		keeper_set_timer(keeper, m, tenf_time_min(keeper->hold_all, m->grant.expires));
	else if (m->recreate)
		life_recreate(keeper, m, now);
	else if (now >= plan_end(m))
		plan_the_rest(keeper, m, now);
	else
		try_renewal(keeper, m, now);
}

/* A renewal stayed without an answer until its next window opened, or the plan
 * or the lease ended; NAT-PMP gives up before. */
static void renewal_is_silent(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	await_next_try(keeper, m);
	if (m->timer.at <= now)
		life_expire(keeper, m, now);
}

/* Nobody listens there at the moment: a gateway that restarts looks like this. */
static void renewal_is_unreachable(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	tenf_time again = tenf_time_add(now, hold_retry(m));

	if (m->next_try != TENF_NEVER && !m->recreate)
		again = tenf_time_max(m->next_try, again);
	if (m->inquiry.answer.lifetime_s > 0)
		m->not_before = again;
	m->failures++;
	m->phase = PHASE_HELD;
	keeper_set_timer(keeper, m, tenf_time_min(again, m->grant.expires));
	/* The epoch has said that it is gone, and nobody brings it back. */
	if (m->recreate)
		life_fail(keeper, m, TENF_STATE_LOST, TENF_REASON_NO_SERVICE,
			  m->inquiry.answer.result);
}

/* Refused, but what is held stays held until it ends. */
static void renewal_is_refused(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	const struct core_answer *answer = &m->inquiry.answer;
	tenf_time again = tenf_time_add(now, tenf_time_max(hold_of(answer), RENEWAL_SPACING));

	m->phase = PHASE_HELD;
	m->not_before = again;
	if (m->recreate)
		m->grant.expires = tenf_time_min(m->grant.expires, again);
	keeper_set_timer(keeper, m, tenf_time_min(again, m->grant.expires));
	life_fail(keeper, m, TENF_STATE_REFUSED, answer->reason, answer->result);
}

void life_recreate(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	m->recreate = true;
	m->phase = PHASE_RENEWING;
	m->state = TENF_STATE_RENEWING;
	m->last_try = now;
	m->give_up = m->grant.expires;
	keeper_set_timer(keeper, m, tenf_time_add(now, keeper->config.verdict));
	keeper_want_ask(keeper, m);
}

bool life_recreate_in_time(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	tenf_time at = m->last_try + RENEWAL_SPACING;

	if (at <= now) {
		life_recreate(keeper, m, now);
		return true;
	}
	m->recreate = true;
	m->phase = PHASE_HELD;
	keeper_set_timer(keeper, m, tenf_time_min(at, m->grant.expires));
	keeper_want_ask(keeper, m); /* takes back what is under way */
	return false;
}

/* ---- Releasing and removing ------------------------------------------------ */

static void start_delete(struct keeper *keeper, struct keeper_mapping *m, enum keeper_phase phase,
			 tenf_time now)
{
	m->phase = phase;
	m->give_up = tenf_time_min(now + RELEASE_MAX, m->grant.expires);
	keeper_set_timer(keeper, m, TENF_NEVER);
	keeper_want_ask(keeper, m);
}

void life_release(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	start_delete(keeper, m, PHASE_RELEASING, now);
	if (m->after_release != TENF_NEVER)
		keeper_set_timer(keeper, m, m->verdict_by);
}

static void released(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	m->grant.expires = TENF_NEVER;
	/* Late answers to what was released must not look like the new one's. What was
	 * not is only ours with the nonce that made it (RFC 6887 §11.3). */
	if (m->inquiry.answer.reason == TENF_REASON_NONE) {
		m->packets_out = false;
		keeper_new_nonce(keeper, m);
	}
	if (m->after_release <= now)
		life_ask(keeper, m, now);
	else
		life_hold(keeper, m, m->after_release);
}

void life_removed(struct keeper *keeper, struct keeper_mapping *m, enum tenf_reason reason,
		  int result)
{
	m->phase = PHASE_REMOVED;
	m->state = TENF_STATE_REMOVED;
	m->error = (struct keeper_error){
		.reason = reason,
		.result = result,
		.method = result < 0 ? TENF_METHOD_NONE : m->inquiry.answer.method,
	};
	m->grant.expires = TENF_NEVER;
	keeper_set_timer(keeper, m, TENF_NEVER);
	keeper_want_ask(keeper, m);
	keeper_tell(keeper, m, TENF_EVENT_REMOVED);
}

void life_remove(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	if (m->phase == PHASE_REMOVING || m->phase == PHASE_REMOVED)
		return;
	if (!m->packets_out)
		life_removed(keeper, m, TENF_REASON_NONE, -1);
	else if (!keeper->has_gateway)
		life_removed(keeper, m, TENF_REASON_NO_GATEWAY, -1);
	else
		start_delete(keeper, m, PHASE_REMOVING, now);
}

/* ---- What happens to it ----------------------------------------------------- */

static void ask_failed(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	const struct core_answer *answer = &m->inquiry.answer;
	bool nobody = answer->reason == TENF_REASON_SILENT ||
		      answer->reason == TENF_REASON_NO_SERVICE;
	enum tenf_state state = nobody ? TENF_STATE_LOST : TENF_STATE_REFUSED;
	tenf_time again = tenf_time_add(now, hold_retry(m));

	if (!m->wish.keep)
		again = TENF_NEVER;
	m->failures++;
	life_fail(keeper, m, state, answer->reason, answer->result);
	if (answer->reason == TENF_REASON_OTHER_PORT && answer->external_port != 0) {
		/* It was granted all the same, by a gateway that does not know how to refuse. */
		m->after_release = again;
		life_release(keeper, m, now);
	} else {
		life_hold(keeper, m, again);
	}
	pair_broke(keeper, m, again, now);
}

static void renewal_failed(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	enum tenf_reason reason = m->inquiry.answer.reason;

	if (reason == TENF_REASON_SILENT)
		renewal_is_silent(keeper, m, now);
	else if (reason == TENF_REASON_NO_SERVICE)
		renewal_is_unreachable(keeper, m, now);
	else if (reason == TENF_REASON_OTHER_PORT && m->inquiry.answer.external_port != 0)
		ask_failed(keeper, m, now);
	else
		renewal_is_refused(keeper, m, now);
}

/* RFC 6887 §11.4: out of resources means the gateway, not this mapping. */
static void note_resources(struct keeper *keeper, const struct keeper_mapping *m, tenf_time now)
{
	tenf_duration hold = hold_of(&m->inquiry.answer);

	if (m->inquiry.answer.reason != TENF_REASON_RESOURCES)
		return;
	if (m->phase == PHASE_ASKING || m->phase == PHASE_RENEWING)
		keeper->hold_new = tenf_time_max(keeper->hold_new, now + hold);
	else
		keeper->hold_all = tenf_time_max(keeper->hold_all,
						 now + tenf_time_min(hold, HOLD_MAX_ON_DELETE));
}

void keeper_answered(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	const struct core_answer *answer = &m->inquiry.answer;
	bool ok = answer->reason == TENF_REASON_NONE;
	struct keeper_grant grant = {
		.method = answer->method,
		.external_port = answer->external_port,
		.external_address = answer->external_address,
		.lifetime_s = answer->lifetime_s,
		.epoch_s = answer->epoch_s,
		.unfiltered = answer->unfiltered,
		.expires = tenf_time_add(now, tenf_seconds(answer->lifetime_s)),
	};

	if (keeper->recover_id == m->id + 1)
		keeper->recover_at = now; /* the next one's turn */
	note_resources(keeper, m, now);
	switch (m->phase) {
	case PHASE_ASKING:
		if (ok)
			granted(keeper, m, &grant, now);
		else
			ask_failed(keeper, m, now);
		break;
	case PHASE_RENEWING:
		if (ok)
			granted(keeper, m, &grant, now);
		else
			renewal_failed(keeper, m, now);
		break;
	case PHASE_RELEASING:
		released(keeper, m, now);
		break;
	case PHASE_REMOVING:
		life_removed(keeper, m, answer->reason, answer->result);
		break;
	case PHASE_HOLD:
	case PHASE_HELD:
	case PHASE_REMOVED:
		break;
	}
}

void life_expire(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	keeper_set_timer(keeper, m, TENF_NEVER);
	switch (m->phase) {
	case PHASE_HOLD:
		life_ask(keeper, m, now);
		break;
	case PHASE_ASKING: /* the inquiry goes on, but somebody waits for a word */
		life_fail(keeper, m, TENF_STATE_LOST, TENF_REASON_SILENT, -1);
		break;
	case PHASE_HELD:
		held_is_due(keeper, m, now);
		break;
	case PHASE_RENEWING: /* recreating, and no answer: it must be taken for gone */
		life_fail(keeper, m, TENF_STATE_LOST, TENF_REASON_SILENT, -1);
		break;
	case PHASE_RELEASING:
		fail_once(keeper, m, now);
		break;
	case PHASE_REMOVING:
	case PHASE_REMOVED:
		break;
	}
}

/* A repeated or late copy of the answer that made the mapping would set its clock
 * wrong; the epoch tells. Further back than a second it began anew (RFC 6887 §8.5). */
static bool is_old_news(const struct keeper_mapping *m, const struct keeper_grant *grant)
{
	if (m->grant.method != TENF_METHOD_PCP)
		return false; /* another epoch */
	if (grant->epoch_s < m->grant.epoch_s)
		return m->grant.epoch_s - grant->epoch_s <= 1;
	return grant->epoch_s == m->grant.epoch_s && news_same_endpoint(grant, &m->grant);
}

void life_update(struct keeper *keeper, struct keeper_mapping *m,
		 const struct pcp_answer *update, tenf_time now)
{
	struct keeper_grant grant = {
		.method = TENF_METHOD_PCP,
		.external_port = update->map.external_port,
		.external_address = update->map.external_address,
		.lifetime_s = update->lifetime_s,
		.epoch_s = update->epoch_s,
		.unfiltered = !client_is_filtered(&m->inquiry.question, update),
		.expires = tenf_time_add(now, tenf_seconds(update->lifetime_s)),
	};
	bool error = update->result != PCP_SUCCESS;

	if (is_old_news(m, &grant))
		return;
	if (error && m->wish.keep) {
		/* No longer what it was: ask, but not in a hurry (§11.2.1). */
		tenf_time at = tenf_time_max(now, m->last_try + RENEWAL_SPACING);

		keeper_set_timer(keeper, m, tenf_time_min(at, m->grant.expires));
	} else if (error || update->lifetime_s == 0 || update->map.external_port == 0) {
		lost(keeper, m, TENF_REASON_REFUSED, error ? update->result : -1, now);
	} else if (!m->wish.exact || grant.external_port == m->wish.external_port) {
		granted(keeper, m, &grant, now);
	}
}

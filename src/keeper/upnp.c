/* SPDX-License-Identifier: MIT */
#include "keeper/upnp.h"

/* How long PCP and NAT-PMP are asked alone: on a network where one of them answers no
 * packet of UPnP is ever sent. */
#define HEAD_START (250 * TENF_MILLISECOND)
/* How long both must be silent before UPnP maps; NAT-PMP has been asked thrice then. */
#define SILENCE (1 * TENF_SECOND)
/* A device that was not there is looked for again while somebody waits. */
#define LOOK_AGAIN (64 * TENF_SECOND)
/* What a search and a look-up may take at the most where nothing else limits them. */
#define WATCH_MAX (5 * TENF_SECOND)
#define DIRECT_MAX (20 * TENF_SECOND)

void upnp_init(struct upnp *upnp, unsigned methods)
{
	*upnp = (struct upnp){ .allowed = (methods & TENF_METHOD_IGD) != 0,
			       .alone = methods == TENF_METHOD_IGD,
			       .look_at = TENF_NEVER };
}

void upnp_reset(struct upnp *upnp)
{
	upnp->device = UPNP_UNKNOWN;
	upnp->version = 0;
	upnp->look_at = TENF_NEVER;
	upnp->watch = false;
}

/* ---- Lists -------------------------------------------------------------------- */

static void append(struct upnp_list *list, struct keeper_mapping *m)
{
	m->upnp.next = NULL;
	m->upnp.previous = list->last;
	if (list->last != NULL)
		list->last->upnp.next = m;
	else
		list->first = m;
	list->last = m;
}

static void unlink_from(struct upnp_list *list, struct keeper_mapping *m)
{
	if (m->upnp.previous != NULL)
		m->upnp.previous->upnp.next = m->upnp.next;
	else
		list->first = m->upnp.next;
	if (m->upnp.next != NULL)
		m->upnp.next->upnp.previous = m->upnp.previous;
	else
		list->last = m->upnp.previous;
	m->upnp.next = m->upnp.previous = NULL;
}

void upnp_cancel(struct upnp *upnp, struct keeper_mapping *m)
{
	switch (m->upnp.place) {
	case UPNP_OUT:
		break;
	case UPNP_RACING:
	case UPNP_WAITING:
		unlink_from(&upnp->racing, m);
		break;
	case UPNP_QUEUED:
		unlink_from(&upnp->queued, m);
		break;
	case UPNP_ASKED:
		upnp->asked = 0;
		break;
	}
	m->upnp.place = UPNP_OUT;
	if (upnp->racing.first == NULL && !upnp->watch)
		upnp->look_at = TENF_NEVER;
}

static void enqueue(struct upnp *upnp, struct keeper_mapping *m)
{
	upnp_cancel(upnp, m);
	m->upnp.place = UPNP_QUEUED;
	append(&upnp->queued, m);
}

/* ---- Who is asked -------------------------------------------------------------- */

static void look_by(struct upnp *upnp, tenf_time at)
{
	if (upnp->device == UPNP_ABSENT)
		at = tenf_time_max(at, upnp->absent_until);
	if (upnp->device == UPNP_UNKNOWN || upnp->device == UPNP_ABSENT)
		upnp->look_at = tenf_time_min(upnp->look_at, at);
}

static void forget_absence(struct upnp *upnp, tenf_time now)
{
	if (upnp->device == UPNP_ABSENT && upnp->absent_until <= now)
		upnp->device = UPNP_UNKNOWN;
}

/* UPnP made it, and nobody else knows of it. */
static bool is_held_by_upnp(const struct keeper_mapping *m)
{
	return m->grant.method == TENF_METHOD_IGD && m->phase != PHASE_ASKING;
}

bool upnp_takes(struct upnp *upnp, struct keeper_mapping *m, const struct core_question *question,
		bool known, tenf_time now)
{
	/* UPnP would open the port to everybody. */
	if (!upnp->allowed || question->filter_count > 0)
		return false;
	if (upnp->alone || is_held_by_upnp(m)) {
		enqueue(upnp, m);
		return true;
	}
	/* A renewal of what another method made is that method's. */
	if (question->op == CORE_DISCOVER || m->phase == PHASE_RENEWING ||
	    (question->op == CORE_UNMAP && m->grant.method != TENF_METHOD_NONE))
		return false;
	forget_absence(upnp, now);
	m->upnp.place = UPNP_RACING;
	m->upnp.from = known ? TENF_NEVER : tenf_time_add(now, SILENCE);
	append(&upnp->racing, m);
	if (!known)
		look_by(upnp, now + HEAD_START);
	return false;
}

static bool is_nobody(enum tenf_reason reason)
{
	return reason == TENF_REASON_NO_SERVICE || reason == TENF_REASON_SILENT;
}

/* PCP and NAT-PMP are not there: what UPnP has to say counts, if it has not been
 * asked in vain, and there is time left. */
bool upnp_keeps(struct upnp *upnp, struct keeper_mapping *m, tenf_time now)
{
	bool racing = m->upnp.place == UPNP_RACING;

	forget_absence(upnp, now);
	if (!racing || !is_nobody(m->inquiry.answer.reason) || m->give_up <= now ||
	    upnp->device == UPNP_ABSENT) {
		upnp_cancel(upnp, m);
		return false;
	}
	if (upnp->device == UPNP_THERE) {
		enqueue(upnp, m);
		return true;
	}
	m->upnp.place = UPNP_WAITING;
	m->upnp.from = m->give_up;
	look_by(upnp, now);
	return true;
}

bool upnp_keeps_watch(struct upnp *upnp, enum tenf_reason reason, tenf_time now)
{
	if (!upnp->allowed || !is_nobody(reason))
		return false;
	/* Whether it is still there is what a watch wants to know. */
	if (upnp->device != UPNP_LOOKING)
		upnp->device = UPNP_UNKNOWN;
	upnp->watch = true;
	look_by(upnp, now);
	return true;
}

/* ---- Time ----------------------------------------------------------------------- */

static bool is_due(const struct upnp *upnp, const struct keeper_mapping *m, tenf_time now)
{
	if (m->upnp.from > now)
		return false;
	return m->upnp.place == UPNP_WAITING || upnp->device == UPNP_THERE;
}

struct keeper_mapping *upnp_expire(struct upnp *upnp, tenf_time now, bool *ret_over)
{
	for (struct keeper_mapping *m = upnp->racing.first; m != NULL; m = m->upnp.next) {
		if (!is_due(upnp, m, now))
			continue;
		*ret_over = m->upnp.place == UPNP_WAITING;
		if (*ret_over)
			upnp_cancel(upnp, m);
		else
			enqueue(upnp, m);
		return m;
	}
	return NULL;
}

tenf_time upnp_deadline(const struct upnp *upnp)
{
	tenf_time first = TENF_NEVER;

	for (const struct keeper_mapping *m = upnp->racing.first; m != NULL; m = m->upnp.next) {
		if (m->upnp.place == UPNP_WAITING || upnp->device == UPNP_THERE)
			first = tenf_time_min(first, m->upnp.from);
	}
	return first;
}

tenf_time upnp_question_at(const struct upnp *upnp)
{
	return upnp->queued.first != NULL ? 0 : upnp->look_at;
}

/* ---- The worker ------------------------------------------------------------------ */

static bool next_look(struct upnp *upnp, tenf_time now, struct upnp_question *ret)
{
	if (upnp->look_at > now)
		return false;
	upnp->look_at = TENF_NEVER;
	upnp->device = UPNP_LOOKING;
	*ret = (struct upnp_question){
		.alone = upnp->alone,
		.question = { .op = CORE_DISCOVER, .give_up = now + WATCH_MAX },
	};
	return true;
}

static bool next_mapping(struct upnp *upnp, const struct keeper *keeper, tenf_time now,
			 struct upnp_question *ret)
{
	struct keeper_mapping *m;

	while ((m = upnp->queued.first) != NULL) {
		struct upnp_question q = { .alone = upnp->alone,
					   .fresh = m->phase == PHASE_ASKING };

		unlink_from(&upnp->queued, m);
		m->upnp.place = UPNP_OUT;
		if (!keeper_question(keeper, m, &q.question))
			continue;
		if (q.question.op == CORE_UNMAP)
			q.question.external_port = m->grant.external_port != 0 ?
							   m->grant.external_port :
							   m->wish.external_port;
		q.question.give_up = tenf_time_min(q.question.give_up, now + DIRECT_MAX);
		m->upnp.place = UPNP_ASKED;
		upnp->asked = m->id;
		*ret = q;
		return true;
	}
	return false;
}

bool upnp_next(struct upnp *upnp, const struct keeper *keeper, tenf_time now,
	       struct upnp_question *ret)
{
	if (!upnp->allowed || !(next_look(upnp, now, ret) || next_mapping(upnp, keeper, now, ret)))
		return false;
	ret->token = ++upnp->token;
	return true;
}

/* Those who wait for nothing else are next; who still hopes for another method
 * hopes on, and its silence is what counts. */
void upnp_found(struct upnp *upnp, unsigned version, tenf_time now)
{
	struct keeper_mapping *next;

	upnp->version = version;
	upnp->device = version != 0 ? UPNP_THERE : UPNP_ABSENT;
	for (struct keeper_mapping *m = upnp->racing.first; m != NULL; m = next) {
		next = m->upnp.next;
		if (m->upnp.place == UPNP_WAITING && upnp->device == UPNP_THERE)
			enqueue(upnp, m);
		else if (m->upnp.place == UPNP_WAITING)
			m->upnp.from = now; /* its answer counts as it is */
	}
	upnp->absent_until = now + LOOK_AGAIN;
	upnp->look_at = TENF_NEVER;
	if (upnp->racing.first != NULL)
		look_by(upnp, now);
}

struct keeper_mapping *upnp_answered(struct upnp *upnp, const struct keeper *keeper,
				     uint64_t token)
{
	struct keeper_mapping *m = token == upnp->token ? keeper_find(keeper, upnp->asked) : NULL;

	upnp->asked = 0;
	if (m == NULL || m->upnp.place != UPNP_ASKED)
		return NULL;
	m->upnp.place = UPNP_OUT;
	return m;
}

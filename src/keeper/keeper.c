/* SPDX-License-Identifier: MIT */
#include "keeper/keeper.h"

#include "core/schedule.h"
#include "keeper/keeper-private.h"

#include <string.h>

/* While recreating, how long one mapping may keep the next one waiting. */
#define RECOVER_STEP (3 * TENF_SECOND)

static struct keeper_mapping *mapping_of(struct tenf_heap_entry *timer)
{
	return (void *)((char *)timer - offsetof(struct keeper_mapping, timer));
}

void keeper_init(struct keeper *keeper, const struct keeper_config *config,
		 const struct tenf_random *random, const struct tenf_memory *memory)
{
	*keeper = (struct keeper){
		.memory = memory,
		.random = *random,
		.config = *config,
		.next_id = 1,
		.recover_at = TENF_NEVER,
	};
	tenf_heap_init(&keeper->timers, memory);
}

void keeper_done(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->count; i++)
		tenf_memory_free(keeper->memory, keeper->mappings[i]);
	tenf_memory_free(keeper->memory, keeper->mappings);
	tenf_heap_done(&keeper->timers);
	keeper->mappings = NULL;
	keeper->count = keeper->size = 0;
}

/* ---- The set --------------------------------------------------------------- */

/* Index of the first mapping whose id is not below. */
static size_t lower_bound(const struct keeper *keeper, uint32_t id)
{
	size_t low = 0;
	size_t high = keeper->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (keeper->mappings[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct keeper_mapping *keeper_find(const struct keeper *keeper, uint32_t id)
{
	size_t at = lower_bound(keeper, id);

	if (at == keeper->count || keeper->mappings[at]->id != id)
		return NULL;
	return keeper->mappings[at];
}

static enum tenf_status make_room(struct keeper *keeper, size_t more)
{
	size_t size = keeper->size > 0 ? keeper->size : 8;
	struct keeper_mapping **grown;

	if (keeper->count + more > KEEPER_MAPPINGS_MAX)
		return TENF_E_LIMIT;
	if (tenf_heap_reserve(&keeper->timers, keeper->count + more) != TENF_OK)
		return TENF_E_MEMORY;
	if (keeper->count + more <= keeper->size)
		return TENF_OK;
	while (size < keeper->count + more)
		size *= 2;
	grown = tenf_memory_grow(keeper->memory, keeper->mappings, size, sizeof(*grown));
	if (grown == NULL)
		return TENF_E_MEMORY;
	keeper->mappings = grown;
	keeper->size = size;
	return TENF_OK;
}

void keeper_new_nonce(struct keeper *keeper, struct keeper_mapping *m)
{
	tenf_random_fill(&keeper->random, m->wish.nonce, sizeof(m->wish.nonce));
}

static struct keeper_mapping *new_mapping(struct keeper *keeper, const struct keeper_wish *wish,
					  tenf_time now)
{
	size_t filters = wish->filter_count * sizeof(*wish->filters);
	size_t text = wish->description != NULL ? strlen(wish->description) + 1 : 0;
	struct keeper_mapping *m =
		tenf_memory_zero(keeper->memory, 1, sizeof(*m) + filters + text);
	uint8_t *behind; /* the mapping: filters and text, if any */

	if (m == NULL)
		return NULL;
	behind = (uint8_t *)(m + 1);
	m->wish = *wish;
	m->wish.filters = (struct pcp_filter *)(void *)behind;
	if (filters > 0)
		memcpy(behind, wish->filters, filters);
	if (text > 0)
		m->wish.description = memcpy(behind + filters, wish->description, text);
	m->state = TENF_STATE_ASKING;
	m->error.result = -1;
	m->grant.expires = TENF_NEVER;
	m->grant.external_address = wish->external_address;
	m->grant.external_port = wish->granted_port;
	m->timer.at = TENF_NEVER;
	m->last_try = RENEWAL_NONE;
	m->next_try = TENF_NEVER;
	m->after_release = TENF_NEVER;
	m->verdict_by = wish->keep ? TENF_NEVER : tenf_time_add(now, keeper->config.verdict);
	if (!wish->has_nonce)
		keeper_new_nonce(keeper, m);
	return m;
}

static void link_mapping(struct keeper *keeper, struct keeper_mapping *m)
{
	m->id = keeper->next_id++;
	keeper->mappings[keeper->count++] = m;
}

static void free_mapping(struct keeper *keeper, struct keeper_mapping *m)
{
	size_t at = lower_bound(keeper, m->id);

	memmove(keeper->mappings + at, keeper->mappings + at + 1,
		(keeper->count - at - 1) * sizeof(struct keeper_mapping *));
	keeper->count--;
	tenf_heap_set(&keeper->timers, &m->timer, TENF_NEVER);
	if (m->pair != NULL)
		m->pair->pair = NULL;
	tenf_memory_free(keeper->memory, m);
}

enum tenf_status keeper_add(struct keeper *keeper, const struct keeper_wish *wish, bool both,
			    tenf_time now, uint32_t *ret_id)
{
	struct keeper_wish other = *wish;
	struct keeper_mapping *first, *second = NULL;
	enum tenf_status status = make_room(keeper, both ? 2 : 1);

	if (status != TENF_OK)
		return status;
	first = new_mapping(keeper, wish, now);
	if (first == NULL)
		return TENF_E_MEMORY;
	if (both) {
		first->wish.protocol = TENF_TCP;
		other.protocol = TENF_UDP;
		other.has_nonce = wish->has_pair_nonce;
		memcpy(other.nonce, wish->pair_nonce, sizeof(other.nonce));
		second = new_mapping(keeper, &other, now);
		if (second == NULL) {
			tenf_memory_free(keeper->memory, first);
			return TENF_E_MEMORY;
		}
		first->leads = true;
		first->pair = second;
		second->pair = first;
	}
	link_mapping(keeper, first);
	if (second != NULL)
		link_mapping(keeper, second);
	*ret_id = first->id;
	life_ask(keeper, first, now);
	return TENF_OK;
}

enum tenf_status keeper_release(struct keeper *keeper, const struct keeper_wish *wish,
				tenf_time now, uint32_t *ret_id)
{
	struct keeper_mapping *m;
	enum tenf_status status = make_room(keeper, 1);

	if (status != TENF_OK)
		return status;
	m = new_mapping(keeper, wish, now);
	if (m == NULL)
		return TENF_E_MEMORY;
	m->packets_out = true;
	m->phase = PHASE_HOLD;
	m->grant.external_port = wish->external_port;
	link_mapping(keeper, m);
	*ret_id = m->id;
	life_remove(keeper, m, now);
	return TENF_OK;
}

enum tenf_status keeper_set_lifetime(struct keeper *keeper, uint32_t id, uint32_t lifetime_s,
				     tenf_time now)
{
	struct keeper_mapping *m = keeper_find(keeper, id);

	if (m == NULL || m->phase == PHASE_REMOVED)
		return TENF_E_NOT_FOUND;
	m->wish.lifetime_s = lifetime_s;
	m->revisions = m->wish.keep;
	m->revised_at = now;
	if (m->phase == PHASE_HELD && m->wish.keep)
		life_revise(keeper, m, now);
	return TENF_OK;
}

enum tenf_status keeper_remove(struct keeper *keeper, uint32_t id, tenf_time now)
{
	struct keeper_mapping *m = keeper_find(keeper, id);

	if (m == NULL || m->phase == PHASE_REMOVED)
		return TENF_E_NOT_FOUND;
	life_remove(keeper, m, now);
	if (m->pair != NULL)
		life_remove(keeper, m->pair, now);
	return TENF_OK;
}

void keeper_view(const struct keeper *keeper, const struct keeper_mapping *m,
		 struct keeper_view *ret)
{
	bool renews = m->wish.keep && m->phase == PHASE_HELD;

	*ret = (struct keeper_view){
		.id = m->id,
		.pair = m->pair != NULL ? m->pair->id : 0,
		.wish = m->wish,
		.grant = m->grant,
		.error = m->error,
		.state = m->state,
		.internal_address = m->wish.for_other ? m->wish.other : keeper->source,
		.renews = renews ? m->timer.at : TENF_NEVER,
	};
	ret->wish.filters = NULL;
	ret->wish.description = NULL;
}

void keeper_set_timer(struct keeper *keeper, struct keeper_mapping *m, tenf_time at)
{
	tenf_heap_set(&keeper->timers, &m->timer, at);
}

/* ---- Asking ------------------------------------------------------------------ */

void keeper_want_ask(struct keeper *keeper, struct keeper_mapping *m)
{
	if (m->in_ask_list)
		return;
	m->in_ask_list = true;
	m->next_ask = NULL;
	if (keeper->last_ask != NULL)
		keeper->last_ask->next_ask = m;
	else
		keeper->first_ask = m;
	keeper->last_ask = m;
}

struct keeper_mapping *keeper_next_ask(struct keeper *keeper)
{
	struct keeper_mapping *m = keeper->first_ask;

	if (m == NULL)
		return NULL;
	keeper->first_ask = m->next_ask;
	if (keeper->first_ask == NULL)
		keeper->last_ask = NULL;
	m->in_ask_list = false;
	return m;
}

/* To insist on no port in particular is not to insist. */
static bool insists(const struct keeper_mapping *m)
{
	return m->wish.exact && m->wish.external_port != 0;
}

static uint16_t suggested_port(const struct keeper_mapping *m)
{
	if (m->suggest != 0)
		return m->suggest;
	if (m->grant.external_port != 0 && !insists(m))
		return m->grant.external_port;
	return m->wish.external_port;
}

/* A lease that is made once is not made longer by a restart of the gateway. */
static uint32_t wished_lifetime_s(const struct keeper_mapping *m)
{
	tenf_duration left = m->grant.expires - m->last_try;

	if (m->wish.keep || !m->recreate)
		return m->wish.lifetime_s;
	return left > TENF_SECOND ? (uint32_t)(left / TENF_SECOND) : 1;
}

static void fill_create(const struct keeper_mapping *m, struct core_question *ret)
{
	bool renewing = m->phase == PHASE_RENEWING;

	ret->op = CORE_MAP;
	ret->single = renewing && !m->recreate;
	ret->race = !renewing || m->recreate || m->tries >= 3 ||
		    m->grant.method != TENF_METHOD_PCP;
	ret->external_port = suggested_port(m);
	if (!insists(m))
		ret->external_address = m->grant.external_address;
	ret->lifetime_s = wished_lifetime_s(m);
	ret->prefer_failure = insists(m);
	ret->filters = m->wish.filters;
	ret->filter_count = m->wish.filter_count;
	/* Filters add to those that are there (§13.3), which may be this mapping's own. */
	ret->clear_filters = m->wish.clear_filters ||
			     (ret->filter_count > 0 &&
			      (m->wish.has_nonce || m->grant.external_port != 0));
	ret->description = m->wish.description;
}

bool keeper_question(const struct keeper *keeper, const struct keeper_mapping *m,
		     struct core_question *ret)
{
	struct core_question q = {
		.methods = keeper->config.methods,
		.give_up = m->give_up,
		.protocol = m->wish.protocol,
		.internal_port = m->wish.internal_port,
		.for_other = m->wish.for_other,
		.other = m->wish.other,
		.external_address = tenf_address_zero_of(&keeper->source),
	};

	memcpy(q.nonce, m->wish.nonce, sizeof(q.nonce));
	switch (m->phase) {
	case PHASE_ASKING:
	case PHASE_RENEWING:
		fill_create(m, &q);
		break;
	case PHASE_RELEASING:
	case PHASE_REMOVING:
		q.op = CORE_UNMAP;
		q.race = m->grant.method != TENF_METHOD_PCP;
		break;
	case PHASE_HOLD:
	case PHASE_HELD:
	case PHASE_REMOVED:
		return false;
	}
	*ret = q;
	return true;
}

/* ---- What happens to all of them ---------------------------------------------- */

bool keeper_update(struct keeper *keeper, const struct pcp_answer *update, tenf_time now)
{
	for (size_t i = 0; i < keeper->count; i++) {
		struct keeper_mapping *m = keeper->mappings[i];

		if (m->wish.internal_port != update->map.internal_port ||
		    (uint8_t)m->wish.protocol != update->map.protocol ||
		    memcmp(m->wish.nonce, update->map.nonce, CORE_NONCE) != 0)
			continue;
		if (m->phase != PHASE_HELD)
			return false;
		life_update(keeper, m, update, now);
		return true;
	}
	return false;
}

void keeper_restarted(struct keeper *keeper, tenf_time now)
{
	bool waiting = keeper->recover_at != TENF_NEVER && keeper->recover_id == 0;

	keeper->restarted_at = now;
	if (waiting)
		return; /* several verdicts within the wait count as one */
	keeper->recover_id = 0;
	keeper->recover_at =
		now + (tenf_duration)tenf_random_below(&keeper->random, RESTART_DELAY_MAX + 1);
}

/* Whoever is held is recreated (one lease for what is left of it), unless the
 * gateway's new life granted it already; whoever was refused may try again at
 * once. True when it is being asked for. */
static bool recover_one(struct keeper *keeper, struct keeper_mapping *m, tenf_time now)
{
	if (life_holds(m) && (m->phase == PHASE_HELD || m->phase == PHASE_RENEWING)) {
		if (m->granted_at >= keeper->restarted_at)
			return false;
		return life_recreate_in_time(keeper, m, now);
	}
	if (m->phase == PHASE_HOLD && m->wish.keep && m->timer.at != TENF_NEVER) {
		life_ask(keeper, m, now);
		return true;
	}
	return false;
}

static void recover_next(struct keeper *keeper, tenf_time now)
{
	keeper->recover_at = TENF_NEVER;
	keeper->hold_new = keeper->hold_all = 0;
	for (size_t i = lower_bound(keeper, keeper->recover_id); i < keeper->count; i++) {
		struct keeper_mapping *m = keeper->mappings[i];

		keeper->recover_id = m->id + 1;
		if (recover_one(keeper, m, now)) {
			keeper->recover_at = now + RECOVER_STEP;
			return;
		}
	}
	keeper->recover_id = 0;
}

void keeper_readdressed(struct keeper *keeper, const struct tenf_address *external)
{
	for (size_t i = 0; i < keeper->count; i++)
		life_readdress(keeper, keeper->mappings[i], external);
}

void keeper_alive(struct keeper *keeper, tenf_time now)
{
	for (size_t i = 0; i < keeper->count; i++) {
		struct keeper_mapping *m = keeper->mappings[i];
		bool nobody_there = m->error.reason == TENF_REASON_NO_SERVICE ||
				    m->error.reason == TENF_REASON_SILENT;

		if (m->phase == PHASE_HOLD && m->wish.keep && nobody_there &&
		    m->timer.at != TENF_NEVER && now >= m->last_try + RENEWAL_SPACING)
			life_ask(keeper, m, now);
	}
}

/* A lease asked for once that was refused or has ended: its one word is given. */
static bool is_over(const struct keeper_mapping *m)
{
	return !m->wish.keep && (m->phase == PHASE_HOLD || (m->phase == PHASE_RELEASING &&
							      m->after_release == TENF_NEVER));
}

static void lose_gateway(struct keeper *keeper, struct keeper_mapping *m)
{
	if (m->phase == PHASE_REMOVED)
		return;
	if (m->phase == PHASE_REMOVING) {
		life_removed(keeper, m, TENF_REASON_NO_GATEWAY, -1);
		return;
	}
	m->grant.expires = TENF_NEVER;
	m->recreate = false;
	if (is_over(m)) {
		life_hold(keeper, m, TENF_NEVER);
		return;
	}
	m->inquiry.answer.method = TENF_METHOD_NONE;
	life_hold(keeper, m, TENF_NEVER);
	life_fail(keeper, m, TENF_STATE_LOST, TENF_REASON_NO_GATEWAY, -1);
}

static void move_one(struct keeper *keeper, struct keeper_mapping *m, bool same_gateway,
		     tenf_time now)
{
	if (m->phase == PHASE_REMOVED)
		return;
	if (m->phase == PHASE_REMOVING) {
		if (!same_gateway)
			lose_gateway(keeper, m);
		else
			keeper_want_ask(keeper, m);
		return;
	}
	if (is_over(m)) {
		life_hold(keeper, m, TENF_NEVER);
		return;
	}
	if (!m->wish.keep && m->phase == PHASE_HELD) {
		lose_gateway(keeper, m); /* its lease is where we are no more */
		return;
	}
	if (life_holds(m))
		life_fail(keeper, m, TENF_STATE_LOST, TENF_REASON_NO_GATEWAY, -1);
	m->grant.expires = TENF_NEVER;
	m->recreate = false;
	m->failures = 0;
	m->not_before = 0;
	/* Different nonces for different gateways (PCP-C-07); one that no gateway
	 * has seen may be that of a lease made before. */
	if (!same_gateway && m->packets_out)
		keeper_new_nonce(keeper, m);
	life_ask(keeper, m, now);
}

void keeper_moved(struct keeper *keeper, const struct tenf_address *source, bool same_gateway,
		  tenf_time now)
{
	bool same_source = source != NULL && keeper->has_gateway &&
			   tenf_address_equal(source, &keeper->source);

	keeper->has_gateway = source != NULL;
	keeper->hold_new = keeper->hold_all = 0;
	keeper->recover_at = TENF_NEVER;
	keeper->recover_id = 0;
	if (source != NULL)
		keeper->source = *source;
	keeper->restarted_at = now;
	if (same_source && same_gateway) {
		keeper->recover_at = now; /* nothing moved: make sure it is all there */
		return;
	}
	for (size_t i = 0; i < keeper->count; i++) {
		if (source == NULL)
			lose_gateway(keeper, keeper->mappings[i]);
		else
			move_one(keeper, keeper->mappings[i], same_gateway, now);
	}
}

void keeper_expire(struct keeper *keeper, tenf_time now)
{
	struct tenf_heap_entry *first;

	/* What has ended during a sleep is lost, and not to be recreated. */
	while ((first = tenf_heap_first(&keeper->timers)) != NULL && first->at <= now)
		life_expire(keeper, mapping_of(first), now);
	if (keeper->recover_at <= now)
		recover_next(keeper, now);
}

tenf_time keeper_deadline(const struct keeper *keeper)
{
	return tenf_time_min(keeper->recover_at, tenf_heap_deadline(&keeper->timers));
}

/* ---- News ---------------------------------------------------------------------- */

void keeper_tell(struct keeper *keeper, struct keeper_mapping *m, enum tenf_event_kind kind)
{
	bool bigger_news_waits = m->has_news && kind == TENF_EVENT_RENEWED &&
				 (m->news == TENF_EVENT_MAPPED || m->news == TENF_EVENT_CHANGED);

	if (!bigger_news_waits)
		m->news = kind;
	if (m->has_news)
		return;
	m->has_news = true;
	m->next_news = NULL;
	if (keeper->last_news != NULL)
		keeper->last_news->next_news = m;
	else
		keeper->first_news = m;
	keeper->last_news = m;
}

bool keeper_next_news(struct keeper *keeper, enum tenf_event_kind *ret_kind,
		      struct keeper_view *ret_now, struct keeper_view *ret_before)
{
	struct keeper_mapping *m = keeper->first_news;

	if (m == NULL)
		return false;
	keeper->first_news = m->next_news;
	if (keeper->first_news == NULL)
		keeper->last_news = NULL;
	m->has_news = false;
	*ret_kind = m->news;
	keeper_view(keeper, m, ret_now);
	*ret_before = *ret_now;
	ret_before->grant = m->told.grant;
	ret_before->error = m->told.error;
	ret_before->state = m->told.state;
	if (!m->told.known)
		ret_before->id = 0;
	m->told.known = true;
	m->told.state = m->state;
	m->told.grant = m->grant;
	m->told.error = m->error;
	if (m->phase == PHASE_REMOVED && !m->in_ask_list)
		free_mapping(keeper, m);
	return true;
}

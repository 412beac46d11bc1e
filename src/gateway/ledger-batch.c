/* SPDX-License-Identifier: MIT */
/*
 * What the backend has not confirmed. A record that is touched joins the batch
 * once. `committed_until` says what the backend holds of it, so the change is
 * the difference to the record itself; and a record that only ended can be
 * brought back from it. Where more changed, the state before is saved aside.
 */
#include "gateway/ledger-private.h"

#include <string.h>

void ledger_touch(struct ledger *l, struct ledger_mapping *m)
{
	if (m->in_batch)
		return;
	m->in_batch = true;
	m->batch_next = NULL;
	if (l->batch_last != NULL)
		l->batch_last->batch_next = m;
	else
		l->batch = m;
	l->batch_last = m;
}

/* It was not there before the batch: nothing to save, a rollback drops it. */
static bool is_new(const struct ledger_mapping *m)
{
	return m->in_batch && m->committed_until == 0;
}

enum tenf_status ledger_save(struct ledger *l, struct ledger_mapping *m)
{
	bool ended_in_batch = m->in_batch && m->state == LEDGER_ENDED && m->end != LEDGER_EXPIRED;
	struct ledger_saved *s;

	if (m->is_saved || is_new(m))
		return TENF_OK;
	if (l->saved_count == l->saved_size) {
		size_t size = l->saved_size > 0 ? l->saved_size * 2 : 16;

		s = tenf_memory_grow(l->memory, l->saved, size, sizeof(*s));
		if (s == NULL)
			return TENF_E_MEMORY;
		l->saved = s;
		l->saved_size = size;
	}
	s = &l->saved[l->saved_count++];
	*s = (struct ledger_saved){
		.mapping = m, .cold = m->cold, .at = m->until, .made_at = m->made_at,
		.renewals = m->renewals, .lifetime_s = m->lifetime_s, .rule = m->rule,
		.maker = m->maker, .state = m->state, .end = m->end,
	};
	memcpy(s->nonce, m->nonce, sizeof(s->nonce));
	if (ended_in_batch) {
		s->state = LEDGER_LIVE;
		s->end = LEDGER_NOT_ENDED;
		s->at = m->committed_until;
	}
	m->is_saved = true;
	ledger_touch(l, m);
	return TENF_OK;
}

static struct ledger_saved *saved_of(struct ledger *l, const struct ledger_mapping *m)
{
	size_t i = 0;

	while (l->saved[i].mapping != m)
		i++;
	return &l->saved[i];
}

void ledger_drop_cold(struct ledger *l, struct ledger_mapping *m)
{
	if (!m->is_saved || saved_of(l, m)->cold != m->cold)
		ledger_free_cold(l, m->cold);
	m->cold = NULL;
}

bool ledger_batch_is_open(const struct ledger *l)
{
	return l->batch != NULL;
}

bool ledger_next_change(struct ledger *l, struct ledger_cursor *cursor,
			enum ledger_change_kind *ret_kind, struct ledger_mapping **ret)
{
	for (;;) {
		struct ledger_mapping *m = cursor->begun ? cursor->at : l->batch;

		cursor->begun = true;
		if (m == NULL)
			return false;
		cursor->at = m->batch_next;
		if (m->committed_until == 0 && m->state == LEDGER_ENDED)
			continue;
		if (m->state == LEDGER_ENDED)
			*ret_kind = LEDGER_REMOVE;
		else
			*ret_kind = m->committed_until == 0 ? LEDGER_INSTALL : LEDGER_RENEW;
		*ret = m;
		return true;
	}
}

/* Takes the first record out of the batch. */
static struct ledger_mapping *take_first(struct ledger *l)
{
	struct ledger_mapping *m = l->batch;

	l->batch = m->batch_next;
	if (l->batch == NULL)
		l->batch_last = NULL;
	m->batch_next = NULL;
	m->in_batch = false;
	m->is_saved = false;
	m->is_rewritten = false;
	return m;
}

void ledger_commit(struct ledger *l)
{
	for (size_t i = 0; i < l->saved_count; i++) {
		if (l->saved[i].cold != l->saved[i].mapping->cold)
			ledger_free_cold(l, l->saved[i].cold);
	}
	l->saved_count = 0;
	while (l->batch != NULL) {
		struct ledger_mapping *m = take_first(l);

		m->committed_until = m->state == LEDGER_LIVE ? m->until : 0;
		m->is_read_back = false;
	}
}

static void restore(struct ledger *l, const struct ledger_saved *s)
{
	struct ledger_mapping *m = s->mapping;

	if (m->cold != s->cold)
		ledger_free_cold(l, m->cold);
	m->cold = s->cold;
	m->made_at = s->made_at;
	memcpy(m->nonce, s->nonce, sizeof(m->nonce));
	m->renewals = s->renewals;
	m->lifetime_s = s->lifetime_s;
	m->rule = s->rule;
	m->maker = s->maker;
	m->end = s->end;
	if (s->state == LEDGER_LIVE) {
		ledger_set_live(l, m, s->at);
	} else {
		ledger_set_ended(l, m, s->at);
		m->committed_until = 0;
	}
}

/* A lease that is over stays over: the backend has ended it, whatever else it refused. */
void ledger_rollback(struct ledger *l)
{
	for (size_t i = 0; i < l->saved_count; i++)
		restore(l, &l->saved[i]);
	l->saved_count = 0;
	while (l->batch != NULL) {
		bool was_saved = l->batch->is_saved;
		struct ledger_mapping *m = take_first(l);

		if (was_saved)
			continue;
		if (m->committed_until == 0) {
			ledger_drop(l, m);
		} else if (m->end == LEDGER_EXPIRED) {
			m->committed_until = 0;
		} else {
			m->end = LEDGER_NOT_ENDED;
			ledger_set_live(l, m, m->committed_until);
		}
	}
}

void ledger_batch_clear(struct ledger *l)
{
	tenf_memory_free(l->memory, l->saved);
	l->saved = NULL;
	l->saved_count = 0;
	l->saved_size = 0;
	l->batch = NULL;
	l->batch_last = NULL;
}

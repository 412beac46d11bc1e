/* SPDX-License-Identifier: MIT */
#include "gateway/helper/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int changes_init(struct changes *c)
{
	*c = (struct changes){ .filtered = calloc(2 * CHANGES_FILTERED_MAX,
						  sizeof(struct filtered)) };
	return c->filtered == NULL ? ENOMEM : 0;
}

void changes_done(struct changes *c)
{
	free(c->filtered);
	*c = (struct changes){ 0 };
}

void changes_forget(struct changes *c)
{
	c->count = 0;
}

static bool is_of(const struct filtered *f, uint8_t protocol, const struct tenf_endpoint *external)
{
	return f->mapping.protocol == protocol &&
	       tenf_endpoint_equal(&f->mapping.external, external);
}

/* ---- Elements ------------------------------------------------------------------- */

/* A range is refused when the kernel finds its first or its last element in another one
 * that is there. With one port it must be there before those with all ports; and what is
 * put last is the first that a transaction adds. */
static int put_filters(struct transaction *t, enum transaction_act act,
		       const struct helper_mapping *m, tenf_time now)
{
	struct element e;
	int code;

	element_of_filtered(m, now, &e);
	code = transaction_put(t, act, &e);
	for (unsigned turn = 0; turn < 2; turn++) {
		for (uint8_t i = 0; code == 0 && i < m->filter_count; i++) {
			if ((m->filters[i].port != 0) != (turn == 1))
				continue;
			element_of_filter(m, &m->filters[i], now, &e);
			code = transaction_put(t, act, &e);
		}
	}
	return code;
}

static int put_inwards(struct transaction *t, enum transaction_act act,
		       const struct helper_mapping *m, tenf_time now)
{
	uint8_t user_data[ELEMENT_USER_DATA_MAX];
	struct element e;

	element_of_mapping(m, now, user_data, &e);
	return transaction_put(t, act, &e);
}

static int put_mapping(struct transaction *t, enum transaction_act act,
		       const struct helper_mapping *m, tenf_time now)
{
	int code = put_inwards(t, act, m, now);
	struct element e;

	if (code != 0 || !tenf_address_is_v4(&m->internal.address))
		return code;
	element_of_source(m, now, &e);
	return transaction_put(t, act, &e);
}

/* The way out lasts longer, often long enough. */
static int put_renewal(struct transaction *t, const struct helper_change *change, tenf_time now)
{
	const struct helper_mapping *m = &change->mapping;

	if (m->remote.port == 0 && change->held_until > 0 &&
	    element_source_end(m->ends_at) == element_source_end(change->held_until))
		return put_inwards(t, TRANSACTION_EXTEND, m, now);
	return put_mapping(t, TRANSACTION_EXTEND, m, now);
}

/* ---- Filters ---------------------------------------------------------------------- */

static int drop_filters(struct changes *c, struct transaction *t, const struct helper_mapping *m,
			tenf_time now)
{
	int code = 0;

	if (m->remote.port != 0) /* of PEER: the filters are those of a mapping there */
		return 0;
	for (size_t i = 0; code == 0 && i < c->count; i++) {
		struct filtered *f = &c->filtered[i];

		if (f->state != FILTERED_HELD || !is_of(f, m->protocol, &m->external))
			continue;
		f->state = FILTERED_GOING;
		code = put_filters(t, TRANSACTION_REMOVE, &f->mapping, now);
	}
	return code;
}

static int add_filters(struct changes *c, struct transaction *t, const struct helper_mapping *m,
		       tenf_time now)
{
	size_t staying = 0;

	if (m->filter_count == 0)
		return 0;
	for (size_t i = 0; i < c->count; i++)
		staying += c->filtered[i].state != FILTERED_GOING;
	if (staying >= CHANGES_FILTERED_MAX || c->count >= 2 * CHANGES_FILTERED_MAX)
		return ENOSPC;
	c->filtered[c->count++] = (struct filtered){ FILTERED_COMING, *m };
	return put_filters(t, TRANSACTION_ADD, m, now);
}

static int put_content(struct changes *c, struct transaction *t, const struct helper_mapping *m,
		       tenf_time now)
{
	int code = drop_filters(c, t, m, now);

	if (code == 0)
		code = put_mapping(t, TRANSACTION_ADD, m, now);
	if (code == 0)
		code = add_filters(c, t, m, now);
	return code;
}

/* Flows are cut of what was ended before its time. What is over by its own clock is over
 * though the batch be refused: nobody would tell of it again. */
static int put_removal(struct changes *c, struct transaction *t,
		       const struct helper_change *change, tenf_time now)
{
	const struct helper_mapping *m = &change->mapping;
	bool is_over = m->remote.port == 0 && !change->cut;
	int code = drop_filters(c, t, m, now);

	return code != 0 ? code : put_mapping(t, is_over ? TRANSACTION_END : TRANSACTION_REMOVE,
					      m, now);
}

static int put_epoch(struct transaction *t, tenf_time epoch_start)
{
	uint8_t user_data[ELEMENT_USER_DATA_MAX];
	struct element e;

	element_of_state(epoch_start, user_data, &e);
	return transaction_put(t, TRANSACTION_ADD, &e);
}

static void put_flush(struct changes *c, struct transaction *t)
{
	transaction_flush(t);
	for (size_t i = 0; i < c->count; i++)
		c->filtered[i].state = FILTERED_GOING;
}

int changes_put(struct changes *c, struct transaction *t, const struct helper_change *change,
		tenf_time now)
{
	const struct helper_mapping *m = &change->mapping;

	if (transaction_room(t) < CHANGES_OCTETS_MAX)
		return E2BIG;
	switch (change->kind) {
	case HELPER_INSTALL:
		return put_content(c, t, m, now);
	case HELPER_RENEW:
		if (change->content || m->filter_count > 0)
			return put_content(c, t, m, now);
		return put_renewal(t, change, now);
	case HELPER_REMOVE:
		return put_removal(c, t, change, now);
	case HELPER_EPOCH:
		return put_epoch(t, change->epoch_start);
	case HELPER_FLUSH:
		put_flush(c, t);
		return 0;
	}
	return EINVAL;
}

void changes_settle(struct changes *c, bool holds)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct filtered *f = &c->filtered[i];

		if (f->state == (holds ? FILTERED_GOING : FILTERED_COMING))
			continue;
		f->state = FILTERED_HELD;
		if (kept != i)
			c->filtered[kept] = *f;
		kept++;
	}
	c->count = kept;
}

/* ---- Found in the table --------------------------------------------------------------- */

int changes_found(struct changes *c, const struct element_filter *found)
{
	struct filtered *f = NULL;

	for (size_t i = 0; i < c->count && f == NULL; i++) {
		if (is_of(&c->filtered[i], found->protocol, &found->external))
			f = &c->filtered[i];
	}
	if (f == NULL && c->count >= CHANGES_FILTERED_MAX)
		return ENOSPC;
	if (f == NULL) {
		f = &c->filtered[c->count++];
		*f = (struct filtered){ .state = FILTERED_HELD };
		f->mapping.protocol = found->protocol;
		f->mapping.external = found->external;
		f->mapping.internal = found->external; /* its family is what counts */
	}
	if (f->mapping.filter_count >= LEDGER_FILTERS_MAX)
		return ENOSPC;
	f->mapping.filters[f->mapping.filter_count++] = found->filter;
	return 0;
}

void changes_fill_filters(const struct changes *c, struct helper_mapping *m)
{
	m->filter_count = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct helper_mapping *found = &c->filtered[i].mapping;

		if (!is_of(&c->filtered[i], m->protocol, &m->external))
			continue;
		m->filter_count = found->filter_count;
		memcpy(m->filters, found->filters, found->filter_count * sizeof(m->filters[0]));
	}
}

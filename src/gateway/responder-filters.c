/* SPDX-License-Identifier: MIT */
/*
 * The FILTER options of a mapping (RFC 6887 §13.3): which hold after a request. What
 * the packet path could not take is refused here, one request alone: there it
 * would be the end of the batch, and so of the requests of others.
 */
#include "gateway/responder-private.h"

#include <string.h>

#define PORT_LAST 65535

static bool is_inside(const struct pcp_filter *outer, const struct pcp_filter *inner)
{
	const struct tenf_prefix prefix = { outer->address, outer->prefix_length };

	return inner->prefix_length >= outer->prefix_length &&
	       tenf_prefix_contains(&prefix, &inner->address);
}

/* Whoever passes `b` passes `a`. */
static bool covers(const struct pcp_filter *a, const struct pcp_filter *b)
{
	return is_inside(a, b) && (a->port == 0 || a->port == b->port);
}

/* Neither covers the other, but the corner of one lies in the other: the kernel's
 * ranges take all that overlap in another way (helper/changes.c). */
static bool collide(const struct pcp_filter *a, const struct pcp_filter *b)
{
	return (is_inside(a, b) || is_inside(b, a)) &&
	       ((a->port == 0 && b->port == PORT_LAST) || (a->port == PORT_LAST && b->port == 0));
}

/* Adds what is not covered, instead of what it covers. False: cannot be held. */
static bool add(struct responder_filters *filters, const struct pcp_filter *f, size_t max)
{
	size_t kept = 0;

	for (size_t i = 0; i < filters->count; i++) {
		if (covers(&filters->at[i], f))
			return true;
	}
	for (size_t i = 0; i < filters->count; i++) {
		if (!covers(f, &filters->at[i]))
			filters->at[kept++] = filters->at[i];
	}
	filters->count = kept;
	for (size_t i = 0; i < kept; i++) {
		if (collide(&filters->at[i], f))
			return false;
	}
	if (kept >= max)
		return false;
	filters->at[filters->count++] = *f;
	return true;
}

/* Those there, unless cleared, and the new ones; a renewal repeats its own. */
static bool find_after(const struct responder *r, const struct ledger_mapping *m,
		       const struct map_extras *extras, struct responder_filters *ret)
{
	size_t max = r->config.filters_max < LEDGER_FILTERS_MAX ? r->config.filters_max
								: LEDGER_FILTERS_MAX;
	bool good = true;

	ret->count = 0;
	if (m != NULL && m->cold != NULL && !extras->clear_filters) {
		ret->count = m->cold->filter_count;
		memcpy(ret->at, m->cold->filters, ret->count * sizeof(ret->at[0]));
	}
	for (size_t i = 0; good && i < extras->filter_count; i++)
		good = add(ret, &extras->filters[i], max);
	return good;
}

bool responder_filters_after(const struct responder *r, const struct ledger_mapping *m,
			     const struct map_question *q, int rule,
			     struct responder_filters *ret, struct map_outcome *out)
{
	if (!find_after(r, m, &q->extras, ret)) {
		responder_refuse(out, MAP_PEERS, rule, "too many filters");
		return false;
	}
	if (!ledger_takes_filters(r->ledger, m, ret->count)) {
		responder_refuse(out, MAP_RESOURCES, rule, "the filters of all mappings are "
							   "too many");
		return false;
	}
	return true;
}

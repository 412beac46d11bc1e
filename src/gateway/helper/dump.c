/* SPDX-License-Identifier: MIT */
#include "gateway/helper/helper-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_ATTEMPTS 8 /* while the sets change */

/* ---- Packets ----------------------------------------------------------------------- */

void dump_done(struct dump *dump)
{
	free(dump->packets);
	free(dump->writers);
	free(dump->counts);
	sources_done(&dump->sources);
	*dump = (struct dump){ 0 };
}

static bool grow(struct dump *d)
{
	size_t size = d->size > 0 ? 2 * d->size : 4;
	uint8_t *packets = realloc(d->packets, size * HELPER_MESSAGE_MAX);
	struct tenf_writer *writers;
	uint16_t *counts;

	if (packets != NULL)
		d->packets = packets;
	writers = realloc(d->writers, size * sizeof(*writers));
	if (writers != NULL)
		d->writers = writers;
	counts = realloc(d->counts, size * sizeof(*counts));
	if (counts != NULL)
		d->counts = counts;
	if (packets == NULL || writers == NULL || counts == NULL)
		return false;
	d->size = size;
	for (size_t i = 0; i < d->count; i++)
		d->writers[i].start = d->packets + i * HELPER_MESSAGE_MAX;
	return true;
}

/* A packet with room for one more mapping. NULL: out of memory. */
static struct tenf_writer *packet_for(struct dump *d)
{
	struct tenf_writer *w = d->count > 0 ? &d->writers[d->count - 1] : NULL;

	if (w != NULL && w->size - w->used >= HELPER_CHANGE_SIZE + LEDGER_FILTERS_MAX * 19 &&
	    d->counts[d->count - 1] < HELPER_CHANGES_MAX)
		return w;
	if (d->count == d->size && !grow(d))
		return NULL;
	w = &d->writers[d->count];
	*w = tenf_writer_of(d->packets + d->count * HELPER_MESSAGE_MAX, HELPER_MESSAGE_MAX);
	tenf_writer_fill(w, 0, HELPER_HEAD); /* written when all is known */
	helper_write_time(w, d->epoch_start);
	d->counts[d->count++] = 0;
	return w;
}

static void write_heads(struct dump *d, uint32_t number)
{
	for (size_t i = 0; i < d->count; i++) {
		struct tenf_writer w = tenf_writer_of(d->writers[i].start, HELPER_HEAD);

		helper_write_head(&w, &(struct helper_head){ .kind = HELPER_KEPT,
							     .more = i + 1 < d->count,
							     .count = d->counts[i],
							     .number = number });
	}
}

/* ---- Elements ------------------------------------------------------------------------ */

static void add_mapping(const struct element *e, uint64_t left_ms, void *context)
{
	struct dump *d = context;
	struct helper_mapping m;
	struct tenf_writer *w;

	if (element_to_mapping(e, left_ms, d->now, &m) != TENF_OK) {
		d->foreign++;
		return;
	}
	if (m.remote.port == 0)
		changes_fill_filters(d->changes, &m);
	w = packet_for(d);
	if (w == NULL || sources_keep(&d->sources, &m) != 0) {
		d->failed = true;
		return;
	}
	helper_write_mapping(w, &m);
	d->counts[d->count - 1]++;
}

static void add_filter(const struct element *e, uint64_t left_ms, void *context)
{
	struct changes *changes = context;
	struct element_filter found;

	(void)left_ms;
	/* What finds no room is kept by the kernel alone, until it is over. */
	if (element_to_filter(e, &found) != TENF_OK || changes_found(changes, &found) != 0)
		return;
}

/* Without its filters a mapping must not be told of, so they come first. */
static int read_all(struct helper *h, struct dump *d)
{
	int code;

	changes_forget(&h->changes);
	code = table_read(&h->nft, SET_ALLOWED4, NULL, add_filter, &h->changes);
	if (code == 0)
		code = table_read(&h->nft, SET_ALLOWED6, NULL, add_filter, &h->changes);
	for (unsigned set = SET_DNAT4; code == 0 && element_set_is_dnat4(set); set++)
		code = table_read(&h->nft, (enum element_set)set, NULL, add_mapping, d);
	if (code == 0)
		code = table_read(&h->nft, SET_PINHOLE6, NULL, add_mapping, d);
	/* What PEER made is taken in after all mappings. */
	if (code == 0)
		code = table_read(&h->nft, SET_DPEER4, NULL, add_mapping, d);
	if (code == 0)
		code = table_read(&h->nft, SET_PEER6, NULL, add_mapping, d);
	return code == 0 && d->failed ? ENOMEM : code;
}

/* Until a whole pass finds none: a set that shrinks while it is read shows a part. What could
 * not be removed is over in some hours, so nobody has to hear of it. */
static void remove_other_sources(struct helper *h, struct dump *d)
{
	unsigned in_vain = 0;

	while (in_vain < DUMP_ATTEMPTS) {
		int code;

		transaction_clear(h->transaction);
		code = sources_put_others(&d->sources, &h->nft, h->transaction);
		if ((code == 0 && transaction_is_empty(h->transaction)) ||
		    (code != 0 && code != EINTR && code != E2BIG))
			break;
		if (transaction_is_empty(h->transaction))
			in_vain++;
		else if (helper_commit(h, &(int){ 0 }) != HELPER_OK)
			break;
	}
	transaction_clear(h->transaction);
}

int helper_dump(struct helper *h, uint32_t number, tenf_time now, struct dump *ret)
{
	int code = EINTR;

	*ret = (struct dump){ .now = now, .epoch_start = h->epoch_start, .changes = &h->changes };
	for (unsigned i = 0; i < DUMP_ATTEMPTS && code == EINTR; i++) {
		ret->count = 0;
		ret->foreign = 0;
		ret->sources.count = 0;
		code = read_all(h, ret);
		/* A set that grows or shrinks while it is read may show an element twice. */
		if (code == 0 && !sources_sort(&ret->sources))
			code = EINTR;
	}
	if (code == 0 && packet_for(ret) == NULL)
		code = ENOMEM; /* nothing is told by a packet too */
	if (code != 0)
		return code;
	remove_other_sources(h, ret);
	write_heads(ret, number);
	return code;
}

/* SPDX-License-Identifier: MIT */
#include "agent/delivery-private.h"

#include <stdlib.h>

struct delivery **delivery_bucket(struct deliveries *d, uint64_t number)
{
	return &d->buckets[number % DELIVERY_BUCKETS];
}

struct delivery *delivery_find(struct deliveries *d, const struct target *target, uint64_t number,
			       enum tenf_protocol protocol)
{
	struct delivery *it = *delivery_bucket(d, number);

	while (it != NULL && (it->target != target || it->number != number ||
			      it->protocol != protocol))
		it = it->next;
	return it;
}

struct delivery *delivery_add(struct deliveries *d, struct target *target, uint64_t number,
			      enum tenf_protocol protocol)
{
	struct delivery **bucket = delivery_bucket(d, number);
	struct delivery *it;

	if (d->count == DELIVERY_MAX || tenf_heap_reserve(&d->heap, d->count + 1) != TENF_OK)
		return NULL;
	it = calloc(1, sizeof(*it));
	if (it == NULL)
		return NULL;
	*it = (struct delivery){ .timer = { .at = TENF_NEVER },
				 .next = *bucket,
				 .owner = d,
				 .target = target,
				 .number = number,
				 .protocol = protocol,
				 .retry = { .first = d->first_retry } };
	*bucket = it;
	d->count++;
	return it;
}

void delivery_remove(struct delivery *delivery)
{
	struct deliveries *d = delivery->owner;
	struct delivery **link = delivery_bucket(d, delivery->number);

	if (delivery->running) {
		delivery_cancel(delivery);
		d->running--;
	}
	while (*link != delivery)
		link = &(*link)->next;
	*link = delivery->next;
	tenf_heap_set(&d->heap, &delivery->timer, TENF_NEVER);
	d->count--;
	news_free(delivery->news);
	news_free(delivery->newer);
	free(delivery->error);
	free(delivery);
}

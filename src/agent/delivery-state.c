/* SPDX-License-Identifier: MIT */
#include "agent/delivery-private.h"

#include <time.h>

static const char *state_name(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_CONFIRMED:
		return "confirmed";
	case DELIVERY_RUNNING:
		return "running";
	case DELIVERY_WAITING:
		return "waiting";
	case DELIVERY_FAILED:
		return "failed";
	}
	return "unknown";
}

static json_t *time_json(int64_t at)
{
	time_t when = (time_t)at;
	char text[32];
	struct tm utc;

	if (gmtime_r(&when, &utc) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return json_null();
	return json_string(text);
}

static json_t *target_json(const struct delivery *it)
{
	json_t *label = json_string(it->target->label);

	/* A label that was cut within a character is no UTF-8. */
	return json_pack("{so ss so ss? si}", "target", label != NULL ? label : json_null(),
			 "state", state_name(it->state), "at", time_json(it->at), "error",
			 it->error, "tries", (int)it->retry.tries);
}

json_t *deliveries_state(const struct deliveries *deliveries, uint64_t number)
{
	const struct delivery *it = deliveries->buckets[number % DELIVERY_BUCKETS];
	const struct delivery *worst = NULL;
	json_t *targets = json_array();

	for (; it != NULL; it = it->next) {
		if (it->number != number)
			continue;
		json_array_append_new(targets, target_json(it));
		if (worst == NULL || it->state > worst->state ||
		    (it->state == worst->state && it->at > worst->at))
			worst = it;
	}
	if (worst == NULL) {
		json_decref(targets);
		return NULL;
	}
	return json_pack("{ss so so}", "state", state_name(worst->state), "at",
			 time_json(worst->at), "targets", targets);
}

void deliveries_count(const struct deliveries *deliveries, struct delivery_counts *ret)
{
	struct delivery_counts counts = { 0 };

	for (size_t i = 0; i < DELIVERY_BUCKETS; i++) {
		const struct delivery *it = deliveries->buckets[i];

		for (; it != NULL; it = it->next) {
			counts.confirmed += it->state == DELIVERY_CONFIRMED;
			counts.failed += it->state == DELIVERY_FAILED;
			counts.waiting += it->state == DELIVERY_WAITING ||
					  it->state == DELIVERY_RUNNING;
		}
	}
	*ret = counts;
}

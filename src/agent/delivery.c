/* SPDX-License-Identifier: MIT */
#include "agent/delivery-private.h"

#include "agent/log.h"

#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static tenf_time monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now); /* what waits does not wait again after sleep */
	return (tenf_time)now.tv_sec * TENF_SECOND + now.tv_nsec / 1000;
}

static void fill_random(void *context, void *data, size_t len)
{
	(void)context;
	evutil_secure_rng_get_bytes(data, len);
}

/* ---- One delivery ------------------------------------------------------- */

static void set_state(struct delivery *it, enum delivery_state state)
{
	it->state = state;
	it->at = (int64_t)time(NULL);
}

static void schedule(struct delivery *it, tenf_time at)
{
	tenf_heap_set(&it->owner->heap, &it->timer, at);
}

/* Words of others: into ASCII, so that JSON and terminals can show them. */
static void set_error(struct delivery *it, const char *error)
{
	char *copy = error != NULL ? strdup(error) : NULL;

	for (char *at = copy; at != NULL && *at != '\0'; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	free(it->error);
	it->error = copy;
}

static void tell_again(struct delivery *it)
{
	it->retry.tries = 0;
	set_state(it, DELIVERY_WAITING);
	schedule(it, monotonic());
}

/* News that came meanwhile goes out at once; what failed is of no interest then. */
static bool go_on_with_newer(struct delivery *it)
{
	if (it->newer == NULL && !it->newer_port)
		return false;
	if (it->newer != NULL) {
		news_free(it->news);
		it->news = it->newer;
		it->newer = NULL;
	}
	it->newer_port = false;
	tell_again(it);
	return true;
}

static tenf_duration recheck_after(const struct delivery *it)
{
	uint32_t seconds = it->target->config.recheck_s;

	return seconds != 0 ? seconds * TENF_SECOND : it->owner->recheck;
}

static void confirm(struct delivery *it, bool changed)
{
	if (it->target->is_connector && changed)
		log_note("%s: listens on port %u now", it->target->label, it->port);
	else if (it->state == DELIVERY_FAILED || it->error != NULL)
		log_note("%s: told", it->target->label);
	it->retry.tries = 0;
	set_error(it, NULL);
	if (it->state != DELIVERY_CONFIRMED || changed)
		set_state(it, DELIVERY_CONFIRMED);
	news_free(it->news);
	it->news = NULL;
	if (it->target->is_connector)
		schedule(it, tenf_time_add(monotonic(), recheck_after(it)));
}

/* A failure is logged once, however often it comes back. */
static void fail(struct delivery *it, const char *error)
{
	tenf_time now = monotonic();
	tenf_time next = retry_failed(&it->retry, now, &it->owner->random);

	if (it->retry.tries == 1)
		log_warning("%s: %s; trying again until it works", it->target->label, error);
	set_error(it, error);
	set_state(it, DELIVERY_FAILED);
	schedule(it, next);
}

/* Nothing is left to tell of a mapping that is gone. */
static bool is_over(const struct delivery *it)
{
	if (!it->forgotten)
		return false;
	return it->news == NULL || it->news->kind != TENF_EVENT_REMOVED ||
	       it->retry.tries >= DELIVERY_LAST_TRIES;
}

static void conclude(struct delivery *it, const char *error, bool changed)
{
	if (!go_on_with_newer(it)) {
		if (error == NULL)
			confirm(it, changed);
		else
			fail(it, error);
	}
	if (is_over(it))
		delivery_remove(it);
}

/* ---- All of them -------------------------------------------------------- */

static void start_one(struct delivery *it)
{
	struct deliveries *d = it->owner;
	char error[DELIVERY_ERROR] = "";

	schedule(it, TENF_NEVER);
	if (it->target->busy) { /* with another mapping of the same name */
		schedule(it, tenf_time_add(monotonic(), TENF_SECOND));
		return;
	}
	if (delivery_start(it, error, sizeof(error))) {
		it->running = true;
		d->running++;
		if (it->state == DELIVERY_WAITING)
			set_state(it, DELIVERY_RUNNING);
	} else {
		conclude(it, error[0] != '\0' ? error : NULL, false);
	}
}

static void pump(struct deliveries *d)
{
	tenf_time now = monotonic();
	struct timeval wait = { 0 };
	tenf_duration left;

	while (d->running < DELIVERY_RUNNING_MAX && tenf_heap_deadline(&d->heap) <= now)
		start_one((struct delivery *)tenf_heap_first(&d->heap));
	if (d->running >= DELIVERY_RUNNING_MAX || tenf_heap_first(&d->heap) == NULL) {
		evtimer_del(d->timer);
		return;
	}
	left = tenf_time_max(tenf_heap_deadline(&d->heap) - monotonic(), 0);
	wait.tv_sec = (time_t)(left / TENF_SECOND);
	wait.tv_usec = (suseconds_t)(left % TENF_SECOND);
	evtimer_add(d->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	pump(context);
}

void delivery_finish(struct delivery *delivery, const char *error, bool changed)
{
	struct deliveries *d = delivery->owner;

	delivery->running = false;
	d->running--;
	conclude(delivery, error, changed);
	pump(d);
}

/* ---- News --------------------------------------------------------------- */

static void tell_connector(struct delivery *it, const struct tenf_event *event)
{
	uint16_t port = event->mapping.external_port;

	if (it->port == port && it->state == DELIVERY_CONFIRMED)
		return;
	if (it->port == port && it->at != 0 && event->kind == TENF_EVENT_RENEWED)
		return; /* it is being told already, at its own pace */
	it->port = port;
	if (it->running)
		it->newer_port = true;
	else
		tell_again(it);
}

static void tell_hook(struct delivery *it, const char *name, const struct tenf_event *event,
		      const json_t *event_json)
{
	struct news *news = news_new(name, event, event_json);

	if (news == NULL) {
		log_warning("%s: out of memory; it is not told", it->target->label);
		return;
	}
	if (it->running) {
		news_free(it->newer);
		it->newer = news;
		return;
	}
	news_free(it->news);
	it->news = news;
	tell_again(it);
}

static void tell(struct deliveries *d, uint64_t number, const char *name,
		 const struct tenf_event *event, const json_t *event_json, bool only_new)
{
	name = name != NULL ? name : "";
	if (!d->has_first && d->first_number == 0)
		d->first_number = number;
	for (size_t i = 0; i < d->target_count; i++) {
		struct target *target = d->targets[i];
		enum tenf_protocol protocol =
			target->is_connector || news_is_about_gateway(event->kind)
				? TENF_BOTH
				: event->mapping.protocol;
		struct delivery *it;

		if (!target_wants(d, target, number, name, event))
			continue;
		it = delivery_find(d, target, number, protocol);
		if (it != NULL && only_new)
			continue;
		if (it == NULL)
			it = delivery_add(d, target, number, protocol);
		if (it == NULL)
			log_warning("%s: too much to tell; it is not told", target->label);
		else if (target->is_connector)
			tell_connector(it, event);
		else
			tell_hook(it, name, event, event_json);
	}
	pump(d);
}

void deliveries_tell(struct deliveries *deliveries, uint64_t number, const char *name,
		     const struct tenf_event *event, const json_t *event_json)
{
	tell(deliveries, number, name, event, event_json, false);
}

void deliveries_introduce(struct deliveries *deliveries, uint64_t number, const char *name,
			  const struct tenf_event *event, const json_t *event_json)
{
	tell(deliveries, number, name, event, event_json, true);
}

void deliveries_forget(struct deliveries *deliveries, uint64_t number)
{
	struct delivery *it = *delivery_bucket(deliveries, number);

	if (deliveries->first_number == number)
		deliveries->first_number = 0;
	while (it != NULL) {
		struct delivery *next = it->next;

		if (it->number == number) {
			it->forgotten = true;
			if (it->target->is_connector || (!it->running && is_over(it)))
				delivery_remove(it);
		}
		it = next;
	}
	pump(deliveries);
}

/* ---- The whole ---------------------------------------------------------- */

static void drop_target(struct deliveries *d, struct target *target)
{
	for (size_t i = 0; i < DELIVERY_BUCKETS; i++) {
		struct delivery *it = d->buckets[i];

		while (it != NULL) {
			struct delivery *next = it->next;

			if (it->target == target)
				delivery_remove(it);
			it = next;
		}
	}
	target_free(target);
}

/* Puts each old target that is wanted still in the place of its new equal. */
static void keep_equal(struct deliveries *d, struct target **made, size_t count)
{
	bool taken[TARGETS_MAX] = { false };

	for (size_t i = 0; i < d->target_count; i++) {
		struct target *old = d->targets[i];
		size_t same = 0;

		while (same < count && (taken[same] || !target_same(made[same], old)))
			same++;
		if (same == count) {
			drop_target(d, old);
			continue;
		}
		target_free(made[same]);
		made[same] = old;
		taken[same] = true;
	}
}

enum tenf_status deliveries_reconfigure(struct deliveries *deliveries,
					const struct agent_config *config)
{
	struct target *made[TARGETS_MAX];
	size_t count;
	enum tenf_status status = targets_make(deliveries, config, made, &count);

	if (status != TENF_OK)
		return status;
	keep_equal(deliveries, made, count);
	memcpy(deliveries->targets, made, count * sizeof(made[0]));
	deliveries->target_count = count;
	deliveries->has_first = config->mapping_count > 0;
	if (deliveries->has_first)
		deliveries->first_wish = config->mappings[0];
	pump(deliveries);
	return TENF_OK;
}

void deliveries_set_pace(struct deliveries *deliveries, tenf_duration recheck,
			 tenf_duration first_retry)
{
	deliveries->recheck = recheck;
	deliveries->first_retry = first_retry;
}

enum tenf_status deliveries_new(struct event_base *base, struct namespaces *namespaces,
				const struct agent_config *config, struct deliveries **ret)
{
	struct deliveries *d = calloc(1, sizeof(*d));
	enum tenf_status status;

	if (d == NULL)
		return TENF_E_MEMORY;
	d->base = base;
	d->namespaces = namespaces;
	d->random = (struct tenf_random){ .fill = fill_random };
	d->recheck = DELIVERY_RECHECK;
	tenf_heap_init(&d->heap, &tenf_memory_libc);
	d->timer = evtimer_new(base, on_timer, d);
	status = d->timer != NULL ? outgoing_new(base, &d->outgoing) : TENF_E_MEMORY;
	if (status == TENF_OK)
		status = deliveries_reconfigure(d, config);
	if (status != TENF_OK) {
		deliveries_free(d);
		return status;
	}
	*ret = d;
	return TENF_OK;
}

void deliveries_free(struct deliveries *deliveries)
{
	if (deliveries == NULL)
		return;
	for (size_t i = 0; i < deliveries->target_count; i++)
		drop_target(deliveries, deliveries->targets[i]);
	outgoing_free(deliveries->outgoing);
	if (deliveries->timer != NULL)
		event_free(deliveries->timer);
	tenf_heap_done(&deliveries->heap);
	free(deliveries);
}

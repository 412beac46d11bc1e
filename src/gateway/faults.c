/* SPDX-License-Identifier: MIT */
#include "gateway/faults.h"

#include <string.h>

struct held {
	struct responder_datagram datagram;
	tenf_time due;
	uint64_t number; /* first in, first out among equals */
	enum faults_way way;
	bool used;
	uint8_t octets[RESPONDER_RECEIVE_MAX];
};

struct faults {
	const struct tenf_memory *memory;
	struct faults_config config;
	struct tenf_random random;
	uint64_t next_number;
	tenf_time reboot_at;
	struct held held[FAULTS_QUEUE_MAX];
};

enum tenf_status faults_configure(struct faults *f, const struct faults_config *config,
				  tenf_time now)
{
	if (config->delay_min < 0 || config->delay_max < config->delay_min ||
	    config->reboot_every < 0)
		return TENF_E_ARGUMENT;
	f->config = *config;
	f->reboot_at = config->reboot_every > 0 ? tenf_time_add(now, config->reboot_every)
						: TENF_NEVER;
	return TENF_OK;
}

enum tenf_status faults_new(const struct faults_config *config, const struct tenf_random *random,
			    const struct tenf_memory *memory, tenf_time now, struct faults **ret)
{
	struct faults *f;
	enum tenf_status status;

	f = tenf_memory_zero(memory, 1, sizeof(*f));
	if (f == NULL)
		return TENF_E_MEMORY;
	f->memory = memory;
	f->random = *random;
	status = faults_configure(f, config, now);
	if (status == TENF_OK)
		*ret = f;
	else
		faults_free(f);
	return status;
}

void faults_free(struct faults *f)
{
	if (f != NULL)
		tenf_memory_free(f->memory, f);
}

static bool strikes(struct faults *f, unsigned chance)
{
	return chance > 0 && tenf_random_below(&f->random, FAULTS_ALL) < chance;
}

static tenf_duration draw_delay(struct faults *f)
{
	const struct faults_config *c = &f->config;
	tenf_duration delay = c->delay_min;

	if (c->delay_max > c->delay_min)
		delay += (tenf_duration)tenf_random_below(
			&f->random, (uint64_t)(c->delay_max - c->delay_min) + 1);
	if (strikes(f, c->reorder))
		delay += FAULTS_REORDER_DELAY;
	return delay;
}

static void damage(struct faults *f, struct held *held)
{
	if (held->way != FAULTS_TO_CLIENT)
		return;
	if (strikes(f, f->config.truncate))
		held->datagram.len = tenf_random_below(&f->random, held->datagram.len);
	if (strikes(f, f->config.wrong_source))
		held->datagram.from.port ^= 1;
}

static void hold(struct faults *f, enum faults_way way, const struct responder_datagram *datagram,
		 tenf_time now)
{
	size_t i = 0;
	struct held *held;

	while (i < FAULTS_QUEUE_MAX && f->held[i].used)
		i++;
	if (i == FAULTS_QUEUE_MAX)
		return;
	held = &f->held[i];
	held->used = true;
	held->way = way;
	held->number = f->next_number++;
	held->due = tenf_time_add(now, draw_delay(f));
	held->datagram = *datagram;
	if (held->datagram.len > sizeof(held->octets))
		held->datagram.len = sizeof(held->octets);
	memcpy(held->octets, datagram->data, held->datagram.len);
	held->datagram.data = held->octets;
	damage(f, held);
}

void faults_put(struct faults *f, enum faults_way way, const struct responder_datagram *datagram,
		tenf_time now)
{
	if (strikes(f, f->config.loss))
		return;
	hold(f, way, datagram, now);
	if (strikes(f, f->config.duplicate))
		hold(f, way, datagram, now);
}

static bool is_before(const struct held *a, const struct held *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

bool faults_take(struct faults *f, enum faults_way way, tenf_time now,
		 struct responder_datagram *ret)
{
	struct held *first = NULL;

	for (size_t i = 0; i < FAULTS_QUEUE_MAX; i++) {
		struct held *held = &f->held[i];

		if (held->used && held->way == way && (first == NULL || is_before(held, first)))
			first = held;
	}
	if (first == NULL || first->due > now)
		return false;
	first->used = false;
	*ret = first->datagram;
	return true;
}

bool faults_reboot(struct faults *f, tenf_time now)
{
	if (f->reboot_at > now)
		return false;
	f->reboot_at = tenf_time_add(now, f->config.reboot_every);
	return true;
}

tenf_time faults_deadline(const struct faults *f)
{
	tenf_time deadline = f->reboot_at;

	for (size_t i = 0; i < FAULTS_QUEUE_MAX; i++) {
		if (f->held[i].used)
			deadline = tenf_time_min(deadline, f->held[i].due);
	}
	return deadline;
}

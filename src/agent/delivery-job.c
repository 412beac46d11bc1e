/* SPDX-License-Identifier: MIT */
#include "agent/delivery-private.h"

#include "agent/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void note_output(const char *command, const char *line, int len)
{
	log_note("%.60s: %.*s", command, len, line);
}

static void on_run_done(void *context, const char *error)
{
	struct delivery *it = context;

	it->run = NULL;
	delivery_finish(it, error, false);
}

static void on_answer(void *context, const struct outgoing_answer *answer)
{
	struct delivery *it = context;
	char error[DELIVERY_ERROR];
	bool good = hook_webhook_judge(answer, error, sizeof(error));

	it->call = NULL;
	delivery_finish(it, good ? NULL : error, false);
}

static void on_synced(void *context, const char *error, bool changed)
{
	struct delivery *it = context;

	it->target->busy = false;
	delivery_finish(it, error, changed);
}

static bool start_hook(struct delivery *it, char *ret_error, size_t size)
{
	const struct config_hook *hook = &it->target->hook;
	struct deliveries *d = it->owner;

	errno = ENOMEM;
	switch (hook->kind) {
	case HOOK_RUN:
		it->run = hook_run_start(d->base, hook->target, it->news, hook->timeout_s,
					 note_output, on_run_done, it);
		if (it->run != NULL)
			return true;
		break;
	case HOOK_WEBHOOK:
		if (hook_webhook_start(d->outgoing, hook->target, it->news, hook->timeout_s,
				       on_answer, it, &it->call) == TENF_OK)
			return true;
		break;
	case HOOK_FILE:
		if (hook_file_write(hook->target, hook->format, it->news) == TENF_OK) {
			ret_error[0] = '\0';
			return false;
		}
		break;
	}
	snprintf(ret_error, size, "%s", strerror(errno));
	return false;
}

bool delivery_start(struct delivery *delivery, char *ret_error, size_t size)
{
	struct target *target = delivery->target;

	if (!target->is_connector)
		return start_hook(delivery, ret_error, size);
	if (connector_sync(target->connector, delivery->port, on_synced, delivery) != TENF_OK) {
		snprintf(ret_error, size, "out of memory");
		return false;
	}
	target->busy = true;
	return true;
}

void delivery_cancel(struct delivery *delivery)
{
	if (delivery->target->is_connector) {
		connector_cancel(delivery->target->connector);
		delivery->target->busy = false;
	}
	hook_run_cancel(delivery->run);
	outgoing_cancel(delivery->call);
	delivery->run = NULL;
	delivery->call = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "gateway/hooks.h"

#include "gateway/config-values.h"
#include "hooks/retry.h"
#include "hooks/run.h"
#ifdef HAVE_WEBHOOKS
#include "hooks/webhook.h"
#endif
#include "net/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_MAX 256

struct outgoing;
struct outgoing_call;

struct hook {
	struct config_hook config;
	struct hooks *owner;
	struct news *queue[HOOKS_QUEUE_MAX]; /* the first is being told */
	size_t first;
	size_t count;
	struct retry retry;
	struct event *timer; /* of the next try */
	struct hook_run *run;
	struct outgoing_call *call;
	bool is_failing; /* which was said */
	bool is_dropping;
};

struct hooks {
	struct event_base *base;
	struct outgoing *outgoing; /* NULL without a webhook */
	struct hooks_counts counts;
	void (*changed)(void *context);
	void *context;
	struct tenf_random random;
	size_t hook_count;
	struct hook *hooks[CONFIG_HOOKS_MAX];
};

/* Words of others, so octet by octet: a line stays a line. */
static void say(const char *command, const char *text, int len)
{
	char line[HOOK_LINE_MAX + 1];
	int used = len < HOOK_LINE_MAX ? len : HOOK_LINE_MAX;

	for (int i = 0; i < used; i++)
		line[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
	line[used] = '\0';
	(void)fprintf(stderr, "tenforward-gatewayd: hook %.60s: %s\n", command, line);
	(void)fflush(stderr);
}

/* What follows the "?" of a URL is often a key, and the log is for others too. */
static void warn(const struct hook *hook, const char *text)
{
	char name[CONFIG_HOOK_TARGET_MAX];
	struct tenf_text t = tenf_text_of(name, sizeof(name));

	tenf_text_add(&t, hook->config.target);
	if (hook->config.kind == CONFIG_WEBHOOK)
		name[strcspn(name, "?")] = '\0';
	say(name, text, (int)strlen(text));
}

/* ---- What is told --------------------------------------------------------- */

static void add_rule(const struct notice *n, char ret[NEWS_RULE])
{
	struct tenf_text text = tenf_text_of(ret, NEWS_RULE);

	if (n->record.rule == POLICY_NO_RULE)
		return;
	if (n->rule_name[0] != '\0')
		tenf_text_add(&text, n->rule_name);
	else
		tenf_text_add_number(&text, (uint64_t)n->record.rule + 1);
}

static void add_address(const struct tenf_address *address, char *ret, size_t size)
{
	char buffer[TENF_ADDRESS_TEXT];
	struct tenf_text text = tenf_text_of(ret, size);

	if (!tenf_address_is_none(address))
		tenf_text_add(&text, tenf_address_text(address, buffer));
}

static struct news *news_of(const struct notice *n)
{
	const struct tenf_event event = { .kind = TENF_EVENT_MAPPED };
	const struct responder_record *record = &n->record;
	json_t *json = notice_json(n);
	struct news *news = json != NULL ? news_new("", &event, json) : NULL;

	json_decref(json);
	if (news == NULL)
		return NULL;
	news->event = notice_event(n);
	news->protocol = record->protocol;
	news->internal_port = record->internal.port;
	news->external_port = record->external.port;
	if (record->verdict == RESPONDER_GRANTED && record->lifetime_s > 0)
		news->expires_at = n->at + record->lifetime_s;
	add_address(&record->external.address, news->external_address, TENF_ADDRESS_SIZE);
	add_address(&n->gateway, news->gateway, TENF_ADDRESS_SIZE);
	add_address(&record->client, news->client, NEWS_CLIENT);
	add_rule(n, news->rule);
	return news;
}

/* ---- Telling it ------------------------------------------------------------- */

static void start(struct hook *hook);

static void next(struct hook *hook)
{
	news_free(hook->queue[hook->first]);
	hook->queue[hook->first] = NULL;
	hook->first = (hook->first + 1) % HOOKS_QUEUE_MAX;
	hook->count--;
	hook->retry.tries = 0;
	if (hook->count > 0)
		start(hook);
	else
		hook->is_dropping = false;
}

static void fail(struct hook *hook, const char *error)
{
	tenf_time now = net_now();
	tenf_time at = retry_failed(&hook->retry, now, &hook->owner->random);
	struct timeval wait = { .tv_sec = (at - now) / TENF_SECOND,
				.tv_usec = (at - now) % TENF_SECOND };

	if (!hook->is_failing) /* however often it fails again */
		warn(hook, error);
	hook->is_failing = true;
	if (hook->retry.tries < HOOKS_TRIES_MAX && evtimer_add(hook->timer, &wait) == 0)
		return;
	hook->owner->counts.failed++;
	next(hook);
}

static void conclude(struct hook *hook, const char *error)
{
	if (error != NULL) {
		fail(hook, error);
	} else {
		if (hook->is_failing)
			warn(hook, "works again");
		hook->is_failing = false;
		hook->owner->counts.told++;
		next(hook);
	}
	hook->owner->changed(hook->owner->context);
}

static void on_run_done(void *context, const char *error)
{
	struct hook *hook = context;

	hook->run = NULL;
	conclude(hook, error);
}

#ifdef HAVE_WEBHOOKS

bool hooks_have_web(void)
{
	return true;
}

static void on_answer(void *context, const struct outgoing_answer *answer)
{
	struct hook *hook = context;
	char error[ERROR_MAX];
	bool good = hook_webhook_judge(answer, error, sizeof(error));

	hook->call = NULL;
	conclude(hook, good ? NULL : error);
}

static bool start_web(struct hook *hook)
{
	struct hooks *hooks = hook->owner;

	if (hooks->outgoing == NULL && outgoing_new(hooks->base, &hooks->outgoing) != TENF_OK)
		return false;
	return hook_webhook_start(hooks->outgoing, hook->config.target, hook->queue[hook->first],
				  hook->config.timeout_s, on_answer, hook,
				  &hook->call) == TENF_OK;
}

static void cancel_web(struct hook *hook)
{
	outgoing_cancel(hook->call);
}

static void free_web(struct hooks *hooks)
{
	outgoing_free(hooks->outgoing);
}

#else

bool hooks_have_web(void)
{
	return false;
}

static bool start_web(struct hook *hook)
{
	(void)hook;
	return false;
}

static void cancel_web(struct hook *hook)
{
	(void)hook;
}

static void free_web(struct hooks *hooks)
{
	(void)hooks;
}

#endif

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct hook *hook = context;
	bool started;

	(void)fd;
	(void)what;
	errno = ENOMEM;
	if (hook->config.kind == CONFIG_WEBHOOK) {
		started = start_web(hook);
	} else {
		hook->run = hook_run_start(hook->owner->base, hook->config.target,
					   hook->queue[hook->first], hook->config.timeout_s,
					   say, on_run_done, hook);
		started = hook->run != NULL;
	}
	if (!started)
		conclude(hook, strerror(errno));
}

/* In the loop's next turn, so that one that cannot start does not recurse. */
static void start(struct hook *hook)
{
	event_active(hook->timer, EV_TIMEOUT, 0);
}

static void drop(struct hook *hook)
{
	if (!hook->is_dropping)
		warn(hook, "too many events wait for it; some are dropped");
	hook->is_dropping = true;
	hook->owner->counts.dropped++;
	hook->owner->changed(hook->owner->context);
}

void hooks_tell(struct hooks *hooks, const struct notice *n)
{
	const char *event = notice_event(n);
	unsigned bit = event != NULL ? config_event(event) : 0;

	for (size_t i = 0; hooks != NULL && i < hooks->hook_count; i++) {
		struct hook *hook = hooks->hooks[i];
		struct news *news = NULL;

		if ((hook->config.events & bit) == 0)
			continue;
		if (hook->count < HOOKS_QUEUE_MAX)
			news = news_of(n);
		if (news == NULL) {
			drop(hook);
			continue;
		}
		hook->queue[(hook->first + hook->count++) % HOOKS_QUEUE_MAX] = news;
		if (hook->count == 1)
			start(hook);
	}
}

/* ---- Life --------------------------------------------------------------- */

static void hook_free(struct hook *hook)
{
	if (hook == NULL)
		return;
	cancel_web(hook);
	hook_run_cancel(hook->run);
	if (hook->timer != NULL)
		event_free(hook->timer);
	for (size_t k = 0; k < HOOKS_QUEUE_MAX; k++)
		news_free(hook->queue[k]);
	free(hook);
}

static struct hook *hook_new(struct hooks *hooks, const struct config_hook *config)
{
	struct hook *hook = calloc(1, sizeof(*hook));

	if (hook == NULL)
		return NULL;
	hook->config = *config;
	hook->owner = hooks;
	hook->timer = evtimer_new(hooks->base, on_timer, hook);
	if (hook->timer != NULL)
		return hook;
	hook_free(hook);
	return NULL;
}

/* The hook that tells the same one, taken out of the list; NULL when there is none. */
static struct hook *take_same(struct hooks *hooks, const struct config_hook *config)
{
	for (size_t i = 0; i < hooks->hook_count; i++) {
		struct hook *hook = hooks->hooks[i];

		if (hook == NULL || hook->config.kind != config->kind ||
		    strcmp(hook->config.target, config->target) != 0)
			continue;
		hooks->hooks[i] = NULL;
		hook->config = *config;
		return hook;
	}
	return NULL;
}

enum tenf_status hooks_set(struct hooks *hooks, const struct config_hook *list, size_t count)
{
	struct hook *next[CONFIG_HOOKS_MAX] = { NULL };
	size_t made = 0, dropped = 0;

	while (made < count && (next[made] = hook_new(hooks, &list[made])) != NULL)
		made++;
	if (made < count) {
		while (made > 0)
			hook_free(next[--made]);
		return TENF_E_MEMORY;
	}
	for (size_t i = 0; i < count; i++) {
		struct hook *same = take_same(hooks, &list[i]);

		if (same == NULL)
			continue;
		hook_free(next[i]);
		next[i] = same;
	}
	for (size_t i = 0; i < hooks->hook_count; i++) {
		if (hooks->hooks[i] != NULL)
			dropped += hooks->hooks[i]->count;
		hook_free(hooks->hooks[i]);
	}
	memcpy(hooks->hooks, next, sizeof(next));
	hooks->hook_count = count;
	hooks->counts.dropped += dropped;
	if (dropped > 0)
		hooks->changed(hooks->context);
	return TENF_OK;
}

enum tenf_status hooks_new(struct event_base *base, const struct gateway_config *config,
			   void (*changed)(void *context), void *context, struct hooks **ret)
{
	struct hooks *hooks = calloc(1, sizeof(*hooks));

	if (hooks == NULL)
		return TENF_E_MEMORY;
	hooks->base = base;
	hooks->changed = changed;
	hooks->context = context;
	hooks->random = net_random();
	if (hooks_set(hooks, config->hooks, config->hook_count) != TENF_OK) {
		hooks_free(hooks);
		return TENF_E_MEMORY;
	}
	*ret = hooks;
	return TENF_OK;
}

void hooks_free(struct hooks *hooks)
{
	if (hooks == NULL)
		return;
	for (size_t i = 0; i < hooks->hook_count; i++)
		hook_free(hooks->hooks[i]);
	free_web(hooks);
	free(hooks);
}

void hooks_count(const struct hooks *hooks, struct hooks_counts *ret)
{
	*ret = hooks != NULL ? hooks->counts : (struct hooks_counts){ .told = 0 };
}

bool hooks_are_idle(const struct hooks *hooks)
{
	for (size_t i = 0; hooks != NULL && i < hooks->hook_count; i++) {
		if (hooks->hooks[i]->count > 0)
			return false;
	}
	return true;
}

/* SPDX-License-Identifier: MIT */
/* The keys of [Hook], and what such a section needs to be whole. */
#include "gateway/config-private.h"

#include "base/span.h"
#include "gateway/config-values.h"

#include <string.h>
#include <strings.h>

#define WORD_MAX 32

/* Names of the control API, and words for several of them. */
static const struct {
	const char *word;
	unsigned events;
} words[] = {
	{ "mapped", CONFIG_ON_MAPPED },
	{ "opened", CONFIG_ON_MAPPED },
	{ "removed", CONFIG_ON_REMOVED },
	{ "lost", CONFIG_ON_LOST },
	{ "closed", CONFIG_ON_REMOVED | CONFIG_ON_LOST },
	{ "refused", CONFIG_ON_REFUSED },
	{ "pending", CONFIG_ON_PENDING },
	{ "gateway-restart", CONFIG_ON_RESTART },
	{ "all", CONFIG_ON_ALL },
};

unsigned config_event(const char *word)
{
	for (size_t i = 0; i < TENF_ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].events;
	}
	return 0;
}

static struct config_hook *hook_of(struct config_reading *r)
{
	return &r->config->hooks[r->config->hook_count - 1];
}

bool config_set_on(struct config_reading *r, const char *value)
{
	char word[WORD_MAX];
	unsigned events = 0;

	while (config_next_word(&value, word, sizeof(word))) {
		unsigned more = config_event(word);

		if (more == 0)
			return false;
		events |= more;
	}
	if (value[strspn(value, ", \t")] != '\0' || events == 0)
		return false;
	hook_of(r)->events = events;
	return true;
}

/* As it stands in the line: inih takes " ;" for the beginning of a comment, and a
 * shell for the beginning of another command. */
static bool set_target(struct config_reading *r, enum config_hook_kind kind)
{
	struct config_hook *hook = hook_of(r);
	const char *end = r->raw + r->raw_len;
	const char *at = r->raw;

	while (at < end && *at != '=' && *at != ':')
		at++;
	at += at < end;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (at < end && strchr(" \t\r", end[-1]) != NULL)
		end--;
	if (at == end || (size_t)(end - at) >= CONFIG_HOOK_TARGET_MAX || hook->target[0] != '\0')
		return false;
	memcpy(hook->target, at, (size_t)(end - at));
	hook->kind = kind;
	return true;
}

bool config_set_run(struct config_reading *r, const char *value)
{
	(void)value;
	return set_target(r, CONFIG_RUN);
}

/* A password would be shown to whoever may read the log or the list of processes. */
bool config_set_webhook(struct config_reading *r, const char *value)
{
	bool plain = strncasecmp(value, "http://", 7) == 0;
	const char *host = value + (plain ? 7 : 8);
	size_t len;

	if (!plain && strncasecmp(value, "https://", 8) != 0)
		return false;
	len = strcspn(host, "/?#");
	if (len == 0 || memchr(host, '@', len) != NULL || strpbrk(value, " \t\"<>\\") != NULL)
		return false;
	return set_target(r, CONFIG_WEBHOOK);
}

bool config_set_timeout(struct config_reading *r, const char *value)
{
	uint32_t seconds;

	if (!tenf_span_parse(value, &seconds) || seconds == 0 ||
	    seconds > CONFIG_HOOK_TIMEOUT_MAX_S)
		return false;
	hook_of(r)->timeout_s = seconds;
	return true;
}

void config_begin_hook(struct config_reading *r)
{
	if (r->config->hook_count == CONFIG_HOOKS_MAX) {
		config_complain(r, r->line, "more than 16 hooks", NULL, "join some of them");
		return;
	}
	r->hook_line = r->line;
	r->config->hook_count++;
	hook_of(r)->events = CONFIG_ON_ALL;
	hook_of(r)->timeout_s = CONFIG_HOOK_TIMEOUT_S;
}

void config_end_hook(struct config_reading *r)
{
	if (hook_of(r)->target[0] == '\0')
		config_complain(r, r->hook_line, "this hook tells nobody", NULL,
				"write Run= with a command or Webhook= with a URL");
}

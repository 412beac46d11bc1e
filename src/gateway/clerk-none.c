/* SPDX-License-Identifier: MIT */
/* In the place of the clerk where SQLite is missing. */
#include "gateway/clerk.h"

bool clerk_start(const struct gateway_config *config, struct clerk **ret, struct tenf_text *why)
{
	*ret = NULL;
	if (config->state[0] == '\0' && config->hook_count == 0)
		return true;
	tenf_text_add(why, config->hook_count > 0
				   ? "this build runs no hooks; leave [Hook] out"
				   : "this build keeps no history; write State=none");
	return false;
}

bool clerk_attach(struct clerk *clerk, struct event_base *base)
{
	(void)clerk;
	(void)base;
	return false;
}

void clerk_stop(struct clerk *clerk)
{
	(void)clerk;
}

size_t clerk_recall(struct clerk *clerk, clerk_each each, void *context)
{
	(void)clerk;
	(void)each;
	(void)context;
	return 0;
}

void clerk_keep(struct clerk *clerk, const struct responder_memo *memo)
{
	(void)clerk;
	(void)memo;
}

void clerk_push(struct clerk *clerk)
{
	(void)clerk;
}

bool clerk_keeps_history(const struct clerk *clerk)
{
	(void)clerk;
	return false;
}

bool clerk_set_hooks(struct clerk *clerk, const struct config_hook *list, size_t count,
		     struct tenf_text *why)
{
	(void)clerk;
	(void)list;
	tenf_text_add(why, count > 0 ? "this build runs no hooks; leave [Hook] out" : "");
	return count == 0;
}

void clerk_note(struct clerk *clerk, const struct notice *n)
{
	(void)clerk;
	(void)n;
}

uint64_t clerk_lost(const struct clerk *clerk)
{
	(void)clerk;
	return 0;
}

void clerk_count_hooks(const struct clerk *clerk, struct hooks_counts *ret)
{
	(void)clerk;
	*ret = (struct hooks_counts){ .told = 0 };
}

bool clerk_is_there(const struct clerk *clerk)
{
	(void)clerk;
	return false;
}

enum tenf_status clerk_ask(struct clerk *clerk, const struct history_query *query,
			   clerk_answer answer, void *context, uint32_t *ret_id)
{
	(void)clerk;
	(void)query;
	(void)answer;
	(void)context;
	(void)ret_id;
	return TENF_E_NOT_FOUND;
}

void clerk_forget(struct clerk *clerk, uint32_t id)
{
	(void)clerk;
	(void)id;
}

/* SPDX-License-Identifier: MIT */
/* One telling by a webhook. Whoever starts it says whether it is told again. */
#ifndef TENF_HOOKS_WEBHOOK_H
#define TENF_HOOKS_WEBHOOK_H

#include "hooks/news.h"
#include "hooks/outgoing.h"

/* POST of the news's JSON. Any answer of 2xx is success. Errors: as outgoing_start(). */
TENF_CHECKED enum tenf_status hook_webhook_start(struct outgoing *outgoing, const char *url,
						 const struct news *news, uint32_t timeout_s,
						 outgoing_done_fn done, void *context,
						 struct outgoing_call **ret);
/* What the answer means: false with one sentence when it is no success. */
bool hook_webhook_judge(const struct outgoing_answer *answer, char *ret_error, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
#include "hooks/webhook.h"

#include <stdio.h>

enum tenf_status hook_webhook_start(struct outgoing *outgoing, const char *url,
				    const struct news *news, uint32_t timeout_s,
				    outgoing_done_fn done, void *context,
				    struct outgoing_call **ret)
{
	struct outgoing_request request = {
		.url = url,
		.body = news->json,
		.content_type = "application/json",
		.timeout_s = timeout_s,
	};

	return outgoing_start(outgoing, &request, done, context, ret);
}

bool hook_webhook_judge(const struct outgoing_answer *answer, char *ret_error, size_t size)
{
	if (answer->error != NULL)
		snprintf(ret_error, size, "%s", answer->error);
	else if (answer->status < 200 || answer->status > 299)
		snprintf(ret_error, size, "answered with status %ld", answer->status);
	else
		return true;
	return false;
}

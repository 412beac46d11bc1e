/* SPDX-License-Identifier: MIT */
/* One GET of somebody else's, by the module that has libcurl. */
#include "control/remote.h"

#include "control/remote-find.h"
#include "control/remote-load.h"

#include <stdlib.h>
#include <string.h>

static enum tenf_status get(const struct remote_module *module, const struct remote_target *target,
			    uint32_t timeout_ms, struct remote_reply *ret,
			    struct tenf_error *reterr)
{
	struct remote_call call = { .method = "GET",
				    .path = "", /* the base is all of it */
				    .timeout_ms = timeout_ms < INT32_MAX ? (long)timeout_ms :
									   INT32_MAX,
				    .answer_max = REMOTE_FETCH_MAX,
				    .is_foreign = true };
	struct remote_link *link = NULL;
	enum tenf_status status = module->open(target, &link, reterr);

	if (status != TENF_OK)
		return status;
	status = module->request(link, &call, ret, reterr);
	module->close(link);
	return status;
}

enum tenf_status remote_fetch(const char *url, uint32_t timeout_ms, int *ret_status,
			      char **ret_text, struct tenf_error *reterr)
{
	const struct remote_target target = { .base = url };
	const struct remote_module *module = NULL;
	struct remote_reply reply = { 0 };
	enum tenf_status status = remote_load(&module, reterr);

	if (status == TENF_OK)
		status = get(module, &target, timeout_ms, &reply, reterr);
	if (status != TENF_OK)
		return status;
	if (reply.data == NULL)
		reply.data = strdup("");
	if (reply.data == NULL)
		return remote_fail(reterr, TENF_E_MEMORY, 0, "out of memory");
	*ret_status = reply.status;
	*ret_text = reply.data;
	return TENF_OK;
}

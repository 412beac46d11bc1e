/* SPDX-License-Identifier: MIT */
/* The calls that wait: the objects of the library with a loop around them. */
#include "lib/explain.h"
#include "net/poll.h"

#include <string.h>

static enum tenf_status fail(struct tenf_error *reterr, const struct tenf_error *error,
			     enum tenf_status status)
{
	if (reterr != NULL) {
		*reterr = *error;
		reterr->status = status;
	}
	return status;
}

enum tenf_status tenf_find_gateway(const struct tenf_options *options, struct tenf_gateway *ret,
				   struct tenf_error *reterr)
{
	struct tenf_discovery *d;
	enum tenf_status status = tenf_discovery_new(options, true, &d, reterr);

	if (status != TENF_OK)
		return status;
	while (!tenf_discovery_done(d)) {
		(void)net_wait(tenf_discovery_fd(d), tenf_discovery_timeout_ms(d));
		(void)!tenf_discovery_process(d);
	}
	tenf_discovery_gateway(d, 0, ret);
	tenf_discovery_free(d);
	if (ret->error.reason == TENF_REASON_NONE)
		return TENF_OK;
	return fail(reterr, &ret->error, TENF_E_FAILED);
}

/* Waits for the one verdict on a mapping that is asked for once. */
static enum tenf_status wait_for(struct tenf_session *s, uint32_t id, struct tenf_mapping *ret,
				 struct tenf_error *reterr)
{
	struct tenf_event event;

	for (;;) {
		enum tenf_status status = tenf_session_process(s);

		if (status != TENF_OK)
			return explain_system(reterr, status, "Cannot talk to the gateway", NULL);
		while (tenf_session_next_event(s, &event)) {
			if (event.mapping.id != id)
				continue;
			if (ret != NULL)
				*ret = event.mapping;
			if (event.mapping.error.reason == TENF_REASON_NONE)
				return TENF_OK;
			return fail(reterr, &event.mapping.error, TENF_E_FAILED);
		}
		(void)net_wait(tenf_session_fd(s), tenf_session_timeout_ms(s));
	}
}

/* Nobody listens for announcements who leaves after one answer. */
static void without_announcements(const struct tenf_options *options, struct tenf_options *ret)
{
	tenf_options_init(ret);
	if (options != NULL)
		memcpy(ret, options,
		       options->size < sizeof(*ret) ? options->size : sizeof(*ret));
	ret->size = sizeof(*ret);
	ret->announcements = false;
	ret->watch = false;
}

enum tenf_status tenf_open_port(const struct tenf_options *options,
				const struct tenf_request *request, struct tenf_mapping *ret,
				struct tenf_error *reterr)
{
	struct tenf_options own;
	struct tenf_request once;
	struct tenf_session *s;
	enum tenf_status status;
	uint32_t id;

	without_announcements(options, &own);
	tenf_request_init(&once);
	memcpy(&once, request, request->size < sizeof(once) ? request->size : sizeof(once));
	once.size = sizeof(once);
	once.keep = false;
	if (once.protocol == TENF_BOTH)
		return explain_argument(reterr, "open one protocol at a time", "", "");
	status = tenf_session_new(&own, &s, reterr);
	if (status != TENF_OK)
		return status;
	status = tenf_session_add(s, &once, &id);
	if (status == TENF_OK)
		status = wait_for(s, id, ret, reterr);
	else
		explain_system(reterr, status, "The request makes no sense", NULL);
	tenf_session_free(s);
	return status;
}

enum tenf_status tenf_close_port(const struct tenf_options *options,
				 const struct tenf_mapping *mapping, struct tenf_error *reterr)
{
	struct tenf_options own;
	struct tenf_session *s;
	enum tenf_status status;
	uint32_t id;

	without_announcements(options, &own);
	/* Some gateways heed no other method: what NAT-PMP made has no nonce for PCP. */
	if (own.methods == 0)
		own.methods = mapping->method;
	status = tenf_session_new(&own, &s, reterr);
	if (status != TENF_OK)
		return status;
	status = tenf_session_release(s, mapping, &id);
	if (status == TENF_OK)
		status = wait_for(s, id, NULL, reterr);
	else
		explain_system(reterr, status, "The mapping makes no sense", NULL);
	tenf_session_free(s);
	return status;
}

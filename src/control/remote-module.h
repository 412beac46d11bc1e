/* SPDX-License-Identifier: MIT */
/*
 * Between the command and the module with libcurl: one table of functions, and
 * octets alone. The module knows no JSON and no events, so that it is small
 * and everything else can be tested without it. The table's version must be the
 * command's: they are always installed together.
 */
#ifndef TENF_CONTROL_REMOTE_MODULE_H
#define TENF_CONTROL_REMOTE_MODULE_H

#include <tenforward/tenforward.h>

#define REMOTE_MODULE_FILE "tenforward-remote.so"
#define REMOTE_MODULE_SYMBOL "tenforward_remote_module"

struct remote_link;   /* to one daemon */
struct remote_flow;   /* an answer that does not end */

struct remote_target {
	const char *socket; /* path; NULL: by TCP */
	const char *base;   /* "http://host:port" */
	const char *token;  /* NULL: none */
};

struct remote_call {
	const char *method;
	const char *path;
	const char *body; /* NULL: none */
	long timeout_ms;
	size_t answer_max;
	bool is_foreign; /* no daemon of ours is asked: errors speak of "it" */
};

struct remote_reply {
	int status;
	char *data; /* terminated, of free(); NULL when empty */
	size_t len;
};

/* What of a flow arrives; false ends it. */
typedef bool (*remote_sink)(void *context, const char *data, size_t len);

struct remote_module {
	const char *version; /* TENF_VERSION */

	enum tenf_status (*open)(const struct remote_target *target, struct remote_link **ret,
				 struct tenf_error *reterr);
	void (*close)(struct remote_link *link);
	enum tenf_status (*request)(struct remote_link *link, const struct remote_call *call,
				    struct remote_reply *ret, struct tenf_error *reterr);

	/* Returns when the status is known: 200 with a flow that goes on; any other
	 * with a flow that has ended and whose octets the sink has. */
	enum tenf_status (*flow_open)(const struct remote_target *target, const char *path,
				      const char *last_id, long timeout_ms, remote_sink sink,
				      void *context, struct remote_flow **ret, int *ret_status,
				      struct tenf_error *reterr);
	void (*flow_close)(struct remote_flow *flow);
	int (*flow_fd)(const struct remote_flow *flow);
	int (*flow_timeout_ms)(const struct remote_flow *flow);
	/* TENF_E_NOT_FOUND when it has ended. */
	enum tenf_status (*flow_process)(struct remote_flow *flow, struct tenf_error *reterr);
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What makes mappings true: the seam between the responder's batches and a
 * packet path. A batch is staged change by change and then committed as one;
 * nothing of it holds when that fails.
 */
#ifndef TENF_GATEWAY_BACKEND_H
#define TENF_GATEWAY_BACKEND_H

#include "gateway/responder-restore.h"
#include "gateway/responder.h"

struct backend;

enum backend_news {
	BACKEND_NOTHING,
	BACKEND_LOST, /* what it held is gone or changed: install everything again */
	BACKEND_DEAD, /* it will do nothing more, whatever is asked */
};

/* Who is told what the backend holds from before, mappings first. Anything but TENF_OK
 * has it removed there. */
struct backend_keeper {
	enum tenf_status (*mapping)(void *context, const struct responder_kept *kept);
	enum tenf_status (*peer)(void *context, const struct responder_peer *kept);
	void *context;
};

struct backend_ops {
	const char *name;     /* as in Backend= */
	unsigned filters_max; /* remote-peer filters of a mapping it enforces */
	bool peers;           /* it keeps what PEER asks for; else PEER is not served */
	/* A staged change is copied, its mapping not kept. */
	TENF_CHECKED enum tenf_status (*stage)(struct backend *backend,
					       const struct responder_change *change);
	/* Begins to make true what was staged, without waiting for what comes of it. Nothing
	 * else may be asked of the backend until commit. */
	void (*submit)(struct backend *backend);
	/* What came of it. TENF_OK: all that was staged holds. Else, as always after a stage
	 * that failed: none of it. The next batch starts empty. */
	TENF_CHECKED enum tenf_status (*commit)(struct backend *backend);
	/* What it holds from before, told to `keeper`; to be called once, before the first
	 * stage. TENF_E_NOT_FOUND: it holds nothing. Else, also when it could not be
	 * found out, it holds nothing any more. */
	TENF_CHECKED enum tenf_status (*restore)(struct backend *backend,
						 const struct backend_keeper *keeper,
						 tenf_time *ret_epoch_start);
	/* Is there such a flow, begun by either side? Seen from inside. */
	bool (*flow)(struct backend *backend, enum tenf_protocol protocol,
		     const struct tenf_endpoint *internal, const struct tenf_endpoint *remote,
		     struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s);
	/* Readable when there is news, -1 when there never is; asked again after news. */
	int (*fd)(struct backend *backend);
	/* What happened unasked; also to be asked after a commit that failed. */
	enum backend_news (*news)(struct backend *backend);
	void (*close)(struct backend *backend);
};

struct backend {
	const struct backend_ops *ops;
	int code; /* errno of the last commit that failed; 0: not known */
	bool is_submitted;       /* between backend_begin and backend_end */
	enum tenf_status staged;
};

/* No packet path at all: for developers who test, needs no rights. */
TENF_CHECKED enum tenf_status backend_memory_open(const struct tenf_memory *memory,
						  struct backend **ret);
/* Mappings it holds. */
uint32_t backend_memory_count(const struct backend *backend);

/* Takes the responder's batch to the backend. While it is being committed, answers of
 * batches before may be sent. */
void backend_begin(struct backend *backend, struct responder *r);
/* Waits for what came of it, tells the responder, and returns it. */
enum tenf_status backend_end(struct backend *backend, struct responder *r, tenf_time now);
/* Both. */
enum tenf_status backend_run(struct backend *backend, struct responder *r, tenf_time now);

#endif

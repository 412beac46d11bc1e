/* SPDX-License-Identifier: MIT */
/*
 * The third way to ask, beside the client of core: a worker of the library's that
 * speaks UPnP, one question at a time. Here is which questions it gets and when;
 * no socket, no clock, and nothing of the protocol itself.
 *
 *                      ┌── PCP or NAT-PMP answers ──────────► answered
 *   asked ─► RACING ──┤── neither is there ─► WAITING ──┐
 *              │       └── silence, device known ────────┴─► QUEUED ─► ASKED ─► answered
 *              └─ after a head start a device is looked for (one question a gateway)
 *
 * A search changes nothing, so it may run beside the others; a mapping may not,
 * or there would be two. What UPnP made, and what is asked by UPnP alone, goes
 * straight into the queue. A cancelled question that is ASKED is carried out all
 * the same; what follows it waits its turn behind it, and its answer is dropped.
 */
#ifndef TENF_KEEPER_UPNP_H
#define TENF_KEEPER_UPNP_H

#include "keeper/keeper.h"

#if TENF_WITH_IGD

enum upnp_device {
	UPNP_UNKNOWN,
	UPNP_LOOKING,
	UPNP_THERE,
	UPNP_ABSENT,
};

struct upnp_list {
	struct keeper_mapping *first, *last;
};

/* Inside of the engine. */
struct upnp {
	bool allowed; /* by the methods */
	bool alone;   /* no other method is */
	enum upnp_device device;
	unsigned version;          /* of the device that is THERE */
	struct upnp_list racing;   /* RACING and WAITING */
	struct upnp_list queued;
	uint32_t asked;  /* id of the mapping whose question is out, 0 for none */
	uint64_t token;  /* of that question */
	tenf_time look_at; /* when to look for a device */
	tenf_time absent_until; /* UPNP_ABSENT is believed no longer */
	bool watch;        /* the engine's watch waits for a verdict on the device */
};

/* A question for the worker. */
struct upnp_question {
	uint64_t token;
	bool alone; /* nothing else can answer: take the time it takes */
	bool fresh; /* nothing is held yet */
	struct core_question question; /* CORE_DISCOVER, CORE_MAP, CORE_UNMAP */
};

void upnp_init(struct upnp *upnp, unsigned methods);
/* Another gateway: everything known is void. */
void upnp_reset(struct upnp *upnp);

/* Takes a question that is being asked: true when the client must not have it. A
 * gateway that is `known` to speak something else is not overtaken for its silence. */
bool upnp_takes(struct upnp *upnp, struct keeper_mapping *m, const struct core_question *question,
		bool known, tenf_time now);
void upnp_cancel(struct upnp *upnp, struct keeper_mapping *m);
/* The client's answer is in: true when UPnP is to be heard before it counts. */
bool upnp_keeps(struct upnp *upnp, struct keeper_mapping *m, tenf_time now);
/* The same for the watch. */
bool upnp_keeps_watch(struct upnp *upnp, enum tenf_reason reason, tenf_time now);

/* The next mapping that silence has cost its patience, or whose time to wait is
 * over: with *ret_over its answer counts as it is; else it is queued now and the
 * client is to forget it. NULL when there is none. */
struct keeper_mapping *upnp_expire(struct upnp *upnp, tenf_time now, bool *ret_over);
tenf_time upnp_deadline(const struct upnp *upnp);
/* When the worker, if it has nothing to do, finds a question; TENF_NEVER for none. */
tenf_time upnp_question_at(const struct upnp *upnp);

/* The worker's next question; false when there is none, or one is out. */
bool upnp_next(struct upnp *upnp, const struct keeper *keeper, tenf_time now,
	       struct upnp_question *ret);
/* A verdict on the device: those who wait are queued, or may be answered. */
void upnp_found(struct upnp *upnp, unsigned version, tenf_time now);
/* The mapping whose question this answers, NULL for nobody's. */
struct keeper_mapping *upnp_answered(struct upnp *upnp, const struct keeper *keeper,
				     uint64_t token);

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * A mapping through two routers in a row (double NAT): the inner one leads to this
 * host from its outside address, which is a private one of the outer router, and
 * that one leads to the inner. Two sessions hold a hop each; here the two become one
 * mapping with one stream of events, whose outside is that of the outer router.
 *
 *   internet → 203.0.113.7:80 outer → 10.20.0.14:80 inner → 192.168.1.20:8080
 *
 * Pure, and for whoever holds both sessions, the command and the agent. It asks nobody.
 */
#ifndef TENF_HOPS_JOINED_H
#define TENF_HOPS_JOINED_H

#include "base/attributes.h"

#include <tenforward/tenforward.h>

struct hop {
	uint32_t id;                      /* in the outer session; 0: not asked for */
	struct tenf_mapping inner, outer; /* as their sessions told last */
	struct tenf_mapping told;         /* both as one, as told last */
};

bool hop_is_held(const struct tenf_mapping *mapping);
/* The inner router has opened the port, and its outside is another router's inside. */
bool hop_is_needed(const struct tenf_mapping *inner);
/* The outer router leads to where the inner one has the port now. */
bool hop_fits(const struct hop *hop);

/* What the outer router is to be asked for: the caller's lifetime and `exact` are added. */
void hop_request(const struct hop *hop, struct tenf_request *ret);
/* It is asked for, by this id; what was told of the port before stays told. */
void hop_asked(struct hop *hop, uint32_t id);
/* It could not be. */
void hop_failed(struct hop *hop, enum tenf_reason reason, const char *why);
/* It is given up, and no more news of it are news of the mapping. */
void hop_dropped(struct hop *hop);

/* Why the outer router does not do it, for people. */
const char *hop_reason(const struct tenf_error *error);
/* Both as one. Where it is needed and not held, the outside is the last that was told,
 * and `expires_at` is 0. */
struct tenf_mapping hop_joined(const struct hop *hop);
/* What is to be told after `cause`, of either session, was put into `hop`; false: nothing.
 * Then it counts as told. */
bool hop_compose(struct hop *hop, const struct tenf_event *cause, struct tenf_event *ret);

#endif

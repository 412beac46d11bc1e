/* SPDX-License-Identifier: MIT */
/*
 * A decision as those hear of it who were not there: the record with wall-clock
 * times, the name of the rule and the gateway's address beside it, and the event
 * of the control API that is made of it. A notice is plain data and lives by itself.
 */
#ifndef TENF_GATEWAY_NOTICE_H
#define TENF_GATEWAY_NOTICE_H

#include "base/bytes.h"
#include "gateway/pending.h"
#include "gateway/policy.h"
#include "gateway/responder.h"

#include <jansson.h>

#define NOTICE_WHO_MAX 32  /* octets of an administrator's name, with terminator */
#define NOTICE_WHY_MAX 128 /* octets of a reason on its way, with terminator */
#define NOTICE_OCTETS 512  /* written, at most */
#define NOTICE_BY_HAND 255 /* as version of a record: no client asked for it */

struct notice {
	int64_t at; /* wall clock */
	struct responder_record record;
	int64_t made_at;              /* of the mapping, wall clock; 0: unknown */
	enum pending_state word;     /* of the administrator, about a wish; 0: none yet */
	enum policy_action action;   /* of the rule, when there is one */
	char rule_name[POLICY_NAME_MAX];
	struct tenf_address gateway; /* that the client asked; none4: unknown */
	char who[NOTICE_WHO_MAX];    /* the administrator whose will it was; empty: nobody's */
};

/* "mapped", "lost" …: the name of its event; NULL when it is none, because
 * nothing but a question was answered. */
const char *notice_event(const struct notice *n);

/* To the process that keeps the history, and back. False for octets that are no
 * notice, `ret` is untouched then; its reason lies in `why`. */
void notice_write(const struct notice *n, struct tenf_writer *w);
bool notice_read(struct tenf_reader *r, struct notice *ret, char why[NOTICE_WHY_MAX]);

/* The event (docs/openapi.yaml); NULL when memory is out, or it is none. */
json_t *notice_json(const struct notice *n);

#endif

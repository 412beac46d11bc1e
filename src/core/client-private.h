/* SPDX-License-Identifier: MIT */
/* What the three files of the client share: lists, verdicts, the slot. */
#ifndef TENF_CORE_CLIENT_PRIVATE_H
#define TENF_CORE_CLIENT_PRIVATE_H

#include "core/client.h"

void client_list_append(struct inquiry_list *list, struct inquiry *inquiry);
void client_list_remove(struct inquiry_list *list, struct inquiry *inquiry);

/* Ends an inquiry under way; what it learned is in inquiry->answer already. */
void client_finish(struct client *client, struct inquiry *inquiry, enum tenf_reason reason,
		   tenf_time now);

/* One protocol turned out not to be there for this inquiry: goes on with the
 * other, or ends with `reason` when there is none. */
void client_end_pcp(struct client *client, struct inquiry *inquiry, enum tenf_reason reason,
		    tenf_time now);
void client_end_natpmp(struct client *client, struct inquiry *inquiry, enum tenf_reason reason,
		       tenf_time now);

/* The gateway answered the address request: who waited for that may go on. */
void client_address_answered(struct client *client, tenf_time now);

void client_slot_release(struct client *client);
/* Gives free places to those who wait: inquiries under way, the slot. */
void client_pump(struct client *client, tenf_time now);

/* A first verdict that a better one may still replace, until settle_at. */
void client_settle(struct inquiry *inquiry, enum tenf_reason reason, tenf_time at);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * From the gateway's own structs to those the shapes of the control API are
 * made of (control/shapes.h). Makers give a new reference, NULL when memory is out.
 */
#ifndef TENF_GATEWAY_API_SHAPES_H
#define TENF_GATEWAY_API_SHAPES_H

#include "control/shapes.h"
#include "gateway/daemon-private.h"
#include "gateway/pending.h"

/* "allow", "deny", "ask": the word of Action=. */
const char *api_action_name(enum policy_action action);
/* "waiting", "approved", "denied". */
const char *api_word_name(enum pending_state word);
/* Addresses and ports of both sides; an external port of 0 is none. */
void api_fill_endpoints(const struct tenf_endpoint *internal, const struct tenf_endpoint *external,
			struct tenf_mapping *ret);
/* Where this host asks: the address of the link whose network it is in, none4
 * when it is in none. */
struct tenf_address api_gateway_of(const struct links *links, const struct tenf_address *client);

/* Looks for the client's link-layer address. */
json_t *api_mapping(struct daemon *d, const struct ledger_mapping *m);
/* What PEER made. */
json_t *api_peer(struct daemon *d, const struct responder_peer *peer);
json_t *api_pending(const struct daemon *d, const struct pending_wish *wish);
/* One address at which requests are heard. */
json_t *api_link(const struct daemon *d, size_t link, tenf_time now);

#endif

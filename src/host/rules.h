/* SPDX-License-Identifier: MIT */
/*
 * Would the firewall of this computer let a packet from the internet in? Judged
 * from the ruleset as nftables prints it in JSON (libnftables-json(5)), by walking
 * its chains with the packet as far as they can be followed. What depends on
 * things that are not known here (a rate, a mark, an extension of iptables) makes
 * the verdict HOST_UNSURE, never a wrong one. Pure: the text comes from firewall.h.
 */
#ifndef TENF_HOST_RULES_H
#define TENF_HOST_RULES_H

#include "base/address.h"
#include "base/text.h"

#include <jansson.h>

/* Rules looked at for one packet, and chains inside each other; a ruleset that
 * needs more is not followed to its end. The kernel's own limit of jumps is 16. */
#define HOST_RULES_MAX 200000
#define HOST_JUMPS_MAX 16

enum host_verdict {
	HOST_LETS_IN,
	HOST_KEEPS_OUT,
	HOST_UNSURE,     /* depends on what cannot be told here */
	HOST_UNREADABLE, /* no permission, no library */
};

/* A first packet of somebody on the internet, as it arrives here. */
struct host_packet {
	enum tenf_protocol protocol; /* TENF_TCP or TENF_UDP */
	uint16_t port;
	bool is_v6;
	const char *interface;       /* "": not known */
	struct tenf_address address; /* of ours; none: not known */
};

/* `because` (may be NULL) gets what decided, for HOST_KEEPS_OUT and HOST_UNSURE:
 * "chain input of table inet filter". A ruleset that makes no sense is
 * HOST_UNREADABLE. */
enum host_verdict host_rules_judge(const json_t *ruleset, const struct host_packet *packet,
				   struct tenf_text *because);

#endif

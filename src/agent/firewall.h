/* SPDX-License-Identifier: MIT */
/*
 * The host's own firewall: the internal port of a mapping is opened for as
 * long as the lease lasts, by an entry that ends by itself, so that nothing
 * stays open when the agent dies.
 *
 *   nftables   an element with a time-out in a set of the administrator's ruleset
 *              (`FirewallSet=inet filter tenforward`), which accepts what is in it
 *   firewalld  a port with a time-out in the default zone, over D-Bus
 */
#ifndef TENF_AGENT_FIREWALL_H
#define TENF_AGENT_FIREWALL_H

#include "agent/agent.h"

/* Opens on a grant, closes on removal and loss. Says in the log what failed;
 * the mapping itself is not affected. `set` is for nftables. */
void firewall_follow(enum agent_firewall firewall, const char *set, const struct agent_item *item,
		     const struct tenf_event *event);

/* The command for libnftables; false when it does not fit. */
TENF_CHECKED bool firewall_command(const char *set, const struct tenf_mapping *mapping, bool open,
				   int64_t now, char *ret, size_t size);

#endif

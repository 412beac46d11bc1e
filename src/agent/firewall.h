/* SPDX-License-Identifier: MIT */
/*
 * The host's own firewall: the internal port of a mapping is opened for as
 * long as the lease lasts, by an entry that ends by itself, so that nothing
 * stays open when the agent dies.
 *
 *   nftables   an element with a time-out in a set of the administrator's ruleset
 *              (`FirewallSet=inet filter tenforward`), which accepts what is in it
 *   firewalld  a port with a time-out in the default zone, over D-Bus (firewalld.h)
 */
#ifndef TENF_AGENT_FIREWALL_H
#define TENF_AGENT_FIREWALL_H

#include "agent/agent.h"
#include "agent/firewalld.h"

/* All of it is of an agent; `config` is the one in force. */
struct firewall {
	struct event_base *base;
	const struct agent_config *config;
	struct firewalld *firewalld; /* NULL until it is used */
	firewalld_forgot_fn forgot;  /* the firewall lost what it had: say it again */
	void *context;
};

/* Embedded; `forgot` is called from the event loop. */
void firewall_init(struct firewall *firewall, struct event_base *base,
		   const struct agent_config *config, firewalld_forgot_fn forgot, void *context);
void firewall_done(struct firewall *firewall);

/* Opens on a grant, closes on removal and loss. Says in the log what failed;
 * the mapping itself is not affected. */
void firewall_follow(struct firewall *firewall, const struct agent_item *item,
		     const struct tenf_event *event);

/* The command for libnftables; false when it does not fit. */
TENF_CHECKED bool firewall_command(const char *set, const struct tenf_mapping *mapping, bool open,
				   int64_t now, char *ret, size_t size);

#endif

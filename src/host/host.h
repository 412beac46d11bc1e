/* SPDX-License-Identifier: MIT */
/*
 * This computer as the network sees it, read once: its links, addresses and
 * routes, who listens, and what its firewall does. This is the edge of the room: the
 * system is asked here and nowhere else, and nothing is changed. What cannot be
 * read is said, never made up.
 */
#ifndef TENF_HOST_HOST_H
#define TENF_HOST_HOST_H

#include "host/network.h"
#include "host/rules.h"
#include "host/sockets.h"

struct host {
	struct host_network network;
	int network_error;       /* errno, 0 when it was read */
	struct host_sockets sockets;
	int sockets_error;
	size_t unknown_programs; /* sockets whose program only root may see */
	json_t *ruleset;         /* NULL when it could not be read */
	char firewall_error[160];
};

/* Always usable afterwards; done with host_done(). With `programs` the sockets get
 * theirs, with `firewall` the ruleset is read. NULL when memory is out. */
struct host *host_new(bool programs, bool firewall);
void host_done(struct host *host);

/* As host_rules_judge(); HOST_UNREADABLE, with the reason, when it was not read. */
enum host_verdict host_firewall_judge(const struct host *host, const struct host_packet *packet,
				      struct tenf_text *because);

/* The way packets to this address take. An errno, or 0. */
int host_route_to(const struct tenf_address *address, struct host_route *ret);

#endif

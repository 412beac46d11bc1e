/* SPDX-License-Identifier: MIT */
/*
 * What of this host and its network is open to the world: each open port, joined
 * with the program that listens behind it and with what this computer's firewall
 * does. Also what needs no gateway: listeners on addresses the internet reaches
 * without translation. Pure; borrows from the list and the host it is made of.
 */
#ifndef TENF_CLI_EXPOSED_H
#define TENF_CLI_EXPOSED_H

#include "cli/opened.h"
#include "host/host.h"

struct exposed {
	const struct opened *opened;
	const struct host_socket *listener; /* NULL: none, or not ours to see */
	bool is_ours;                       /* goes to an address of this computer */
	enum host_verdict firewall;         /* of this computer */
};

struct exposed_list {
	struct exposed *items;
	size_t count;
	size_t size;
	struct opened *direct; /* what no source tells, because no gateway is in it */
};

/* Joins what is open now. `opened` is not changed as long as the result lives.
 * TENF_E_MEMORY. Done with exposed_done(), after a failure too. */
TENF_CHECKED enum tenf_status exposed_join(const struct opened_list *opened,
					   const struct host *host, struct exposed_list *ret);
void exposed_done(struct exposed_list *list);

/* "sshd (ssh.service)", "a program of another user", "nobody listens",
 * "another computer" */
void exposed_listener_text(struct tenf_text *t, const struct exposed *exposed);
/* The mapping with "listener" and "firewall"; a new reference. */
json_t *exposed_shape(const struct exposed *exposed);
/* "203.0.113.7:22/tcp → 192.168.1.20:22" */
void exposed_place_text(struct tenf_text *t, const struct exposed *exposed);

#endif

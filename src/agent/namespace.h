/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces besides our own (Namespace=). Entering one needs
 * CAP_SYS_ADMIN, which nothing that talks to a network should have. So each is
 * entered once, at start, by a child of ours that then gives up every right it
 * has and does one thing for as long as we live: it makes sockets there and
 * passes them to us. A socket stays in the namespace it was made in, so one
 * loop serves all of them. namespaces_seal() gives up our own right.
 *
 *   tenforwardd ── "a UDP socket, please" ──► child in /run/netns/vpn
 *               ◄───────── the socket ───────
 *
 * The child knows three kinds of sockets and no other request, and ends when we do.
 */
#ifndef TENF_AGENT_NAMESPACE_H
#define TENF_AGENT_NAMESPACE_H

#include "agent/record.h"

#include <stddef.h>

#define NAMESPACES_MAX 16
#define NAMESPACE_DIRECTORY "/run/netns/" /* where ip-netns(8) keeps their names */
#define NAMESPACE_PATIENCE_MS 1000        /* for an answer of the child */

struct namespace;

struct namespaces {
	struct namespace *first;
	size_t count;
	bool sealed;
};

void namespaces_init(struct namespaces *namespaces);
/* The children end by themselves. */
void namespaces_done(struct namespaces *namespaces);

/* The namespace of this name below /run/netns, or of this path; entered now
 * when it was not. One that cannot be is logged and remembered as such: each
 * further try gives the same error. TENF_E_SYSTEM, TENF_E_LIMIT, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status namespaces_at(struct namespaces *namespaces, const char *name,
					    struct namespace **ret, struct tenf_error *reterr);

/* No namespace is entered from now on, and the right to is given up. False with
 * the reason when the kernel does not take it. */
TENF_CHECKED bool namespaces_seal(struct namespaces *namespaces, struct tenf_error *reterr);

/* As socket(2), in the namespace `context`: a descriptor, or -1 with errno.
 * ENETDOWN once its child is gone or does not answer. */
int namespace_socket(void *context, int domain, int type, int protocol);

const char *namespace_name(const struct namespace *namespace);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What each process of the gateway may do, once it has opened what it needs.
 *
 *	                 user     capabilities    new privileges   system calls
 *	rights_daemon    User=    none            never            a list: network, files
 *	rights_helper    User=    CAP_NET_ADMIN   never            a list: netlink, reading
 *	rights_clerk     User=    none            never            all
 *
 * Both are called once, by the process itself, before it starts a thread (the
 * kernel keeps capabilities for each thread) and after everything that needs root;
 * what a process opened before stays open. Another process, such as the one
 * that runs hooks, must be forked before.
 *
 * Built with libcap-ng and libseccomp. What a build or a kernel lacks is told in
 * `notes`, sentences with a line end each; the call then goes on with the rest,
 * except that a user named in the configuration is always become.
 */
#ifndef TENF_GATEWAY_RIGHTS_H
#define TENF_GATEWAY_RIGHTS_H

#include "base/text.h"

/* The process that hears the network. `user` as in user.h: empty is the
 * default, and then staying root, in a namespace without other users, is a note.
 * False with a sentence in `why`: the process must end. */
bool rights_daemon(const char *user, struct tenf_text *notes, struct tenf_text *why);

/* The process that keeps the history: the same user and no capability, but every
 * system call, since it writes files and runs what the administrator names. */
bool rights_clerk(const char *user, struct tenf_text *notes, struct tenf_text *why);

/* The process that changes the packet path. */
bool rights_helper(const char *user, struct tenf_text *notes, struct tenf_text *why);

#endif

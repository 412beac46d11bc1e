/* SPDX-License-Identifier: MIT */
/*
 * The privileged process. It alone may change the packet path; it hears no network,
 * only its daemon, by the messages of messages.h, and does what they say to our own
 * table. When the daemon is gone it ends, and the table stays: open ports live on
 * until their leases end, by the kernel's clock.
 *
 * The parts: helper.c (loop and messages), batch.c (commits), dump.c (what the table
 * holds), cut.c (running flows), forward.c (the administrator's own chains).
 */
#ifndef TENF_GATEWAY_HELPER_HELPER_H
#define TENF_GATEWAY_HELPER_HELPER_H

/* Serves the daemon at the other end of `fd`, a SOCK_SEQPACKET socket, until that is
 * closed; then the exit status. `user` as in rights.h. */
int helper_run(int fd, const char *user);

#endif

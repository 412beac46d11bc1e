/* SPDX-License-Identifier: MIT */
/*
 * A gateway on the loopback address for tests of the library: the responder of
 * the gateway room behind a real socket, served by a thread of its own. What
 * it does wrong is asked for by peer_quirks().
 */
#ifndef TENF_TESTS_LIB_PEER_H
#define TENF_TESTS_LIB_PEER_H

#include "gateway/responder.h"

struct peer;

/* Serves 127.0.0.1 on a port of the kernel's choice; external 203.0.113.7,
 * ports from 1024 up are allowed. Fails the running test when it cannot. */
struct peer *peer_start(void);
/* The same at this address of ours (host order) and port, for clients of any network. */
struct peer *peer_start_at(uint32_t address, uint16_t port);
void peer_stop(struct peer *peer);

/* "127.0.0.1:PORT", lives as long as the peer. */
const char *peer_address(const struct peer *peer);
void peer_quirks(struct peer *peer, const struct responder_quirks *quirks);
void peer_reboot(struct peer *peer);
/* Mappings it holds now. */
size_t peer_count(struct peer *peer);

/* A UDP port of 127.0.0.1 on which nobody listens, and one whose owner never
 * answers (close *ret_fd when done). Both as "127.0.0.1:PORT". */
void peer_closed_port(char ret[64]);
void peer_silent_port(char ret[64], int *ret_fd);

#endif

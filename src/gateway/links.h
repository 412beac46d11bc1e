/* SPDX-License-Identifier: MIT */
/*
 * Where the daemon listens, found from the configuration and the interfaces of
 * this machine: each address with its interface and the network whose hosts
 * are heard there.
 */
#ifndef TENF_GATEWAY_LINKS_H
#define TENF_GATEWAY_LINKS_H

#include "gateway/config.h"

struct links {
	struct responder_link at[RESPONDER_LINKS_MAX];
	char names[RESPONDER_LINKS_MAX][CONFIG_NAME_MAX]; /* of their interfaces */
	size_t count;
};

/* The Listen= addresses; without any, every address of the internal
 * interfaces, or the loopback address for the memory backend. False with a sentence
 * in `why` for an address nobody has, for the external interface, and, where ports are
 * really opened, for one that the default route leads through. */
bool links_find(const struct gateway_config *config, struct links *ret, struct tenf_text *why);

/* The same while the daemon runs: what cannot be served now is left out, and `why`
 * gets a sentence about the first of these. */
void links_find_now(const struct gateway_config *config, struct links *ret, struct tenf_text *why);

/* ExternalAddress=, else the first IPv4 address of the External= interface,
 * none4 when it has none now. */
struct tenf_address links_external_address(const struct gateway_config *config);

/* All of them, as of now; returns how many there are, 0 when there is none. */
size_t links_external_addresses(const struct gateway_config *config,
				struct tenf_address ret[CONFIG_EXTERNALS_MAX]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * PCP servers as DHCP tells them (RFC 7291): DHCPv4 option 158 and DHCPv6
 * option 86. Octets in, a list out; who fetches the option, and that a server
 * belongs to the interface it was learned on, is for the edge.
 *
 * A server is a list of addresses that are alternatives of one another; one of
 * them is asked after the other (RFC 7488).
 */
#ifndef TENF_CORE_DHCP_H
#define TENF_CORE_DHCP_H

#include "base/address.h"

#define DHCP_SERVERS_MAX 16   /* servers kept; further ones are dropped */
#define DHCP_ADDRESSES_MAX 16 /* addresses kept of one server */

struct dhcp_server {
	struct tenf_address addresses[DHCP_ADDRESSES_MAX];
	size_t count; /* never 0 in a list */
};

struct dhcp_servers {
	struct dhcp_server at[DHCP_SERVERS_MAX];
	size_t count;
	bool truncated; /* one of the limits was reached */
};

/* The value of option 158, parts of a long one joined (RFC 3396): blocks of
 * a length and that many octets of IPv4 addresses, one server each.
 * Replaces *ret. TENF_E_TRUNCATED under 5 octets or when a block runs over
 * the end, TENF_E_MALFORMED when a length is 0 or not a multiple of 4; `ret` is
 * untouched on failure. Multicast, loopback and zero addresses are left out,
 * and servers of which none remains. */
TENF_CHECKED enum tenf_status dhcp_parse_v4(const uint8_t *data, size_t len,
					    struct dhcp_servers *ret);

/* The value of one instance of option 86: one server. The option may come
 * several times, so this adds to *servers. IPv4-mapped addresses are allowed.
 * TENF_E_TRUNCATED when it is empty, TENF_E_MALFORMED when it is no multiple of 16;
 * nothing is added then. */
TENF_CHECKED enum tenf_status dhcp_parse_v6(const uint8_t *data, size_t len,
					    struct dhcp_servers *servers);

#endif

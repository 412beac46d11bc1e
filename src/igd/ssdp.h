/* SPDX-License-Identifier: MIT */
/*
 * The words of SSDP, UPnP's search: the question as a datagram, and the place
 * of the description from an answer. No socket here.
 */
#ifndef TENF_IGD_SSDP_H
#define TENF_IGD_SSDP_H

#include "igd/url.h"

#define IGD_SSDP_PORT 1900
#define IGD_SSDP_MAX 2048 /* a longer answer is none */

/* The multicast group, and on IPv6 that of the link. */
struct tenf_address igd_ssdp_group(bool ipv6);

/* M-SEARCH for internet gateways, or for any device where some answer nothing else. */
void igd_ssdp_write(bool ipv6, bool any_device, struct tenf_text *t);

/* The LOCATION of an answer to a search; false when it is none. */
TENF_CHECKED bool igd_ssdp_read(const char *data, size_t len, struct igd_url *ret);

#endif

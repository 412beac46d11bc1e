/* SPDX-License-Identifier: MIT */
/*
 * IP addresses as PCP carries them (RFC 6887 §5): always 16 octets, IPv4 as
 * ::ffff:a.b.c.d. "No address" exists once a family: ::ffff:0.0.0.0 and ::.
 */
#ifndef TENF_BASE_ADDRESS_H
#define TENF_BASE_ADDRESS_H

#include "base/attributes.h"

#include <tenforward/types.h>

#define TENF_ADDRESS_TEXT 46  /* longest text with its terminator */
#define TENF_ENDPOINT_TEXT 56 /* "[address]:65535" and terminator */

struct tenf_address {
	uint8_t octets[16];
};

struct tenf_endpoint {
	struct tenf_address address;
	uint16_t port;
};

struct tenf_prefix {
	struct tenf_address address;
	unsigned length; /* of 128 bits: an IPv4 /24 is 120 */
};

extern const struct tenf_address tenf_address_none4; /* ::ffff:0.0.0.0 */
extern const struct tenf_address tenf_address_none6; /* :: */

/* From an IPv4 address in host order. */
struct tenf_address tenf_address_v4(uint32_t host_order);
/* From 4 octets in network order, as in a packet or struct in_addr. */
struct tenf_address tenf_address_v4_octets(const void *octets);

bool tenf_address_is_v4(const struct tenf_address *a); /* all 96 bits are looked at */
uint32_t tenf_address_to_v4(const struct tenf_address *a); /* last four octets, host order */
bool tenf_address_is_none(const struct tenf_address *a);   /* of either family */
bool tenf_address_equal(const struct tenf_address *a, const struct tenf_address *b);
int tenf_address_compare(const struct tenf_address *a, const struct tenf_address *b);
/* The zero of the family of `a`. */
struct tenf_address tenf_address_zero_of(const struct tenf_address *a);
bool tenf_address_is_loopback(const struct tenf_address *a);
bool tenf_address_is_multicast(const struct tenf_address *a);
bool tenf_address_is_link_local(const struct tenf_address *a);
bool tenf_address_is_unique_local(const struct tenf_address *a); /* fc00::/7 */
bool tenf_address_is_rfc1918(const struct tenf_address *a);
/* Of one host, to which packets can be sent from another network: none of none, loopback,
 * multicast, link-local, and the broadcast address of all networks. */
bool tenf_address_is_host(const struct tenf_address *a);
enum tenf_address_class tenf_address_classify(const struct tenf_address *a);

bool tenf_endpoint_equal(const struct tenf_endpoint *a, const struct tenf_endpoint *b);
bool tenf_prefix_contains(const struct tenf_prefix *p, const struct tenf_address *a);

/* Numeric addresses only, no names. `ret` is untouched on failure. */
TENF_CHECKED bool tenf_address_parse(const char *text, struct tenf_address *ret);
/* "a.b.c.d", "a.b.c.d:port", "v6" or "[v6]:port"; without a port `default_port`. */
TENF_CHECKED bool tenf_endpoint_parse(const char *text, uint16_t default_port,
				      struct tenf_endpoint *ret);
/* "address" or "address/length"; bits behind the prefix must be zero. */
TENF_CHECKED bool tenf_prefix_parse(const char *text, struct tenf_prefix *ret);

/* IPv4-mapped addresses are written as IPv4. `buffer` holds at least
 * TENF_ADDRESS_TEXT / TENF_ENDPOINT_TEXT octets; it is returned. */
char *tenf_address_text(const struct tenf_address *a, char *buffer);
char *tenf_endpoint_text(const struct tenf_endpoint *e, char *buffer);

#endif

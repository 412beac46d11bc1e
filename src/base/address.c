/* SPDX-License-Identifier: MIT */
#include "base/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define MAPPED_PREFIX 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff

static const uint8_t mapped_prefix[12] = { MAPPED_PREFIX };

const struct tenf_address tenf_address_none4 = { { MAPPED_PREFIX, 0, 0, 0, 0 } };
const struct tenf_address tenf_address_none6 = { { 0 } };

struct tenf_address tenf_address_v4(uint32_t host_order)
{
	struct tenf_address a = tenf_address_none4;

	a.octets[12] = (uint8_t)(host_order >> 24);
	a.octets[13] = (uint8_t)(host_order >> 16);
	a.octets[14] = (uint8_t)(host_order >> 8);
	a.octets[15] = (uint8_t)host_order;
	return a;
}

struct tenf_address tenf_address_v4_octets(const void *octets)
{
	struct tenf_address a = tenf_address_none4;

	memcpy(a.octets + 12, octets, 4);
	return a;
}

bool tenf_address_is_v4(const struct tenf_address *a)
{
	return memcmp(a->octets, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

uint32_t tenf_address_to_v4(const struct tenf_address *a)
{
	return (uint32_t)a->octets[12] << 24 | (uint32_t)a->octets[13] << 16 |
	       (uint32_t)a->octets[14] << 8 | a->octets[15];
}

bool tenf_address_is_none(const struct tenf_address *a)
{
	return tenf_address_equal(a, &tenf_address_none4) ||
	       tenf_address_equal(a, &tenf_address_none6);
}

bool tenf_address_equal(const struct tenf_address *a, const struct tenf_address *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

int tenf_address_compare(const struct tenf_address *a, const struct tenf_address *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets));
}

struct tenf_address tenf_address_zero_of(const struct tenf_address *a)
{
	return tenf_address_is_v4(a) ? tenf_address_none4 : tenf_address_none6;
}

/* IPv4 `a` lies in network/bits. */
static bool v4_in(const struct tenf_address *a, uint32_t network, unsigned bits)
{
	return tenf_address_is_v4(a) && (tenf_address_to_v4(a) ^ network) >> (32 - bits) == 0;
}

bool tenf_address_is_loopback(const struct tenf_address *a)
{
	static const struct tenf_address loopback6 = { { [15] = 1 } };

	return v4_in(a, 0x7f000000, 8) || tenf_address_equal(a, &loopback6);
}

bool tenf_address_is_multicast(const struct tenf_address *a)
{
	return v4_in(a, 0xe0000000, 4) || a->octets[0] == 0xff;
}

bool tenf_address_is_link_local(const struct tenf_address *a)
{
	return v4_in(a, 0xa9fe0000, 16) ||
	       (a->octets[0] == 0xfe && (a->octets[1] & 0xc0) == 0x80);
}

bool tenf_address_is_host(const struct tenf_address *a)
{
	return !tenf_address_is_none(a) && !tenf_address_is_loopback(a) &&
	       !tenf_address_is_multicast(a) && !tenf_address_is_link_local(a) &&
	       !(tenf_address_is_v4(a) && tenf_address_to_v4(a) == UINT32_MAX);
}

bool tenf_address_is_unique_local(const struct tenf_address *a)
{
	return (a->octets[0] & 0xfe) == 0xfc;
}

bool tenf_address_is_rfc1918(const struct tenf_address *a)
{
	return v4_in(a, 0x0a000000, 8) || v4_in(a, 0xac100000, 12) || v4_in(a, 0xc0a80000, 16);
}

enum tenf_address_class tenf_address_classify(const struct tenf_address *a)
{
	if (tenf_address_is_none(a))
		return TENF_ADDRESS_NONE;
	if (v4_in(a, 0x64400000, 10))
		return TENF_ADDRESS_CARRIER;
	if (tenf_address_is_rfc1918(a) || tenf_address_is_link_local(a) ||
	    tenf_address_is_loopback(a) || tenf_address_is_unique_local(a))
		return TENF_ADDRESS_PRIVATE;
	return TENF_ADDRESS_PUBLIC;
}

bool tenf_endpoint_equal(const struct tenf_endpoint *a, const struct tenf_endpoint *b)
{
	return a->port == b->port && tenf_address_equal(&a->address, &b->address);
}

bool tenf_prefix_contains(const struct tenf_prefix *p, const struct tenf_address *a)
{
	size_t whole = p->length / 8;
	unsigned rest = p->length % 8;

	if (memcmp(p->address.octets, a->octets, whole) != 0)
		return false;
	return rest == 0 || (p->address.octets[whole] ^ a->octets[whole]) >> (8 - rest) == 0;
}

bool tenf_address_parse(const char *text, struct tenf_address *ret)
{
	uint8_t octets[16];

	if (inet_pton(AF_INET, text, octets) == 1) {
		*ret = tenf_address_v4_octets(octets);
		return true;
	}
	if (inet_pton(AF_INET6, text, octets) == 1) {
		memcpy(ret->octets, octets, sizeof(octets));
		return true;
	}
	return false;
}

/* Parses the `len` characters at `text`, which need no terminator. */
static bool parse_part(const char *text, size_t len, struct tenf_address *ret)
{
	char copy[TENF_ADDRESS_TEXT];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return tenf_address_parse(copy, ret);
}

bool tenf_endpoint_parse(const char *text, uint16_t default_port, struct tenf_endpoint *ret)
{
	const char *host = text;
	const char *colon = strchr(text, ':');
	size_t host_len = strlen(text);
	uint64_t port = default_port;
	struct tenf_endpoint parsed;

	if (text[0] == '[') {
		const char *close = strchr(text, ']');

		if (close == NULL || (close[1] != ':' && close[1] != '\0'))
			return false;
		host = text + 1;
		host_len = (size_t)(close - host);
		colon = close[1] == ':' ? close + 1 : NULL;
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		colon = NULL; /* an IPv6 address without brackets */
	} else if (colon != NULL) {
		host_len = (size_t)(colon - text);
	}
	if (colon != NULL &&
	    (!tenf_text_number(colon + 1, strlen(colon + 1), 65535, &port) || port == 0))
		return false;
	if (!parse_part(host, host_len, &parsed.address))
		return false;
	parsed.port = (uint16_t)port;
	*ret = parsed;
	return true;
}

static bool bits_behind_are_zero(const struct tenf_prefix *p)
{
	for (unsigned bit = p->length; bit < 128; bit++) {
		if (p->address.octets[bit / 8] & (0x80u >> bit % 8))
			return false;
	}
	return true;
}

bool tenf_prefix_parse(const char *text, struct tenf_prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t host_len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct tenf_prefix parsed;
	uint64_t length;
	bool is_v4;

	if (!parse_part(text, host_len, &parsed.address))
		return false;
	is_v4 = tenf_address_is_v4(&parsed.address) && memchr(text, ':', host_len) == NULL;
	length = is_v4 ? 32 : 128;
	if (slash != NULL && !tenf_text_number(slash + 1, strlen(slash + 1), length, &length))
		return false;
	parsed.length = (unsigned)length + (is_v4 ? 96 : 0);
	if (!bits_behind_are_zero(&parsed))
		return false;
	*ret = parsed;
	return true;
}

/* inet_ntop() goes through sprintf(): ten times the work, and addresses are
 * what a short-lived command prints most. */
static void add_v4(struct tenf_text *t, const uint8_t *octets)
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			tenf_text_add_char(t, '.');
		tenf_text_add_number(t, octets[i]);
	}
}

char *tenf_address_text(const struct tenf_address *a, char *buffer)
{
	struct tenf_text t = tenf_text_of(buffer, TENF_ADDRESS_TEXT);

	if (tenf_address_is_v4(a))
		add_v4(&t, a->octets + 12);
	else
		(void)inet_ntop(AF_INET6, a->octets, buffer, TENF_ADDRESS_TEXT);
	return buffer;
}

char *tenf_endpoint_text(const struct tenf_endpoint *e, char *buffer)
{
	char address[TENF_ADDRESS_TEXT];
	bool is_v4 = tenf_address_is_v4(&e->address);
	struct tenf_text t = tenf_text_of(buffer, TENF_ENDPOINT_TEXT);

	tenf_text_add(&t, is_v4 ? "" : "[");
	tenf_text_add(&t, tenf_address_text(&e->address, address));
	tenf_text_add(&t, is_v4 ? ":" : "]:");
	tenf_text_add_number(&t, e->port);
	return buffer;
}

/* SPDX-License-Identifier: MIT */
#include "cli/hosts.h"

#include "base/address.h"
#include "base/text.h"
#include "cli/cli.h"

#include <netdb.h>
#include <string.h>

#define NAME_MAX_LEN 253 /* RFC 1035 §2.3.4 */

/* The first address the resolver gives for a name, IPv4 first: NAT is mostly
 * an IPv4 matter, and NAT-PMP speaks nothing else. */
static const char *resolve(const char *name, char *ret, size_t size)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *all = NULL;
	const struct addrinfo *best;
	int error;

	error = getaddrinfo(name, NULL, &hints, &all);
	if (error != 0 || all == NULL)
		return gai_strerror(error != 0 ? error : EAI_NONAME);
	best = all;
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next) {
		if (a->ai_family == AF_INET) {
			best = a;
			break;
		}
	}
	error = getnameinfo(best->ai_addr, best->ai_addrlen, ret, (socklen_t)size, NULL, 0,
			    NI_NUMERICHOST);
	freeaddrinfo(all);
	return error != 0 ? gai_strerror(error) : NULL;
}

/* What could be a name at all: nothing else is given to the resolver, which
 * reads "1.2.3" as an address and "0x7f000001" too. */
static bool is_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len = strlen(text);
	const char *last;

	if (len == 0 || len > NAME_MAX_LEN || strspn(text, letters) != len || text[0] == '-' ||
	    text[0] == '.')
		return false;
	last = strrchr(text, '.');
	last = last != NULL && last[1] != '\0' ? last + 1 : text;
	return last[0] < '0' || last[0] > '9';
}

/* fe80::1%eth0: the scope is the library's to understand. */
static bool is_scoped(const char *text)
{
	const char *percent = strchr(text, '%');
	char plain[TENF_ADDRESS_TEXT];
	struct tenf_address address;

	if (percent == NULL || percent[1] == '\0' || strlen(percent + 1) >= TENF_INTERFACE_SIZE ||
	    (size_t)(percent - text) >= sizeof(plain))
		return false;
	memcpy(plain, text, (size_t)(percent - text));
	plain[percent - text] = '\0';
	return tenf_address_parse(plain, &address) && !tenf_address_is_v4(&address);
}

static bool can_be_asked(const struct tenf_address *a)
{
	return !tenf_address_is_none(a) && !tenf_address_is_multicast(a);
}

static int bad_gateway(struct cli *cli, const char *text, const char *why)
{
	return cli_usage(cli, "--gateway: \"%s\" %s; write 192.168.1.1 or "
			 "192.168.1.1:5351", text, why);
}

static int resolve_gateway(struct cli *cli, const char *text, char *ret, size_t size)
{
	const char *colon = strrchr(text, ':');
	char name[NAME_MAX_LEN + 1], address[TENF_ADDRESS_SIZE];
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
	uint64_t port = TENF_DEFAULT_PORT;
	struct tenf_text t = tenf_text_of(ret, size);
	const char *why;

	if (len >= sizeof(name))
		return bad_gateway(cli, text, "is no address");
	memcpy(name, text, len);
	name[len] = '\0';
	if (colon != NULL &&
	    (!tenf_text_number(colon + 1, strlen(colon + 1), 65535, &port) || port == 0))
		return cli_usage(cli, "--gateway: \"%s\" has no port from 1 to 65535; write "
				 "192.168.1.1:5351", text);
	if (!is_name(name))
		return bad_gateway(cli, text, "is no address");
	why = resolve(name, address, sizeof(address));
	if (why != NULL)
		return cli_usage(cli, "--gateway: \"%s\" is not found (%s); write an address",
				 name, why);
	if (strchr(address, ':') != NULL) {
		tenf_text_add_char(&t, '[');
		tenf_text_add(&t, address);
		tenf_text_add_char(&t, ']');
	} else {
		tenf_text_add(&t, address);
	}
	tenf_text_add_char(&t, ':');
	tenf_text_add_number(&t, port);
	return CLI_EXIT_DONE;
}

int hosts_gateway(struct cli *cli, const char *text, char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);
	struct tenf_endpoint endpoint;

	if (tenf_endpoint_parse(text, TENF_DEFAULT_PORT, &endpoint)) {
		if (!can_be_asked(&endpoint.address))
			return bad_gateway(cli, text, "cannot be asked");
	} else if (!is_scoped(text)) {
		return resolve_gateway(cli, text, ret, size);
	}
	tenf_text_add(&t, text);
	return t.cut ? bad_gateway(cli, text, "is no address") : CLI_EXIT_DONE;
}

int hosts_address(struct cli *cli, const char *option, const char *text, char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);
	struct tenf_address address;
	const char *why;

	if (tenf_address_parse(text, &address)) {
		if (!can_be_asked(&address))
			return cli_usage(cli, "--%s: %s is not the address of a host", option,
					 text);
		tenf_text_add(&t, text);
		return CLI_EXIT_DONE;
	}
	if (!is_name(text))
		return cli_usage(cli, "--%s: \"%s\" is not a host; write an address such as "
				 "192.168.1.30", option, text);
	why = resolve(text, ret, size);
	if (why != NULL)
		return cli_usage(cli, "--%s: \"%s\" is not found (%s); write an address", option,
				 text, why);
	return CLI_EXIT_DONE;
}

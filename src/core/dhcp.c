/* SPDX-License-Identifier: MIT */
#include "core/dhcp.h"

#include "base/bytes.h"

#define V4_MIN 5 /* a length and one address */
#define V4_SIZE 4
#define V6_SIZE 16

/* RFC 7291: multicast and loopback must be thrown away. */
static bool is_usable(const struct tenf_address *a)
{
	return !tenf_address_is_none(a) && !tenf_address_is_multicast(a) &&
	       !tenf_address_is_loopback(a);
}

static void add_address(struct dhcp_servers *servers, struct dhcp_server *server,
			const struct tenf_address *address)
{
	if (!is_usable(address))
		return;
	if (server->count == DHCP_ADDRESSES_MAX)
		servers->truncated = true;
	else
		server->addresses[server->count++] = *address;
}

static void add_server(struct dhcp_servers *servers, const struct dhcp_server *server)
{
	if (server->count == 0)
		return;
	if (servers->count == DHCP_SERVERS_MAX)
		servers->truncated = true;
	else
		servers->at[servers->count++] = *server;
}

static void parse_block(struct tenf_reader block, struct dhcp_servers *servers)
{
	struct dhcp_server server = { .count = 0 };

	while (block.left >= V4_SIZE) {
		struct tenf_address address = tenf_address_v4(tenf_reader_u32(&block));

		add_address(servers, &server, &address);
	}
	add_server(servers, &server);
}

enum tenf_status dhcp_parse_v4(const uint8_t *data, size_t len, struct dhcp_servers *ret)
{
	struct tenf_reader r = tenf_reader_of(data, len);
	struct dhcp_servers servers = { .count = 0 };

	if (len < V4_MIN)
		return TENF_E_TRUNCATED;
	while (r.left > 0) {
		uint8_t size = tenf_reader_u8(&r);
		struct tenf_reader block;

		if (size == 0 || size % V4_SIZE != 0)
			return TENF_E_MALFORMED;
		block = tenf_reader_sub(&r, size);
		if (r.failed)
			return TENF_E_TRUNCATED;
		parse_block(block, &servers);
	}
	*ret = servers;
	return TENF_OK;
}

enum tenf_status dhcp_parse_v6(const uint8_t *data, size_t len, struct dhcp_servers *servers)
{
	struct tenf_reader r = tenf_reader_of(data, len);
	struct dhcp_server server = { .count = 0 };

	if (len == 0)
		return TENF_E_TRUNCATED;
	if (len % V6_SIZE != 0)
		return TENF_E_MALFORMED;
	while (r.left > 0) {
		struct tenf_address address;

		tenf_reader_copy(&r, address.octets, sizeof(address.octets));
		add_address(servers, &server, &address);
	}
	add_server(servers, &server);
	return TENF_OK;
}

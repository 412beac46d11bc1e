/* SPDX-License-Identifier: MIT */
/* Without netlink: /proc/net/route, /proc/net/ipv6_route and getifaddrs. */
#include "net/world.h"

#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LENGTH 256 /* both files have lines of up to 150 characters */
#define FIELDS_MAX 11

/* The ABI of both files: flags of <linux/route.h> and <linux/ipv6_route.h>. */
#define ROUTE_UP 0x0001u
#define ROUTE_REJECT 0x0200u
#define ROUTE_CACHE 0x01000000u

struct line {
	char text[LINE_MAX_LENGTH];
	char *fields[FIELDS_MAX];
	size_t count;
};

/* Cuts at blanks, in place. */
static void split(struct line *line)
{
	char *rest = line->text;
	char *field;

	line->count = 0;
	while (line->count < FIELDS_MAX && (field = strsep(&rest, " \t")) != NULL) {
		if (*field != '\0')
			line->fields[line->count++] = field;
	}
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static uint32_t hex(const char *text)
{
	uint32_t value = 0;

	for (; digit_of(*text) >= 0; text++)
		value = value << 4 | (uint32_t)digit_of(*text);
	return value;
}

static uint32_t decimal(const char *text)
{
	uint32_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return value;
}

typedef void (*each_line)(struct net_world *world, struct line *line);

/* A table may have a million lines: read in pieces, one line in memory. */
static int read_lines(const char *path, each_line each, struct net_world *world)
{
	char buffer[4096];
	struct line line;
	size_t used = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code;

	if (fd < 0)
		return errno;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR)) {
		for (ssize_t i = 0; i < got; i++) {
			if (buffer[i] == '\n') {
				line.text[used] = '\0';
				used = 0;
				split(&line);
				each(world, &line);
			} else if (used + 1 < sizeof(line.text)) {
				line.text[used++] = buffer[i];
			}
		}
	}
	code = got < 0 ? errno : 0;
	(void)close(fd);
	return code;
}

/* Interface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT;
 * addresses are printed as one number in the byte order of the machine. */
static void read_route4(struct net_world *world, struct line *line)
{
	struct net_route route = { .source = tenf_address_none4, .table = NET_TABLE_MAIN };
	uint32_t gateway;
	uint32_t mask;
	uint32_t flags;

	if (line->count < 8 || strcmp(line->fields[0], "Iface") == 0)
		return;
	flags = hex(line->fields[3]);
	mask = ntohl(hex(line->fields[7]));
	if (!(flags & ROUTE_UP) || flags & ROUTE_REJECT || (mask != 0 && mask != 0x80000000u))
		return;
	gateway = hex(line->fields[2]);
	route.gateway = tenf_address_v4_octets(&gateway);
	route.metric = decimal(line->fields[6]);
	route.ifindex = if_nametoindex(line->fields[0]);
	if (route.ifindex != 0)
		net_world_add_route(world, &route);
}

/* Destination and its length, source and its length, next hop, metric, count,
 * use, flags, interface; all in hexadecimal. */
static void read_route6(struct net_world *world, struct line *line)
{
	struct net_route route = { .source = tenf_address_none6, .table = NET_TABLE_MAIN,
				   .ipv6 = true };
	const char *gateway;
	uint32_t flags;

	if (line->count < 10 || strlen(line->fields[4]) != 32)
		return;
	flags = hex(line->fields[8]);
	if (!net_is_default(true, hex(line->fields[1])) || !(flags & ROUTE_UP) ||
	    flags & (ROUTE_REJECT | ROUTE_CACHE))
		return;
	gateway = line->fields[4];
	for (size_t i = 0; i < 16; i++)
		route.gateway.octets[i] = (uint8_t)(digit_of(gateway[2 * i]) << 4 |
						    digit_of(gateway[2 * i + 1]));
	route.metric = hex(line->fields[5]);
	route.ifindex = if_nametoindex(line->fields[9]);
	if (route.ifindex != 0)
		net_world_add_route(world, &route);
}

/* ---- links and addresses ----------------------------------------------------- */

static unsigned prefix_length(const struct sockaddr *mask)
{
	struct tenf_address bits;
	unsigned length = 0;
	unsigned from;

	if (!net_address_of(mask, &bits))
		return 0;
	from = mask->sa_family == AF_INET ? 96 : 0;
	while (from + length < 128 &&
	       bits.octets[(from + length) / 8] & 0x80u >> (from + length) % 8)
		length++;
	return length;
}

static void read_link(struct net_world *world, const struct ifaddrs *i, unsigned ifindex)
{
	const unsigned up = IFF_UP | IFF_RUNNING;
	struct net_link link = { .ifindex = ifindex };

	for (size_t at = 0; at < world->link_count; at++) {
		if (world->links[at].ifindex == ifindex)
			return;
	}
	link.usable = (i->ifa_flags & up) == up && !(i->ifa_flags & IFF_LOOPBACK);
	if (strlen(i->ifa_name) >= sizeof(link.name))
		return;
	memcpy(link.name, i->ifa_name, strlen(i->ifa_name));
	net_world_add_link(world, &link);
}

static void read_local(struct net_world *world, const struct ifaddrs *i, unsigned ifindex)
{
	struct net_local local = { .ifindex = ifindex };

	if (!net_address_of(i->ifa_addr, &local.address))
		return;
	local.peer = local.address;
	local.length = prefix_length(i->ifa_netmask);
	if (i->ifa_flags & IFF_POINTOPOINT)
		(void)net_address_of(i->ifa_dstaddr, &local.peer);
	if (!tenf_address_equal(&local.peer, &local.address))
		local.length = tenf_address_is_v4(&local.address) ? 32 : 128;
	net_world_add_local(world, &local);
}

/* ---- the kernel's choice ------------------------------------------------------- */

/* A connected UDP socket knows the source address the kernel would use; nothing
 * is sent. None when there is no way. */
static struct tenf_address source_towards(const struct net_opener *opener,
					  const struct tenf_address *to)
{
	struct tenf_endpoint remote = { .address = *to, .port = 9 };
	union net_sockaddr address;
	socklen_t len = net_sockaddr_of(&remote, 0, &address);
	struct tenf_address source = tenf_address_zero_of(to);
	int fd = net_open(opener, address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);

	if (fd < 0)
		return source;
	if (connect(fd, &address.any, len) == 0) {
		len = sizeof(address);
		if (getsockname(fd, &address.any, &len) == 0)
			source = net_endpoint_of(&address).address;
	}
	(void)close(fd);
	return source;
}

/* The interface that holds the source is the way out: its best route of the
 * main table, or the link itself when the route stands in another table. */
static void find_choice(const struct net_opener *opener, struct net_world *world, bool ipv6,
			unsigned only)
{
	struct net_route choice = { .ipv6 = ipv6, .metric = UINT32_MAX };

	choice.source = source_towards(opener, ipv6 ? &net_public6 : &net_public4);
	choice.gateway = tenf_address_zero_of(&choice.source);
	if (tenf_address_is_none(&choice.source))
		return;
	choice.ifindex = net_interface_of(opener, &choice.source);
	if (choice.ifindex == 0 || (only != 0 && choice.ifindex != only))
		return;
	for (size_t i = 0; i < world->route_count; i++) {
		const struct net_route *r = &world->routes[i];

		if (r->ipv6 != ipv6 || r->ifindex != choice.ifindex || r->metric >= choice.metric)
			continue;
		choice.gateway = r->gateway;
		choice.table = r->table;
		choice.metric = r->metric;
	}
	world->chosen[world->chosen_count++] = choice;
}

enum tenf_status net_world_read(const struct net_opener *opener, bool ipv6, unsigned ifindex,
				struct net_world *ret, struct net_error *reterr)
{
	struct ifaddrs *all;
	int code = read_lines("/proc/net/route", read_route4, ret);

	if (code != 0) {
		errno = code;
		(void)net_fail(reterr, "read /proc/net/route");
		return TENF_E_SYSTEM;
	}
	if (ipv6) /* no such file where IPv6 is off */
		(void)read_lines("/proc/net/ipv6_route", read_route6, ret);
	find_choice(opener, ret, false, ifindex);
	if (ipv6)
		find_choice(opener, ret, true, ifindex);
	if (getifaddrs(&all) != 0) {
		(void)net_fail(reterr, "getifaddrs");
		return TENF_E_SYSTEM;
	}
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		unsigned index = if_nametoindex(i->ifa_name);

		if (index == 0 || (!net_world_uses(ret, index) && index != ifindex))
			continue;
		read_link(ret, i, index);
		read_local(ret, i, index);
	}
	freeifaddrs(all);
	return TENF_OK;
}

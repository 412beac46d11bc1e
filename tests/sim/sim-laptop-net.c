/* SPDX-License-Identifier: MIT */
#include "sim-laptop-net.h"

#include "net/changes.h"
#include "net/clock.h"
#include "net/gateways.h"
#include "net/poll.h"
#include "net/udp.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ENDS 128   /* descriptors looked at; a process of a test has far fewer */
#define WAITING 32 /* datagrams that wait at one of them; more are lost */
#define WIFI_INDEX 2u
#define TUNNEL_INDEX 3u

enum end_kind { END_NONE, END_POLL, END_UDP, END_ANNOUNCED, END_CHANGES };

/* What is behind a descriptor. One that was closed without a word stays until
 * its number comes again; nobody reads it. */
struct end {
	enum end_kind kind;
	int poll_fd; /* that watches it; -1: none */
	uint64_t tag;
	struct tenf_endpoint local;
	unsigned ifindex;
	bool changed;
	size_t first, count;
};

static struct end ends[ENDS];
static size_t ends_used; /* numbers that ever were one */
static struct sim_packet waiting[ENDS][WAITING]; /* apart, so that ends are looked through fast */
static uint16_t next_port;
struct laptop_net laptop_net;

/* ---- Places ----------------------------------------------------------------- */

struct tenf_address laptop_net_address(enum laptop_place place)
{
	/* One address at home, most of the time; another now and then. */
	static const unsigned last[] = { 20, 77, 200, 33 };
	unsigned moved = place == PLACE_HOME ? (unsigned)(laptop_net.attached / 16 % 8) : 0;

	return tenf_address_v4(0xc0a80100u + last[place] + moved);
}

bool laptop_net_is_at(enum laptop_place place)
{
	return place == PLACE_VPN ? laptop_net.tunnel && laptop_net.wifi < PLACE_NONE :
				    laptop_net.wifi == place;
}

/* The place a link leads to now; false when it is down. */
static bool place_of(unsigned ifindex, enum laptop_place *ret)
{
	*ret = ifindex == TUNNEL_INDEX ? PLACE_VPN : laptop_net.wifi;
	return laptop_net.wifi < PLACE_NONE && (ifindex == WIFI_INDEX || laptop_net.tunnel);
}

/* ---- Descriptors ------------------------------------------------------------- */

static int open_end(enum end_kind kind)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd >= ENDS)
		__builtin_trap(); /* the test itself leaks */
	ends[fd] = (struct end){ .kind = kind, .poll_fd = -1 };
	ends_used = (size_t)fd >= ends_used ? (size_t)fd + 1 : ends_used;
	return fd;
}

static bool has_something(const struct end *end)
{
	return end->changed || end->count > 0;
}

static void put(struct end *end, const struct sim_packet *packet)
{
	if (end->count < WAITING)
		waiting[end - ends][(end->first + end->count++) % WAITING] = *packet;
}

enum tenf_status net_poll_open(int *ret_fd)
{
	*ret_fd = open_end(END_POLL);
	for (size_t i = 0; i < ends_used; i++) { /* what an earlier one of this number watched */
		if (ends[i].poll_fd == *ret_fd)
			ends[i].kind = END_NONE;
	}
	return TENF_OK;
}

enum tenf_status net_poll_add(int poll_fd, int fd, uint64_t tag)
{
	ends[fd].poll_fd = poll_fd;
	ends[fd].tag = tag;
	return TENF_OK;
}

void net_poll_remove(int poll_fd, int fd)
{
	(void)poll_fd;
	ends[fd].kind = END_NONE;
	ends[fd].poll_fd = -1;
}

size_t net_poll_ready(int poll_fd, uint64_t *ret_tags, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < ends_used && count < max; i++) {
		if (ends[i].kind != END_NONE && ends[i].poll_fd == poll_fd &&
		    has_something(&ends[i]))
			ret_tags[count++] = ends[i].tag;
	}
	return count;
}

bool laptop_net_readable(int poll_fd)
{
	uint64_t tag;

	return net_poll_ready(poll_fd, &tag, 1) > 0;
}

/* The calls that block are not for this world. */
bool net_wait(int fd, int timeout_ms)
{
	(void)fd;
	(void)timeout_ms;
	return false;
}

enum tenf_status net_changes_open(const struct net_opener *opener, int *ret_fd,
				  struct net_error *reterr)
{
	(void)opener;
	(void)reterr;
	*ret_fd = open_end(END_CHANGES);
	return TENF_OK;
}

bool net_changes_read(int fd)
{
	bool changed = ends[fd].changed;

	ends[fd].changed = false;
	return changed;
}

void laptop_net_changed(void)
{
	for (size_t i = 0; i < ends_used; i++)
		ends[i].changed = ends[i].changed || ends[i].kind == END_CHANGES;
}

/* ---- Clocks and chance ------------------------------------------------------- */

tenf_time net_now(void)
{
	return laptop_net.now;
}

int64_t net_wall_of_s(tenf_time at)
{
	return LAPTOP_WALL_S + at / TENF_SECOND;
}

int64_t net_wall_s(void)
{
	return net_wall_of_s(laptop_net.now);
}

struct tenf_random net_random(void)
{
	return tenf_seeded_random(&laptop_net.seeded);
}

/* ---- Gateways and interfaces --------------------------------------------------- */

unsigned net_interface_index(const struct net_opener *opener, const char *name)
{
	(void)opener;
	if (strcmp(name, LAPTOP_WIFI) == 0)
		return WIFI_INDEX;
	return strcmp(name, LAPTOP_TUNNEL) == 0 && laptop_net.tunnel ? TUNNEL_INDEX : 0;
}

bool net_interface_name(const struct net_opener *opener, unsigned ifindex,
			char ret[NET_INTERFACE_NAME])
{
	(void)opener;
	if (ifindex != WIFI_INDEX && ifindex != TUNNEL_INDEX)
		return false;
	memcpy(ret, ifindex == WIFI_INDEX ? LAPTOP_WIFI : LAPTOP_TUNNEL,
	       ifindex == WIFI_INDEX ? sizeof(LAPTOP_WIFI) : sizeof(LAPTOP_TUNNEL));
	return true;
}

unsigned net_interface_of(const struct net_opener *opener, const struct tenf_address *address)
{
	(void)opener;
	for (unsigned ifindex = WIFI_INDEX; ifindex <= TUNNEL_INDEX; ifindex++) {
		enum laptop_place place;
		struct tenf_address own;

		if (!place_of(ifindex, &place))
			continue;
		own = laptop_net_address(place);
		if (tenf_address_equal(&own, address))
			return ifindex;
	}
	return 0;
}

enum tenf_status net_gateways_find(const struct net_gateway_query *query,
				   struct net_gateways *ret, struct net_error *reterr)
{
	bool tunnel = query->interface != NULL && strcmp(query->interface, LAPTOP_TUNNEL) == 0;
	unsigned ifindex = tunnel ? TUNNEL_INDEX : WIFI_INDEX;
	struct net_gateway *g = &ret->at[0];
	enum laptop_place place;

	(void)reterr;
	ret->count = 0;
	ret->truncated = false;
	if (query->interface != NULL && net_interface_index(NULL, query->interface) == 0)
		return TENF_E_NOT_FOUND;
	if (!place_of(ifindex, &place))
		return TENF_OK;
	*g = (struct net_gateway){ .address = sim_gateway_address.address,
				   .source = laptop_net_address(place),
				   .ifindex = ifindex,
				   .table = 254,
				   .main_route = !tunnel,
				   .origin = tunnel ? NET_ORIGIN_PEER : NET_ORIGIN_ROUTE };
	(void)net_interface_name(NULL, ifindex, g->interface);
	ret->count = 1;
	return TENF_OK;
}

/* ---- Sockets --------------------------------------------------------------------- */

enum tenf_status net_udp_connect(const struct net_udp_options *options, int *ret_fd,
				 struct tenf_endpoint *ret_local, struct net_error *reterr)
{
	enum laptop_place place;
	struct end *end;

	(void)reterr;
	if (!place_of(options->ifindex, &place))
		return TENF_E_UNREACHABLE;
	*ret_fd = open_end(END_UDP);
	end = &ends[*ret_fd];
	end->ifindex = options->ifindex;
	next_port = (uint16_t)(next_port < 40000 ? 40000 : next_port + 1);
	end->local = (struct tenf_endpoint){ laptop_net_address(place), next_port };
	*ret_local = end->local;
	return TENF_OK;
}

enum tenf_status net_udp_send(int fd, const uint8_t *data, size_t len)
{
	struct sim_packet packet = { .way = SIM_TO_GATEWAY, .from = ends[fd].local,
				     .to = sim_gateway_address, .len = len };
	struct tenf_address own;
	enum laptop_place place;

	laptop_net.sent++;
	if (!place_of(ends[fd].ifindex, &place))
		return TENF_E_UNREACHABLE;
	own = laptop_net_address(place);
	if (!tenf_address_equal(&own, &packet.from.address))
		return TENF_E_UNREACHABLE; /* the address is no more */
	packet.host = place;
	memcpy(packet.data, data, len);
	if (place < PLACES)
		sim_net_send(&laptop_net.air, &packet, laptop_net.now);
	return TENF_OK;
}

enum tenf_status net_udp_receive(int fd, uint8_t *data, size_t size, size_t *ret_len,
				 struct tenf_endpoint *ret_from, unsigned *ret_ifindex)
{
	struct end *end = &ends[fd];
	const struct sim_packet *packet = &waiting[fd][end->first];

	if (end->count == 0)
		return TENF_E_AGAIN;
	memcpy(data, packet->data, packet->len < size ? packet->len : size);
	*ret_len = packet->len;
	*ret_from = packet->from;
	*ret_ifindex = end->kind == END_ANNOUNCED && packet->host == PLACE_VPN ? TUNNEL_INDEX :
										  WIFI_INDEX;
	end->first = (end->first + 1) % WAITING;
	end->count--;
	return TENF_OK;
}

enum tenf_status net_announcements_open(const struct net_opener *opener, bool ipv6, int *ret_fd,
					struct net_error *reterr)
{
	(void)opener;
	(void)reterr;
	if (ipv6)
		return TENF_E_SYSTEM;
	*ret_fd = open_end(END_ANNOUNCED);
	return TENF_OK;
}

enum tenf_status net_announcements_join(int fd, bool ipv6, unsigned ifindex)
{
	(void)fd;
	return !ipv6 && ifindex != 0 ? TENF_OK : TENF_E_ARGUMENT;
}

/* ---- The air ------------------------------------------------------------------------ */

static void gateway_turn(enum laptop_place place)
{
	struct sim_gateway *gateway = &laptop_net.gateways[place];
	struct responder_datagram out;

	sim_gateway_turn(gateway, laptop_net.now);
	while (sim_gateway_next_send(gateway, laptop_net.now, &out)) {
		struct sim_packet packet = { .from = out.from, .to = out.to, .len = out.len,
					     .host = place };

		if (laptop_net.silent)
			continue;
		packet.way = tenf_address_is_multicast(&out.to.address) ? SIM_ANNOUNCED :
									   SIM_TO_HOST;
		memcpy(packet.data, out.data, out.len);
		sim_net_send(&laptop_net.air, &packet, laptop_net.now);
	}
}

/* A laptop that sleeps, or went elsewhere meanwhile, hears nothing. */
static void arrive_at_laptop(const struct sim_packet *packet)
{
	if (!laptop_net.awake || !laptop_net_is_at((enum laptop_place)packet->host))
		return;
	for (size_t i = 0; i < ends_used; i++) {
		struct end *end = &ends[i];
		enum laptop_place place;

		if (packet->way == SIM_ANNOUNCED && end->kind == END_ANNOUNCED)
			put(end, packet);
		if (packet->way == SIM_TO_HOST && end->kind == END_UDP &&
		    tenf_endpoint_equal(&end->local, &packet->to) &&
		    place_of(end->ifindex, &place) && place == packet->host)
			put(end, packet);
	}
}

void laptop_net_turn(void)
{
	struct sim_packet packet;

	while (sim_net_arrive(&laptop_net.air, laptop_net.now, &packet)) {
		if (packet.way != SIM_TO_GATEWAY) {
			arrive_at_laptop(&packet);
		} else if (!laptop_net.silent) {
			sim_gateway_receive(&laptop_net.gateways[packet.host], &packet.from,
					    packet.data, packet.len, laptop_net.now);
			gateway_turn((enum laptop_place)packet.host);
		}
	}
	for (unsigned i = 0; i < PLACES; i++)
		gateway_turn((enum laptop_place)i);
}

tenf_time laptop_net_deadline(void)
{
	tenf_time first = sim_net_deadline(&laptop_net.air);

	for (unsigned i = 0; i < PLACES; i++)
		first = tenf_time_min(first,
				      responder_deadline(laptop_net.gateways[i].responder));
	return first;
}

void laptop_net_begin(uint64_t seed)
{
	static const struct sim_profile plain = { .speech = SIM_BOTH };
	static const uint32_t lifetimes_s[PLACES] = { 7200, 86400, 120 };
	struct tenf_random random;
	struct sim_faults faults = { .duplicate = 100, .latency = 2 * TENF_MILLISECOND,
				     .delay_max = 40 * TENF_MILLISECOND };

	memset(ends, 0, sizeof(ends));
	laptop_net.now = TENF_SECOND;
	laptop_net.awake = true;
	laptop_net.wifi = PLACE_NONE;
	laptop_net.tunnel = laptop_net.silent = false;
	laptop_net.attached = laptop_net.sent = 0;
	tenf_seeded_init(&laptop_net.seeded, seed ^ 0x1a9709);
	random = tenf_seeded_random(&laptop_net.seeded);
	faults.loss = (unsigned)tenf_random_below(&random, 300);
	for (unsigned i = 0; i < PLACES; i++)
		sim_gateway_init(&laptop_net.gateways[i], &plain, lifetimes_s[i], &random,
				 laptop_net.now);
	sim_net_init(&laptop_net.air, &faults, &random);
}

void laptop_net_end(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		sim_gateway_done(&laptop_net.gateways[i]);
}

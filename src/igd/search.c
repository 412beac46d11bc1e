/* SPDX-License-Identifier: MIT */
#include "igd/search.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ROUNDS 3
#define ROUND (500 * TENF_MILLISECOND)
#define HOPS 2 /* the device architecture's default for the group */

void igd_search_init(struct igd_search *s, const struct igd_way *way, int poll_fd)
{
	*s = (struct igd_search){ .way = *way,
				  .poll_fd = poll_fd,
				  .group_fd = -1,
				  .direct_fd = -1,
				  .next = TENF_NEVER,
				  .end = TENF_NEVER };
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* which takes it out of the set */
	*fd = -1;
}

void igd_search_stop(struct igd_search *s)
{
	close_fd(&s->group_fd);
	close_fd(&s->direct_fd);
	s->next = s->end = TENF_NEVER;
}

/* ---- Sockets ------------------------------------------------------------------ */

static bool is_ipv6(const struct igd_search *s)
{
	return !tenf_address_is_v4(&s->way.gateway);
}

/* Where the interface is known, the group is that of this interface. */
static void steer_group(const struct igd_search *s)
{
	struct ip_mreqn where = { .imr_ifindex = (int)s->way.ifindex };
	int index = (int)s->way.ifindex;
	int hops = HOPS;

	if (is_ipv6(s)) {
		(void)setsockopt(s->group_fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index,
				 sizeof(index));
		return;
	}
	memcpy(&where.imr_address, s->way.source.octets + 12, sizeof(where.imr_address));
	(void)setsockopt(s->group_fd, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof(where));
	(void)setsockopt(s->group_fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops));
}

static bool watch(const struct igd_search *s, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };

	return epoll_ctl(s->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Connected, so that the kernel passes on that the port is closed. */
static bool open_direct(struct igd_search *s)
{
	struct tenf_endpoint to = { s->way.gateway, IGD_SSDP_PORT };
	union igd_sockaddr address;
	socklen_t len = igd_sockaddr_of(&s->way, &to, &address);

	s->direct_fd = igd_socket_open(&s->way, SOCK_DGRAM);
	return s->direct_fd >= 0 && connect(s->direct_fd, &address.any, len) == 0 &&
	       watch(s, s->direct_fd);
}

static bool open_group(struct igd_search *s)
{
	s->group_fd = igd_socket_open(&s->way, SOCK_DGRAM);
	if (s->group_fd < 0)
		return false;
	steer_group(s);
	return watch(s, s->group_fd);
}

enum tenf_status igd_search_start(struct igd_search *s, bool patient, tenf_time now)
{
	igd_search_stop(s);
	s->count = s->taken = 0;
	s->rounds = s->datagrams = 0;
	s->patient = patient;
	if (!open_group(s) || !open_direct(s)) {
		enum tenf_status status = igd_status_of(errno);

		igd_search_stop(s);
		return status == TENF_E_AGAIN ? TENF_E_SYSTEM : status;
	}
	s->asked = s->next = now;
	s->end = now + IGD_SEARCH_WINDOW;
	igd_search_step(s, now);
	return TENF_OK;
}

/* ---- Asking and hearing --------------------------------------------------------- */

tenf_time igd_search_rest(tenf_time took)
{
	if (took >= IGD_REFUSED_MAX / IGD_REFUSED_TIMES)
		return IGD_REFUSED_MAX;
	return tenf_time_max(IGD_REFUSED_TIMES * took, IGD_REFUSED_MIN);
}

static void is_closed(struct igd_search *s, tenf_time now)
{
	if (!s->patient)
		s->end = tenf_time_min(s->end, now + igd_search_rest(now - s->asked));
}

static void ask(struct igd_search *s, bool any_device, tenf_time now)
{
	struct tenf_endpoint group = { igd_ssdp_group(is_ipv6(s)), IGD_SSDP_PORT };
	union igd_sockaddr address;
	socklen_t len = igd_sockaddr_of(&s->way, &group, &address);
	char data[256];
	struct tenf_text t = tenf_text_of(data, sizeof(data));

	igd_ssdp_write(is_ipv6(s), any_device, &t);
	/* What is not sent is what the network may lose: there are more rounds. */
	(void)!sendto(s->group_fd, data, t.used, MSG_NOSIGNAL, &address.any, len);
	if (send(s->direct_fd, data, t.used, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
		is_closed(s, now);
}

/* Some gateways answer to nothing but a search for any device; it is the second
 * question, because others answer it with all they have. */
static void ask_round(struct igd_search *s, tenf_time now)
{
	ask(s, false, now);
	if (s->rounds > 0)
		ask(s, true, now);
	s->rounds++;
	s->next = s->rounds < ROUNDS ? now + ROUND : TENF_NEVER;
}

static void take(struct igd_search *s, const char *data, size_t len)
{
	struct igd_url url;

	if (!igd_ssdp_read(data, len, &url) ||
	    !tenf_address_equal(&url.at.address, &s->way.gateway) || s->count == IGD_PLACES_MAX)
		return;
	for (size_t i = 0; i < s->count; i++) {
		if (tenf_endpoint_equal(&s->places[i].at, &url.at) &&
		    strcmp(s->places[i].path, url.path) == 0)
			return;
	}
	s->places[s->count++] = url;
}

static void receive(struct igd_search *s, int fd, tenf_time now)
{
	char data[IGD_SSDP_MAX];

	while (s->datagrams < IGD_DATAGRAMS_MAX) {
		union igd_sockaddr from = { .any.sa_family = AF_UNSPEC };
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(fd, data, sizeof(data), MSG_TRUNC, &from.any, &len);
		struct tenf_address address;

		if (got < 0 && errno == ECONNREFUSED) {
			is_closed(s, now);
			continue;
		}
		if (got < 0)
			return;
		s->datagrams++;
		if (igd_address_of(&from, &address) &&
		    tenf_address_equal(&address, &s->way.gateway) && (size_t)got <= sizeof(data))
			take(s, data, (size_t)got);
	}
	s->end = now; /* somebody floods: what is there is all there will be */
}

void igd_search_step(struct igd_search *s, tenf_time now)
{
	if (igd_search_is_over(s))
		return;
	if (s->next <= now)
		ask_round(s, now);
	receive(s, s->direct_fd, now);
	receive(s, s->group_fd, now);
	if (s->end <= now)
		igd_search_stop(s);
}

bool igd_search_next(struct igd_search *s, struct igd_url *ret)
{
	if (s->taken == s->count)
		return false;
	*ret = s->places[s->taken++];
	return true;
}

bool igd_search_is_over(const struct igd_search *s)
{
	return s->group_fd < 0;
}

tenf_time igd_search_deadline(const struct igd_search *s)
{
	return tenf_time_min(s->next, s->end);
}

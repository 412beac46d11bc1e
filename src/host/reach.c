/* SPDX-License-Identifier: MIT */
#include "host/reach.h"

#include "hops/search.h"
#include "host/stun.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STUN_FIRST_MS 500 /* RFC 8489 §6.2.1, doubled each time */

static socklen_t to_system(const struct tenf_endpoint *e, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (tenf_address_is_v4(&e->address)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		v4->sin_addr.s_addr = htonl(tenf_address_to_v4(&e->address));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(e->port);
	memcpy(&v6->sin6_addr, e->address.octets, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

static enum host_reach reach_of(int error)
{
	if (error == ECONNREFUSED)
		return HOST_REFUSED;
	return error == ETIMEDOUT ? HOST_SILENT : HOST_NO_WAY;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* True when the descriptor got ready within the time; signals do not lengthen it. */
static bool wait_for(int fd, short events, unsigned timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	struct pollfd waiting = { .fd = fd, .events = events };
	int ready;

	do {
		int64_t left = end - now_ms();

		ready = poll(&waiting, 1, left > 0 ? (int)left : 0);
	} while (ready < 0 && errno == EINTR && now_ms() < end);
	return ready > 0;
}

static enum host_reach connected(int fd, unsigned timeout_ms)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (!wait_for(fd, POLLOUT, timeout_ms))
		return HOST_SILENT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	return error == 0 ? HOST_OPEN : reach_of(error);
}

static int open_to(const struct tenf_endpoint *to, int kind, enum host_reach *ret)
{
	struct sockaddr_storage address;
	socklen_t len = to_system(to, &address);
	int fd = socket(address.ss_family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*ret = HOST_OPEN;
	if (fd < 0) {
		*ret = HOST_NO_WAY;
	} else if (connect(fd, (struct sockaddr *)&address, len) != 0 && errno != EINPROGRESS) {
		*ret = reach_of(errno);
	}
	return fd;
}

enum host_reach host_reach_tcp(const struct tenf_endpoint *to, unsigned timeout_ms)
{
	enum host_reach reach;
	int fd = open_to(to, SOCK_STREAM, &reach);

	if (reach == HOST_OPEN)
		reach = connected(fd, timeout_ms);
	if (fd >= 0)
		close(fd);
	return reach;
}

/* A connected socket hears its peer alone. */
static enum host_reach exchange(int fd, const void *data, size_t len, unsigned timeout_ms,
				void *ret_answer, size_t *ret_len)
{
	char nothing[1];
	ssize_t got;

	if (send(fd, data, len, 0) < 0)
		return reach_of(errno);
	if (!wait_for(fd, POLLIN, timeout_ms))
		return HOST_SILENT;
	got = ret_answer != NULL ? recv(fd, ret_answer, *ret_len, 0) :
				   recv(fd, nothing, sizeof(nothing), 0);
	if (got < 0)
		return reach_of(errno);
	if (ret_answer != NULL)
		*ret_len = (size_t)got;
	return HOST_OPEN;
}

enum host_reach host_reach_udp(const struct tenf_endpoint *to, const void *data, size_t len,
			       unsigned timeout_ms, void *ret_answer, size_t *ret_len)
{
	enum host_reach reach;
	int fd = open_to(to, SOCK_DGRAM, &reach);

	if (reach == HOST_OPEN)
		reach = exchange(fd, data, len, timeout_ms, ret_answer, ret_len);
	if (fd >= 0)
		close(fd);
	return reach;
}

enum tenf_status host_stun(const struct tenf_endpoint *server, unsigned timeout_ms,
			   struct tenf_endpoint *ret)
{
	uint8_t id[STUN_ID_SIZE], request[STUN_REQUEST_SIZE], answer[STUN_ANSWER_MAX];
	int64_t end = now_ms() + timeout_ms;
	unsigned wait_ms = STUN_FIRST_MS;
	enum host_reach reach = HOST_SILENT;

	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return TENF_E_SYSTEM;
	stun_write_request(id, request);
	while (reach == HOST_SILENT && now_ms() < end) {
		int64_t left = end - now_ms();
		size_t len = sizeof(answer);
		unsigned wait = left < (int64_t)wait_ms ? (unsigned)(left > 0 ? left : 0) : wait_ms;

		reach = host_reach_udp(server, request, sizeof(request), wait, answer, &len);
		if (reach == HOST_OPEN)
			return stun_read_answer(id, answer, len, ret);
		wait_ms *= 2;
	}
	return reach == HOST_SILENT ? TENF_E_AGAIN : TENF_E_UNREACHABLE;
}

bool host_hop(unsigned hops, unsigned timeout_ms, struct tenf_address *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool found = fd >= 0 && hop_search_send(fd, "", hops) &&
		     wait_for(fd, POLLERR, timeout_ms) && hop_search_read(fd, ret);

	if (fd >= 0)
		close(fd);
	return found;
}

bool host_can_share_port(uint16_t port)
{
	struct tenf_endpoint all = { tenf_address_none4, port };
	struct sockaddr_storage address;
	socklen_t len = to_system(&all, &address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	bool can;

	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	can = bind(fd, (struct sockaddr *)&address, len) == 0 || errno != EADDRINUSE;
	close(fd);
	return can;
}

bool host_free_port(enum tenf_protocol protocol, uint16_t *ret)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int kind = protocol == TENF_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
	bool found = fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
		     getsockname(fd, (struct sockaddr *)&address, &len) == 0;

	if (fd >= 0)
		close(fd);
	if (found)
		*ret = ntohs(address.sin_port);
	return found;
}

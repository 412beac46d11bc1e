/* SPDX-License-Identifier: MIT */
/*
 * Load for a gateway, many datagrams a system call on both ways, and the echo that
 * shows what the machine itself can do.
 *
 *   bench-storm echo ADDR:PORT             answers every request, decides nothing
 *   bench-storm fill ADDR:PORT COUNT       maps UDP ports 1024…, until all are granted
 *   bench-storm rate ADDR:PORT COUNT S     renews them for S seconds, WINDOW under way
 *   bench-storm turn ADDR:PORT COUNT S     the same, one after the other
 *   bench-storm wait ADDR:PORT             until the first answer
 *   bench-storm flow ADDR COUNT PORTS      sends the first datagram of COUNT flows to
 *                                          that many ports from 1024 up
 *   bench-storm junk ADDR:PORT S           random octets, as fast as they go
 *   bench-storm spoof ADDR:PORT S NET      requests from 250 addresses of NET.0/24 (raw)
 *
 * STORM_SOURCE=ADDR in the environment is the source, STORM_WINDOW=N how many may be
 * under way; STORM_HOSTS=N sends fill and rate from so many addresses in turn, from
 * STORM_SOURCE up.
 * A line of numbers each: fill and rate "answers seconds lost", turn "answers
 * seconds p50_us p99_us", wait "ms", flow "ns" (the median of a sendto), junk and
 * spoof "sent".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define WINDOW 256
#define REQUEST 12
#define ANSWER 16
#define FIRST_PORT 1024
#define LIFETIME_S 3600
#define SAMPLES 2000000
#define SILENCE_MS 250
#define GIVE_UP_S 120

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_in from[BATCH]; /* or to whom */
	uint8_t octets[BATCH][128];
	_Alignas(struct cmsghdr) uint8_t source[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static struct batch in, out;

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in place(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char host[64];
	const char *colon = strchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);

	if (len < sizeof(host)) {
		memcpy(host, text, len);
		host[len] = '\0';
		if (inet_pton(AF_INET, host, &address.sin_addr) == 1) {
			address.sin_port = htons((uint16_t)(colon ? atoi(colon + 1) : 0));
			return address;
		}
	}
	(void)fprintf(stderr, "bench-storm: \"%s\" is no ADDR:PORT\n", text);
	exit(2);
}

static int open_socket(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = 8 << 20;
	const char *source = getenv("STORM_SOURCE");

	if (fd < 0)
		fail("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (to != NULL && getenv("STORM_HOSTS") != NULL)
		return fd; /* each datagram says whence and whither */
	if (to != NULL && source != NULL) {
		struct sockaddr_in from = place(source);

		if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) != 0)
			fail("bind");
	}
	if (to != NULL && connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0)
		fail("connect");
	return fd;
}

static void prepare(struct batch *b, bool named)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->parts[i] = (struct iovec){ b->octets[i], sizeof(b->octets[i]) };
		b->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &b->parts[i],
							  .msg_iovlen = 1 };
		if (named) {
			b->messages[i].msg_hdr.msg_name = &b->from[i];
			b->messages[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		}
	}
}

/* ---- The echo --------------------------------------------------------- */

static void answer(uint8_t *octets)
{
	octets[1] |= 0x80;
	memmove(octets + 8, octets + 4, 8);
	memset(octets + 2, 0, 6);
}

static void echo(const char *where)
{
	struct sockaddr_in address = place(where);
	int fd = open_socket(NULL);

	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		fail("bind");
	(void)printf("ready\n");
	(void)fflush(stdout);
	for (;;) {
		int count, sent = 0;

		prepare(&in, true);
		count = recvmmsg(fd, in.messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < count; i++) {
			answer(in.octets[i]);
			in.parts[i].iov_len = ANSWER;
		}
		while (sent < count) {
			int done = sendmmsg(fd, in.messages + sent, (unsigned)(count - sent), 0);

			sent += done > 0 ? done : 1;
		}
	}
}

/* ---- Mappings --------------------------------------------------------- */

static void write_request(uint8_t *octets, uint16_t port)
{
	const uint16_t ports[] = { htons(port), htons(port) };
	const uint32_t lifetime = htonl(LIFETIME_S);

	memset(octets, 0, 4);
	octets[1] = 1; /* NAT-PMP: map UDP */
	memcpy(octets + 4, ports, sizeof(ports));
	memcpy(octets + 8, &lifetime, sizeof(lifetime));
}

/* The internal port of a grant, 0 for anything else. */
static uint16_t granted(const uint8_t *octets, size_t len)
{
	uint16_t port;

	if (len != ANSWER || octets[1] != 0x81 || octets[2] != 0 || octets[3] != 0)
		return 0;
	memcpy(&port, octets + 8, sizeof(port));
	return ntohs(port);
}

struct load {
	int fd;
	struct sockaddr_in to;
	uint32_t source; /* the first of `hosts` */
	unsigned hosts;  /* 0: one, by a connected socket */
	unsigned count; /* of ports */
	unsigned next;
	unsigned window;
	uint64_t under_way, answers, lost;
	bool *done; /* ports granted, or NULL: go round for ever */
	unsigned left;
};

static bool next_port(struct load *l, uint16_t *ret)
{
	for (unsigned tries = 0; tries < l->count; tries++) {
		unsigned i = l->next;

		l->next = (l->next + 1) % l->count;
		if (l->done == NULL || !l->done[i]) {
			*ret = (uint16_t)(FIRST_PORT + i);
			return true;
		}
	}
	return false;
}

/* The port says which host asks. */
static void say_whence(const struct load *l, unsigned i, uint16_t port)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(l->source + port % l->hosts) };
	struct cmsghdr *c = (void *)out.source[i];

	out.from[i] = l->to;
	*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO,
			       .cmsg_len = CMSG_LEN(sizeof(info)) };
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	out.messages[i].msg_hdr.msg_name = &out.from[i];
	out.messages[i].msg_hdr.msg_namelen = sizeof(out.from[i]);
	out.messages[i].msg_hdr.msg_control = c;
	out.messages[i].msg_hdr.msg_controllen = CMSG_SPACE(sizeof(info));
}

static void send_some(struct load *l)
{
	unsigned count = 0;
	uint16_t port;
	int sent;

	while (count < BATCH && l->under_way + count < l->window && next_port(l, &port)) {
		write_request(out.octets[count], port);
		if (l->hosts > 0)
			say_whence(l, count, port);
		out.parts[count++].iov_len = REQUEST;
	}
	if (count == 0)
		return;
	sent = sendmmsg(l->fd, out.messages, count, 0);
	if (sent > 0)
		l->under_way += (unsigned)sent;
}

static void receive_some(struct load *l)
{
	struct pollfd wait = { .fd = l->fd, .events = POLLIN };
	int count;

	if (poll(&wait, 1, SILENCE_MS) <= 0) {
		l->lost += l->under_way;
		l->under_way = 0;
		return;
	}
	prepare(&in, false);
	count = recvmmsg(l->fd, in.messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		uint16_t port = granted(in.octets[i], in.messages[i].msg_len);

		l->under_way -= l->under_way > 0;
		if (port < FIRST_PORT || port - FIRST_PORT >= (int)l->count)
			continue;
		l->answers++;
		if (l->done != NULL && !l->done[port - FIRST_PORT]) {
			l->done[port - FIRST_PORT] = true;
			l->left--;
		}
	}
}

static int storm(const char *where, unsigned count, double seconds, bool fill)
{
	struct sockaddr_in to = place(where);
	const char *window = getenv("STORM_WINDOW");
	const char *hosts = getenv("STORM_HOSTS");
	const char *source = getenv("STORM_SOURCE");
	struct load l = { .fd = open_socket(&to), .count = count, .left = count, .to = to,
			  .window = window != NULL ? (unsigned)atoi(window) : WINDOW,
			  .hosts = hosts != NULL && source != NULL ? (unsigned)atoi(hosts) : 0 };
	int64_t start = now_ns();
	int64_t end = start + (int64_t)((fill ? GIVE_UP_S : seconds) * 1e9);

	if (l.hosts > 0)
		l.source = ntohl(place(source).sin_addr.s_addr);
	if (fill)
		l.done = calloc(count, sizeof(*l.done));
	prepare(&out, false);
	while (now_ns() < end && (!fill || l.left > 0)) {
		send_some(&l);
		receive_some(&l);
	}
	(void)printf("%llu %.6f %llu\n", fill ? (unsigned long long)(count - l.left)
					      : (unsigned long long)l.answers,
		     (double)(now_ns() - start) / 1e9, (unsigned long long)l.lost);
	free(l.done);
	return fill && l.left > 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int turn(const char *where, unsigned count, double seconds)
{
	static uint32_t took[SAMPLES];
	struct sockaddr_in to = place(where);
	struct load l = { .fd = open_socket(&to), .count = count };
	int64_t start = now_ns();
	size_t answers = 0;

	while (now_ns() < start + (int64_t)(seconds * 1e9) && answers < SAMPLES) {
		struct pollfd wait = { .fd = l.fd, .events = POLLIN };
		uint8_t octets[128];
		uint16_t port = 0;
		int64_t since = now_ns();

		(void)next_port(&l, &port);
		write_request(octets, port);
		if (send(l.fd, octets, REQUEST, 0) < 0 || poll(&wait, 1, 1000) <= 0) {
			took[answers++] = 1000000; /* lost counts as a second */
			continue;
		}
		if (recv(l.fd, octets, sizeof(octets), 0) > 0)
			took[answers++] = (uint32_t)((now_ns() - since) / 1000);
	}
	qsort(took, answers, sizeof(took[0]), compare);
	(void)printf("%zu %.6f %u %u\n", answers, (double)(now_ns() - start) / 1e9,
		     answers > 0 ? took[answers / 2] : 0,
		     answers > 0 ? took[answers * 99 / 100] : 0);
	return answers == 0;
}

static int wait_for(const char *where)
{
	struct sockaddr_in to = place(where);
	int fd = open_socket(&to);
	int64_t start = now_ns();

	while (now_ns() < start + (int64_t)GIVE_UP_S * 1000000000) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		uint8_t octets[128] = { 0, 0 };

		(void)send(fd, octets, 2, 0);
		if (poll(&wait, 1, 1) > 0 && recv(fd, octets, sizeof(octets), 0) > 0) {
			(void)printf("%.3f\n", (double)(now_ns() - start) / 1e6);
			return 0;
		}
	}
	return 1;
}

/* ---- Packets ---------------------------------------------------------- */

/* Over a veth a sendto lasts until the packet lies in the receiver's queue, so it is
 * the cost of the whole path. */
static int flow(const char *where, unsigned count, unsigned ports)
{
	struct sockaddr_in to = place(where);
	uint32_t *took = calloc(count, sizeof(*took));

	for (unsigned i = 0; took != NULL && i < count; i++) {
		int fd = open_socket(NULL);
		int64_t since;

		to.sin_port = htons((uint16_t)(FIRST_PORT + (i * 7919u) % ports));
		since = now_ns();
		(void)sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to));
		took[i] = (uint32_t)(now_ns() - since);
		(void)close(fd);
	}
	if (took == NULL)
		return 1;
	qsort(took, count, sizeof(*took), compare);
	(void)printf("%u\n", took[count / 2]);
	free(took);
	return 0;
}

static int junk(const char *where, double seconds)
{
	struct sockaddr_in to = place(where);
	int fd = open_socket(&to);
	int64_t end = now_ns() + (int64_t)(seconds * 1e9);
	uint64_t sent = 0;
	uint32_t seed = 1;

	prepare(&out, false);
	while (now_ns() < end) {
		int done;

		for (unsigned i = 0; i < BATCH; i++) {
			for (size_t k = 0; k < sizeof(out.octets[i]); k++) {
				seed = seed * 1103515245u + 12345u;
				out.octets[i][k] = (uint8_t)(seed >> 16);
			}
			out.octets[i][0] = i % 2 ? 2 : 0; /* half of it looks like PCP */
		}
		done = sendmmsg(fd, out.messages, BATCH, 0);
		sent += done > 0 ? (unsigned)done : 0;
	}
	(void)printf("%llu\n", (unsigned long long)sent);
	return 0;
}

static int spoof(const char *where, double seconds, const char *net)
{
	struct sockaddr_in to = place(where);
	struct sockaddr_in from = place(net);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	int64_t end = now_ns() + (int64_t)(seconds * 1e9);
	uint64_t sent = 0;

	if (fd < 0)
		fail("raw socket");
	while (now_ns() < end) {
		struct {
			struct iphdr ip;
			struct udphdr udp;
			uint8_t request[REQUEST];
		} packet = { .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP } };

		packet.ip.tot_len = htons(sizeof(packet));
		packet.ip.saddr = htonl(ntohl(from.sin_addr.s_addr) + (uint32_t)(sent % 250) + 3);
		packet.ip.daddr = to.sin_addr.s_addr;
		packet.udp.source = htons(5000);
		packet.udp.dest = to.sin_port;
		packet.udp.len = htons(sizeof(packet.udp) + REQUEST);
		write_request(packet.request, (uint16_t)(FIRST_PORT + sent / 250 % 60000));
		if (sendto(fd, &packet, sizeof(packet), 0, (const struct sockaddr *)&to,
			   sizeof(to)) > 0)
			sent++;
	}
	(void)printf("%llu\n", (unsigned long long)sent);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	double seconds = argc > 4 ? strtod(argv[4], NULL) : 0;

	if (argc == 3 && strcmp(verb, "echo") == 0)
		echo(argv[2]); /* until it is ended */
	if (argc == 3 && strcmp(verb, "wait") == 0)
		return wait_for(argv[2]);
	if (argc == 4 && strcmp(verb, "fill") == 0 && count > 0 && count <= 64000)
		return storm(argv[2], count, 0, true);
	if (argc == 5 && strcmp(verb, "rate") == 0 && count > 0 && count <= 64000)
		return storm(argv[2], count, seconds, false);
	if (argc == 5 && strcmp(verb, "turn") == 0 && count > 0 && count <= 64000)
		return turn(argv[2], count, seconds);
	if (argc == 5 && strcmp(verb, "flow") == 0 && count > 0 && seconds >= 1)
		return flow(argv[2], count, (unsigned)seconds);
	if (argc == 4 && strcmp(verb, "junk") == 0)
		return junk(argv[2], strtod(argv[3], NULL));
	if (argc == 5 && strcmp(verb, "spoof") == 0)
		return spoof(argv[2], strtod(argv[3], NULL), argv[4]);
	(void)fprintf(stderr, "bench-storm: see the head of bench/storm.c\n");
	return 2;
}

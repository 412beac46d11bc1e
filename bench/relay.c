/* SPDX-License-Identifier: MIT */
/*
 * A stretch of network between two interfaces, for kernels without netem: it
 * carries Ethernet frames from one to the other and back, and keeps those of
 * port mapping (UDP port 5351 over IPv4) waiting, or loses them, by a seed.
 * Everything else goes through at once, so that ARP does not count.
 *
 *   bench-relay IFNAME IFNAME [--delay-ms N] [--loss PERCENT] [--seed N]
 *
 * Delay and loss are of one way. Addresses stay as they are, which PCP
 * needs: its packets carry the client's.
 */
#include "base/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVICE_PORT 5351
#define FRAME_MAX 2048
#define WAITING_MAX 1024 /* of one direction; what comes on top is lost */

#define IP_AT 14
#define UDP_PROTOCOL 17

struct frame {
	int64_t due_us;
	size_t len;
	uint8_t octets[FRAME_MAX];
};

/* One way: frames keep their order, for the delay is the same for all. */
struct way {
	int from, to;
	size_t first, count;
	struct frame waiting[WAITING_MAX];
};

struct options {
	int64_t delay_us;
	unsigned loss;
	uint64_t seed;
};

static int64_t now_us(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_interface(const char *name)
{
	unsigned ifindex = if_nametoindex(name);
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)ifindex };
	struct packet_mreq all = { .mr_ifindex = (int)ifindex, .mr_type = PACKET_MR_PROMISC };
	int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (ifindex == 0 || fd < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		die(name);
	return fd;
}

static unsigned u16_at(const struct frame *f, size_t at)
{
	return (unsigned)f->octets[at] << 8 | f->octets[at + 1];
}

/* Where its UDP header begins; 0 when it is another kind of packet. */
static size_t udp_at(const struct frame *f)
{
	size_t at;

	if (f->len < IP_AT + 28 || u16_at(f, 12) != ETHERTYPE_IP || f->octets[IP_AT] >> 4 != 4 ||
	    f->octets[IP_AT + 9] != UDP_PROTOCOL)
		return 0;
	at = IP_AT + (size_t)(f->octets[IP_AT] & 15) * 4;
	return f->len >= at + 8 ? at : 0;
}

static void pass(int to, const struct frame *f)
{
	(void)!send(to, f->octets, f->len, 0); /* a full queue is a lost frame */
}

static void take(struct way *way, const struct options *options, const struct tenf_random *random)
{
	struct frame *f = &way->waiting[(way->first + way->count) % WAITING_MAX];
	ssize_t got = recv(way->from, f->octets, sizeof(f->octets), 0);
	size_t udp;

	if (got <= 0 || way->count == WAITING_MAX - 1)
		return;
	f->len = (size_t)got;
	udp = udp_at(f);
	/* The sender left the sum to hardware that is not there; zero means none. */
	if (udp != 0)
		f->octets[udp + 6] = f->octets[udp + 7] = 0;
	if (udp == 0 || (u16_at(f, udp) != SERVICE_PORT && u16_at(f, udp + 2) != SERVICE_PORT)) {
		pass(way->to, f);
		return;
	}
	if (tenf_random_below(random, 100) < options->loss)
		return;
	f->due_us = now_us() + options->delay_us;
	way->count++;
}

static void pass_due(struct way *way)
{
	while (way->count > 0 && way->waiting[way->first].due_us <= now_us()) {
		pass(way->to, &way->waiting[way->first]);
		way->first = (way->first + 1) % WAITING_MAX;
		way->count--;
	}
}

/* Until the first frame of both ways is due; an hour when there is none. */
static struct timespec left(const struct way *ways)
{
	int64_t first_us = now_us() + 3600 * (int64_t)1000000, us;

	for (int i = 0; i < 2; i++) {
		if (ways[i].count > 0 && ways[i].waiting[ways[i].first].due_us < first_us)
			first_us = ways[i].waiting[ways[i].first].due_us;
	}
	us = first_us - now_us();
	us = us > 0 ? us : 0;
	return (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
}

static bool read_options(char **at, struct options *ret)
{
	*ret = (struct options){ .seed = 1 };
	for (; at[0] != NULL && at[1] != NULL; at += 2) {
		unsigned long value = strtoul(at[1], NULL, 10);

		if (strcmp(at[0], "--delay-ms") == 0)
			ret->delay_us = (int64_t)value * 1000;
		else if (strcmp(at[0], "--loss") == 0)
			ret->loss = (unsigned)value;
		else if (strcmp(at[0], "--seed") == 0)
			ret->seed = value;
		else
			return false;
	}
	return at[0] == NULL;
}

int main(int argc, char **argv)
{
	static struct way ways[2];
	struct options options;
	struct tenf_seeded seeded;
	struct tenf_random random;

	if (argc < 3 || !read_options(argv + 3, &options)) {
		fputs("bench-relay IFNAME IFNAME [--delay-ms N] [--loss PERCENT] [--seed N]\n",
		      stderr);
		return 2;
	}
	ways[0].from = ways[1].to = open_interface(argv[1]);
	ways[1].from = ways[0].to = open_interface(argv[2]);
	tenf_seeded_init(&seeded, options.seed);
	random = tenf_seeded_random(&seeded);
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	puts("ready");
	(void)fflush(stdout);
	for (;;) {
		struct timespec timeout = left(ways);
		struct pollfd fds[2] = { { .fd = ways[0].from, .events = POLLIN },
					 { .fd = ways[1].from, .events = POLLIN } };

		if (ppoll(fds, 2, &timeout, NULL) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < 2; i++) {
			if (fds[i].revents != 0)
				take(&ways[i], &options, &random);
			pass_due(&ways[i]);
		}
	}
}

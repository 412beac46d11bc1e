/* SPDX-License-Identifier: MIT */
/*
 * A computer that is what the script says: it stands for the edge of src/host, so
 * that a test says who listens, what the firewall does and what answers.
 */
#ifndef TENF_TESTS_CLI_FAKE_HOST_H
#define TENF_TESTS_CLI_FAKE_HOST_H

#include "host/host.h"
#include "host/reach.h"

#define FAKE_REACHED 64
#define FAKE_LISTENERS 16

/* What answers at an endpoint; the first that fits counts. */
struct fake_place {
	const char *endpoint; /* "203.0.113.7:8080"; NULL: any */
	enum host_reach tcp, udp;
};

struct fake_host {
	/* script */
	struct host host;       /* copied; sockets are those of `listeners` */
	struct host_socket listeners[FAKE_LISTENERS];
	const char *ruleset;    /* JSON; NULL: cannot be read */
	struct fake_place places[FAKE_REACHED];
	struct host_route route;
	int route_error;
	enum tenf_status stun;
	const char *seen_by_stun; /* "203.0.113.7:40000" */
	const char *outer;        /* the second router; NULL: none says so */
	bool port_is_taken;       /* what host_can_share_port() denies */
	/* seen */
	char reached[FAKE_REACHED][TENF_ENDPOINT_TEXT + 4]; /* "tcp 203.0.113.7:8080" */
	size_t reached_count;
	unsigned open; /* and not done */
};

extern struct fake_host fake_host;

/* eth0 with 192.168.1.20, a default route to 192.168.1.1, no listener, no rules;
 * every connection is silent. */
void fake_host_reset(void);
void fake_host_address(const char *address, uint32_t interface);
/* "0.0.0.0:22"; `program` is "" for one of another user. */
void fake_host_listen(enum tenf_protocol protocol, const char *endpoint, const char *program,
		      const char *unit);
void fake_host_answer(const char *endpoint, enum host_reach tcp, enum host_reach udp);

#endif

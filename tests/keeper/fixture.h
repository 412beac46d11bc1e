/* SPDX-License-Identifier: MIT */
/*
 * The whole client engine against a fake gateway in virtual time. Datagrams are
 * answered after `rtt`; events are collected as they come; what was sent is
 * counted and its times are kept.
 */
#ifndef TENF_TESTS_KEEPER_FIXTURE_H
#define TENF_TESTS_KEEPER_FIXTURE_H

#include "gateway.h"
#include "keeper/engine.h"

#define EVENTS_MAX 256
#define PACKETS_MAX 1024
#define VERDICT (5 * TENF_SECOND)
#define GATEWAY "192.168.1.1:5351"
#define SOURCE "192.168.1.20"

struct packet {
	tenf_time at;
	bool pcp;
	uint8_t opcode;
	bool deletes;
	uint16_t internal_port;
	uint16_t external_port;
	enum tenf_protocol protocol;
	uint32_t lifetime_s;
	bool prefer_failure;
	bool described;
	unsigned filters; /* FILTER options, the one that clears among them */
	bool clears_filters;
	uint8_t nonce[PCP_NONCE];
	struct tenf_address client;
	struct tenf_address external_address;
};

struct world {
	struct engine engine;
	struct tenf_seeded seeded;
	struct fake_gateway gateway;
	bool connected; /* the engine was told of the gateway */
	tenf_time now;
	tenf_duration rtt;
	struct engine_event events[EVENTS_MAX];
	size_t event_count;
	size_t event_next; /* the next that expect_event looks at */
	size_t answers_left; /* packets that are still answered */
	bool keep_events_waiting; /* nobody takes them */
	bool ignore_events;       /* they are taken and forgotten */
	struct packet packets[PACKETS_MAX]; /* the first of them */
	size_t packet_count;                /* all of them */
	size_t map_requests;
	/* Allocation that fails at the n-th call from now; 0: never. */
	unsigned fail_at;
	struct tenf_memory memory;
};

int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

struct tenf_endpoint endpoint_of(const char *text);
struct tenf_address address_of(const char *text);

/* Begins anew with other protocols. */
void world_restart(struct world *w, unsigned methods, bool watch);
/* Tells of a gateway (the fake one, whatever its address), or of none (NULL). */
void world_connect(struct world *w, const char *gateway, const char *source);
/* Sends what is due, lets the gateway answer, takes the events. */
void world_flush(struct world *w);
void world_run(struct world *w, tenf_time until);
void world_pass(struct world *w, tenf_duration time);

/* A kept TCP mapping of `port` for 7200 s, any external port. */
struct keeper_wish wish_of(uint16_t port);
uint32_t world_add(struct world *w, const struct keeper_wish *wish, bool both);
/* The mapping as it is; fails when there is none. */
struct keeper_view world_view(const struct world *w, uint32_t id);
void world_announce(struct world *w);
/* An unasked MAP answer for the mapping. */
void world_update(struct world *w, uint32_t id, uint8_t result, uint16_t external_port,
		  uint32_t lifetime_s, uint32_t epoch_s);

/* The next event is of this kind, of this mapping (0: whatever). */
const struct engine_event *expect_event(struct world *w, enum tenf_event_kind kind, uint32_t id);
void expect_no_event(const struct world *w);
/* Forgets events and packets so far. */
void world_forget(struct world *w);
const struct packet *last_packet(const struct world *w);
/* The n-th packet (from 0) that maps or deletes this port; NULL when there is none. */
const struct packet *packet_nth(const struct world *w, enum tenf_protocol protocol, uint16_t port,
				bool deletes, size_t n);

#endif

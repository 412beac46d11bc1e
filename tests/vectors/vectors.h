/* SPDX-License-Identifier: MIT */
/*
 * The golden packets and clock tables as C, so that no test needs a JSON
 * parser. The tables are made by to_c.py from the files beside it and live as
 * long as the program. What a packet does not say is VECTOR_UNSET in a number
 * of `expect`, and a missing bit of `has` in `decoded`.
 */
#ifndef TENF_TESTS_VECTORS_H
#define TENF_TESTS_VECTORS_H

#include "base/address.h"

#define VECTOR_UNSET (-1)

enum vector_protocol {
	VECTOR_NO_PROTOCOL,
	VECTOR_NATPMP,
	VECTOR_PCP,
	VECTOR_EITHER, /* the empty datagram */
};

enum vector_direction {
	VECTOR_REQUEST,      /* to the gateway */
	VECTOR_RESPONSE,     /* unicast to the client */
	VECTOR_ANNOUNCEMENT, /* multicast to clients */
};

enum vector_action {
	VECTOR_DROP,
	VECTOR_REPLY,    /* gateway */
	VECTOR_ACCEPT,   /* client, and the ones below */
	VECTOR_ERROR,
	VECTOR_FALLBACK, /* ask again with the older protocol `to` */
	VECTOR_RETRY,    /* ask again with the protocol `to` */
};

/* What the gateway must be told or have before the packet comes. */
enum vector_state {
	VECTOR_STATE_NONE,
	VECTOR_STATE_NATPMP_OFF,
	VECTOR_STATE_PCP_OFF,
	VECTOR_STATE_OTHER_NONCE,    /* TCP 8080 of this host is held with another nonce */
	VECTOR_STATE_STATIC,         /* TCP 22 of this host is statically mapped */
	VECTOR_STATE_EXTERNAL_TAKEN, /* external TCP 9000 belongs to another host */
	VECTOR_STATE_WAN_SIDE,       /* the packet comes in on the WAN interface */
};

struct vector_policy {
	bool third_party; /* THIRD_PARTY is allowed */
	bool port_set;    /* only for a gateway that implements PORT_SET */
	enum vector_state state;
};

struct vector_expect {
	enum vector_action action;
	enum vector_protocol format; /* of the reply */
	enum vector_protocol to;     /* FALLBACK, RETRY */
	int64_t result;
	const char *result_name; /* or NULL */
	int64_t length;          /* octets */
	int64_t version;
	int64_t opcode; /* as on the wire, with the answer bit */
	int64_t lifetime_s;
	int64_t internal_port;
	int64_t external_port;
	int64_t external_family; /* 4 or 6 */
	int64_t hold_s;          /* how long a client keeps away after an error */
	int64_t lifetime_used_s; /* what a client plans with */
};

struct vector_option {
	uint8_t code;
	uint8_t reserved;
	uint16_t length;
	uint16_t overrun; /* octets that are missing at the end */
	struct tenf_address address; /* THIRD_PARTY and FILTER of the right length */
	uint16_t port;               /* FILTER */
	uint8_t prefix_length;       /* FILTER */
	const char *text;            /* DESCRIPTION when valid, else NULL */
};

enum vector_has {
	VECTOR_HAS_VERSION = 1 << 0,
	VECTOR_HAS_RESPONSE = 1 << 1, /* PCP */
	VECTOR_HAS_OPCODE = 1 << 2,
	VECTOR_HAS_RESULT = 1 << 3,
	VECTOR_HAS_LIFETIME = 1 << 4,
	VECTOR_HAS_EPOCH = 1 << 5,
	VECTOR_HAS_CLIENT = 1 << 6,
	VECTOR_HAS_NONCE = 1 << 7,
	VECTOR_HAS_PROTOCOL = 1 << 8,
	VECTOR_HAS_INTERNAL_PORT = 1 << 9,
	VECTOR_HAS_EXTERNAL_PORT = 1 << 10,
	VECTOR_HAS_EXTERNAL_ADDRESS = 1 << 11,
	VECTOR_HAS_REMOTE = 1 << 12,
};

struct vector_decoded {
	unsigned has; /* enum vector_has */
	uint8_t version;
	bool response;  /* PCP's R bit */
	uint8_t opcode; /* NAT-PMP with the answer bit, PCP without */
	uint16_t result;
	uint32_t lifetime_s; /* requested or granted */
	uint32_t epoch_s;
	struct tenf_address client;
	uint8_t nonce[12];
	uint8_t protocol;
	uint16_t internal_port;
	uint16_t external_port; /* suggested, mapped or assigned */
	struct tenf_address external_address;
	struct tenf_endpoint remote; /* PEER */
	const struct vector_option *options;
	size_t option_count;
	bool more_options; /* than `options` lists */
};

struct vector {
	const char *name;
	const char *why;
	enum vector_protocol protocol;
	enum vector_direction direction;
	struct tenf_endpoint source;
	struct tenf_endpoint target;
	const uint8_t *data;
	size_t len;
	bool valid;
	/* Reserved and padding octets are zero and nothing trails: writing what
	 * was read gives the same octets. */
	bool canonical;
	const struct vector *answers; /* the request that is waited for, or NULL */
	struct vector_policy policy;
	struct vector_expect expect;
	struct vector_decoded decoded;
};

extern const struct vector vectors[];
extern const size_t vector_count;

/* Two packets of one gateway and what they say about its memory. Seconds. */
struct vector_epoch {
	const char *name;
	uint32_t previous_server_s;
	int64_t previous_client_s;
	uint32_t current_server_s;
	int64_t current_client_s;
	bool natpmp_valid; /* false: the gateway lost its state */
	bool pcp_valid;
};

extern const struct vector_epoch vector_epochs[];
extern const size_t vector_epoch_count;

struct vector_times {
	const int64_t *ms;
	size_t count;
};

struct vector_window { /* a renewal of PCP may happen from … to … after the grant */
	uint32_t lifetime_s;
	unsigned attempt; /* from 1 */
	int64_t from_ms;
	int64_t to_ms;
};

struct vector_timers {
	struct vector_times natpmp_request_send; /* since the first */
	int64_t natpmp_request_give_up_ms;
	struct vector_times announcement_send;   /* since the event */
	struct vector_times mapping_update_send; /* since the event */
	/* PCP's retransmission times with RAND fixed at 0, -0.1 and +0.1. */
	struct vector_times pcp_rt_rand_zero;
	struct vector_times pcp_rt_rand_low;
	struct vector_times pcp_rt_rand_high;
	int64_t pcp_rt_first_min_ms;
	int64_t pcp_rt_first_max_ms;
	int64_t pcp_rt_ceiling_ms;
	const struct vector_window *windows; /* ordered by lifetime, then attempt */
	size_t window_count;
	uint32_t pcp_error_short_s;
	uint32_t pcp_error_long_s;
	int64_t recovery_delay_min_ms;
	int64_t recovery_delay_max_ms;
};

extern const struct vector_timers vector_timers;

/* NULL when there is no packet of that name. */
const struct vector *vector_find(const char *name);

#endif

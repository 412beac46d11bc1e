/* SPDX-License-Identifier: MIT */
/*
 * A library that answers by script: it implements the public functions without
 * a network, so that a test says what the gateway does and reads what the
 * command asked. One script at a time, in `fake`.
 */
#ifndef TENF_TESTS_CLI_FAKE_LIB_H
#define TENF_TESTS_CLI_FAKE_LIB_H

#include <tenforward/tenforward.h>

#define FAKE_PORTS 8
#define FAKE_STEPS 16
#define FAKE_SEEN 600
#define FAKE_NOW 1795338183 /* 2026-11-22T09:03:03Z */

/* What the gateway answers for one internal port. */
struct fake_port {
	uint16_t internal_port;    /* 0: for every other */
	enum tenf_reason reason;   /* NONE: maps it */
	int result;
	const char *text;
	uint16_t external_port;    /* 0: the one asked for, or 40112 for any */
	uint32_t lifetime_s;       /* 0: the one asked for */
	const char *external_address; /* NULL: that of the gateway */
	bool unfiltered;           /* echoes no FILTER */
};

/* What happens later, one step a turn of the loop; false: not yet. */
typedef bool fake_step(struct tenf_session *session);

struct fake_request {
	struct tenf_request request; /* its pointers are not to be read */
	bool has_nonce;
	uint8_t nonce[TENF_NONCE_SIZE];
	char internal_address[TENF_ADDRESS_SIZE];
	char external_address[TENF_ADDRESS_SIZE];
	char description[TENF_DESCRIPTION_SIZE];
	struct tenf_filter filters[TENF_FILTERS_MAX];
	char filter_addresses[TENF_FILTERS_MAX][TENF_ADDRESS_SIZE];
};

struct fake {
	/* script */
	int64_t now;
	int64_t steady_ms;
	struct tenf_gateway gateway;
	enum tenf_status status; /* of making a session or a discovery, of finding */
	struct tenf_error error;
	struct fake_port ports[FAKE_PORTS];
	enum tenf_reason removal; /* NONE: removed; SILENT: no word of it ever */
	enum tenf_method removal_by; /* this method removes all the same; NONE: none does */
	fake_step *steps[FAKE_STEPS];
	struct tenf_gateway found[3];
	size_t found_count;
	uint8_t answer[64];
	size_t answer_len;
	/* Answers a PCP MAP request of 60 octets, which tenf_raw_build() makes whole
	 * then; gives the length, 0 for silence. NULL: `answer`. */
	size_t (*exchange)(const uint8_t *request, uint8_t *answer);
	/* The router's list. */
	enum tenf_status listing_status;
	struct tenf_mapping listed[4];
	char listed_as[4][TENF_DESCRIPTION_SIZE];
	size_t listed_count;
	bool listing_is_cut;
	/* seen */
	unsigned calls; /* that would have sent something */
	unsigned freed;
	char gateway_asked[TENF_ADDRESS_SIZE + 8];
	char source_asked[TENF_ADDRESS_SIZE]; /* "" when none was named */
	struct tenf_options options;
	struct fake_request requests[FAKE_SEEN];
	size_t request_count;
	struct tenf_mapping released[FAKE_SEEN];
	size_t released_count;
	struct tenf_raw raw;
	uint8_t raw_sent[64];
	size_t raw_len;
};

extern struct fake fake;

/* Everything back to a gateway that grants what it is asked for. */
void fake_reset(void);
/* An event for the n-th mapping, as it is after `change` (may be NULL). */
void fake_event(struct tenf_session *session, size_t index, enum tenf_event_kind kind,
		void (*change)(struct tenf_mapping *));
/* Changes for it: the gateway fell silent, and is there again. */
void fake_lose(struct tenf_mapping *mapping);
void fake_come_back(struct tenf_mapping *mapping);
/* An event about the gateway. */
void fake_gateway_event(struct tenf_session *session, enum tenf_event_kind kind);

#endif

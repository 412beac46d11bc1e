/* SPDX-License-Identifier: MIT */
/*
 * NAT-PMP packets (RFC 6886) as plain structs, both directions. No state and
 * no allocation; whether a packet is wanted, comes from the right place or
 * makes sense is for the rooms above.
 *
 * Decoding a request is strict about length alone, as a gateway must be;
 * decoding an answer accepts every shape that gateways really send and says in
 * `has` how much of it there was.
 */
#ifndef TENF_WIRE_NATPMP_H
#define TENF_WIRE_NATPMP_H

#include "base/address.h"
#include "base/bytes.h"

#define NATPMP_VERSION 0
#define NATPMP_PORT 5351          /* requests, RFC 6886 §3.1 */
#define NATPMP_ANNOUNCE_PORT 5350 /* announcements to 224.0.0.1, §3.2.1 */
#define NATPMP_MAX 1100           /* longest datagram looked at */

enum natpmp_opcode { /* §3.2, §3.3 */
	NATPMP_ADDRESS = 0,
	NATPMP_MAP_UDP = 1,
	NATPMP_MAP_TCP = 2,
};
#define NATPMP_ANSWER 128 /* added to the opcode of an answer, §3.5 */

enum natpmp_result { /* §3.5; the numbers differ from PCP's from 3 up */
	NATPMP_SUCCESS = 0,
	NATPMP_UNSUPP_VERSION = 1,
	NATPMP_NOT_AUTHORIZED = 2,
	NATPMP_NETWORK_FAILURE = 3,
	NATPMP_OUT_OF_RESOURCES = 4,
	NATPMP_UNSUPP_OPCODE = 5,
};

struct natpmp_request {
	uint8_t version;
	uint8_t opcode;
	/* The rest for NATPMP_MAP_* only. */
	uint16_t internal_port;
	uint16_t external_port; /* suggested */
	uint32_t lifetime_s;
};

/* How much of an answer was there. */
enum natpmp_has {
	NATPMP_HAS_RESULT, /* 4 to 7 octets: enough for UNSUPP_VERSION alone */
	NATPMP_HAS_EPOCH,  /* 8 octets at least */
	NATPMP_HAS_ALL,    /* as long as the opcode's success needs */
};

struct natpmp_answer {
	enum natpmp_has has;
	uint8_t version;
	uint8_t opcode;  /* as sent, with the answer bit */
	uint16_t result; /* 16 bits on the wire; unknown values are kept */
	uint32_t epoch_s;
	struct tenf_address external_address; /* opcode 128; none4 unless HAS_ALL and success */
	uint16_t internal_port;               /* opcodes 129, 130; 0 unless HAS_ALL */
	uint16_t external_port;
	uint32_t lifetime_s;
};

/* "UDP" is NATPMP_MAP_UDP and so on; only for TENF_TCP and TENF_UDP. */
uint8_t natpmp_opcode_of(enum tenf_protocol protocol);

/* Gateway: TENF_E_TRUNCATED for what must be dropped for its length (fewer
 * than 2 octets, a map request under 12), TENF_E_MALFORMED for opcode >= 128
 * and for more than 1100 octets. Version is not judged; with another one than 0 only version
 * and opcode are read, and no rule of length but the first applies. Extra octets are ignored. */
TENF_CHECKED enum tenf_status natpmp_decode_request(const uint8_t *data, size_t len,
						    struct natpmp_request *ret);
/* Client: TENF_E_TRUNCATED under 4 octets; TENF_E_MALFORMED for another
 * version than 0, or the answer bit missing with a result other than 1
 * (UNSUPP_VERSION may come with any opcode, erratum 3618). */
TENF_CHECKED enum tenf_status natpmp_decode_answer(const uint8_t *data, size_t len,
						   struct natpmp_answer *ret);

/* Writers; look at w->failed afterwards. Version is always written as 0. */
void natpmp_write_request(struct tenf_writer *w, const struct natpmp_request *request);
/* Writes the layout of the opcode: 12 octets for 128, 16 for 129 and 130, and
 * 8 (RFC 6886 §3.5 as corrected) when result is UNSUPP_VERSION. `has` is not looked at. */
void natpmp_write_answer(struct tenf_writer *w, const struct natpmp_answer *answer);
/* Answer to an opcode we do not know (spec 2.6): the request echoed with the
 * answer bit, result 5 and the epoch; 8 to 1100 octets. */
void natpmp_write_unsupp_opcode(struct tenf_writer *w, const uint8_t *request, size_t len,
				uint32_t epoch_s);

/* "SUCCESS", "NOT_AUTHORIZED" …; "UNKNOWN" otherwise. */
const char *natpmp_result_name(uint16_t result);

#endif

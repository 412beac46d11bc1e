/* SPDX-License-Identifier: MIT */
/*
 * PCP packets (RFC 6887) as plain structs, both directions: header, MAP, PEER,
 * ANNOUNCE. Options are in pcp-option.h. No state and no allocation. The
 * structs of a decoded packet point into its bytes and live as long as they.
 */
#ifndef TENF_WIRE_PCP_H
#define TENF_WIRE_PCP_H

#include "base/address.h"
#include "base/bytes.h"

#define PCP_VERSION 2
#define PCP_PORT 5351          /* §19.1 */
#define PCP_ANNOUNCE_PORT 5350 /* to 224.0.0.1 and ff02::1, §14.1.3 */
#define PCP_MAX 1100           /* octets, §7 */
#define PCP_HEADER 24
#define PCP_MAP_SIZE 60  /* with the header */
#define PCP_PEER_SIZE 80 /* with the header */
#define PCP_NONCE 12

enum pcp_opcode { /* §19.2 */
	PCP_ANNOUNCE = 0,
	PCP_MAP = 1,
	PCP_PEER = 2,
};
#define PCP_RESPONSE 128 /* the R bit */

enum pcp_result { /* §7.4 */
	PCP_SUCCESS = 0,
	PCP_UNSUPP_VERSION = 1,
	PCP_NOT_AUTHORIZED = 2,
	PCP_MALFORMED_REQUEST = 3,
	PCP_UNSUPP_OPCODE = 4,
	PCP_UNSUPP_OPTION = 5,
	PCP_MALFORMED_OPTION = 6,
	PCP_NETWORK_FAILURE = 7,
	PCP_NO_RESOURCES = 8,
	PCP_UNSUPP_PROTOCOL = 9,
	PCP_USER_EX_QUOTA = 10,
	PCP_CANNOT_PROVIDE_EXTERNAL = 11,
	PCP_ADDRESS_MISMATCH = 12,
	PCP_EXCESSIVE_REMOTE_PEERS = 13,
};

/* Opcode data of MAP, request and answer alike; also the first part of PEER. */
struct pcp_map {
	uint8_t nonce[PCP_NONCE];
	uint8_t protocol; /* IANA number, 0 for all */
	uint16_t internal_port;
	uint16_t external_port; /* suggested / assigned */
	struct tenf_address external_address;
};

struct pcp_remote { /* what PEER adds */
	uint16_t port;
	struct tenf_address address;
};

struct pcp_request {
	uint8_t version;
	uint8_t opcode;
	uint32_t lifetime_s; /* requested */
	struct tenf_address client;
	struct pcp_map map;          /* MAP and PEER */
	struct pcp_remote remote;    /* PEER */
	struct tenf_reader options;  /* decoded packets: what follows the opcode data */
};

struct pcp_answer {
	uint8_t version;
	uint8_t opcode; /* without the R bit */
	uint8_t result;
	uint32_t lifetime_s; /* of the mapping, or of the error */
	uint32_t epoch_s;
	struct pcp_map map;         /* MAP and PEER */
	struct pcp_remote remote;   /* PEER */
	struct tenf_reader options; /* decoded packets: what follows the opcode data */
};

/* What a gateway does with a datagram, rows 2-9 of the spec's section 4. */
enum pcp_parse {
	PCP_PARSED, /* `ret` is whole */
	PCP_DROP,   /* no answer: < 2 octets, R set, version 2 and < 24 octets */
	PCP_REJECT, /* answer with *ret_result; ret->version and ->opcode are set,
		     * the rest as far as there were octets */
};

/* Gateway. Looks at length, version, R and opcode, not at field values and not
 * into the options. `unknown` opcodes are PCP_REJECT with UNSUPP_OPCODE. A
 * version other than 2 is PCP_REJECT with UNSUPP_VERSION, even in 2 octets. */
TENF_CHECKED enum pcp_parse pcp_parse_request(const uint8_t *data, size_t len,
					      struct pcp_request *ret,
					      enum pcp_result *ret_result);

/* Client, spec section 9 lines 2-7: TENF_E_TRUNCATED under 4 octets, or under
 * what the header (24) and, for MAP and PEER, the opcode need; TENF_E_MALFORMED when R is
 * clear, version is not 2, over 1100 octets or not a multiple of 4. Exception: result
 * UNSUPP_VERSION is given back from 4 octets on, with any version from 2 up, and no length
 * rule applies (§8.3, §9); fields that were not there are zero. An error answer
 * with an opcode we do not know decodes as a header. */
TENF_CHECKED enum tenf_status pcp_decode_answer(const uint8_t *data, size_t len,
						struct pcp_answer *ret);

/* Header and opcode data, version always 2; then the caller writes options
 * (pcp-option.h). Look at w->failed afterwards. `options` is not looked at. */
void pcp_write_request(struct tenf_writer *w, const struct pcp_request *request);
void pcp_write_answer(struct tenf_writer *w, const struct pcp_answer *answer);

/* Error answer (§8.2, spec section 4): a copy of the request cut to 1100
 * octets, padded with zeros to a multiple of 4 and to 24 at least; then version,
 * R, result, lifetime and epoch written over it; reserved octets 12-23 keep the
 * copied address for results 1, 3, 4, 6 and are zero otherwise. */
void pcp_write_error(struct tenf_writer *w, const uint8_t *request, size_t len,
		     enum pcp_result result, uint32_t lifetime_s, uint32_t epoch_s);

/* Recommended lifetime of an error, §7.4: 30 or 1800 seconds. */
uint32_t pcp_error_lifetime_s(enum pcp_result result);

/* "SUCCESS", "NOT_AUTHORIZED" …; "UNKNOWN" otherwise. */
const char *pcp_result_name(uint8_t result);
const char *pcp_opcode_name(uint8_t opcode); /* "ANNOUNCE", "MAP", "PEER", "UNKNOWN" */

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How mappings lie in the sets and maps of our table. An IPv4 mapping is one
 * element of a dnat4 (packets from outside) and one of snat4 (packets from inside
 * leave by the same external endpoint, RFC 6886 §3.9); an IPv6 one is an element of
 * pinhole6. Keys are concatenations, each part padded to four octets:
 *
 *	dnat4_N    protocol . external address . external port : internal address . port
 *	snat4      protocol . internal address . internal port : external address . port
 *	pinhole6   protocol . address . port
 *	filtered4  as dnat4_N: only peers in allowed4 may
 *	allowed4   the same . remote address . remote port, as ranges
 *	dpeer4     protocol . external . port . remote . port : internal address . port
 *	speer4     protocol . internal . port . remote . port : external address . port
 *	peer6      protocol . internal . port . remote . port
 *	state      one element: the epoch's start and the version of all this
 *
 * What the next start must know beside that (nonce, maker, name …) stands in the
 * user data of dnat4_N and pinhole6: first nft's own comment, so that `nft list`
 * reads well, then a record of ours.
 *
 * dnat4 comes in parts, by the last bits of the external port, because a start reads
 * it whole: for each 32 KiB of the answer the kernel walks a set from its beginning, so
 * reading one of 60 000 takes eight times as long as eight of an eighth. Pure: no
 * netlink, no clock.
 */
#ifndef TENF_GATEWAY_HELPER_ELEMENTS_H
#define TENF_GATEWAY_HELPER_ELEMENTS_H

#include "gateway/helper/messages.h"

#define ELEMENT_KEY_MAX 44        /* octets: protocol, two IPv6 addresses, two ports */
#define ELEMENT_DATA_MAX 8
#define ELEMENT_USER_DATA_MAX 256 /* the kernel's limit */
#define ELEMENT_COMMENT_MAX 64    /* octets of what nft shows */
#define ELEMENT_VERSION 2         /* of the sets, and of the records in user data */

#define ELEMENT_PARTS 8 /* of dnat4, and of snat4; a power of two */

enum element_set {
	SET_DNAT4, /* the first part of ELEMENT_PARTS */
	SET_SNAT4 = SET_DNAT4 + ELEMENT_PARTS, /* the same */
	SET_PINHOLE6 = SET_SNAT4 + ELEMENT_PARTS,
	SET_FILTERED4,
	SET_FILTERED6,
	SET_ALLOWED4,
	SET_ALLOWED6,
	SET_DPEER4,
	SET_SPEER4,
	SET_PEER6,
	SET_STATE,
	SET_COUNT,
};

extern const char *const element_set_names[SET_COUNT];

/* Any part of dnat4, of snat4. */
bool element_set_is_dnat4(unsigned set);
bool element_set_is_snat4(unsigned set);

struct element {
	uint8_t set; /* enum element_set */
	uint8_t key_len;
	uint8_t data_len; /* 0: it is no map */
	bool has_end;     /* a range: `end` is the upper key */
	uint16_t user_data_len;
	uint64_t timeout_ms; /* 0: for ever */
	uint8_t key[ELEMENT_KEY_MAX];
	uint8_t end[ELEMENT_KEY_MAX];
	uint8_t data[ELEMENT_DATA_MAX];
	const uint8_t *user_data;
};

/* Milliseconds until `ends_at`, at least 1; 0 for TENF_NEVER. */
uint64_t element_timeout(tenf_time ends_at, tenf_time now);

/* When the way out of a lease that ends then ends: later, and at the same time for all
 * leases of some hours. TENF_NEVER for TENF_NEVER. */
tenf_time element_source_end(tenf_time ends_at);

/* The element a packet from outside is looked up by: of dnat4 or pinhole6, for
 * what PEER made of dpeer4 or peer6.
 * `user_data`, of ELEMENT_USER_DATA_MAX octets, is filled and pointed at. */
void element_of_mapping(const struct helper_mapping *m, tenf_time now, uint8_t *user_data,
			struct element *ret);
/* Of snat4 or speer4; IPv4 alone. That of snat4 lasts longer than the mapping, until
 * element_source_end, so that few renewals have to touch it: nothing comes in by it, and
 * when the mapping ends it is removed with it. */
void element_of_source(const struct helper_mapping *m, tenf_time now, struct element *ret);
/* Of filtered4/6, and one of allowed4/6 for a filter. They outlive the mapping by
 * moments, never the other way round. */
void element_of_filtered(const struct helper_mapping *m, tenf_time now, struct element *ret);
void element_of_filter(const struct helper_mapping *m, const struct pcp_filter *filter,
		       tenf_time now, struct element *ret);
/* The one of `state`; `user_data` as above. */
void element_of_state(tenf_time epoch_start, uint8_t *user_data, struct element *ret);

/* The way back, from what the kernel holds; `left_ms` is its time left, 0 for ever.
 * Description and record come from the user data. TENF_E_MALFORMED: not ours. */
TENF_CHECKED enum tenf_status element_to_mapping(const struct element *e, uint64_t left_ms,
						 tenf_time now, struct helper_mapping *ret);
TENF_CHECKED enum tenf_status element_to_state(const struct element *e, tenf_time *ret_epoch_start);

/* What of an allowed4/6 element: whose filter it is, and the filter. */
struct element_filter {
	uint8_t protocol;
	struct tenf_endpoint external;
	struct pcp_filter filter;
};
TENF_CHECKED enum tenf_status element_to_filter(const struct element *e,
						struct element_filter *ret);

#endif

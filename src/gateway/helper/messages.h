/* SPDX-License-Identifier: MIT */
/*
 * What the daemon and its privileged helper say to each other, over a pair of
 * SOCK_SEQPACKET sockets: one message is one packet, answered by one packet
 * with the same number (only HELPER_KEPT comes in several).
 *
 *	| kind | flags | count | number |  body, by kind … |
 *	    1      1       2       4
 *
 * The helper trusts none of it: every field is checked for its size, its range
 * and its sense here, before anything is done. Both sides use these structs;
 * neither owns memory of the other. No I/O here.
 */
#ifndef TENF_GATEWAY_HELPER_MESSAGES_H
#define TENF_GATEWAY_HELPER_MESSAGES_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "base/time.h"
#include "gateway/ledger.h"

#define HELPER_MESSAGE_MAX 65536  /* octets of one packet */
#define HELPER_HEAD 8             /* octets of its header */
#define HELPER_CHANGES_MAX 1024   /* changes in one packet */
#define HELPER_INTERFACES_MAX 32  /* names of each side in a SETUP */
#define HELPER_LINKS_MAX 64       /* served addresses in a SETUP */
#define HELPER_NAME_MAX 16        /* an interface's name with its terminator */
#define HELPER_TEXT_MAX 512       /* octets of a sentence in an answer */

enum helper_kind {
	/* Questions. */
	HELPER_SETUP = 1, /* make the table, or bring its rules up to date */
	HELPER_BATCH,     /* changes; without HELPER_MORE they are committed with those before */
	HELPER_DUMP,      /* tell all that the table holds */
	HELPER_FLOW,      /* is there such a flow */
	HELPER_CLOSE,     /* an orderly end: take back what is not the table's own */
	/* Answers. */
	HELPER_DONE,      /* of SETUP, BATCH, CLOSE: an outcome */
	HELPER_KEPT,      /* of DUMP: mappings; HELPER_MORE: another packet follows */
	HELPER_FOUND,     /* of FLOW */
	/* Unasked, number 0. */
	HELPER_NEWS,
};

#define HELPER_MORE 1u /* flag: the next packet belongs to this one */

struct helper_head {
	enum helper_kind kind;
	bool more;
	uint16_t count; /* of what the body repeats */
	uint32_t number;
};

void helper_write_head(struct tenf_writer *w, const struct helper_head *head);
/* TENF_E_MALFORMED for a kind or flag that is none. */
TENF_CHECKED enum tenf_status helper_read_head(struct tenf_reader *r, struct helper_head *ret);

/* ---- Changes ------------------------------------------------------------ */

/* One mapping as the packet path keeps it, or what PEER made: then it has a remote peer,
 * and neither filters nor a description. */
struct helper_mapping {
	uint8_t protocol; /* TENF_TCP or TENF_UDP */
	uint8_t maker;    /* enum ledger_maker */
	struct tenf_endpoint external; /* of an IPv6 pinhole: the internal one */
	struct tenf_endpoint internal;
	struct tenf_endpoint remote; /* of PEER; port 0: a mapping */
	tenf_time made_at;
	tenf_time ends_at; /* TENF_NEVER for a static one */
	uint8_t nonce[PCP_NONCE];
	uint32_t lifetime_s;
	uint32_t renewals;
	uint32_t id;
	int16_t rule;
	uint8_t description_len;
	uint8_t filter_count;
	bool has_asker; /* THIRD_PARTY: another host asked for it */
	struct tenf_address asker;
	uint8_t description[LEDGER_DESCRIPTION_MAX];
	struct pcp_filter filters[LEDGER_FILTERS_MAX];
};

enum helper_change_kind {
	HELPER_INSTALL = 1,
	HELPER_RENEW,
	HELPER_REMOVE,
	HELPER_FLUSH, /* everything goes; first in its batch */
	HELPER_EPOCH, /* when the epoch began, kept for the next start */
};

struct helper_change {
	enum helper_change_kind kind;
	bool content; /* RENEW: more than the end of the lease changed */
	bool cut;     /* REMOVE: its running flows end too */
	tenf_time held_until;          /* RENEW: when it would have ended; 0: not known */
	tenf_time epoch_start;         /* EPOCH */
	struct helper_mapping mapping; /* INSTALL, RENEW, REMOVE */
};

#define HELPER_CHANGE_SIZE 512 /* octets of the largest change at most */

void helper_write_change(struct tenf_writer *w, const struct helper_change *change);
/* TENF_E_TRUNCATED, TENF_E_MALFORMED: a value that makes no sense. */
TENF_CHECKED enum tenf_status helper_read_change(struct tenf_reader *r, struct helper_change *ret);

void helper_write_mapping(struct tenf_writer *w, const struct helper_mapping *m);
TENF_CHECKED enum tenf_status helper_read_mapping(struct tenf_reader *r,
						  struct helper_mapping *ret);

/* ---- The table ----------------------------------------------------------- */

/* A served address: requests to it are limited per sender. */
struct helper_link {
	char interface[HELPER_NAME_MAX];
	struct tenf_endpoint address;
	struct tenf_prefix network;
};

struct helper_names {
	char at[HELPER_INTERFACES_MAX][HELPER_NAME_MAX];
	size_t count;
};

struct helper_setup {
	struct helper_names external;
	struct helper_names internal;
	struct helper_link links[HELPER_LINKS_MAX];
	size_t link_count;
	uint32_t flood_per_s;  /* requests a second of one sender that pass; 0: no limit */
	bool manage_forward;   /* let mapped packets pass the administrator's own chains */
};

void helper_write_setup(struct tenf_writer *w, const struct helper_setup *setup);
TENF_CHECKED enum tenf_status helper_read_setup(struct tenf_reader *r, struct helper_setup *ret);

/* May it stand in a rule? Letters, digits and "_.:@-" alone. */
bool helper_name_is_plain(const char *name);

/* ---- Answers -------------------------------------------------------------- */

enum helper_outcome {
	HELPER_OK,      /* all of it holds */
	HELPER_REFUSED, /* none of it holds */
	HELPER_UNSURE,  /* perhaps a part holds: install everything again */
};

struct helper_done {
	enum helper_outcome outcome;
	bool fresh; /* SETUP: the table was not there, nothing is kept */
	int32_t code; /* errno, 0: none */
	char text[HELPER_TEXT_MAX]; /* SETUP: what people should know; may be empty */
};

void helper_write_done(struct tenf_writer *w, const struct helper_done *done);
TENF_CHECKED enum tenf_status helper_read_done(struct tenf_reader *r, struct helper_done *ret);

enum helper_news {
	HELPER_LOST = 1, /* the table is not what it was: install everything again */
};

void helper_write_news(struct tenf_writer *w, enum helper_news news);
TENF_CHECKED enum tenf_status helper_read_news(struct tenf_reader *r, enum helper_news *ret);

/* The body of the first HELPER_KEPT: when the epoch began, TENF_NEVER when that
 * is not known; then `count` mappings in each packet. */
void helper_write_time(struct tenf_writer *w, tenf_time at);
tenf_time helper_read_time(struct tenf_reader *r);

/* A flow, seen from inside. */
struct helper_flow {
	uint8_t protocol;
	struct tenf_endpoint internal;
	struct tenf_endpoint remote;
};

struct helper_found {
	bool found;
	struct tenf_endpoint external; /* as the remote peer sees it */
	uint32_t lifetime_s;           /* until it is forgotten when it stays silent */
};

void helper_write_flow(struct tenf_writer *w, const struct helper_flow *flow);
TENF_CHECKED enum tenf_status helper_read_flow(struct tenf_reader *r, struct helper_flow *ret);
void helper_write_found(struct tenf_writer *w, const struct helper_found *found);
TENF_CHECKED enum tenf_status helper_read_found(struct tenf_reader *r, struct helper_found *ret);

#endif

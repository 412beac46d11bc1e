/* SPDX-License-Identifier: MIT */
/*
 * One question to a gateway and its course: what is asked, by which protocols
 * it is being asked at the moment, and what came of it.
 *
 * An inquiry lives inside an object of the caller's (a mapping, a discovery);
 * the client only links it into its lists, so asking allocates nothing. It
 * must stay where it is until its answer was taken or client_cancel() was called.
 */
#ifndef TENF_CORE_INQUIRY_H
#define TENF_CORE_INQUIRY_H

#include "base/address.h"
#include "base/time.h"
#include "wire/pcp-option.h"

#define CORE_NONCE 12

enum core_op {
	CORE_DISCOVER, /* PCP ANNOUNCE and NAT-PMP address: who speaks what */
	CORE_MAP,      /* create or renew */
	CORE_UNMAP,    /* delete; internal port 0 by NAT-PMP: all of the protocol */
};

struct core_question {
	enum core_op op;
	unsigned methods; /* TENF_METHOD_PCP, TENF_METHOD_NATPMP, or-ed */
	/* One PCP packet and no more: a renewal, whose windows are the
	 * retransmission (RFC 6887 §11.2.1). */
	bool single;
	/* Ask NAT-PMP beside PCP even of a gateway known to speak PCP. */
	bool race;
	tenf_time give_up; /* the verdict is SILENT then; TENF_NEVER: ask for ever */

	/* CORE_MAP and CORE_UNMAP */
	enum tenf_protocol protocol; /* TENF_TCP or TENF_UDP */
	uint16_t internal_port;
	uint16_t external_port;               /* suggested, 0 for any */
	struct tenf_address external_address; /* suggested */
	uint32_t lifetime_s;
	uint8_t nonce[CORE_NONCE];
	bool prefer_failure; /* §13.2: exactly the suggested port */
	bool for_other;      /* §13.1 THIRD_PARTY, PCP alone */
	struct tenf_address other;
	/* §13.3 FILTER, PCP alone: who may come in; lives as long as the inquiry. */
	const struct pcp_filter *filters;
	uint8_t filter_count;
	bool clear_filters; /* those the mapping may have go first */
	const char *description; /* RFC 7220, NULL for none; lives as long as the inquiry */
};

struct core_answer {
	enum tenf_reason reason; /* NONE: done */
	enum tenf_method method; /* that gave the answer, or NONE */
	int result;              /* of the gateway, -1 when it said nothing */
	uint32_t lifetime_s;     /* granted; of the error otherwise, 0 when none was given */
	uint16_t external_port;
	struct tenf_address external_address; /* zero when unknown */
	uint32_t epoch_s; /* of the packet that gave the answer, 0 when it had none */
	bool unfiltered; /* granted, but not every filter asked for was echoed: not in force */
	unsigned spoken; /* CORE_DISCOVER: methods that answered */
	tenf_duration rtt; /* from a packet that was sent once; -1 when unknown */
};

/* How far NAT-PMP has come for one inquiry. */
enum natpmp_track {
	NATPMP_IDLE,    /* not asked, maybe later */
	NATPMP_PROBING, /* waits for the answer to the address request */
	NATPMP_READY,   /* may take the slot from natpmp_from on */
	NATPMP_ASKED,   /* has the slot: its map request is out */
	NATPMP_ENDED,   /* not spoken there, or not allowed */
};

enum inquiry_place {
	INQUIRY_NOWHERE,
	INQUIRY_WAITING, /* for a free place among those under way */
	INQUIRY_ACTIVE,
	INQUIRY_DONE, /* answered, not fetched */
};

struct inquiry {
	struct core_question question;
	struct core_answer answer; /* whole when INQUIRY_DONE */

	/* The client's own from here on. */
	struct inquiry *next;
	struct inquiry *previous;
	enum inquiry_place place;
	bool fresh; /* counts against the limit of inquiries under way */
	struct {
		bool on;       /* worth sending, not yet answered */
		bool due;      /* a packet is to be sent now */
		unsigned sent;
		tenf_time sent_at;
		tenf_time next;
		tenf_duration wait;
		bool without_options; /* after UNSUPP_OPTION, MALFORMED_OPTION */
	} pcp;
	enum natpmp_track natpmp;
	tenf_time natpmp_from;
	tenf_time settle_at;   /* a verdict that waits for a better one */
};

#endif

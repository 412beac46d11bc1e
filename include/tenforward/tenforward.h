/* SPDX-License-Identifier: MIT */
/*
 * libtenforward: ask any NAT gateway for port mappings, by PCP (RFC 6887),
 * NAT-PMP (RFC 6886) and, where it was built in, UPnP IGD, and keep them.
 *
 * How it works. An object has one file descriptor, one time-out and one
 * process call. Wait until the descriptor is readable or the time-out is over,
 * call process, then pull events until there are none. Nothing is called back,
 * so no object is freed under its own feet.
 *
 *   tenf_session_new → add → [ poll → process → next_event … ] → free
 *
 * Threads. The library starts none, keeps no global state, never prints and
 * never exits. One object belongs to one thread at a time; different objects
 * may be used in different threads at once.
 *
 * Units. Ports and numbers are in host byte order, lifetimes in seconds,
 * time-outs in milliseconds, points in time in seconds of the wall clock
 * (time_t), addresses as text ("192.0.2.1", "2001:db8::1").
 *
 * Growth of the structs. Those the caller fills begin with `size`, set by
 * their _init function; fields are only ever added at the end.
 */
#ifndef TENFORWARD_H
#define TENFORWARD_H

#include <tenforward/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default) /* the library itself is built hidden */
#endif

#define TENF_NONCE_SIZE 12      /* RFC 6887 §11.1 */
#define TENF_ADDRESS_SIZE 64    /* any address text, scope included */
#define TENF_INTERFACE_SIZE 16  /* IF_NAMESIZE of Linux */
#define TENF_DEFAULT_PORT 5351  /* RFC 6886 §3.1, RFC 6887 §19.1 */
#define TENF_DEFAULT_LIFETIME_S 7200 /* RFC 6886 §3.3 */
#define TENF_DEFAULT_TIMEOUT_MS 5000
#define TENF_DESCRIPTION_SIZE 128
#define TENF_FILTERS_MAX 16 /* of one mapping */
#define TENF_IGD_HINT_SIZE 768
#define TENF_IGD_HINTS_SIZE 2048 /* several, a line each */

/* Details for people. `text` is one sentence, or two: what was tried, what
 * happened, what to do. */
struct tenf_error {
	enum tenf_status status;
	enum tenf_reason reason;
	int system_error; /* errno, 0 when there is none */
	int result;       /* result code of the gateway, -1 when there is none */
	char text[256];
};

/* ---- What is asked, and by what way ------------------------------------ */

/* Filled by tenf_options_init(); every field may stay as it is. Strings are
 * copied by the call that takes the options. */
struct tenf_options {
	size_t size;
	const char *gateway;   /* "ADDR", "ADDR:PORT", "[v6]:PORT"; NULL: from the routes */
	const char *interface; /* only gateways on this interface; NULL: any */
	const char *source;    /* own address to ask from; NULL: the kernel's choice */
	unsigned methods;      /* enum tenf_method, or-ed; 0: all */
	uint32_t timeout_ms;   /* until a verdict on a gateway that does not answer */
	uint32_t asked_ms;     /* of it, that an earlier run asked in vain */
	bool announcements;    /* hear the multicast announcements on 5350 */
	bool watch;            /* ask for the external address now and every 5 minutes */
	bool anycast;          /* ask 192.0.0.9 and 2001:1::1 too, behind all else (RFC 7723) */
	bool wait_interface;   /* a session may be made before its interface exists */
	/* Makes every socket, of another network namespace perhaps, which is then the
	 * one that is looked at: as socket(2), a descriptor or -1 with errno. Called
	 * from within the calls that take options and tenf_session_process(), for
	 * as long as the object lives; may not call the library. UPnP is left out, as it
	 * makes sockets of its own. NULL: socket(2). */
	int (*open_socket)(void *context, int domain, int type, int protocol);
	void *open_context;
	/* UPnP devices that earlier runs found, as tenf_session_igd_hint() gave them, a
	 * line each; tried where they are on the gateway's own address, and forgotten
	 * when they do not answer. NULL: none. */
	const char *igd_hints;
};

void tenf_options_init(struct tenf_options *options);

/* Remote peers that may come in by a mapping (RFC 6887 §13.3). */
struct tenf_filter {
	const char *address;
	uint8_t prefix_length; /* bits of the address, 1-32 or 1-128 */
	uint16_t port;         /* theirs, 0: any */
};

/* A wish for a mapping, filled by tenf_request_init(). */
struct tenf_request {
	size_t size;
	enum tenf_protocol protocol; /* TENF_BOTH asks for equal external ports or fails as one */
	uint16_t internal_port;      /* 1-65535 */
	uint16_t external_port;      /* wished; 0: any */
	uint32_t lifetime_s;         /* asked for; the gateway decides */
	bool exact;                  /* no other external port than the wished one */
	bool keep;                   /* renew for ever; else one lease, asked for once */
	const char *internal_address; /* another host (PCP THIRD_PARTY); NULL: this one */
	const char *description;     /* PCP DESCRIPTION (RFC 7220), UTF-8; NULL: none */
	/* To go on with a lease that an earlier run made; all from its tenf_mapping. */
	const uint8_t *nonce;        /* TENF_NONCE_SIZE octets; NULL: a new one */
	const char *external_address; /* suggested; NULL: no wish */
	uint16_t granted_port;       /* that the lease had, suggested again; 0: none */
	const uint8_t *pair_nonce;   /* of the UDP half of a TENF_BOTH; NULL: a new one */
	/* Nobody else may come in. PCP alone can say so, and NAT-PMP is not asked. */
	const struct tenf_filter *filters;
	size_t filter_count;         /* at most TENF_FILTERS_MAX; 0: everybody may */
	bool clear_filters;          /* the lease that an earlier run made has filters */
};

void tenf_request_init(struct tenf_request *request);

/* ---- What is there ------------------------------------------------------ */

struct tenf_mapping {
	uint32_t id;   /* of this session, never 0, never used twice */
	uint32_t pair; /* the other half of a TENF_BOTH, 0 when there is none */
	enum tenf_protocol protocol; /* TENF_TCP or TENF_UDP */
	enum tenf_state state;
	enum tenf_method method;     /* that made it; NONE while asking */
	uint16_t internal_port;
	uint16_t external_port;      /* 0 while there is none */
	uint16_t requested_external_port; /* 0: any */
	uint16_t gateway_port;
	uint32_t lifetime_s;         /* granted; 0 while there is none */
	int64_t expires_at;          /* wall clock, 0 while there is none */
	int64_t renews_at;           /* wall clock, 0 when nothing renews it */
	char internal_address[TENF_ADDRESS_SIZE];
	char external_address[TENF_ADDRESS_SIZE]; /* "" when the gateway did not tell */
	char gateway[TENF_ADDRESS_SIZE];
	uint8_t nonce[TENF_NONCE_SIZE];
	struct tenf_error error;     /* why it is not mapped; reason NONE otherwise */
	enum tenf_filtering filtering;
};

enum tenf_origin { /* how a gateway was found */
	TENF_ORIGIN_GIVEN,   /* the caller named it */
	TENF_ORIGIN_ROUTE,   /* next hop of a default route */
	TENF_ORIGIN_PEER,    /* first address of a point-to-point network */
	TENF_ORIGIN_ANYCAST, /* RFC 7723 */
};

struct tenf_spoken {
	enum tenf_method method;
	unsigned version; /* on the wire: 2 for PCP, 0 for NAT-PMP */
};

struct tenf_gateway {
	char address[TENF_ADDRESS_SIZE]; /* "" when there is no gateway */
	uint16_t port;
	char interface[TENF_INTERFACE_SIZE]; /* "" when unknown */
	char source[TENF_ADDRESS_SIZE];      /* own address towards it */
	enum tenf_origin origin;
	size_t spoken_count;
	struct tenf_spoken spoken[3];        /* what answered, best first */
	char external_address[TENF_ADDRESS_SIZE]; /* "" when unknown */
	enum tenf_address_class address_class;
	int64_t epoch_s;   /* as answered last, -1 when unknown */
	int64_t up_since;  /* wall clock of epoch 0, 0 when unknown */
	int64_t rtt_us;    /* first answer to a packet sent once, -1 when unknown */
	struct tenf_error error; /* why nothing answered; reason NONE otherwise */
	bool uncertain; /* others are asked as well: the first that answers is used */
};

struct tenf_event {
	enum tenf_event_kind kind;
	int64_t at; /* wall clock */
	/* For MAPPED, CHANGED, RENEWED, LOST, REFUSED, REMOVED. */
	struct tenf_mapping mapping;
	struct tenf_mapping before; /* before.id is 0 when there is no earlier state */
	/* For GATEWAY, GATEWAY_RESTART, ADDRESS. */
	struct tenf_gateway gateway;
	char address_before[TENF_ADDRESS_SIZE]; /* for ADDRESS, "" when none was known */
};

/* What was dropped, and why; RFC 6887 §8.3, RFC 6886 §3.2. */
struct tenf_counters {
	size_t size;
	uint64_t sent;
	uint64_t received;        /* accepted */
	uint64_t dropped_foreign; /* from another address or port */
	uint64_t dropped_malformed;
	uint64_t dropped_unasked; /* late, repeated, or an answer to something else */
};

/* ---- A session: mappings at one gateway --------------------------------- */

struct tenf_session;

/* Makes a session and chooses the gateway. It follows route, link and address
 * changes unless options->gateway names one; without any network it is made
 * all the same and waits (an event GATEWAY tells when there is one). On a link without
 * a next hop, whose first address is a guess, and with options->anycast all who may
 * be the gateway are asked something harmless first, and no port is told to
 * one that does not answer; the time-out of a verdict runs meanwhile.
 * `options` may be NULL. Caller frees *ret with tenf_session_free().
 * Errors: TENF_E_ARGUMENT (an address that is none, an interface that does not
 * exist), TENF_E_SYSTEM, TENF_E_MEMORY; `reterr` may be NULL. */
enum tenf_status tenf_session_new(const struct tenf_options *options, struct tenf_session **ret,
				  struct tenf_error *reterr);

/* Frees without sending anything: leases stay at the gateway until they end.
 * NULL is fine. */
void tenf_session_free(struct tenf_session *session);

/* Readable when tenf_session_process() has something to do. Belongs to the
 * session; do not close it. Stays the same for the session's life. */
int tenf_session_fd(const struct tenf_session *session);

/* Milliseconds until tenf_session_process() wants to be called even though the
 * descriptor is quiet; 0 for at once, -1 for never. Rounded up, as poll() wants it.
 * Ask again after every call on the session. */
int tenf_session_timeout_ms(const struct tenf_session *session);

/* Receives, lets time pass, sends. Never blocks. Errors: TENF_E_SYSTEM,
 * TENF_E_MEMORY; the session stays usable after either. */
enum tenf_status tenf_session_process(struct tenf_session *session);

/* Takes the oldest event; false when there is none. Events of one mapping that
 * were not fetched are merged into the newest, so the number waiting is
 * bounded by the number of mappings. */
bool tenf_session_next_event(struct tenf_session *session, struct tenf_event *ret);

/* Wants a mapping (RFC 6887 §11, RFC 6886 §3.3). With request->keep it is held
 * until it is removed; else the verdict (MAPPED, REFUSED, LOST) comes once,
 * within the time-out. *ret_id names it; with TENF_BOTH it is the TCP half,
 * and its `pair` the UDP half. Errors: TENF_E_ARGUMENT, TENF_E_LIMIT, TENF_E_MEMORY. */
enum tenf_status tenf_session_add(struct tenf_session *session, const struct tenf_request *request,
				  uint32_t *ret_id);

/* Asks for another lifetime from now on; the gateway is asked at once, or as
 * soon as RFC 6887 §11.2.1 lets a renewal go out. TENF_E_NOT_FOUND,
 * TENF_E_ARGUMENT for 0. */
enum tenf_status tenf_session_set_lifetime(struct tenf_session *session, uint32_t id,
					   uint32_t lifetime_s);

/* Gives up a mapping and its pair: deletes it at the gateway (RFC 6887 §15,
 * RFC 6886 §3.4); REMOVED comes when the gateway confirmed, or when asking
 * longer makes no sense, then with an error. Errors: TENF_E_NOT_FOUND. */
enum tenf_status tenf_session_remove(struct tenf_session *session, uint32_t id);
void tenf_session_remove_all(struct tenf_session *session);

/* Deletes a lease that an earlier run made, from what tenf_mapping said of it
 * then (protocol, internal address and port, nonce). Ends with REMOVED. */
enum tenf_status tenf_session_release(struct tenf_session *session,
				      const struct tenf_mapping *lease, uint32_t *ret_id);

/* The mapping as it is now; false when the id is unknown or was removed. */
bool tenf_session_mapping(const struct tenf_session *session, uint32_t id,
			  struct tenf_mapping *ret);
/* Number of mappings, and the id of each; ids are not in any order. */
size_t tenf_session_count(const struct tenf_session *session);
uint32_t tenf_session_id_at(const struct tenf_session *session, size_t index);

/* The gateway in use as far as it is known; address "" when there is none. */
void tenf_session_gateway(const struct tenf_session *session, struct tenf_gateway *ret);

/* The UPnP device that was found at the gateway, as a line for options->igd_hints
 * of a later run; false when there is none. */
bool tenf_session_igd_hint(const struct tenf_session *session, char ret[TENF_IGD_HINT_SIZE]);

/* `ret->size` is set by the caller to sizeof(*ret). */
void tenf_session_counters(const struct tenf_session *session, struct tenf_counters *ret);

/* ---- Discovery: what every candidate gateway answers --------------------- */

struct tenf_discovery;

/* Starts asking: PCP ANNOUNCE (RFC 6887 §14.1) and the NAT-PMP address request
 * (RFC 6886 §3.2) to each candidate. Opens nothing at the gateway. With
 * `only_best` the candidate a session would choose is asked alone. Ends
 * within options->timeout_ms. When there is no candidate at all the result is
 * TENF_OK and no gateway is found. Caller frees with tenf_discovery_free(). */
enum tenf_status tenf_discovery_new(const struct tenf_options *options, bool only_best,
				    struct tenf_discovery **ret, struct tenf_error *reterr);
void tenf_discovery_free(struct tenf_discovery *discovery);
int tenf_discovery_fd(const struct tenf_discovery *discovery);
int tenf_discovery_timeout_ms(const struct tenf_discovery *discovery);
enum tenf_status tenf_discovery_process(struct tenf_discovery *discovery);
bool tenf_discovery_done(const struct tenf_discovery *discovery);
/* Candidates in order of preference, complete when done. */
size_t tenf_discovery_count(const struct tenf_discovery *discovery);
void tenf_discovery_gateway(const struct tenf_discovery *discovery, size_t index,
			    struct tenf_gateway *ret);

bool tenf_discovery_igd_hint(const struct tenf_discovery *discovery, size_t index,
			     char ret[TENF_IGD_HINT_SIZE]);

/* ---- What a gateway lists -------------------------------------------------- */

struct tenf_listing;

/* All mappings the gateway a session would choose lists by UPnP, whoever made
 * them; PCP and NAT-PMP have no list. In a library built without UPnP neither these nor
 * the functions for hints exist. Blocks within options->timeout_ms. Caller
 * frees *ret with tenf_listing_free(). TENF_E_FAILED with reterr->reason NO_GATEWAY,
 * SILENT, NO_SERVICE (no UPnP there) or MALFORMED;
 * TENF_E_ARGUMENT, TENF_E_MEMORY, TENF_E_SYSTEM. */
enum tenf_status tenf_listing_new(const struct tenf_options *options, struct tenf_listing **ret,
				  struct tenf_error *reterr);
void tenf_listing_free(struct tenf_listing *listing);
size_t tenf_listing_count(const struct tenf_listing *listing);
/* True when the gateway has more than were read in time, or than 4096. */
bool tenf_listing_is_cut(const struct tenf_listing *listing);
/* A listed mapping: state MAPPED, method IGD, no id and no nonce; expires_at 0 and
 * lifetime_s UINT32_MAX where it stays until it is removed. `ret_description` is the
 * router's own, clean UTF-8. False when there is no such index. */
bool tenf_listing_mapping(const struct tenf_listing *listing, size_t index,
			  struct tenf_mapping *ret,
			  char ret_description[TENF_DESCRIPTION_SIZE]);
bool tenf_listing_igd_hint(const struct tenf_listing *listing, char ret[TENF_IGD_HINT_SIZE]);

/* ---- One-liners that block ----------------------------------------------- */

/* The gateway a session would choose, and its external address. TENF_E_FAILED
 * with reterr->reason NO_GATEWAY, SILENT or NO_SERVICE when none answers; `ret`
 * is filled with what is known in that case too. */
enum tenf_status tenf_find_gateway(const struct tenf_options *options, struct tenf_gateway *ret,
				   struct tenf_error *reterr);

/* Makes one lease and returns when the gateway answered or the time-out is
 * over (TENF_E_FAILED, see reterr->reason). Nothing renews it.
 * Not for TENF_BOTH: TENF_E_ARGUMENT. */
enum tenf_status tenf_open_port(const struct tenf_options *options,
				const struct tenf_request *request, struct tenf_mapping *ret,
				struct tenf_error *reterr);

/* Deletes what tenf_open_port() made. */
enum tenf_status tenf_close_port(const struct tenf_options *options,
				 const struct tenf_mapping *mapping, struct tenf_error *reterr);

/* ---- For testers ---------------------------------------------------------- */

/* Sends one datagram to the gateway as it is, and waits for the answer to it. No
 * retransmission. `*ret_len` is the room at `answer` before and the length after.
 * TENF_E_FAILED with reason SILENT or NO_SERVICE; with MALFORMED when all that came
 * answers something else (another opcode, nonce, port or, with PEER, remote peer; RFC
 * 6887 §11.4, §12.4): `answer` then has the last of it. `ret_rtt_us` and
 * `ret_gateway` may be NULL. */
enum tenf_status tenf_raw_exchange(const struct tenf_options *options, const uint8_t *request,
				   size_t len, uint8_t *answer, size_t *ret_len,
				   int64_t *ret_rtt_us, struct tenf_gateway *ret_gateway,
				   struct tenf_error *reterr);

enum tenf_raw_kind {
	TENF_RAW_NATPMP_ADDRESS,
	TENF_RAW_NATPMP_MAP,
	TENF_RAW_PCP_ANNOUNCE,
	TENF_RAW_PCP_MAP,
	TENF_RAW_PCP_PEER,
};

/* Filled by tenf_raw_init(). */
struct tenf_raw {
	size_t size;
	enum tenf_raw_kind kind;
	enum tenf_protocol protocol; /* TENF_TCP, TENF_UDP */
	uint16_t internal_port;
	uint16_t external_port;
	uint32_t lifetime_s;
	const char *client;           /* PCP header address; NULL: own address towards it */
	const char *external_address; /* suggested; NULL: none */
	const char *third_party;      /* THIRD_PARTY option; NULL: none */
	const char *remote_address;   /* PEER */
	uint16_t remote_port;         /* PEER */
	bool prefer_failure;
	const uint8_t *nonce;         /* TENF_NONCE_SIZE octets; NULL: random */
	const char *description;      /* NULL: none */
};

void tenf_raw_init(struct tenf_raw *raw);

/* Builds the request. `*ret_len` is the room at `data` before (1100 is always
 * enough) and the length after. `options` are used to find the own address when raw->client
 * is NULL. */
enum tenf_status tenf_raw_build(const struct tenf_options *options, const struct tenf_raw *raw,
				uint8_t *data, size_t *ret_len, struct tenf_error *reterr);

/* Describes any NAT-PMP or PCP packet, one "field: value" a line; bytes that
 * are neither get a line that says what is wrong. Always terminated. */
void tenf_packet_describe(const uint8_t *data, size_t len, char *text, size_t size);

/* ---- Names ---------------------------------------------------------------- */

const char *tenf_version(void);
const char *tenf_status_text(enum tenf_status status);
const char *tenf_reason_name(enum tenf_reason reason); /* "no-gateway", "silent" … */
const char *tenf_method_name(enum tenf_method method); /* "pcp", "natpmp", "igd" */
const char *tenf_state_name(enum tenf_state state);
const char *tenf_event_name(enum tenf_event_kind kind);
const char *tenf_address_class_name(enum tenf_address_class address_class);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * UPnP IGD towards one gateway: one job at a time, from "is there a device?" to
 * a list of all mappings. No thread and no blocking call: one descriptor to wait
 * for, one deadline, one step, and the time comes in as an argument.
 *
 *   igd_new → igd_start → [ igd_step … igd_take ]* → igd_free
 *
 * The transport is our own, because libminiupnpc's takes whatever a device
 * sends, as long as it sends; the library reads the XML. What a job costs is
 * bounded: its deadline, IGD_BODY_MAX octets an answer, IGD_PLACES_MAX
 * descriptions a search, IGD_ENTRIES_MAX entries a listing. Only what is on the
 * gateway's own address is asked; a redirect is followed nowhere.
 *
 * The object is the caller's, belongs to one thread, and owns its listing.
 */
#ifndef TENF_IGD_IGD_H
#define TENF_IGD_IGD_H

#include "base/random.h"
#include "base/time.h"
#include "igd/description.h"
#include "igd/listing.h"
#include "igd/sockets.h"

/* A job ends by its own deadline, or by this at the latest. */
#define IGD_JOB_MAX (30 * TENF_SECOND)
/* One request and its answer. */
#define IGD_EXCHANGE_MAX (5 * TENF_SECOND)
/* Ports tried where the gateway cannot choose one itself. */
#define IGD_PORTS_MAX 6

enum igd_presence {
	IGD_UNKNOWN,
	IGD_PRESENT, /* a device of the gateway answered */
	IGD_ABSENT,  /* the last search found none */
};

enum igd_what {
	IGD_FIND, /* is there a device? with its external address */
	IGD_ADD,  /* makes or renews a mapping; a pinhole where the source is IPv6 */
	IGD_DELETE,
	IGD_LIST,
};

struct igd_job {
	enum igd_what what;
	uint64_t token;     /* of the caller's, given back with the result */
	tenf_time deadline; /* TENF_NEVER: IGD_JOB_MAX alone */
	bool patient;       /* there is no other method: search the whole window */

	/* IGD_ADD, IGD_DELETE */
	enum tenf_protocol protocol; /* TENF_TCP or TENF_UDP */
	uint16_t internal_port;
	uint16_t external_port; /* wished or held; 0: any */
	bool exact;             /* this external port or none */
	bool fresh;             /* nothing is held: a port in use is somebody's */
	uint32_t lifetime_s;
	bool for_other; /* for another host than the way's source */
	struct tenf_address other;
	char description[IGD_DESCRIPTION];
};

struct igd_result {
	enum igd_what what;
	uint64_t token;
	enum tenf_reason reason; /* NONE: done */
	int error;               /* UPnP error code, -1 when there was none */
	uint16_t external_port;
	struct tenf_address external_address; /* zero when the gateway did not tell */
	uint32_t lifetime_s; /* UINT32_MAX: until it is removed */
	unsigned version;    /* of the service */
	tenf_duration rtt;   /* of the shortest exchange, -1 when there was none */
};

struct igd;

/* `hint` is what igd_hint() gave in an earlier run, NULL for none; it is tried
 * once and forgotten when it does not hold. TENF_E_SYSTEM, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status igd_new(const struct igd_way *way, const char *hint,
				      const struct tenf_random *random, struct igd **ret);
void igd_free(struct igd *igd); /* NULL is fine; what is under way is dropped */

/* Readable when igd_step() has something to do; stays the same. */
int igd_fd(const struct igd *igd);
tenf_time igd_deadline(const struct igd *igd);
void igd_step(struct igd *igd, tenf_time now);

/* Starts a job; the object must be idle, and its last result taken. */
void igd_start(struct igd *igd, const struct igd_job *job, tenf_time now);
bool igd_is_idle(const struct igd *igd);
/* Drops the job under way, if any; the gateway may have done it. */
void igd_abort(struct igd *igd);
/* The result of the job, once; false while there is none. */
bool igd_take(struct igd *igd, struct igd_result *ret);

enum igd_presence igd_presence(const struct igd *igd);
/* What was found, as a text for a later run; false when nothing was. */
bool igd_hint(const struct igd *igd, struct tenf_text *ret);
/* Of the last IGD_LIST; belongs to the object, good until the next job. */
const struct igd_listing *igd_listing(const struct igd *igd);

/* A UPnP error in a word, for people. Never NULL. */
const char *igd_error_name(int error);

#endif

/* SPDX-License-Identifier: MIT */
/* Inside of struct igd, for the files of this room that drive it: igd.c finds the
 * device and keeps the time, ask.c asks it, job.c and list.c know what to do next. */
#ifndef TENF_IGD_IGD_PRIVATE_H
#define TENF_IGD_IGD_PRIVATE_H

#include "igd/exchange.h"
#include "igd/igd.h"
#include "igd/search.h"

enum igd_stage {
	STAGE_IDLE,
	STAGE_HINT,        /* the remembered device is asked for its address */
	STAGE_SEARCH,      /* waits for places of descriptions */
	STAGE_DESCRIPTION, /* reads one */
	STAGE_ADDRESS,     /* nothing to do but to wait for the address */
	STAGE_FREE, /* is the port free, before it is mapped */
	STAGE_MAP,
	STAGE_MAP_ANY,
	STAGE_LOOK, /* whose mapping is it, before it is deleted */
	STAGE_UNMAP,
	STAGE_PINHOLE,
	STAGE_PINHOLE_NUMBER, /* asks again to learn which one to delete */
	STAGE_PINHOLE_DELETE,
	STAGE_LIST_MANY,
	STAGE_LIST_ONE,
};

struct igd {
	struct igd_way way;
	struct tenf_random random;
	int poll_fd;
	struct igd_search search;
	struct igd_exchange work; /* of the job */
	struct igd_exchange side; /* the external address, beside it */
	tenf_time work_from;
	tenf_time side_from;

	struct igd_device device;
	bool has_device;
	bool unproved; /* from a hint, and nothing has come of it so far */
	enum igd_presence presence;
	struct tenf_address external;
	tenf_time external_at; /* TENF_NEVER when never told */

	struct igd_job job;
	enum igd_stage stage;
	tenf_time job_end;
	bool searched; /* in this job: not again */
	bool foreign;  /* a description that sends us to another host was seen */
	bool permanent; /* the gateway knows leases without end alone */
	uint16_t port;  /* external, being tried */
	unsigned ports; /* tried */
	char pinhole[IGD_VALUE];
	uint64_t list_from;     /* index, or port of IGD_LIST_MANY */
	bool list_udp;
	struct igd_result result;
	bool has_result;
	struct igd_listing listing;
};

/* Begins the job with a device at hand. */
void job_begin(struct igd *igd, tenf_time now);
/* The exchange of the job is done; goes on to the next, or to the end. */
void job_answered(struct igd *igd, tenf_time now);
void job_address_answered(struct igd *igd, tenf_time now);

/* Ends the job with this word, as soon as the address is known too. */
void igd_finish(struct igd *igd, enum tenf_reason reason, int error);
/* The device does not answer as it should: looks for it anew, once a job.
 * False when that was done already. */
bool igd_search_anew(struct igd *igd, tenf_time now);

#endif

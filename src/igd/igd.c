/* SPDX-License-Identifier: MIT */
#include "igd/igd.h"

#include "igd/ask.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A description that takes longer is not read to its end: another place may be
 * the right one. */
#define DESCRIPTION_MAX (3 * TENF_SECOND)
/* How long a mapping that was granted waits for the address it has outside. */
#define ADDRESS_WAIT (500 * TENF_MILLISECOND)

enum tenf_status igd_new(const struct igd_way *way, const char *hint,
			 const struct tenf_random *random, struct igd **ret)
{
	struct igd *igd = calloc(1, sizeof(*igd));

	if (igd == NULL)
		return TENF_E_MEMORY;
	igd->way = *way;
	igd->random = *random;
	igd->external = tenf_address_zero_of(&way->source);
	igd->external_at = TENF_NEVER;
	igd->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	igd_search_init(&igd->search, way, igd->poll_fd);
	igd_exchange_init(&igd->work, igd->poll_fd);
	igd_exchange_init(&igd->side, igd->poll_fd);
	if (igd->poll_fd < 0) {
		igd_free(igd);
		return TENF_E_SYSTEM;
	}
	if (hint != NULL && igd_hint_read(hint, &way->gateway, &igd->device))
		igd->has_device = igd->unproved = true;
	*ret = igd;
	return TENF_OK;
}

void igd_free(struct igd *igd)
{
	if (igd == NULL)
		return;
	igd_search_stop(&igd->search);
	igd_exchange_reset(&igd->work);
	igd_exchange_reset(&igd->side);
	igd_listing_done(&igd->listing);
	if (igd->poll_fd >= 0)
		(void)close(igd->poll_fd);
	free(igd);
}

int igd_fd(const struct igd *igd)
{
	return igd->poll_fd;
}

tenf_time igd_deadline(const struct igd *igd)
{
	tenf_time first = igd_search_deadline(&igd->search);

	if (igd->stage != STAGE_IDLE)
		first = tenf_time_min(first, igd->job_end);
	first = tenf_time_min(first, igd->work.deadline);
	return tenf_time_min(first, igd->side.deadline);
}

bool igd_is_idle(const struct igd *igd)
{
	return igd->stage == STAGE_IDLE;
}

bool igd_take(struct igd *igd, struct igd_result *ret)
{
	if (!igd->has_result)
		return false;
	igd->has_result = false;
	*ret = igd->result;
	return true;
}

enum igd_presence igd_presence(const struct igd *igd)
{
	return igd->presence;
}

bool igd_hint(const struct igd *igd, struct tenf_text *ret)
{
	if (igd->presence != IGD_PRESENT)
		return false;
	igd_hint_write(&igd->device, ret);
	return !ret->cut;
}

const struct igd_listing *igd_listing(const struct igd *igd)
{
	return &igd->listing;
}

/* ---- The end of a job ----------------------------------------------------------- */

static void conclude(struct igd *igd)
{
	igd->stage = STAGE_IDLE;
	igd->result.external_address = igd->external;
	igd->result.version = igd->device.wan.version != 0 ? igd->device.wan.version
							   : igd->device.pinholes.version;
	igd->has_result = true;
	igd_search_stop(&igd->search);
	igd_exchange_reset(&igd->work);
	igd_exchange_reset(&igd->side);
}

void igd_finish(struct igd *igd, enum tenf_reason reason, int error)
{
	igd->result.reason = reason;
	igd->result.error = error;
	if (reason == TENF_REASON_NONE && igd->side.state != IGD_EXCHANGE_IDLE) {
		igd->stage = STAGE_ADDRESS;
		return;
	}
	conclude(igd);
}

void igd_abort(struct igd *igd)
{
	if (igd->stage != STAGE_IDLE)
		conclude(igd);
	igd->has_result = false;
}

/* What is already listed is worth having. */
static void run_out_of_time(struct igd *igd)
{
	bool listed = igd->stage == STAGE_LIST_ONE || igd->stage == STAGE_LIST_MANY;

	if (igd->stage == STAGE_ADDRESS) {
		conclude(igd);
		return;
	}
	if (listed && igd->listing.count > 0) {
		igd->listing.cut = true;
		igd_exchange_reset(&igd->side);
		igd_finish(igd, TENF_REASON_NONE, -1);
		return;
	}
	igd_finish(igd, TENF_REASON_SILENT, -1);
}

/* ---- The device ------------------------------------------------------------------ */

static void search(struct igd *igd, tenf_time now)
{
	igd->searched = true;
	igd->stage = STAGE_SEARCH;
	if (igd_search_start(&igd->search, igd->job.patient, now) != TENF_OK)
		igd_finish(igd, TENF_REASON_NO_SERVICE, -1);
}

bool igd_search_anew(struct igd *igd, tenf_time now)
{
	if (igd->searched)
		return false;
	igd->has_device = false;
	igd->presence = IGD_UNKNOWN;
	igd_exchange_reset(&igd->work);
	igd_exchange_reset(&igd->side);
	search(igd, now);
	return true;
}

static void begin(struct igd *igd, tenf_time now)
{
	if (!igd->unproved)
		igd->presence = IGD_PRESENT;
	job_begin(igd, now);
}

/* A search is over when its window is, or when the device was found. */
static void look_at_places(struct igd *igd, tenf_time now)
{
	struct igd_url place;

	if (igd_search_next(&igd->search, &place)) {
		igd->stage = STAGE_DESCRIPTION;
		igd->work_from = now;
		igd_exchange_start(&igd->work, &igd->way, &place, NULL, NULL,
				   tenf_time_min(igd->job_end, now + DESCRIPTION_MAX));
	} else if (igd_search_is_over(&igd->search)) {
		igd->presence = IGD_ABSENT;
		igd_finish(igd, igd->foreign ? TENF_REASON_MALFORMED : TENF_REASON_NO_SERVICE,
			   -1);
	}
}

static void read_description(struct igd *igd, tenf_time now)
{
	const struct igd_http *answer = &igd->work.answer;
	const struct igd_url *from = &igd->search.places[igd->search.taken - 1];
	enum tenf_status status = TENF_E_NOT_FOUND;

	if (igd->work.status == TENF_OK && answer->status == 200 && answer->len > 0)
		status = igd_description_read(answer->body, answer->len, from, &igd->device);
	igd_exchange_reset(&igd->work);
	if (status == TENF_E_REFUSED)
		igd->foreign = true;
	if (status != TENF_OK) {
		igd->stage = STAGE_SEARCH;
		return;
	}
	igd_search_stop(&igd->search);
	igd->has_device = true;
	igd->unproved = false;
	begin(igd, now);
}

/* ---- Steps ----------------------------------------------------------------------- */

static void take_side(struct igd *igd, tenf_time now)
{
	if (igd->side.state == IGD_EXCHANGE_DONE)
		job_address_answered(igd, now);
	if (igd->stage != STAGE_ADDRESS)
		return;
	if (igd->side.state == IGD_EXCHANGE_IDLE)
		conclude(igd);
	else if (igd->job.what != IGD_FIND)
		igd->side.deadline = tenf_time_min(igd->side.deadline, now + ADDRESS_WAIT);
}

static void take_work(struct igd *igd, tenf_time now)
{
	bool done = igd->work.state == IGD_EXCHANGE_DONE;
	tenf_duration took = now - igd->work_from;

	if (igd->stage == STAGE_DESCRIPTION && done)
		read_description(igd, now);
	else if (igd->stage != STAGE_IDLE && done) {
		if (igd->result.rtt < 0 || took < igd->result.rtt)
			igd->result.rtt = took;
		job_answered(igd, now);
	}
	if (igd->stage == STAGE_SEARCH)
		look_at_places(igd, now);
}

/* As long as something is done at once, such as an exchange that cannot even
 * begin; each turn uses up a place, a port or a stage. */
void igd_step(struct igd *igd, tenf_time now)
{
	if (igd->stage == STAGE_IDLE)
		return;
	igd_search_step(&igd->search, now);
	do {
		igd_exchange_step(&igd->work, now);
		igd_exchange_step(&igd->side, now);
		take_work(igd, now);
		take_side(igd, now);
	} while (igd->work.state == IGD_EXCHANGE_DONE || igd->side.state == IGD_EXCHANGE_DONE);
	if (igd->stage != STAGE_IDLE && igd->job_end <= now)
		run_out_of_time(igd);
}

void igd_start(struct igd *igd, const struct igd_job *job, tenf_time now)
{
	igd->job = *job;
	igd->job_end = tenf_time_min(job->deadline, now + IGD_JOB_MAX);
	igd->searched = igd->foreign = igd->permanent = false;
	igd->result = (struct igd_result){ .what = job->what, .token = job->token, .error = -1,
					   .rtt = -1 };
	igd->has_result = false;
	igd_listing_done(&igd->listing);
	if (!igd->has_device ||
	    (igd->unproved && job->what == IGD_FIND && igd->device.wan.version == 0)) {
		search(igd, now);
	} else if (igd->unproved && job->what == IGD_FIND) {
		igd->stage = STAGE_HINT;
		ask_address(igd, now);
	} else {
		begin(igd, now);
	}
	igd_step(igd, now);
}

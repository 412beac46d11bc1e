/* SPDX-License-Identifier: MIT */
/* What a job asks the device, one action after the other. */
#include "igd/ask.h"

/* An address told this long ago is asked for again. */
#define ADDRESS_FRESH (60 * TENF_SECOND)

#define ACTION_INVALID 401

/* ---- Beginning ------------------------------------------------------------------- */

static bool is_pinhole(const struct igd *igd)
{
	return !tenf_address_is_v4(ask_client(igd));
}

static bool address_is_stale(const struct igd *igd, tenf_time now)
{
	return igd->external_at == TENF_NEVER || now - igd->external_at > ADDRESS_FRESH;
}

/* Where any port will do, a gateway that can choose one chooses. */
static enum igd_stage first_stage(const struct igd *igd)
{
	bool any = igd->job.external_port == 0 && igd->device.wan.version >= 2;

	return any ? STAGE_MAP_ANY : STAGE_MAP;
}

static void begin_add(struct igd *igd, tenf_time now)
{
	if (is_pinhole(igd)) {
		ask_pinhole(igd, STAGE_PINHOLE, now);
		return;
	}
	if (address_is_stale(igd, now))
		ask_address(igd, now);
	igd->ports = 1;
	igd->port = igd->job.external_port != 0 ? igd->job.external_port
						: igd->job.internal_port;
	if (igd->job.fresh)
		ask_about(igd, STAGE_FREE, now);
	else
		ask_map(igd, first_stage(igd), now);
}

static void begin_list(struct igd *igd, tenf_time now)
{
	if (address_is_stale(igd, now))
		ask_address(igd, now);
	igd->list_udp = false;
	igd->list_from = 0;
	if (igd->device.wan.version >= 2)
		ask_many(igd, now);
	else
		ask_one(igd, now);
}

void job_begin(struct igd *igd, tenf_time now)
{
	bool pinhole = (igd->job.what == IGD_ADD || igd->job.what == IGD_DELETE) &&
		       is_pinhole(igd);
	const struct igd_service *service = pinhole ? &igd->device.pinholes : &igd->device.wan;

	if (service->version == 0 && igd->job.what != IGD_FIND) {
		igd_finish(igd, TENF_REASON_NO_SERVICE, -1);
		return;
	}
	switch (igd->job.what) {
	case IGD_FIND:
		ask_address(igd, now);
		igd_finish(igd, TENF_REASON_NONE, -1);
		break;
	case IGD_ADD:
		begin_add(igd, now);
		break;
	case IGD_DELETE:
		igd->port = igd->job.external_port != 0 ? igd->job.external_port
							: igd->job.internal_port;
		if (pinhole)
			ask_pinhole(igd, STAGE_PINHOLE_NUMBER, now);
		else
			ask_about(igd, STAGE_LOOK, now);
		break;
	case IGD_LIST:
		begin_list(igd, now);
		break;
	}
}

/* ---- Answers ---------------------------------------------------------------------- */

/* What an exchange came to; *ret_error is the UPnP error of TENF_E_FAILED. */
static enum tenf_status judge(const struct igd_exchange *x, const char *action, int *ret_error)
{
	if (x->status != TENF_OK)
		return x->status;
	return igd_soap_judge(x->answer.body, x->answer.len, x->answer.status, action, ret_error);
}

static enum tenf_reason reason_of(enum tenf_status status)
{
	switch (status) {
	case TENF_E_AGAIN:
	case TENF_E_UNREACHABLE:
		return TENF_REASON_SILENT;
	case TENF_E_REFUSED:
		return TENF_REASON_NO_SERVICE;
	case TENF_E_TRUNCATED:
	case TENF_E_MALFORMED:
	case TENF_E_LIMIT:
	case TENF_E_NOT_FOUND:
	case TENF_E_FAILED:
	case TENF_E_ARGUMENT:
		return TENF_REASON_MALFORMED;
	case TENF_OK:
	case TENF_E_MEMORY:
	case TENF_E_SYSTEM:
		break;
	}
	return TENF_REASON_SYSTEM;
}

enum tenf_reason job_reason_of(int error)
{
	switch (error) {
	case IGD_ERROR_NO_PORTS:
		return TENF_REASON_RESOURCES;
	case IGD_ERROR_CONFLICT:
	case IGD_ERROR_SAME_PORTS:
	case IGD_ERROR_OTHER_MECHANISM:
		return TENF_REASON_OTHER_PORT;
	default: /* codes from the wire */
		return TENF_REASON_REFUSED;
	}
}

static void granted(struct igd *igd, uint16_t port)
{
	uint32_t lease = ask_lease_s(igd);

	igd->result.external_port = port;
	igd->result.lifetime_s = lease > 0 ? lease : UINT32_MAX;
	igd_finish(igd, TENF_REASON_NONE, -1);
}

/* The port is taken: another one, by chance. Not the next one, which gateways try
 * themselves and which may be in use by this host: that mapping would be lost. */
static void try_other_port(struct igd *igd, int error, tenf_time now)
{
	if (igd->job.exact) {
		igd_finish(igd, TENF_REASON_OTHER_PORT, error);
		return;
	}
	if (igd->ports++ >= IGD_PORTS_MAX) {
		igd_finish(igd, TENF_REASON_RESOURCES, error);
		return;
	}
	if (error == IGD_ERROR_SAME_PORTS)
		igd->port = igd->job.internal_port;
	else
		igd->port = (uint16_t)(1024 + tenf_random_below(&igd->random, 65536 - 1024));
	ask_map(igd, igd->device.wan.version >= 2 ? STAGE_MAP_ANY : STAGE_MAP, now);
}

static void map_failed(struct igd *igd, int error, tenf_time now)
{
	if (error == IGD_ERROR_PERMANENT_ONLY && !igd->permanent) {
		igd->permanent = true;
		ask_map(igd, igd->stage, now);
	} else if (igd->stage == STAGE_MAP_ANY &&
		   (error == ACTION_INVALID || error == IGD_ERROR_ACTION_FAILED)) {
		igd->device.wan.version = 1; /* it says 2, but does not know the action */
		ask_map(igd, STAGE_MAP, now);
	} else if (job_reason_of(error) == TENF_REASON_OTHER_PORT) {
		try_other_port(igd, error, now);
	} else {
		igd_finish(igd, job_reason_of(error), error);
	}
}

static void mapped(struct igd *igd)
{
	struct igd_values values;
	uint64_t port = igd->port;

	if (igd->stage == STAGE_MAP_ANY) {
		if (igd_values_read(igd->work.answer.body, igd->work.answer.len, &values) !=
		    TENF_OK) {
			igd_finish(igd, TENF_REASON_SYSTEM, -1);
			return;
		}
		if (!igd_values_number(&values, "NewReservedPort", UINT16_MAX, &port))
			port = 0;
		igd_values_done(&values);
	}
	if (port == 0)
		igd_finish(igd, TENF_REASON_MALFORMED, -1);
	else
		granted(igd, (uint16_t)port);
}

/* The gateway deletes for whoever asks: what is not ours is left alone. */
static bool is_ours(const struct igd *igd)
{
	struct igd_values values;
	struct tenf_address client;
	const char *text;
	uint64_t port = 0;
	bool ours = false;

	if (igd_values_read(igd->work.answer.body, igd->work.answer.len, &values) != TENF_OK)
		return false;
	text = igd_values_get(&values, "NewInternalClient");
	ours = text != NULL && tenf_address_parse(text, &client) &&
	       tenf_address_equal(&client, ask_client(igd)) &&
	       igd_values_number(&values, "NewInternalPort", UINT16_MAX, &port) &&
	       port == igd->job.internal_port;
	igd_values_done(&values);
	return ours;
}

/* A gateway lets a host take its own port for another program, silently. */
static void looked_for_free(struct igd *igd, int error, tenf_time now)
{
	if (error < 0 && !is_ours(igd))
		try_other_port(igd, IGD_ERROR_CONFLICT, now);
	else
		ask_map(igd, first_stage(igd), now);
}

static void looked(struct igd *igd, int error, tenf_time now)
{
	if (error == IGD_ERROR_NO_SUCH_ENTRY || (error < 0 && !is_ours(igd)))
		igd_finish(igd, TENF_REASON_NONE, -1);
	else
		ask_about(igd, STAGE_UNMAP, now);
}

static bool read_pinhole(struct igd *igd)
{
	struct igd_values values;
	uint64_t id;
	bool ok;

	if (igd_values_read(igd->work.answer.body, igd->work.answer.len, &values) != TENF_OK)
		return false;
	ok = igd_values_number(&values, "UniqueID", UINT16_MAX, &id);
	igd_values_done(&values);
	if (ok) {
		struct tenf_text t = tenf_text_of(igd->pinhole, sizeof(igd->pinhole));

		tenf_text_add_number(&t, id);
	}
	return ok;
}

static void pinhole_answered(struct igd *igd, int error, tenf_time now)
{
	if (error >= 0)
		igd_finish(igd, job_reason_of(error), error);
	else if (!read_pinhole(igd))
		igd_finish(igd, TENF_REASON_MALFORMED, -1);
	else if (igd->stage == STAGE_PINHOLE_NUMBER)
		ask_pinhole_delete(igd, now);
	else {
		igd->external = *ask_client(igd); /* what has a pinhole is reached as it is */
		igd->external_at = now;
		igd->result.external_port = igd->job.internal_port;
		igd->result.lifetime_s = ask_pinhole_lease_s(igd);
		igd_finish(igd, TENF_REASON_NONE, -1);
	}
}

static const char *action_of(enum igd_stage stage)
{
	switch (stage) {
	case STAGE_MAP:
		return "AddPortMapping";
	case STAGE_MAP_ANY:
		return "AddAnyPortMapping";
	case STAGE_FREE:
	case STAGE_LOOK:
		return "GetSpecificPortMappingEntry";
	case STAGE_UNMAP:
		return "DeletePortMapping";
	case STAGE_PINHOLE:
	case STAGE_PINHOLE_NUMBER:
		return "AddPinhole";
	case STAGE_PINHOLE_DELETE:
		return "DeletePinhole";
	case STAGE_LIST_MANY:
		return "GetListOfPortMappings";
	case STAGE_LIST_ONE:
		return "GetGenericPortMappingEntry";
	case STAGE_IDLE:
	case STAGE_HINT:
	case STAGE_SEARCH:
	case STAGE_DESCRIPTION:
	case STAGE_ADDRESS:
		break;
	}
	return "";
}

/* No UPnP in the answer at all. */
static void answer_is_none(struct igd *igd, enum tenf_status status, tenf_time now)
{
	bool listed = igd->stage == STAGE_LIST_ONE || igd->stage == STAGE_LIST_MANY;

	if (listed && igd->listing.count > 0) {
		igd->listing.cut = true;
		igd_finish(igd, TENF_REASON_NONE, -1);
	} else if (!igd_search_anew(igd, now)) {
		igd_finish(igd, reason_of(status), -1);
	}
}

static void delete_answered(struct igd *igd, int error)
{
	bool gone = error < 0 || error == IGD_ERROR_NO_SUCH_ENTRY;

	igd_finish(igd, gone ? TENF_REASON_NONE : job_reason_of(error), gone ? -1 : error);
}

/* `error` is that of UPnP, -1 for a success. */
static void take_answer(struct igd *igd, int error, tenf_time now)
{
	switch (igd->stage) {
	case STAGE_MAP:
	case STAGE_MAP_ANY:
		if (error >= 0)
			map_failed(igd, error, now);
		else
			mapped(igd);
		break;
	case STAGE_FREE:
		looked_for_free(igd, error, now);
		break;
	case STAGE_LOOK:
		looked(igd, error, now);
		break;
	case STAGE_UNMAP:
	case STAGE_PINHOLE_DELETE:
		delete_answered(igd, error);
		break;
	case STAGE_PINHOLE:
	case STAGE_PINHOLE_NUMBER:
		pinhole_answered(igd, error, now);
		break;
	case STAGE_LIST_MANY:
		list_many_answered(igd, error, now);
		break;
	case STAGE_LIST_ONE:
		list_one_answered(igd, error, now);
		break;
	case STAGE_IDLE:
	case STAGE_HINT:
	case STAGE_SEARCH:
	case STAGE_DESCRIPTION:
	case STAGE_ADDRESS:
		break;
	}
}

static void prove(struct igd *igd)
{
	igd->unproved = false;
	igd->presence = IGD_PRESENT;
}

void job_answered(struct igd *igd, tenf_time now)
{
	int error = -1;
	enum tenf_status status = judge(&igd->work, action_of(igd->stage), &error);

	if (status != TENF_OK && status != TENF_E_FAILED) {
		igd_exchange_reset(&igd->work);
		answer_is_none(igd, status, now);
		return;
	}
	prove(igd);
	take_answer(igd, error, now);
	/* The answer was read; the next exchange, if any, has begun on its own. */
	if (igd->work.state == IGD_EXCHANGE_DONE && igd->stage == STAGE_ADDRESS)
		igd_exchange_reset(&igd->work);
}

/* ---- The address -------------------------------------------------------------------- */

static void learn_address(struct igd *igd, tenf_time now)
{
	struct igd_values values;
	struct tenf_address address = tenf_address_none4;
	const char *text;

	if (igd_values_read(igd->side.answer.body, igd->side.answer.len, &values) != TENF_OK)
		return;
	text = igd_values_get(&values, "NewExternalIPAddress");
	if (text == NULL || !tenf_address_parse(text, &address))
		address = tenf_address_none4;
	igd_values_done(&values);
	igd->external = address;
	igd->external_at = now;
}

void job_address_answered(struct igd *igd, tenf_time now)
{
	int error = -1;
	enum tenf_status status = judge(&igd->side, "GetExternalIPAddress", &error);
	bool answered = status == TENF_OK || status == TENF_E_FAILED;
	tenf_duration took = now - igd->side_from;

	if (status == TENF_OK)
		learn_address(igd, now);
	igd_exchange_reset(&igd->side);
	if (answered) {
		prove(igd);
		if (igd->result.rtt < 0 || took < igd->result.rtt)
			igd->result.rtt = took;
	}
	if (igd->job.what != IGD_FIND)
		return;
	if (answered) {
		igd->stage = STAGE_ADDRESS;
		igd->result.error = error;
	} else if (!igd_search_anew(igd, now)) {
		igd->presence = IGD_ABSENT;
		igd->has_device = false;
		igd_finish(igd, reason_of(status), -1);
	}
}

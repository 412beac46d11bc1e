/* SPDX-License-Identifier: MIT */
#include "lib/upnp.h"

#if TENF_WITH_IGD

#include "net/clock.h"
#include "net/poll.h"

#include <string.h>

_Static_assert(TENF_IGD_HINT_SIZE >= IGD_HINT, "a hint fits");

/* The hints are lines, one for each network; the one that is of this gateway. */
static const char *hint_for(const struct settings *settings, const struct tenf_address *gateway,
			    char line[IGD_HINT])
{
	const char *at = settings->igd_hints;
	struct igd_device device;

	while (*at != '\0') {
		size_t len = strcspn(at, "\n");

		if (len > 0 && len < IGD_HINT) {
			memcpy(line, at, len);
			line[len] = '\0';
			if (igd_hint_read(line, gateway, &device))
				return line;
		}
		at += len + (at[len] == '\n');
	}
	return NULL;
}

enum tenf_status upnp_open(const struct settings *settings, const struct route *route,
			   int poll_fd, uint64_t tag, struct igd **ret)
{
	struct igd_way way = { .gateway = route->gateway.address,
			       .source = route->source,
			       .ifindex = route->ifindex,
			       .open = settings->opener.open,
			       .open_context = settings->opener.context };
	struct tenf_random random = net_random();
	char line[IGD_HINT];
	struct igd *igd;
	enum tenf_status status =
		igd_new(&way, hint_for(settings, &way.gateway, line), &random, &igd);

	if (status != TENF_OK)
		return status;
	if (net_poll_add(poll_fd, igd_fd(igd), tag) != TENF_OK) {
		igd_free(igd);
		return TENF_E_SYSTEM;
	}
	*ret = igd;
	return TENF_OK;
}

void upnp_find(struct igd *igd, bool patient, tenf_time deadline)
{
	struct igd_job job = { .what = IGD_FIND, .patient = patient, .deadline = deadline };

	igd_start(igd, &job, net_now());
}

void upnp_hint(const struct igd *igd, char ret[TENF_IGD_HINT_SIZE])
{
	struct tenf_text t = tenf_text_of(ret, TENF_IGD_HINT_SIZE);

	if (igd == NULL || !igd_hint(igd, &t))
		ret[0] = '\0';
}

/* ---- For an engine --------------------------------------------------------------- */

static struct igd_job job_of(const struct upnp_question *q)
{
	struct igd_job job = {
		.what = q->question.op == CORE_DISCOVER ? IGD_FIND :
			q->question.op == CORE_MAP	? IGD_ADD :
							  IGD_DELETE,
		.token = q->token,
		.deadline = q->question.give_up,
		.patient = q->alone,
		.protocol = q->question.protocol,
		.internal_port = q->question.internal_port,
		.external_port = q->question.external_port,
		.exact = q->question.prefer_failure,
		.fresh = q->fresh,
		.lifetime_s = q->question.lifetime_s,
		.for_other = q->question.for_other,
		.other = q->question.other,
	};
	struct tenf_text t = tenf_text_of(job.description, sizeof(job.description));

	if (q->question.description != NULL)
		tenf_text_add(&t, q->question.description);
	return job;
}

static void give_answer(struct upnp_side *side, struct engine *engine,
			const struct igd_result *result)
{
	bool found = result->what == IGD_FIND && result->reason == TENF_REASON_NONE;
	struct core_answer answer = {
		.reason = result->reason,
		.method = TENF_METHOD_IGD,
		.result = result->error,
		.lifetime_s = result->reason == TENF_REASON_NONE ? result->lifetime_s : 0,
		.external_port = result->external_port,
		.external_address = result->external_address,
		.spoken = found ? TENF_METHOD_IGD : 0,
		.rtt = result->rtt,
	};

	engine_upnp_answered(engine, &side->question, &answer,
			     igd_presence(side->igd) == IGD_PRESENT ? result->version : 0,
			     net_now());
}

/* Memory or descriptors are out: the question fails, others may do better. */
static void give_failure(struct upnp_side *side, struct engine *engine)
{
	struct core_answer answer = { .reason = TENF_REASON_SYSTEM, .method = TENF_METHOD_IGD,
				      .result = -1, .rtt = -1,
				      .external_address = tenf_address_none4 };

	engine_upnp_answered(engine, &side->question, &answer, 0, net_now());
}

void upnp_side_step(struct upnp_side *side, struct engine *engine, const struct route *route,
		    const struct settings *settings, int poll_fd, uint64_t tag)
{
	struct igd_result result;
	struct igd_job job;

	if (side->igd != NULL)
		igd_step(side->igd, net_now());
	for (;;) {
		if (side->igd != NULL && igd_take(side->igd, &result))
			give_answer(side, engine, &result);
		if (side->igd != NULL && !igd_is_idle(side->igd))
			return;
		if (!engine_next_upnp(engine, net_now(), &side->question))
			return;
		if (side->igd == NULL &&
		    upnp_open(settings, route, poll_fd, tag, &side->igd) != TENF_OK) {
			give_failure(side, engine);
			continue;
		}
		job = job_of(&side->question);
		igd_start(side->igd, &job, net_now());
	}
}

tenf_time upnp_side_deadline(const struct upnp_side *side, const struct engine *engine)
{
	if (side->igd != NULL && !igd_is_idle(side->igd))
		return igd_deadline(side->igd);
	return engine->has_gateway ? upnp_question_at(&engine->upnp) : TENF_NEVER;
}

void upnp_side_reset(struct upnp_side *side, struct engine *engine)
{
	bool busy = side->igd != NULL && !igd_is_idle(side->igd);

	igd_free(side->igd);
	side->igd = NULL;
	if (busy && engine != NULL)
		give_failure(side, engine);
}

#endif

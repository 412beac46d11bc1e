/* SPDX-License-Identifier: MIT */
#include "keeper/engine.h"

#define WATCH_EVERY (300 * TENF_SECOND)
#define WATCH_RETRY (64 * TENF_SECOND) /* while nobody answers */

static struct keeper_mapping *mapping_of(struct inquiry *inquiry)
{
	return (void *)((char *)inquiry - offsetof(struct keeper_mapping, inquiry));
}

void engine_init(struct engine *engine, const struct engine_config *config,
		 const struct tenf_random *random, const struct tenf_memory *memory)
{
	struct keeper_config keeper_config = { .verdict = config->verdict,
					       .methods = config->methods };

	*engine = (struct engine){
		.config = *config,
		.random = *random,
		.watch_at = TENF_NEVER,
		.address_told = tenf_address_none4,
	};
	keeper_init(&engine->keeper, &keeper_config, random, memory);
#if TENF_WITH_IGD
	upnp_init(&engine->upnp, config->methods);
#endif
}

void engine_done(struct engine *engine)
{
	keeper_done(&engine->keeper);
}

/* ---- UPnP beside the client ----------------------------------------------------- */

#if TENF_WITH_IGD

static bool upnp_has_question(struct engine *engine, struct keeper_mapping *m, tenf_time now)
{
	bool known = engine->client.pcp == CLIENT_SPEAKS ||
		     engine->client.natpmp == CLIENT_SPEAKS;

	return upnp_takes(&engine->upnp, m, &m->inquiry.question, known, now);
}

static void upnp_forgets(struct engine *engine, struct keeper_mapping *m)
{
	upnp_cancel(&engine->upnp, m);
}

#else

static bool upnp_has_question(struct engine *engine, struct keeper_mapping *m, tenf_time now)
{
	(void)engine, (void)m, (void)now;
	return false;
}

static void upnp_forgets(struct engine *engine, struct keeper_mapping *m)
{
	(void)engine, (void)m;
}

#endif

/* ---- Between keeper and client ---------------------------------------------- */

static void watch_answered(struct engine *engine, tenf_time now)
{
	enum tenf_reason reason = engine->watch.answer.reason;

	if (reason != engine->gateway_reason || !engine->watch_heard)
		engine->gateway_news = true;
	engine->gateway_reason = reason;
	engine->watch_heard = true;
	engine->watch_at = now + (reason == TENF_REASON_NONE ? WATCH_EVERY : WATCH_RETRY);
}

static void pass_asks(struct engine *engine, tenf_time now)
{
	struct keeper_mapping *m;

	while ((m = keeper_next_ask(&engine->keeper)) != NULL) {
		client_cancel(&engine->client, &m->inquiry, now);
		upnp_forgets(engine, m);
		if (keeper_question(&engine->keeper, m, &m->inquiry.question) &&
		    !upnp_has_question(engine, m, now))
			client_ask(&engine->client, &m->inquiry, now);
	}
}

static void pass_answers(struct engine *engine, tenf_time now)
{
	struct inquiry *inquiry;

	while ((inquiry = client_next_answer(&engine->client)) != NULL) {
#if TENF_WITH_IGD
		if (inquiry == &engine->watch ?
			    upnp_keeps_watch(&engine->upnp, inquiry->answer.reason, now) :
			    upnp_keeps(&engine->upnp, mapping_of(inquiry), now))
			continue;
#endif
		if (inquiry == &engine->watch)
			watch_answered(engine, now);
		else
			keeper_answered(&engine->keeper, mapping_of(inquiry), now);
	}
}

/* Asks and answers go to and fro until both sides are quiet. It ends, because
 * no answer of a client comes without a packet or time in between. */
static void settle(struct engine *engine, tenf_time now)
{
	if (engine->client.restarted) {
		engine->client.restarted = false;
		engine->restart_news = true;
		keeper_restarted(&engine->keeper, now);
	}
	if (engine->client.alive) {
		engine->client.alive = false;
		keeper_alive(&engine->keeper, now);
	}
	if (engine->client.natpmp_moved) {
		engine->client.natpmp_moved = false;
		keeper_readdressed(&engine->keeper, &engine->client.external);
	}
	do {
		pass_asks(engine, now);
		pass_answers(engine, now);
	} while (engine->keeper.first_ask != NULL);
}

static void start_watch(struct engine *engine, tenf_time now)
{
	engine->watch.question = (struct core_question){
		.op = CORE_DISCOVER,
		.methods = engine->config.methods,
		.give_up = tenf_time_add(now, engine->config.verdict),
	};
	client_ask(&engine->client, &engine->watch, now);
}

/* ---- The gateway --------------------------------------------------------------- */

/* Takes every inquiry out of the client before it is made anew. */
static void empty_client(struct engine *engine, tenf_time now)
{
	client_cancel(&engine->client, &engine->watch, now);
	for (size_t i = 0; i < engine->keeper.count; i++) {
		client_cancel(&engine->client, &engine->keeper.mappings[i]->inquiry, now);
		upnp_forgets(engine, engine->keeper.mappings[i]);
	}
#if TENF_WITH_IGD
	upnp_reset(&engine->upnp);
#endif
}

void engine_set_gateway(struct engine *engine, const struct tenf_endpoint *gateway,
			const struct tenf_address *source, tenf_time now)
{
	/* Also the same after a time without any: its mappings may still be there. */
	bool same_gateway = gateway != NULL &&
			    tenf_endpoint_equal(gateway, &engine->client.gateway);
	bool same_source =
		gateway != NULL && tenf_address_equal(source, &engine->client.source);
	bool same = engine->has_gateway && same_gateway && same_source;

	/* While no packet has left, the questions are for whoever they are sent to in the
	 * end; what they would have shown to the first, a nonce above all, is not spent. */
	if (engine->has_gateway && same_source && engine->client.counters.sent == 0) {
		engine->client.gateway = *gateway;
		engine->gateway_news |= !same && !engine->config.watch;
		return;
	}
	if (engine->has_gateway && !same)
		empty_client(engine, now);
	engine->has_gateway = gateway != NULL;
	if (gateway != NULL && !same)
		client_init(&engine->client, gateway, source, engine->config.methods,
			    engine->config.forced, &engine->random);
	engine->watch_at = TENF_NEVER;
	engine->gateway_reason = TENF_REASON_NONE;
	engine->watch_heard = false;
	/* Who watches is told when the first verdict is in. */
	if (!same && (gateway == NULL || !engine->config.watch))
		engine->gateway_news = true;
	if (engine->config.watch && gateway != NULL && engine->watch.place == INQUIRY_NOWHERE)
		start_watch(engine, now);
	keeper_moved(&engine->keeper, source, same_gateway, now);
	settle(engine, now);
}

/* ---- Wishes -------------------------------------------------------------------- */

enum tenf_status engine_add(struct engine *engine, const struct keeper_wish *wish, bool both,
			    tenf_time now, uint32_t *ret_id)
{
	enum tenf_status status = keeper_add(&engine->keeper, wish, both, now, ret_id);

	settle(engine, now);
	return status;
}

enum tenf_status engine_release(struct engine *engine, const struct keeper_wish *wish,
				tenf_time now, uint32_t *ret_id)
{
	enum tenf_status status = keeper_release(&engine->keeper, wish, now, ret_id);

	settle(engine, now);
	return status;
}

enum tenf_status engine_remove(struct engine *engine, uint32_t id, tenf_time now)
{
	enum tenf_status status = keeper_remove(&engine->keeper, id, now);

	settle(engine, now);
	return status;
}

/* ---- The network, and time -------------------------------------------------------- */

void engine_receive(struct engine *engine, const struct tenf_endpoint *from, const uint8_t *data,
		    size_t len, tenf_time now)
{
	struct pcp_answer update;

	if (!engine->has_gateway)
		return;
	switch (client_receive(&engine->client, from, data, len, now, &update)) {
	case CLIENT_TOOK:
	case CLIENT_DROPPED:
		break;
	case CLIENT_UPDATE:
		client_update(&engine->client, &update,
			      keeper_update(&engine->keeper, &update, now), now);
		break;
	}
	settle(engine, now);
}

void engine_announced(struct engine *engine, const struct tenf_endpoint *from,
		      const uint8_t *data, size_t len, tenf_time now)
{
	if (!engine->has_gateway)
		return;
	(void)client_announced(&engine->client, from, data, len, now);
	settle(engine, now);
}

void engine_unreachable(struct engine *engine, tenf_time now)
{
	if (!engine->has_gateway)
		return;
	client_unreachable(&engine->client, now);
	settle(engine, now);
}

#if TENF_WITH_IGD

/* UPnP's own timers: silence, and waiting for it in vain. */
static void expire_upnp(struct engine *engine, tenf_time now)
{
	struct keeper_mapping *m;
	bool over;

	while ((m = upnp_expire(&engine->upnp, now, &over)) != NULL) {
		client_cancel(&engine->client, &m->inquiry, now);
		if (over)
			keeper_answered(&engine->keeper, m, now);
	}
}

bool engine_next_upnp(struct engine *engine, tenf_time now, struct upnp_question *ret)
{
	return engine->has_gateway && upnp_next(&engine->upnp, &engine->keeper, now, ret);
}

static void take_verdict(struct engine *engine, const struct core_answer *answer,
			 unsigned version, tenf_time now)
{
	bool watched = engine->upnp.watch;

	upnp_found(&engine->upnp, version, now);
	engine->upnp.watch = false;
	if (!watched)
		return;
	if (version != 0)
		engine->watch.answer = *answer;
	watch_answered(engine, now);
}

void engine_upnp_answered(struct engine *engine, const struct upnp_question *question,
			  const struct core_answer *answer, unsigned version, tenf_time now)
{
	struct keeper_mapping *m = NULL;

	if (!engine->has_gateway)
		return;
	if (!tenf_address_is_none(&answer->external_address))
		client_learn_address(&engine->client, &answer->external_address,
				     TENF_METHOD_IGD, now);
	if (answer->rtt >= 0 && engine->client.rtt < 0)
		engine->client.rtt = answer->rtt;
	if (question->question.op == CORE_DISCOVER)
		take_verdict(engine, answer, version, now);
	else
		m = upnp_answered(&engine->upnp, &engine->keeper, question->token);
	if (version != 0)
		engine->upnp.version = version;
	if (m != NULL) {
		m->inquiry.answer = *answer;
		keeper_answered(&engine->keeper, m, now);
	}
	expire_upnp(engine, now);
	settle(engine, now);
}

#endif

void engine_expire(struct engine *engine, tenf_time now)
{
	if (engine->has_gateway) {
		client_expire(&engine->client, now);
		settle(engine, now); /* answers that time brought, before the keeper's own timers */
		if (engine->watch_at <= now && engine->watch.place == INQUIRY_NOWHERE) {
			engine->watch_at = TENF_NEVER;
			start_watch(engine, now);
		}
	}
#if TENF_WITH_IGD
	expire_upnp(engine, now);
#endif
	keeper_expire(&engine->keeper, now);
	settle(engine, now);
}

tenf_time engine_deadline(const struct engine *engine)
{
	tenf_time deadline = keeper_deadline(&engine->keeper);

	if (!engine->has_gateway)
		return deadline;
	deadline = tenf_time_min(deadline, client_deadline(&engine->client));
#if TENF_WITH_IGD
	deadline = tenf_time_min(deadline, upnp_deadline(&engine->upnp));
#endif
	if (engine->watch.place == INQUIRY_NOWHERE)
		deadline = tenf_time_min(deadline, engine->watch_at);
	return deadline;
}

bool engine_next_send(struct engine *engine, tenf_time now, struct tenf_writer *w)
{
	return engine->has_gateway && client_next_send(&engine->client, now, w);
}

/* ---- News ------------------------------------------------------------------------- */

static bool address_news(struct engine *engine, struct engine_event *ret)
{
	if (!engine->has_gateway || !engine->client.address_changed)
		return false;
	engine->client.address_changed = false;
	if (tenf_address_equal(&engine->address_told, &engine->client.external))
		return false;
	*ret = (struct engine_event){ .kind = TENF_EVENT_ADDRESS,
				      .address_before = engine->address_told };
	engine->address_told = engine->client.external;
	return true;
}

bool engine_next_event(struct engine *engine, tenf_time now, struct engine_event *ret)
{
	struct engine_event event = { .kind = TENF_EVENT_GATEWAY };

	settle(engine, now);
	if (engine->gateway_news) {
		engine->gateway_news = false;
		*ret = event;
		return true;
	}
	if (engine->restart_news) {
		engine->restart_news = false;
		event.kind = TENF_EVENT_GATEWAY_RESTART;
		*ret = event;
		return true;
	}
	if (address_news(engine, ret))
		return true;
	if (!keeper_next_news(&engine->keeper, &event.kind, &event.mapping, &event.before))
		return false;
	*ret = event;
	return true;
}

/* SPDX-License-Identifier: MIT */
#include "gateway/observe-private.h"

#include "gateway/api-shapes.h"
#include "gateway/api.h"
#include "gateway/responder-govern.h"
#include "gateway/responder-memo.h"
#include "net/clock.h"
#include "service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Decisions ---------------------------------------------------------- */

void observe_tell(struct observe *o)
{
	control_stream_skip(o->stream, o->ring_lost);
	o->ring_lost = 0;
	for (; o->ring_count > 0; o->ring_count--) {
		const struct notice *n = &o->ring[o->ring_first];
		const char *event = notice_event(n);

		o->ring_first = (o->ring_first + 1) % OBSERVE_RING_MAX;
		if (event == NULL ||
		    control_stream_publish(o->stream, event, notice_json(n)) != TENF_OK)
			continue;
	}
}

static void flush(void *context)
{
	struct observe *o = context;

	if (o->stream != NULL && control_stream_listeners(o->stream) > 0)
		observe_tell(o);
}

static struct notice *next_place(struct observe *o)
{
	if (o->ring_count == OBSERVE_RING_MAX) {
		o->ring_first = (o->ring_first + 1) % OBSERVE_RING_MAX;
		o->ring_count--;
		o->ring_lost++;
	}
	return &o->ring[(o->ring_first + o->ring_count++) % OBSERVE_RING_MAX];
}

static const struct pending_wish *find_wish(const struct observe *o, uint32_t id)
{
	const struct pending_wish *w = NULL;

	while ((w = responder_pending(o->daemon->responder, w)) != NULL && w->id != id)
		;
	return w;
}

/* The port it is about is with the wish: none was given. */
static void add_wished_port(const struct observe *o, struct responder_record *record)
{
	const struct pending_wish *w = find_wish(o, record->id);

	if (w != NULL)
		record->external.port = w->external_port;
}

/* Renewals, which are most of what happens, are not history. */
static void note(struct observe *o, const struct notice *n)
{
	if (o->clerk != NULL && n->record.verdict != RESPONDER_RENEWED && notice_event(n) != NULL)
		clerk_note(o->clerk, n);
}

static struct notice *make(struct observe *o, const struct responder_record *record, tenf_time now)
{
	static const char none[POLICY_NAME_MAX] = "";
	const struct daemon *d = o->daemon;
	const struct policy_rule *rule = responder_rule(d->responder, record->rule);
	struct notice *n = next_place(o);

	if (now != o->told_at) {
		o->told_at = now;
		o->wall = net_wall_s();
	}
	n->at = o->wall;
	n->record = *record;
	n->made_at = record->made_at != 0 ? net_wall_of_s(record->made_at) : 0;
	n->word = (enum pending_state)0;
	n->action = rule != NULL ? rule->action : POLICY_DENY;
	memcpy(n->rule_name, rule != NULL ? rule->name : none, sizeof(n->rule_name));
	if (record->verdict == RESPONDER_PENDING)
		add_wished_port(o, &n->record);
	n->gateway = api_gateway_of(&d->links, &record->client);
	n->who[0] = '\0';
	if (record->verdict == RESPONDER_REVOKED || record->version == NOTICE_BY_HAND ||
	    record->verdict == RESPONDER_PENDING)
		memcpy(n->who, o->who, sizeof(n->who));
	return n;
}

static void take(void *context, const struct responder_record *record, tenf_time now)
{
	struct observe *o = context;

	note(o, make(o, record, now));
}

void observe_word(struct observe *o, uint32_t id)
{
	const struct pending_wish *w = find_wish(o, id);
	struct responder_record record = { .verdict = RESPONDER_PENDING, .id = id };
	struct notice *n;

	if (w == NULL)
		return;
	record.protocol = w->protocol;
	record.client = w->client;
	record.has_mac = w->has_mac;
	memcpy(record.mac, w->mac, sizeof(record.mac));
	record.internal = w->internal;
	record.made_at = w->first_seen;
	record.count = w->tries;
	record.rule = w->rule;
	n = make(o, &record, net_now());
	n->word = w->state;
	note(o, n);
	flush(o);
}

void observe_made(struct observe *o, const struct ledger_mapping *m)
{
	const struct responder_record record = {
		.verdict = RESPONDER_GRANTED, .version = NOTICE_BY_HAND, .id = m->id,
		.protocol = (enum tenf_protocol)m->protocol, .client = m->internal_address,
		.internal = { m->internal_address, m->internal_port },
		.external = responder_external_of(o->daemon->responder, m),
		.made_at = m->made_at, .rule = POLICY_NO_RULE,
	};

	take(o, &record, net_now());
	flush(o);
}

/* ---- Life --------------------------------------------------------------- */

static bool open_server(struct observe *o, struct tenf_text *why)
{
	const struct gateway_config *c = &o->daemon->config;
	struct control_server_options options;
	struct tenf_error error = { .text = "" };

	control_server_options_init(&options);
	options.fd = service_socket();
	options.path = options.fd < 0 ? c->socket : NULL;
	options.group = c->socket_group[0] != '\0' ? c->socket_group : NULL;
	if (control_server_new(o->daemon->base, &options, api_routes, api_route_count, o->daemon,
			       &o->server, &error) == TENF_OK)
		return true;
	tenf_text_add(why, "cannot serve the control API at ");
	tenf_text_add(why, c->socket);
	tenf_text_add(why, ": ");
	tenf_text_add(why, error.text[0] != '\0' ? error.text : "out of memory");
	return false;
}

/* First of all, while nothing is open that another process should not have. */
bool observe_fork(struct daemon *d, struct tenf_text *why)
{
	d->observe = calloc(1, sizeof(*d->observe));
	if (d->observe == NULL) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	d->observe->daemon = d;
	d->observe->started_at = net_wall_s();
	return clerk_start(&d->config, &d->observe->clerk, why);
}

bool observe_open(struct daemon *d, struct tenf_text *why)
{
	struct observe *o = d->observe;

	if (d->config.socket[0] == '\0' && o->clerk == NULL)
		return true;
	daemon_observe(d, &(struct daemon_observer){ .record = take, .flush = flush,
						     .context = o });
	if ((o->clerk != NULL && !clerk_attach(o->clerk, d->base)) ||
	    control_stream_new(d->base, (uint64_t)o->started_at * 1000, &o->stream) != TENF_OK) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	return d->config.socket[0] == '\0' || open_server(o, why);
}

static bool recall(void *context, const struct responder_memo *memo)
{
	struct daemon *d = context;
	enum tenf_status status = responder_recall(d->responder, memo, net_now());

	/* What is open again, or full, needs no word; what makes no sense does. */
	return status == TENF_OK || status == TENF_E_LIMIT || memo->until <= net_now();
}

static void keep(void *context, const struct responder_memo *memo)
{
	const struct daemon *d = context;

	clerk_keep(d->observe->clerk, memo);
	d->observe->is_kept = true;
}

void observe_push(struct daemon *d)
{
	if (!d->observe->is_kept)
		return;
	d->observe->is_kept = false;
	clerk_push(d->observe->clerk);
}

void observe_recall(struct daemon *d)
{
	struct clerk *clerk = d->observe->clerk;
	size_t left_out;

	if (!clerk_keeps_history(clerk))
		return;
	left_out = clerk_recall(clerk, recall, d);
	if (left_out > 0)
		(void)fprintf(stderr, "tenforward-gatewayd: %zu things of before the start make "
				      "no sense in %s/gateway.db, and are forgotten\n", left_out,
			      d->config.state);
	responder_set_memory(d->responder, &(struct responder_memory){ keep, d });
}

bool observe_set_hooks(struct daemon *d, const struct gateway_config *config,
		       struct tenf_text *why)
{
	return clerk_set_hooks(d->observe->clerk, config->hooks, config->hook_count, why);
}

void observe_close(struct daemon *d)
{
	struct observe *o = d->observe;

	if (o == NULL)
		return;
	control_stream_free(o->stream);
	control_server_free(o->server);
	if (d->responder != NULL && clerk_keeps_history(o->clerk))
		responder_remember_ids(d->responder, true);
	clerk_stop(o->clerk);
	free(o);
	d->observe = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "cli/through-keep.h"

#include "base/address.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/report.h"
#include "host/reach.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shorter than the time to say goodbye leaves: nothing else happens meanwhile. */
#define FIND_TIMEOUT_MS 200
#define FIND_AGAIN_MS 10000

static bool needs_hop(const struct tenf_mapping *inner)
{
	return mapping_is_held(inner) &&
	       output_class_of(inner->external_address) == TENF_ADDRESS_PRIVATE;
}

int through_keep_start(struct cli *cli, struct batch *batch, struct through_keep *ret)
{
	*ret = (struct through_keep){ .wanted = cli->arguments.value[CLI_THROUGH] != NULL };
	if (!ret->wanted)
		return CLI_EXIT_DONE;
	ret->hops = calloc(batch->count, sizeof(*ret->hops));
	if (ret->hops == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	for (size_t i = 0; i < batch->count; i++) {
		ret->hops[i].inner = batch->halves[i].mapping;
		batch->halves[i].recorded = &ret->hops[i].inner;
	}
	return CLI_EXIT_DONE;
}

void through_keep_done(struct through_keep *keep)
{
	tenf_session_free(keep->session);
	free(keep->hops);
	*keep = (struct through_keep){ 0 };
}

/* ---- The outer router ------------------------------------------------------------ */

static enum tenf_status start_session(struct cli *cli, struct through_keep *keep)
{
	struct tenf_options ask = cli->global.ask;
	char text[TENF_ADDRESS_TEXT];
	struct tenf_address outer;

	if (!host_hop(2, FIND_TIMEOUT_MS, &outer))
		return TENF_E_NOT_FOUND;
	ask.gateway = tenf_address_text(&outer, text);
	ask.interface = NULL;
	ask.methods = TENF_METHOD_NATPMP;
	ask.watch = true; /* its announcements do not pass the inner router */
	return tenf_session_new(&ask, &keep->session, NULL);
}

/* Where the inner router has another address, the outer one may be another too, and
 * leads what was asked for to an address that is not ours any more. */
static void forget_router(struct through_keep *keep, const struct batch *batch)
{
	tenf_session_free(keep->session);
	keep->session = NULL;
	for (size_t i = 0; i < batch->count; i++) {
		keep->hops[i].id = 0;
		keep->hops[i].outer = (struct tenf_mapping){ .state = TENF_STATE_LOST };
		keep->hops[i].dirty = true;
	}
}

static bool find_router(struct cli *cli, struct through_keep *keep, const struct batch *batch,
			const char *behind)
{
	if (keep->session != NULL && strcmp(keep->behind, behind) != 0)
		forget_router(keep, batch);
	if (keep->session != NULL)
		return true;
	if (cli->steady_ms() < keep->retry_at_ms)
		return false;
	memcpy(keep->behind, behind, sizeof(keep->behind));
	if (start_session(cli, keep) == TENF_OK)
		return true;
	keep->retry_at_ms = cli->steady_ms() + FIND_AGAIN_MS;
	return false;
}

static void not_asked(struct kept_hop *hop, enum tenf_reason reason, const char *why)
{
	struct tenf_text t = tenf_text_of(hop->outer.error.text, sizeof(hop->outer.error.text));

	hop->outer.state = TENF_STATE_LOST;
	hop->outer.error.reason = reason;
	hop->outer.error.result = -1;
	tenf_text_add(&t, why);
}

static void ask(struct through_keep *keep, const struct batch *batch, struct kept_hop *hop)
{
	const struct tenf_mapping *m = &hop->inner;
	struct tenf_request request;

	tenf_request_init(&request);
	request.protocol = m->protocol;
	request.internal_port = m->external_port;
	request.external_port =
		m->requested_external_port != 0 ? m->requested_external_port : m->external_port;
	request.lifetime_s = batch->wishes->lifetime_s;
	request.exact = batch->wishes->exact;
	request.keep = true;
	hop->outer = (struct tenf_mapping){ .state = TENF_STATE_ASKING,
					    .protocol = m->protocol,
					    .internal_port = m->external_port };
	if (tenf_session_add(keep->session, &request, &hop->id) != TENF_OK)
		not_asked(hop, TENF_REASON_SYSTEM, "It could not be asked for the port.");
}

static void drop_hop(struct through_keep *keep, struct kept_hop *hop)
{
	if (hop->id == 0)
		return;
	(void)tenf_session_remove(keep->session, hop->id);
	hop->id = 0;
	hop->outer.state = TENF_STATE_LOST;
	hop->dirty = true;
}

/* The outer hop leads to where the inner router has the port now, or is given up: a
 * port that is not ours there may become anybody's. */
static void follow(struct cli *cli, struct through_keep *keep, const struct batch *batch,
		   struct kept_hop *hop)
{
	if (keep->leaving || hop->inner.state == TENF_STATE_REMOVED)
		return;
	if (!needs_hop(&hop->inner)) {
		drop_hop(keep, hop);
		return;
	}
	if (!find_router(cli, keep, batch, hop->inner.external_address)) {
		not_asked(hop, TENF_REASON_NO_GATEWAY,
			  "It cannot be found: nobody says that a packet died there.");
		return;
	}
	if (hop->id != 0 && hop->outer.internal_port == hop->inner.external_port)
		return;
	if (hop->id != 0)
		drop_hop(keep, hop);
	ask(keep, batch, hop);
}

/* ---- Both as one ----------------------------------------------------------------- */

static void blame_outer(struct tenf_error *ret, const struct tenf_error *error)
{
	struct tenf_text t = tenf_text_of(ret->text, sizeof(ret->text));

	*ret = *error;
	tenf_text_add(&t, "The outer router: ");
	tenf_text_add(&t, report_reason(error));
}

/* The mapping ends when its first hop does. */
static void take_outside(struct tenf_mapping *m, const struct tenf_mapping *outer)
{
	memcpy(m->external_address, outer->external_address, sizeof(m->external_address));
	m->external_port = outer->external_port;
	if (outer->expires_at != 0 && outer->expires_at < m->expires_at) {
		m->expires_at = outer->expires_at;
		m->lifetime_s = outer->lifetime_s;
		m->renews_at = outer->renews_at;
	}
}

static struct tenf_mapping joined(const struct kept_hop *hop)
{
	const struct tenf_mapping *outer = &hop->outer;
	struct tenf_mapping m = hop->inner;
	bool needed = needs_hop(&hop->inner);

	if (needed && mapping_is_held(outer)) {
		take_outside(&m, outer);
		return m;
	}
	if (!needed && mapping_is_held(&m))
		return m;
	memcpy(m.external_address, hop->told.external_address, sizeof(m.external_address));
	m.external_port = hop->told.external_port;
	if (needed)
		m.state = outer->state;
	if ((needed || (hop->id != 0 && m.error.reason == TENF_REASON_NONE)) &&
	    outer->error.reason != TENF_REASON_NONE)
		blame_outer(&m.error, &outer->error);
	return m;
}

static bool same_outside(const struct tenf_mapping *a, const struct tenf_mapping *b)
{
	return a->external_port == b->external_port &&
	       strcmp(a->external_address, b->external_address) == 0;
}

/* What is told of it; 0: nothing. */
static enum tenf_event_kind news(const struct kept_hop *hop, const struct tenf_mapping *now,
				 enum tenf_event_kind cause)
{
	const struct tenf_mapping *told = &hop->told;
	bool gone = hop->inner.state == TENF_STATE_REMOVED;
	bool outer_gone = hop->outer.state == TENF_STATE_REMOVED;

	if (gone || outer_gone)
		return gone && (hop->id == 0 || outer_gone) && told->state != TENF_STATE_REMOVED
			       ? TENF_EVENT_REMOVED
			       : 0;
	if (mapping_is_held(now)) {
		if (told->id == 0 || !mapping_is_held(told))
			return TENF_EVENT_MAPPED;
		if (!same_outside(now, told))
			return TENF_EVENT_CHANGED;
		/* It ends later when both do. */
		return cause == TENF_EVENT_RENEWED && now->expires_at > told->expires_at
			       ? TENF_EVENT_RENEWED
			       : 0;
	}
	if (now->state == TENF_STATE_ASKING)
		return 0;
	if (told->id != 0 && told->state == now->state && told->error.reason == now->error.reason)
		return 0;
	return now->state == TENF_STATE_REFUSED ? TENF_EVENT_REFUSED : TENF_EVENT_LOST;
}

static bool compose(struct kept_hop *hop, const struct tenf_event *cause, struct tenf_event *ret)
{
	struct tenf_mapping now = joined(hop);
	enum tenf_event_kind kind = news(hop, &now, cause->kind);

	if (kind == 0)
		return false;
	*ret = (struct tenf_event){
		.kind = kind, .at = cause->at, .mapping = now, .before = hop->told
	};
	hop->told = now;
	return true;
}

static bool take_inner(struct cli *cli, struct through_keep *keep, struct batch *batch,
		       const struct tenf_event *event, struct tenf_event *ret)
{
	struct half *half =
		event->kind >= TENF_EVENT_MAPPED ? batch_find(batch, event->mapping.id) : NULL;
	struct kept_hop *hop;

	if (half == NULL) {
		*ret = *event;
		return true;
	}
	hop = &keep->hops[half - batch->halves];
	hop->inner = event->mapping;
	half->dirty = true;
	follow(cli, keep, batch, hop);
	return compose(hop, event, ret);
}

static bool take_outer(struct through_keep *keep, const struct batch *batch,
		       const struct tenf_event *event, struct tenf_event *ret)
{
	if (event->kind < TENF_EVENT_MAPPED) {
		*ret = *event;
		return event->kind != TENF_EVENT_GATEWAY;
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct kept_hop *hop = &keep->hops[i];

		if (hop->id == 0 || hop->id != event->mapping.id)
			continue;
		hop->outer = event->mapping;
		hop->dirty = true;
		return compose(hop, event, ret);
	}
	return false; /* of one that was given up */
}

/* A router that was not found before. */
static void look_again(struct cli *cli, struct through_keep *keep, struct batch *batch)
{
	if (keep->session != NULL || keep->retry_at_ms == 0 || keep->leaving ||
	    cli->steady_ms() < keep->retry_at_ms)
		return;
	keep->retry_at_ms = 0;
	for (size_t i = 0; i < batch->count; i++)
		follow(cli, keep, batch, &keep->hops[i]);
}

bool through_keep_next_event(struct cli *cli, struct through_keep *keep, struct batch *batch,
			     struct tenf_event *ret)
{
	struct tenf_event event;

	look_again(cli, keep, batch);
	while (tenf_session_next_event(batch->session, &event)) {
		if (take_inner(cli, keep, batch, &event, ret))
			return true;
	}
	while (keep->session != NULL && tenf_session_next_event(keep->session, &event)) {
		if (take_outer(keep, batch, &event, ret))
			return true;
	}
	return false;
}

/* ---- Time, record, end ----------------------------------------------------------- */

int through_keep_fd(const struct through_keep *keep)
{
	return keep->session != NULL ? tenf_session_fd(keep->session) : -1;
}

int through_keep_timeout_ms(struct cli *cli, const struct through_keep *keep)
{
	int64_t left = keep->retry_at_ms - cli->steady_ms();

	if (keep->session != NULL)
		return tenf_session_timeout_ms(keep->session);
	if (keep->retry_at_ms == 0 || keep->leaving)
		return -1;
	return left > 0 ? (int)left : 0;
}

enum tenf_status through_keep_process(struct through_keep *keep)
{
	return keep->session != NULL ? tenf_session_process(keep->session) : TENF_OK;
}

static void record_hop(struct leases *leases, struct kept_hop *hop, const char *name)
{
	struct lease lease = { .keeper = getpid(), .mapping = hop->outer };
	struct tenf_text text = tenf_text_of(lease.name, sizeof(lease.name));
	const struct lease *known = leases_find(leases, hop->number);

	hop->dirty = false;
	if (mapping_is_held(&hop->outer)) {
		tenf_text_add(&text, name != NULL ? name : "");
		if (known != NULL && leases_same(leases, &hop->outer) != known)
			leases_drop(leases, hop->number);
		hop->number = leases_put(leases, &lease);
	} else if (known != NULL && hop->outer.state == TENF_STATE_REMOVED &&
		   hop->outer.error.reason != TENF_REASON_NONE) {
		leases_leave(leases, hop->number);
	} else {
		leases_drop(leases, hop->number);
		hop->number = 0;
	}
}

void through_keep_record(struct cli *cli, struct through_keep *keep, const struct batch *batch)
{
	struct leases leases;
	bool needed = false;

	for (size_t i = 0; keep->wanted && i < batch->count; i++) {
		const struct kept_hop *hop = &keep->hops[i];

		needed = needed ||
			 (hop->dirty && (mapping_is_held(&hop->outer) || hop->number != 0));
	}
	if (!needed)
		return;
	if (leases_open(cli, &leases)) {
		for (size_t i = 0; i < batch->count; i++) {
			if (keep->hops[i].dirty)
				record_hop(&leases, &keep->hops[i], batch->wishes->name);
		}
		(void)leases_write(cli, &leases);
	}
	leases_done(&leases);
}

void through_keep_remove_all(struct through_keep *keep)
{
	keep->leaving = true;
	if (keep->session != NULL)
		tenf_session_remove_all(keep->session);
}

static void end(struct tenf_mapping *m)
{
	if (m->state == TENF_STATE_REMOVED)
		return;
	m->state = TENF_STATE_REMOVED;
	m->error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1 };
}

void through_keep_give_up(struct through_keep *keep, struct batch *batch)
{
	for (size_t i = 0; keep->wanted && i < batch->count; i++) {
		struct kept_hop *hop = &keep->hops[i];

		end(&hop->inner);
		if (hop->id != 0)
			end(&hop->outer);
		hop->dirty = true;
		batch->halves[i].dirty = true;
	}
}

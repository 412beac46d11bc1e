/* SPDX-License-Identifier: MIT */
#include "cli/through-keep.h"

#include "base/address.h"
#include "base/text.h"
#include "host/reach.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shorter than the time to say goodbye leaves: nothing else happens meanwhile. */
#define FIND_TIMEOUT_MS 200
#define FIND_AGAIN_MS 10000

int through_keep_start(struct cli *cli, struct batch *batch, struct through_keep *ret)
{
	*ret = (struct through_keep){ .wanted = cli->arguments.value[CLI_THROUGH] != NULL };
	if (!ret->wanted)
		return CLI_EXIT_DONE;
	ret->hops = calloc(batch->count, sizeof(*ret->hops));
	if (ret->hops == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	for (size_t i = 0; i < batch->count; i++) {
		ret->hops[i].hop.inner = batch->halves[i].mapping;
		batch->halves[i].recorded = &ret->hops[i].hop.inner;
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
		keep->hops[i].hop.id = 0;
		keep->hops[i].hop.outer = (struct tenf_mapping){ .state = TENF_STATE_LOST };
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

static void ask(struct through_keep *keep, const struct batch *batch, struct hop *hop)
{
	struct tenf_request request;
	uint32_t id = 0;

	hop_request(hop, &request);
	request.lifetime_s = batch->wishes->lifetime_s;
	request.exact = batch->wishes->exact;
	if (tenf_session_add(keep->session, &request, &id) == TENF_OK)
		hop_asked(hop, id);
	else
		hop_failed(hop, TENF_REASON_SYSTEM, "It could not be asked for the port.");
}

static void drop_hop(struct through_keep *keep, struct kept_hop *kept)
{
	if (kept->hop.id == 0)
		return;
	(void)tenf_session_remove(keep->session, kept->hop.id);
	hop_dropped(&kept->hop);
	kept->dirty = true;
}

/* The outer hop leads to where the inner router has the port now, or is given up: a
 * port that is not ours there may become anybody's. */
static void follow(struct cli *cli, struct through_keep *keep, const struct batch *batch,
		   struct kept_hop *kept)
{
	struct hop *hop = &kept->hop;

	if (keep->leaving || hop->inner.state == TENF_STATE_REMOVED)
		return;
	if (!hop_is_needed(&hop->inner)) {
		drop_hop(keep, kept);
		return;
	}
	if (!find_router(cli, keep, batch, hop->inner.external_address)) {
		hop_failed(hop, TENF_REASON_NO_GATEWAY,
			   "It cannot be found: nobody says that a packet died there. Open the "
			   "port at it by hand, or put it into bridge mode.");
		return;
	}
	if (hop_fits(hop))
		return;
	drop_hop(keep, kept);
	ask(keep, batch, hop);
}

/* ---- News of both -------------------------------------------------------------- */

static bool take_inner(struct cli *cli, struct through_keep *keep, struct batch *batch,
		       const struct tenf_event *event, struct tenf_event *ret)
{
	struct half *half =
		event->kind >= TENF_EVENT_MAPPED ? batch_find(batch, event->mapping.id) : NULL;
	struct kept_hop *kept;

	if (half == NULL) {
		*ret = *event;
		return true;
	}
	kept = &keep->hops[half - batch->halves];
	kept->hop.inner = event->mapping;
	half->dirty = true;
	follow(cli, keep, batch, kept);
	return hop_compose(&kept->hop, event, ret);
}

static bool take_outer(struct through_keep *keep, const struct batch *batch,
		       const struct tenf_event *event, struct tenf_event *ret)
{
	if (event->kind < TENF_EVENT_MAPPED) {
		*ret = *event;
		return event->kind != TENF_EVENT_GATEWAY;
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct kept_hop *kept = &keep->hops[i];

		if (kept->hop.id == 0 || kept->hop.id != event->mapping.id)
			continue;
		kept->hop.outer = event->mapping;
		kept->dirty = true;
		return hop_compose(&kept->hop, event, ret);
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

static void record_hop(struct leases *leases, struct kept_hop *kept, const char *name)
{
	const struct tenf_mapping *outer = &kept->hop.outer;
	struct lease lease = { .keeper = getpid(), .mapping = *outer };
	struct tenf_text text = tenf_text_of(lease.name, sizeof(lease.name));
	const struct lease *known = leases_find(leases, kept->number);

	kept->dirty = false;
	if (mapping_is_held(outer)) {
		tenf_text_add(&text, name != NULL ? name : "");
		if (known != NULL && leases_same(leases, outer) != known)
			leases_drop(leases, kept->number);
		kept->number = leases_put(leases, &lease);
	} else if (known != NULL && outer->state == TENF_STATE_REMOVED &&
		   outer->error.reason != TENF_REASON_NONE) {
		leases_leave(leases, kept->number);
	} else {
		leases_drop(leases, kept->number);
		kept->number = 0;
	}
}

void through_keep_record(struct cli *cli, struct through_keep *keep, const struct batch *batch)
{
	struct leases leases;
	bool needed = false;

	for (size_t i = 0; keep->wanted && i < batch->count; i++) {
		const struct kept_hop *kept = &keep->hops[i];

		needed = needed || (kept->dirty && (mapping_is_held(&kept->hop.outer) ||
						    kept->number != 0));
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
		struct kept_hop *kept = &keep->hops[i];

		end(&kept->hop.inner);
		if (kept->hop.id != 0)
			end(&kept->hop.outer);
		kept->dirty = true;
		batch->halves[i].dirty = true;
	}
}

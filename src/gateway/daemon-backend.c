/* SPDX-License-Identifier: MIT */
#include "gateway/daemon-private.h"

#ifdef HAVE_NFTABLES
#include "gateway/backend/nftables.h"
#endif
#include "gateway/responder-govern.h"
#include "net/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool say(struct tenf_text *why, const char *text)
{
	tenf_text_add(why, text);
	return false;
}

/* ---- Opening ------------------------------------------------------------- */

#ifdef HAVE_NFTABLES
/* Without Internal= the interfaces are those of the served addresses. */
static bool add_internal(struct helper_setup *setup, const char *name, struct tenf_text *why)
{
	for (size_t i = 0; i < setup->internal.count; i++) {
		if (strcmp(setup->internal.at[i], name) == 0)
			return true;
	}
	if (setup->internal.count == HELPER_INTERFACES_MAX)
		return say(why, "there are too many internal interfaces");
	memcpy(setup->internal.at[setup->internal.count++], name, strlen(name) + 1);
	return true;
}

static bool fill_setup(const struct daemon *d, struct helper_setup *ret, struct tenf_text *why)
{
	const struct gateway_config *c = &d->config;

	if (c->external.count == 0)
		return say(why, "Backend=nftables wants External=, the interface to the internet");
	for (size_t i = 0; i < c->external.count; i++)
		memcpy(ret->external.at[ret->external.count++], c->external.at[i],
		       CONFIG_NAME_MAX);
	for (size_t i = 0; i < c->internal.count; i++) {
		if (!add_internal(ret, c->internal.at[i], why))
			return false;
	}
	for (size_t i = 0; i < d->links.count; i++) {
		struct helper_link *link = &ret->links[ret->link_count++];

		memcpy(link->interface, d->links.names[i], CONFIG_NAME_MAX);
		link->address = d->links.at[i].address;
		link->network = d->links.at[i].network;
		if (!add_internal(ret, link->interface, why))
			return false;
	}
	ret->flood_per_s = c->flood_limit;
	ret->manage_forward = c->manage_forward;
	return true;
}
_Static_assert(CONFIG_NAME_MAX == HELPER_NAME_MAX, "names are as long on both sides");
_Static_assert(CONFIG_INTERFACES_MAX <= HELPER_INTERFACES_MAX, "all interfaces fit");
_Static_assert(RESPONDER_LINKS_MAX <= HELPER_LINKS_MAX, "all links fit");

static bool open_nftables(struct daemon *d, struct tenf_text *why)
{
	struct helper_setup *setup = calloc(1, sizeof(*setup));
	bool good;

	if (setup == NULL)
		return say(why, "out of memory");
	good = fill_setup(d, setup, why) &&
	       backend_nftables_open(setup, d->config.user, &d->backend, why);
	free(setup);
	return good;
}

void daemon_set_up_backend(struct daemon *d)
{
	struct helper_setup *setup;
	char buffer[512];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	if (d->config.backend != CONFIG_NFTABLES)
		return;
	setup = calloc(1, sizeof(*setup));
	if (setup == NULL || !fill_setup(d, setup, &why) ||
	    !backend_nftables_set_up(d->backend, setup, &why))
		(void)fprintf(stderr, "tenforward-gatewayd: the packet path stays as it was: %s\n",
			      setup == NULL ? "out of memory" : buffer);
	free(setup);
}
#else
void daemon_set_up_backend(struct daemon *d)
{
	(void)d;
}

static bool open_nftables(struct daemon *d, struct tenf_text *why)
{
	(void)d;
	return say(why, "this build has no nftables backend (libmnl and libnftables were "
			"missing); Backend=memory is the test gateway, which opens no real port");
}
#endif

bool daemon_open_backend(struct daemon *d, struct tenf_text *why)
{
	if (d->config.backend == CONFIG_NFTABLES)
		return open_nftables(d, why);
	if (backend_memory_open(&tenf_memory_libc, &d->backend) != TENF_OK)
		return say(why, "out of memory");
	return true;
}

/* ---- What is open from before ----------------------------------------------- */

struct restoring {
	struct daemon *daemon;
	tenf_time now;
	uint32_t taken;
	uint32_t dropped;
};

/* A table that is being resized may tell an element twice. */
static bool is_there(const struct responder *r, const struct responder_kept *kept)
{
	const struct ledger_mapping *m = responder_find(r, kept->id);

	return m != NULL && m->protocol == kept->protocol &&
	       m->internal_port == kept->internal.port &&
	       m->external_port == kept->external.port &&
	       tenf_address_equal(&m->internal_address, &kept->internal.address);
}

static enum tenf_status take(void *context, const struct responder_kept *kept)
{
	struct restoring *restoring = context;
	struct responder *r = restoring->daemon->responder;
	enum tenf_status status = responder_restore(r, kept, restoring->now);

	if (status != TENF_OK && is_there(r, kept))
		return TENF_OK;
	restoring->taken += status == TENF_OK;
	restoring->dropped += status != TENF_OK;
	return status;
}

static enum tenf_status take_peer(void *context, const struct responder_peer *kept)
{
	struct restoring *restoring = context;
	enum tenf_status status =
		responder_restore_peer(restoring->daemon->responder, kept, restoring->now);

	restoring->taken += status == TENF_OK;
	restoring->dropped += status != TENF_OK;
	return status;
}

static bool restore(struct daemon *d, struct tenf_text *why)
{
	struct restoring restoring = { .daemon = d, .now = net_now() };
	tenf_time epoch_start;
	const struct backend_keeper keeper = { take, take_peer, &restoring };
	enum tenf_status status = d->backend->ops->restore(d->backend, &keeper, &epoch_start);

	if (status == TENF_E_NOT_FOUND)
		return true;
	if (status != TENF_OK)
		return say(why, "what the packet path holds cannot be read; it was emptied, "
				"start again");
	responder_resume(d->responder, epoch_start);
	(void)fprintf(stderr, "went on with %u mappings of before", restoring.taken);
	if (restoring.dropped > 0)
		(void)fprintf(stderr, "; closed %u that do not fit any more", restoring.dropped);
	(void)fprintf(stderr, "\n");
	return true;
}

bool daemon_restore(struct daemon *d, struct tenf_text *why)
{
	if (!restore(d, why))
		return false;
	observe_recall(d);
	return true;
}

/* ---- News ------------------------------------------------------------------ */

bool daemon_heed_backend(struct daemon *d, tenf_time now)
{
	d->heed = false;
	switch (d->backend->ops->news(d->backend)) {
	case BACKEND_NOTHING:
		return false;
	case BACKEND_LOST:
		(void)fprintf(stderr, "the packet path is not what it was; "
				      "every mapping is made anew\n");
		responder_rebuild(d->responder, now, "the packet path lost what it held");
		return true;
	case BACKEND_DEAD:
		break;
	}
	(void)fprintf(stderr, "the helper that changes the packet path has ended; "
			      "ending too, open ports stay until their leases end\n");
	d->has_failed = true;
	(void)event_base_loopbreak(d->base);
	return false;
}

static void on_news(evutil_socket_t fd, short what, void *context)
{
	struct daemon *d = context;

	(void)fd;
	(void)what;
	(void)daemon_heed_backend(d, net_now());
	if (!d->has_failed)
		daemon_turn(d);
}

bool daemon_watch_backend(struct daemon *d)
{
	int fd = d->backend->ops->fd(d->backend);

	if (fd < 0)
		return true;
	d->news = event_new(d->base, fd, EV_READ | EV_PERSIST, on_news, d);
	return d->news != NULL && event_add(d->news, NULL) == 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Networks come and go while the gateway runs: links appear, addresses change,
 * the configuration names others. A socket that serves the same address as before
 * is kept, with what waits in it.
 */
#include "gateway/daemon-private.h"

#include "gateway/statics.h"
#include "net/changes.h"
#include "net/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WHY_MAX 512
/* News of the network come in swarms; one look is enough for all of one. */
#define SETTLE_MS 100
#define MINUTE_S 60

static void warn(const char *text)
{
	(void)fprintf(stderr, "tenforward-gatewayd: %s\n", text);
	(void)fflush(stderr);
}

/* ---- Sockets ---------------------------------------------------------- */

struct before {
	struct links links;
	struct listener listeners[RESPONDER_LINKS_MAX];
};

static void close_listener(struct listener *listener)
{
	if (listener->readable != NULL)
		event_free(listener->readable);
	if (listener->fd >= 0)
		(void)close(listener->fd);
	if (listener->stray_fd >= 0)
		(void)close(listener->stray_fd);
	*listener = (struct listener){ .fd = -1, .stray_fd = -1 };
}

/* Is the socket of `old` what `wanted` asks for? Port 0 is content with any. */
static bool serves(const struct responder_link *old, const struct responder_link *wanted)
{
	return old->interface == wanted->interface &&
	       tenf_address_equal(&old->address.address, &wanted->address.address) &&
	       (wanted->address.port == 0 || old->address.port == wanted->address.port);
}

/* Moves the socket from what was before; false when there is none. */
static bool take_over(struct daemon *d, size_t i, struct before *before)
{
	for (size_t k = 0; k < before->links.count; k++) {
		struct listener *old = &before->listeners[k];

		if (old->fd < 0 || !serves(&before->links.at[k], &d->links.at[i]))
			continue;
		d->listeners[i] = (struct listener){ .daemon = d, .fd = old->fd,
						     .stray_fd = old->stray_fd };
		d->links.at[i].address = before->links.at[k].address;
		old->fd = -1; /* its event is still there, and goes with the others */
		old->stray_fd = -1;
		return true;
	}
	return false;
}

static void leave_out(struct links *links, size_t i)
{
	links->count--;
	for (; i < links->count; i++) {
		links->at[i] = links->at[i + 1];
		memcpy(links->names[i], links->names[i + 1], sizeof(links->names[i]));
	}
}

/* What was moved goes back, what was opened is closed. */
static void undo(struct daemon *d, struct before *before)
{
	for (size_t i = 0; i < RESPONDER_LINKS_MAX; i++) {
		struct listener *new = &d->listeners[i];

		for (size_t k = 0; new->fd >= 0 && k < before->links.count; k++) {
			struct listener *old = &before->listeners[k];

			if (old->fd >= 0 || i >= d->links.count ||
			    !serves(&before->links.at[k], &d->links.at[i]))
				continue;
			old->fd = new->fd;
			old->stray_fd = new->stray_fd;
			new->fd = -1;
			new->stray_fd = -1;
		}
		new->readable = NULL; /* none yet */
		close_listener(new);
	}
	d->links = before->links;
	memcpy(d->listeners, before->listeners, sizeof(d->listeners));
}

/* Sockets for d->links; `strict`: all of them, or nothing changes. */
static bool open_listeners(struct daemon *d, struct before *before, bool strict,
			   struct tenf_text *why)
{
	for (size_t i = 0; i < d->links.count;) {
		char buffer[WHY_MAX];
		struct tenf_text reason = tenf_text_of(buffer, sizeof(buffer));

		if (take_over(d, i, before) || daemon_open_listener(d, i, &reason)) {
			i++;
			continue;
		}
		close_listener(&d->listeners[i]);
		if (strict) {
			tenf_text_add(why, buffer);
			return false;
		}
		/* An IPv6 address that is not sure yet; there will be news when it is. */
		leave_out(&d->links, i);
	}
	return true;
}

/* An event knows the place of its listener, so all are made anew. */
static void watch_anew(struct daemon *d, struct before *before)
{
	char buffer[WHY_MAX];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	for (size_t i = 0; i < RESPONDER_LINKS_MAX; i++)
		close_listener(&before->listeners[i]);
	for (size_t i = 0; i < d->links.count; i++) {
		if (!daemon_watch_listener(d, i))
			warn("out of memory: an address is not served any more");
		if (d->config.faults.wrong_source > 0 && !daemon_open_stray(d, i, &why))
			warn(buffer);
	}
}

static bool is_same(const struct links *a, const struct links *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!serves(&a->at[i], &b->at[i]) ||
		    a->at[i].network.length != b->at[i].network.length)
			return false;
	}
	return true;
}

static void describe_links(struct daemon *d)
{
	for (size_t i = 0; i < d->links.count; i++) {
		char line[WHY_MAX];
		struct tenf_text text = tenf_text_of(line, sizeof(line));

		daemon_describe(d, i, &text);
		(void)fprintf(stderr, "%s\n", line);
	}
	if (d->links.count == 0)
		warn("no internal interface has an address now: nothing is served");
	(void)fflush(stderr);
}

bool daemon_relink(struct daemon *d, const struct links *next, bool strict, struct tenf_text *why)
{
	static struct before before; /* large; the daemon has one thread here */

	if (is_same(&d->links, next))
		return true;
	before.links = d->links;
	memcpy(before.listeners, d->listeners, sizeof(before.listeners));
	d->links = *next;
	for (size_t i = 0; i < RESPONDER_LINKS_MAX; i++)
		d->listeners[i] = (struct listener){ .fd = -1, .stray_fd = -1 };
	if (!open_listeners(d, &before, strict, why)) {
		undo(d, &before);
		return false;
	}
	watch_anew(d, &before);
	if (is_same(&before.links, &d->links))
		return true;
	if (responder_set_links(d->responder, d->links.at, d->links.count) != TENF_OK)
		warn("more addresses than can be served");
	describe_links(d);
	return true;
}

/* ---- What the machine tells ------------------------------------------- */

void daemon_set_reserved(struct daemon *d)
{
	struct tenf_address externals[CONFIG_EXTERNALS_MAX];
	size_t count = links_external_addresses(&d->config, externals);
	struct reserved found;

	if (d->config.backend != CONFIG_NFTABLES || !reserved_find(externals, count, &found))
		return;
	d->reserved = found;
	if (responder_set_reserved(d->responder, found.at, found.count) != TENF_OK)
		warn("more own ports than can be protected");
}

void daemon_set_externals(struct daemon *d)
{
	struct tenf_address externals[CONFIG_EXTERNALS_MAX];
	size_t count = links_external_addresses(&d->config, externals);

	if (responder_set_externals(d->responder, externals, count, net_now()) != TENF_OK)
		warn("the external addresses could not be changed: out of memory");
}
_Static_assert(CONFIG_EXTERNALS_MAX <= RESPONDER_EXTERNALS_MAX, "a configured pool fits");

/* Addresses of interfaces; links that do not serve now are left out. */
static void look_around(struct daemon *d)
{
	struct links next;
	char buffer[WHY_MAX];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	daemon_set_externals(d);
	if (!d->config.natpmp && !d->config.pcp)
		return;
	links_find_now(&d->config, &next, &why);
	if (is_same(&d->links, &next))
		return;
	if (buffer[0] != '\0')
		warn(buffer);
	(void)daemon_relink(d, &next, false, &why);
	daemon_set_up_backend(d);
	daemon_set_reserved(d);
}

static void on_settled(evutil_socket_t fd, short what, void *context)
{
	struct daemon *d = context;

	(void)fd;
	(void)what;
	look_around(d);
	daemon_turn(d);
}

static void on_change(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval settle = { 0, SETTLE_MS * 1000 };
	struct daemon *d = context;

	(void)what;
	if (net_changes_read(fd) && !event_pending(d->settled, EV_TIMEOUT, NULL))
		(void)event_add(d->settled, &settle);
}

/* What may have been in the way a minute ago, and ports that programs opened. */
static void on_minute(evutil_socket_t fd, short what, void *context)
{
	struct daemon *d = context;
	char buffer[WHY_MAX];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	(void)fd;
	(void)what;
	daemon_set_reserved(d);
	(void)statics_add(d->responder, &d->config, net_now(), &why);
	daemon_turn(d);
}

bool daemon_watch_links(struct daemon *d)
{
	static const struct timeval minute = { MINUTE_S, 0 };

	d->settled = event_new(d->base, -1, 0, on_settled, d);
	d->minute = event_new(d->base, -1, EV_PERSIST, on_minute, d);
	if (d->settled == NULL || d->minute == NULL || event_add(d->minute, &minute) != 0)
		return false;
	/* Without news of changes, links and addresses are those of the start. */
	if (net_changes_open(NULL, &d->changes_fd, NULL) != TENF_OK)
		return true;
	d->changed = event_new(d->base, d->changes_fd, EV_READ | EV_PERSIST, on_change, d);
	return d->changed != NULL && event_add(d->changed, NULL) == 0;
}

/* SPDX-License-Identifier: MIT */
#include "agent/router.h"

#include "agent/log.h"
#include "hops/search.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOPS 2
/* What is not heard by then is not heard; and how long until it is tried again: twice as
 * long each time, up to the most. */
#define SEARCH_S 1
#define AGAIN_MAX_S 16

struct router {
	struct router *next;
	struct routers *all;
	struct site *inner;
	struct site *site;              /* NULL: not found */
	char behind[TENF_ADDRESS_SIZE]; /* the gateway's outside it was looked for behind */
	int fd;                         /* of the search, -1: none is under way */
	struct event *heard;            /* on that */
	struct event *again;
	unsigned again_s;
};

void routers_init(struct routers *routers, struct sites *sites, router_news_fn tell, void *context)
{
	*routers = (struct routers){ .sites = sites, .tell = tell, .context = context };
}

static void end_search(struct router *r)
{
	if (r->heard != NULL)
		event_free(r->heard);
	r->heard = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

void routers_done(struct routers *routers)
{
	while (routers->first != NULL) {
		struct router *r = routers->first;

		routers->first = r->next;
		end_search(r);
		event_free(r->again);
		free(r);
	}
}

struct record_place router_place(const struct site *inner, const struct tenf_address *address)
{
	struct record_place place = *site_place(inner);

	/* The way leads through the gateway, which translates: what PCP takes for an error
	 * (RFC 6887 §8.1) is to NAT-PMP the very address the port must lead to. */
	place.methods = TENF_METHOD_NATPMP;
	(void)tenf_address_text(address, place.gateway);
	return place;
}

/* ---- Searching -------------------------------------------------------------------- */

static void not_found(struct router *r)
{
	struct timeval pause = { .tv_sec = (time_t)r->again_s };

	end_search(r);
	(void)event_add(r->again, &pause);
	r->again_s = 2 * r->again_s < AGAIN_MAX_S ? 2 * r->again_s : AGAIN_MAX_S;
	r->all->tell(r->all->context, r->inner, ROUTER_MISSED);
}

static void found(struct router *r, const struct tenf_address *address)
{
	struct record_place place = router_place(r->inner, address);

	end_search(r);
	if (sites_at(r->all->sites, &place, &r->site, NULL) != TENF_OK) {
		not_found(r);
		return;
	}
	log_note("behind %s there is another router, %s", r->behind, place.gateway);
	r->again_s = SEARCH_S;
	r->all->tell(r->all->context, r->inner, ROUTER_FOUND);
}

static void heard(evutil_socket_t fd, short what, void *context)
{
	struct router *r = context;
	struct tenf_address address;

	if ((what & EV_READ) != 0 && hop_search_read((int)fd, &address))
		found(r, &address);
	else
		not_found(r);
}

static int open_socket(const struct router *r)
{
	const struct record_place *place = site_place(r->inner);
	int kind = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	struct namespace *namespace;

	if (place->namespace[0] == '\0')
		return socket(AF_INET, kind, 0);
	if (namespaces_at(r->all->sites->namespaces, place->namespace, &namespace, NULL) !=
	    TENF_OK)
		return -1;
	return namespace_socket(namespace, AF_INET, kind, 0);
}

static void search(struct router *r)
{
	struct timeval limit = { .tv_sec = SEARCH_S };

	end_search(r);
	(void)event_del(r->again);
	r->fd = open_socket(r);
	if (r->fd >= 0 && hop_search_send(r->fd, site_place(r->inner)->interface, HOPS))
		r->heard = event_new(r->all->sites->base, r->fd, EV_READ, heard, r);
	if (r->heard == NULL || event_add(r->heard, &limit) != 0)
		not_found(r);
}

static void look_again(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	search(context);
}

static struct router *make(struct routers *routers, struct site *inner)
{
	struct router *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->all = routers;
	r->inner = inner;
	r->fd = -1;
	r->again = event_new(routers->sites->base, -1, 0, look_again, r);
	if (r->again == NULL) {
		free(r);
		return NULL;
	}
	r->next = routers->first;
	routers->first = r;
	return r;
}

struct site *routers_behind(struct routers *routers, struct site *inner, const char *behind)
{
	struct router *r = routers->first;

	while (r != NULL && r->inner != inner)
		r = r->next;
	if (r == NULL)
		r = make(routers, inner);
	if (r == NULL)
		return NULL;
	if (strcmp(r->behind, behind) != 0) {
		memcpy(r->behind, behind, sizeof(r->behind));
		r->site = NULL;
		r->again_s = SEARCH_S;
		routers->tell(routers->context, inner, ROUTER_MOVED);
		search(r);
	}
	return r->site;
}

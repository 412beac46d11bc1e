/* SPDX-License-Identifier: MIT */
#include "agent/site.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct site {
	struct site *next;
	struct sites *sites;
	struct record_place place;
	struct tenf_session *session;
	struct event *wake;
};

void sites_init(struct sites *sites, struct event_base *base, struct namespaces *namespaces,
		site_event_fn tell, void *context)
{
	*sites = (struct sites){ .base = base, .namespaces = namespaces, .tell = tell,
				 .context = context };
}

static void free_site(struct site *site)
{
	if (site->wake != NULL)
		event_free(site->wake);
	tenf_session_free(site->session);
	free(site);
}

void sites_done(struct sites *sites)
{
	while (sites->first != NULL) {
		struct site *site = sites->first;

		sites->first = site->next;
		free_site(site);
	}
	sites->count = 0;
}

void site_touch(struct site *site)
{
	int ms = tenf_session_timeout_ms(site->session);
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)event_add(site->wake, ms >= 0 ? &tv : NULL);
}

static void wake(evutil_socket_t fd, short what, void *context)
{
	struct site *site = context;
	struct tenf_event event;

	(void)fd;
	(void)what;
	/* A failure inside leaves the session usable: it is tried again next time. */
	(void)!tenf_session_process(site->session);
	while (tenf_session_next_event(site->session, &event))
		site->sites->tell(site->sites->context, site, &event);
	(void)!tenf_session_process(site->session);
	site_touch(site);
}

/* UPnP is left out in another namespace: its library makes sockets of its own,
 * and would ask the router of ours. */
static enum tenf_status take_namespace(struct namespaces *namespaces,
				       const struct record_place *place,
				       struct tenf_options *options, struct tenf_error *reterr)
{
	struct namespace *namespace;
	enum tenf_status status;

	if (place->namespace[0] == '\0')
		return TENF_OK;
	status = namespaces_at(namespaces, place->namespace, &namespace, reterr);
	if (status != TENF_OK)
		return status;
	options->open_socket = namespace_socket;
	options->open_context = namespace;
	options->methods &= ~(unsigned)TENF_METHOD_IGD;
	if (options->methods == 0)
		options->methods = (unsigned)TENF_METHOD_PCP | TENF_METHOD_NATPMP;
	return TENF_OK;
}

static enum tenf_status open_session(struct sites *sites, const struct record_place *place,
				     struct tenf_session **ret, struct tenf_error *reterr)
{
	struct tenf_options options;
	enum tenf_status status;

	tenf_options_init(&options);
	options.gateway = place->gateway[0] != '\0' ? place->gateway : NULL;
	options.interface = place->interface[0] != '\0' ? place->interface : NULL;
	options.methods = place->methods;
	options.anycast = sites->anycast;
	options.watch = true;
	options.wait_interface = true; /* a tunnel comes and goes */
	status = take_namespace(sites->namespaces, place, &options, reterr);
	return status == TENF_OK ? tenf_session_new(&options, ret, reterr) : status;
}

enum tenf_status sites_at(struct sites *sites, const struct record_place *place,
			  struct site **ret, struct tenf_error *reterr)
{
	struct site *site;
	enum tenf_status status;

	for (site = sites->first; site != NULL; site = site->next) {
		if (record_same_place(&site->place, place)) {
			*ret = site;
			return TENF_OK;
		}
	}
	if (sites->count >= SITES_MAX)
		return TENF_E_LIMIT;
	site = calloc(1, sizeof(*site));
	if (site == NULL)
		return TENF_E_MEMORY;
	site->sites = sites;
	site->place = *place;
	status = open_session(sites, place, &site->session, reterr);
	if (status == TENF_OK) {
		site->wake = event_new(sites->base, tenf_session_fd(site->session),
				       EV_READ, wake, site);
		if (site->wake == NULL)
			status = TENF_E_MEMORY;
	}
	if (status != TENF_OK) {
		free_site(site);
		return status;
	}
	site->next = sites->first;
	sites->first = site;
	sites->count++;
	site_touch(site);
	*ret = site;
	return TENF_OK;
}

struct tenf_session *site_session(struct site *site)
{
	return site->session;
}

const struct record_place *site_place(const struct site *site)
{
	return &site->place;
}

struct site *site_next(struct site *site)
{
	return site->next;
}

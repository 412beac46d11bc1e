/* SPDX-License-Identifier: MIT */
/* The agent's sites without an event loop: whoever runs the laptop calls
 * laptop_sites_turn() when one of them is due. */
#include "sim-laptop.h"

#include "agent/site.h"
#include "sim-laptop-net.h"

#include <stdlib.h>

struct site {
	struct site *next;
	struct record_place place;
	struct tenf_session *session;
};

void sites_init(struct sites *sites, struct event_base *base, struct namespaces *namespaces,
		site_event_fn tell, void *context)
{
	*sites = (struct sites){ .base = base, .namespaces = namespaces, .tell = tell,
				 .context = context };
}

void sites_done(struct sites *sites)
{
	while (sites->first != NULL) {
		struct site *site = sites->first;

		sites->first = site->next;
		tenf_session_free(site->session);
		free(site);
	}
}

enum tenf_status sites_at(struct sites *sites, const struct record_place *place,
			  struct site **ret, struct tenf_error *reterr)
{
	struct tenf_options options;
	struct site *site;
	enum tenf_status status;

	for (site = sites->first; site != NULL; site = site->next) {
		if (record_same_place(&site->place, place)) {
			*ret = site;
			return TENF_OK;
		}
	}
	tenf_options_init(&options);
	options.interface = place->interface[0] != '\0' ? place->interface : NULL;
	/* The network here is that of src/net; UPnP's sockets would be real ones. */
	options.methods = place->methods != 0 ? place->methods :
						(unsigned)TENF_METHOD_PCP | TENF_METHOD_NATPMP;
	options.watch = true;
	options.wait_interface = true;
	site = calloc(1, sizeof(*site));
	if (site == NULL)
		return TENF_E_MEMORY;
	site->place = *place;
	status = tenf_session_new(&options, &site->session, reterr);
	if (status != TENF_OK) {
		free(site);
		return status;
	}
	site->next = sites->first;
	sites->first = site;
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

/* The loop of a turn looks at every session anyway. */
void site_touch(struct site *site)
{
	(void)site;
}

static bool is_due(const struct site *site)
{
	return laptop_net_readable(tenf_session_fd(site->session)) ||
	       tenf_session_timeout_ms(site->session) == 0;
}

tenf_time laptop_sites_deadline(const struct sites *sites)
{
	tenf_time first = TENF_NEVER;

	for (const struct site *site = sites->first; site != NULL; site = site->next) {
		int ms = tenf_session_timeout_ms(site->session);

		if (laptop_net_readable(tenf_session_fd(site->session)))
			ms = 0;
		if (ms >= 0)
			first = tenf_time_min(first, laptop_net.now + ms * TENF_MILLISECOND);
	}
	return first;
}

void laptop_sites_turn(struct sites *sites)
{
	struct tenf_event event;

	for (struct site *site = sites->first; site != NULL; site = site->next) {
		if (!is_due(site))
			continue;
		(void)!tenf_session_process(site->session);
		while (tenf_session_next_event(site->session, &event))
			sites->tell(sites->context, site, &event);
		(void)!tenf_session_process(site->session);
	}
}

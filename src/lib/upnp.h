/* SPDX-License-Identifier: MIT */
/*
 * UPnP for the objects of the library: questions of an engine on their way to
 * src/igd and back, and whether there is a device at all, for a discovery.
 * Nothing is opened before the first question. In a build without UPnP all of
 * this is nothing.
 */
#ifndef TENF_LIB_UPNP_H
#define TENF_LIB_UPNP_H

#include "keeper/engine.h"
#include "lib/route.h"

#if TENF_WITH_IGD

#include "igd/igd.h"

struct upnp_side {
	struct igd *igd; /* NULL before the first question */
	struct upnp_question question; /* under way while igd is not idle */
};

/* Steps what is under way, and starts what the engine has next. The descriptor
 * is made a member of `poll_fd` with this tag. */
void upnp_side_step(struct upnp_side *side, struct engine *engine, const struct route *route,
		    const struct settings *settings, int poll_fd, uint64_t tag);
tenf_time upnp_side_deadline(const struct upnp_side *side, const struct engine *engine);
/* Another way, or the end (engine NULL): what is under way is dropped, and told so. */
void upnp_side_reset(struct upnp_side *side, struct engine *engine);

/* For one gateway by itself; TENF_E_MEMORY, TENF_E_SYSTEM. */
TENF_CHECKED enum tenf_status upnp_open(const struct settings *settings, const struct route *route,
					int poll_fd, uint64_t tag, struct igd **ret);
/* The job that only looks. */
void upnp_find(struct igd *igd, bool patient, tenf_time deadline);
/* The hint of a device, "" when there is none. */
void upnp_hint(const struct igd *igd, char ret[TENF_IGD_HINT_SIZE]);

#endif
#endif

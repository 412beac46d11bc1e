/* SPDX-License-Identifier: MIT */
/* From the engine's structs to the public ones and back. */
#ifndef TENF_LIB_CONVERT_H
#define TENF_LIB_CONVERT_H

#include "core/client.h"
#include "keeper/keeper.h"
#include "lib/route.h"

/* TENF_E_ARGUMENT for what cannot be meant. The wish's filters are in ret_filters. */
TENF_CHECKED enum tenf_status convert_request(const struct tenf_request *request,
					      struct pcp_filter ret_filters[TENF_FILTERS_MAX],
					      struct keeper_wish *ret);
TENF_CHECKED enum tenf_status convert_lease(const struct tenf_mapping *lease,
					    struct keeper_wish *ret);

/* Where a view comes from. */
struct convert_scene {
	const struct route *route; /* NULL: no gateway */
	const struct settings *settings;
#if TENF_WITH_IGD
	unsigned igd_version; /* of the UPnP device there, 0 for none */
#endif
};

void convert_mapping(const struct convert_scene *scene, const struct keeper_view *view,
		     struct tenf_mapping *ret);
/* `client` is NULL when nobody was asked yet. */
void convert_gateway(const struct convert_scene *scene, const struct client *client,
		     enum tenf_reason reason, struct tenf_gateway *ret);
/* Text of an address, "" for none. */
void convert_address(const struct tenf_address *address, char ret[TENF_ADDRESS_SIZE]);

#endif

/* SPDX-License-Identifier: MIT */
#include "net/gateways.h"

#include "net/world.h"

const struct tenf_address net_public4 = {
	{ [10] = 0xff, 0xff, 198, 41, 0, 4 }
};
const struct tenf_address net_public6 = {
	{ 0x20, 0x01, 0x05, 0x03, 0xba, 0x3e, [13] = 0x02, 0x00, 0x30 }
};

enum tenf_status net_gateways_find(const struct net_gateway_query *query,
				   struct net_gateways *ret, struct net_error *reterr)
{
	struct net_world world;
	enum tenf_status status;
	unsigned ifindex = 0;

	if (query->interface != NULL) {
		ifindex = net_interface_index(query->opener, query->interface);
		if (ifindex == 0)
			return TENF_E_NOT_FOUND;
	}
	net_world_init(&world);
	status = net_world_read(query->opener, query->ipv6, ifindex, &world, reterr);
	if (status != TENF_OK)
		return status;
	net_candidates(&world, query, ifindex, ret);
	return TENF_OK;
}

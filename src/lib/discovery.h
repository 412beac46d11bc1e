/* SPDX-License-Identifier: MIT */
/*
 * Discovery as the rest of the library uses it: the harmless question to routes that are
 * known already, and the choice among them. A discovery owns its sockets; it
 * knows nothing of mappings and opens no port.
 */
#ifndef TENF_LIB_DISCOVERY_H
#define TENF_LIB_DISCOVERY_H

#include "base/time.h"
#include "lib/route.h"

/* Asks each of these, which stand in for one another from the first on. Free with
 * tenf_discovery_free(). TENF_E_MEMORY, TENF_E_SYSTEM. */
TENF_CHECKED enum tenf_status discovery_start(const struct settings *settings,
					      const struct route *routes, size_t count,
					      struct tenf_discovery **ret);

/* True when it is decided which one is used: the first that answered, once
 * those before it had their say or some patience is over. NULL: nobody is there. */
bool discovery_decides(const struct tenf_discovery *discovery, const struct route **ret);

tenf_time discovery_deadline(const struct tenf_discovery *discovery);

#endif

/* SPDX-License-Identifier: MIT */
/* The caller's options, checked and copied: what every object of the library
 * is made from. Owns its strings by value. */
#ifndef TENF_LIB_SETTINGS_H
#define TENF_LIB_SETTINGS_H

#include "base/address.h"
#include "net/opener.h"

#include <tenforward/tenforward.h>

struct settings {
	bool has_gateway;
	struct tenf_endpoint gateway;
	bool has_source;
	struct tenf_address source;
	char interface[TENF_INTERFACE_SIZE]; /* "" for any */
	unsigned methods;
	uint32_t timeout_ms;
	uint32_t asked_ms; /* of it, that has passed */
	bool announcements;
	bool watch;
	bool anycast;
	struct net_opener opener; /* of every socket */
#if TENF_WITH_IGD
	char igd_hints[TENF_IGD_HINTS_SIZE]; /* lines, "" for none */
#endif
};

/* `options` may be NULL. TENF_E_ARGUMENT for what cannot be meant. */
TENF_CHECKED enum tenf_status settings_read(const struct tenf_options *options,
					    struct settings *ret, struct tenf_error *reterr);

#endif

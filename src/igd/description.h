/* SPDX-License-Identifier: MIT */
/*
 * From the description of a UPnP device to where its gateway services are
 * controlled. The XML is libminiupnpc's to read; what it finds is believed only
 * where the type is one we know and the control is on the gateway itself.
 */
#ifndef TENF_IGD_DESCRIPTION_H
#define TENF_IGD_DESCRIPTION_H

#include "igd/url.h"

#define IGD_TYPE 64 /* of a service, with the terminator */
#define IGD_HINT 768 /* a device as a text, with the terminator */

struct igd_service {
	unsigned version; /* 0: there is no such service */
	char type[IGD_TYPE];
	struct igd_url control;
};

struct igd_device {
	struct igd_service wan;      /* WANIPConnection or WANPPPConnection */
	struct igd_service pinholes; /* WANIPv6FirewallControl */
};

/* `from` is where the description came from. TENF_E_NOT_FOUND when it is no
 * gateway, TENF_E_REFUSED when it is one that sends us to another host. */
TENF_CHECKED enum tenf_status igd_description_read(const char *xml, size_t len,
						   const struct igd_url *from,
						   struct igd_device *ret);

/* A device as one line of text, to be remembered between two runs, and back. What
 * is read is as little trusted as a description: false when it makes no sense
 * or is not on `gateway`. */
void igd_hint_write(const struct igd_device *device, struct tenf_text *t);
TENF_CHECKED bool igd_hint_read(const char *text, const struct tenf_address *gateway,
				struct igd_device *ret);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The mappings a gateway lists, whoever asked for them: entry by entry, or many
 * in one answer. What makes no sense is left out and counted; a list has a
 * limit, and says when it was reached.
 */
#ifndef TENF_IGD_LISTING_H
#define TENF_IGD_LISTING_H

#include "base/address.h"
#include "igd/soap.h"

#define IGD_DESCRIPTION 128 /* octets with the terminator */
/* What a home gateway holds is dozens; miniupnpd's own tests go to a thousand. */
#define IGD_ENTRIES_MAX 4096

struct igd_entry {
	enum tenf_protocol protocol;
	uint16_t external_port;
	uint16_t internal_port;
	struct tenf_address internal;
	struct tenf_address remote; /* zero: for everybody */
	uint32_t lease_s;           /* left; 0: until somebody removes it */
	bool enabled;
	char description[IGD_DESCRIPTION]; /* the router's own, fit to be shown */
};

struct igd_listing {
	struct igd_entry *entries;
	size_t count;
	size_t size;
	size_t dropped; /* made no sense */
	bool cut;       /* there are more than were taken */
};

void igd_listing_done(struct igd_listing *listing);

/* The entry in an answer about one mapping. TENF_E_MALFORMED when it makes no sense. */
TENF_CHECKED enum tenf_status igd_entry_read(const struct igd_values *values,
					     struct igd_entry *ret);
/* Adds it; the same protocol, port and remote host twice is one entry.
 * TENF_E_LIMIT and `cut` when the listing is full, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status igd_listing_add(struct igd_listing *listing,
					      const struct igd_entry *entry);
/* Adds all that stand in the XML behind NewPortListing, escaped or not; gives
 * their number, those that made no sense included. TENF_E_LIMIT, TENF_E_MEMORY. */
TENF_CHECKED enum tenf_status igd_listing_read(struct igd_listing *listing, const char *xml,
					       size_t *ret_seen);

#endif

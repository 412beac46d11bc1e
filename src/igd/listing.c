/* SPDX-License-Identifier: MIT */
#include "igd/listing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENTRY "PortMappingEntry>"

void igd_listing_done(struct igd_listing *listing)
{
	free(listing->entries);
	*listing = (struct igd_listing){ .count = 0 };
}

/* ---- One entry ---------------------------------------------------------------- */

/* By the function that reads HTTP too: each other one costs a start of the command. */
static bool is_word(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word) + 1) == 0;
}

static bool read_protocol(const char *text, enum tenf_protocol *ret)
{
	if (text == NULL || (!is_word(text, "TCP") && !is_word(text, "UDP")))
		return false;
	*ret = is_word(text, "TCP") ? TENF_TCP : TENF_UDP;
	return true;
}

static bool read_port(const struct igd_values *values, const char *name, uint16_t *ret)
{
	uint64_t port;

	if (!igd_values_number(values, name, UINT16_MAX, &port) || port == 0)
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* Some list "1" and some "true"; a gateway that says nothing means yes. */
static bool read_enabled(const struct igd_values *values)
{
	const char *text = igd_values_get(values, "NewEnabled");

	return text == NULL || (strcmp(text, "0") != 0 && !is_word(text, "false"));
}

enum tenf_status igd_entry_read(const struct igd_values *values, struct igd_entry *ret)
{
	const char *internal = igd_values_get(values, "NewInternalClient");
	const char *remote = igd_values_get(values, "NewRemoteHost");
	const char *description = igd_values_get(values, "NewPortMappingDescription");
	struct igd_entry entry = { .remote = tenf_address_none4 };
	uint64_t lease;

	if (!read_protocol(igd_values_get(values, "NewProtocol"), &entry.protocol) ||
	    !read_port(values, "NewExternalPort", &entry.external_port) ||
	    !read_port(values, "NewInternalPort", &entry.internal_port) || internal == NULL ||
	    !tenf_address_parse(internal, &entry.internal))
		return TENF_E_MALFORMED;
	if (remote != NULL && remote[0] != '\0' && !tenf_address_parse(remote, &entry.remote))
		return TENF_E_MALFORMED;
	if (description == NULL)
		description = igd_values_get(values, "NewDescription");
	if (igd_values_number(values, "NewLeaseDuration", UINT32_MAX, &lease) ||
	    igd_values_number(values, "NewLeaseTime", UINT32_MAX, &lease))
		entry.lease_s = (uint32_t)lease;
	entry.enabled = read_enabled(values);
	if (description != NULL)
		igd_text_clean(description, entry.description, sizeof(entry.description));
	*ret = entry;
	return TENF_OK;
}

/* ---- Many ---------------------------------------------------------------------- */

static bool is_same(const struct igd_entry *a, const struct igd_entry *b)
{
	return a->protocol == b->protocol && a->external_port == b->external_port &&
	       tenf_address_equal(&a->remote, &b->remote);
}

enum tenf_status igd_listing_add(struct igd_listing *listing, const struct igd_entry *entry)
{
	size_t size = listing->size > 0 ? 2 * listing->size : 16;
	struct igd_entry *grown;

	for (size_t i = 0; i < listing->count; i++) {
		if (is_same(&listing->entries[i], entry)) {
			listing->entries[i] = *entry;
			return TENF_OK;
		}
	}
	if (listing->count == IGD_ENTRIES_MAX) {
		listing->cut = true;
		return TENF_E_LIMIT;
	}
	if (listing->count == listing->size) {
		grown = reallocarray(listing->entries, size, sizeof(*grown));
		if (grown == NULL)
			return TENF_E_MEMORY;
		listing->entries = grown;
		listing->size = size;
	}
	listing->entries[listing->count++] = *entry;
	return TENF_OK;
}

static enum tenf_status read_one(struct igd_listing *listing, const char *xml, size_t len)
{
	struct igd_values values;
	struct igd_entry entry;
	enum tenf_status status = igd_values_read(xml, len, &values);

	if (status != TENF_OK)
		return status;
	if (igd_entry_read(&values, &entry) == TENF_OK)
		status = igd_listing_add(listing, &entry);
	else
		listing->dropped++;
	igd_values_done(&values);
	return status;
}

static enum tenf_status read_all(struct igd_listing *listing, const char *xml, size_t *ret_seen)
{
	enum tenf_status status = TENF_OK;
	const char *start, *end;

	/* The name closes the opening tag and the closing one. */
	while (status == TENF_OK && (start = strstr(xml, ENTRY)) != NULL) {
		start += strlen(ENTRY);
		end = strstr(start, ENTRY);
		if (end == NULL)
			break;
		status = read_one(listing, start, (size_t)(end - start));
		++*ret_seen;
		xml = end + strlen(ENTRY);
	}
	return status;
}

enum tenf_status igd_listing_read(struct igd_listing *listing, const char *xml, size_t *ret_seen)
{
	char *copy = strdup(xml);
	enum tenf_status status;
	size_t seen = 0;

	if (copy == NULL)
		return TENF_E_MEMORY;
	if (strchr(copy, '<') == NULL)
		igd_unescape(copy); /* not in CDATA, but escaped whole */
	status = read_all(listing, copy, &seen);
	free(copy);
	*ret_seen = seen;
	return status;
}

/* SPDX-License-Identifier: MIT */
/* The SETUP message: what becomes text of rules, so its names are looked at closely. */
#include "gateway/helper/messages.h"

#include <string.h>

bool helper_name_is_plain(const char *name)
{
	static const char others[] = "_.:@-";
	size_t len = strnlen(name, HELPER_NAME_MAX);

	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    strchr(others, c) == NULL)
			return false;
	}
	return len > 0 && len < HELPER_NAME_MAX;
}

static bool read_name(struct tenf_reader *r, char ret[HELPER_NAME_MAX])
{
	tenf_reader_copy(r, ret, HELPER_NAME_MAX);
	return !r->failed && helper_name_is_plain(ret);
}

static void write_names(struct tenf_writer *w, const struct helper_names *names)
{
	tenf_writer_u16(w, (uint16_t)names->count);
	for (size_t i = 0; i < names->count; i++)
		tenf_writer_copy(w, names->at[i], HELPER_NAME_MAX);
}

static bool read_names(struct tenf_reader *r, struct helper_names *ret)
{
	bool good;

	ret->count = tenf_reader_u16(r);
	good = ret->count <= HELPER_INTERFACES_MAX;
	for (size_t i = 0; good && i < ret->count; i++)
		good = read_name(r, ret->at[i]);
	return good;
}

static void write_address(struct tenf_writer *w, const struct tenf_address *a)
{
	tenf_writer_copy(w, a->octets, sizeof(a->octets));
}

void helper_write_setup(struct tenf_writer *w, const struct helper_setup *setup)
{
	write_names(w, &setup->external);
	write_names(w, &setup->internal);
	tenf_writer_u16(w, (uint16_t)setup->link_count);
	for (size_t i = 0; i < setup->link_count; i++) {
		const struct helper_link *link = &setup->links[i];

		tenf_writer_copy(w, link->interface, HELPER_NAME_MAX);
		write_address(w, &link->address.address);
		tenf_writer_u16(w, link->address.port);
		write_address(w, &link->network.address);
		tenf_writer_u8(w, (uint8_t)link->network.length);
	}
	tenf_writer_u32(w, setup->flood_per_s);
	tenf_writer_u8(w, setup->manage_forward ? 1 : 0);
}

static bool read_link(struct tenf_reader *r, struct helper_link *ret)
{
	bool good = read_name(r, ret->interface);

	tenf_reader_copy(r, ret->address.address.octets, sizeof(ret->address.address.octets));
	ret->address.port = tenf_reader_u16(r);
	tenf_reader_copy(r, ret->network.address.octets, sizeof(ret->network.address.octets));
	ret->network.length = tenf_reader_u8(r);
	return good && !r->failed && ret->address.port != 0 &&
	       ret->network.length <= 128 &&
	       tenf_address_is_v4(&ret->address.address) ==
		       tenf_address_is_v4(&ret->network.address) &&
	       (ret->network.length >= 96 || !tenf_address_is_v4(&ret->network.address));
}

enum tenf_status helper_read_setup(struct tenf_reader *r, struct helper_setup *ret)
{
	struct helper_setup s = { .manage_forward = false };
	bool good = read_names(r, &s.external) && read_names(r, &s.internal);
	uint8_t manage;

	s.link_count = tenf_reader_u16(r);
	good = good && s.link_count <= HELPER_LINKS_MAX && s.external.count > 0;
	for (size_t i = 0; good && i < s.link_count; i++)
		good = read_link(r, &s.links[i]);
	s.flood_per_s = tenf_reader_u32(r);
	manage = tenf_reader_u8(r);
	if (r->failed)
		return TENF_E_TRUNCATED;
	if (!good || manage > 1)
		return TENF_E_MALFORMED;
	s.manage_forward = manage == 1;
	*ret = s;
	return TENF_OK;
}

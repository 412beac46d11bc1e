/* SPDX-License-Identifier: MIT */
#include "agent/record.h"

#include <string.h>

bool record_same_place(const struct record_place *a, const struct record_place *b)
{
	return strcmp(a->interface, b->interface) == 0 && strcmp(a->gateway, b->gateway) == 0 &&
	       a->methods == b->methods && strcmp(a->namespace, b->namespace) == 0;
}

bool record_same_wish(const struct record_wish *a, const struct record_wish *b)
{
	return a->protocol == b->protocol && a->internal_port == b->internal_port &&
	       a->external_port == b->external_port && a->lifetime_s == b->lifetime_s &&
	       a->exact == b->exact && a->persist == b->persist && a->follow == b->follow &&
	       a->open_firewall == b->open_firewall && a->through == b->through &&
	       strcmp(a->internal_address, b->internal_address) == 0 &&
	       record_same_place(&a->place, &b->place);
}

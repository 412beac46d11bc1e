/* SPDX-License-Identifier: MIT */
/* An endpoint as 18 octets, in what the gateway's processes say to each other and
 * what the daemon keeps: the address in its IPv6 form, the port. */
#ifndef TENF_GATEWAY_ENDPOINT_BYTES_H
#define TENF_GATEWAY_ENDPOINT_BYTES_H

#include "base/address.h"
#include "base/bytes.h"

static inline void endpoint_write(struct tenf_writer *w, const struct tenf_endpoint *e)
{
	tenf_writer_copy(w, e->address.octets, sizeof(e->address.octets));
	tenf_writer_u16(w, e->port);
}

static inline void endpoint_read(struct tenf_reader *r, struct tenf_endpoint *ret)
{
	tenf_reader_copy(r, ret->address.octets, sizeof(ret->address.octets));
	ret->port = tenf_reader_u16(r);
}

#endif

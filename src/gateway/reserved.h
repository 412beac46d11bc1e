/* SPDX-License-Identifier: MIT */
/*
 * The ports on which this machine itself listens towards the internet: a mapping
 * would take them away from it. Asked of the kernel (inet_diag), which tells
 * everybody; who listens is not looked at.
 */
#ifndef TENF_GATEWAY_RESERVED_H
#define TENF_GATEWAY_RESERVED_H

#include "base/attributes.h"
#include "gateway/responder.h"

struct reserved {
	struct responder_reserved at[RESPONDER_RESERVED_MAX];
	size_t count;
	bool truncated; /* there were more, which are not protected */
};

/* Sockets bound to any address or to one of these, each port and protocol once.
 * False: the kernel could not be asked; `ret` then holds what was told before. */
TENF_CHECKED bool reserved_find(const struct tenf_address *externals, size_t count,
				struct reserved *ret);

#endif

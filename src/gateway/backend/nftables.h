/* SPDX-License-Identifier: MIT */
/* The packet path of the Linux kernel: nftables, changed by the privileged helper. */
#ifndef TENF_GATEWAY_BACKEND_NFTABLES_H
#define TENF_GATEWAY_BACKEND_NFTABLES_H

#include "base/text.h"
#include "gateway/backend/backend.h"
#include "gateway/helper/messages.h"

/* Forks the helper and has it make the table. To be called with the rights to do
 * so, before they are given up and before anything is open that the helper must not
 * have. False with a sentence in `why`. */
bool backend_nftables_open(const struct helper_setup *setup, const char *user,
			   struct backend **ret, struct tenf_text *why);

/* Other interfaces, networks and limits, between two batches; what is mapped stays.
 * False with a sentence in `why`: then it is as before. */
bool backend_nftables_set_up(struct backend *backend, const struct helper_setup *setup,
			     struct tenf_text *why);

#endif

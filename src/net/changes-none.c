/* SPDX-License-Identifier: MIT */
/* Built where netlink is not: nobody tells us of changes. */
#include "net/changes.h"

enum tenf_status net_changes_open(const struct net_opener *opener, int *ret_fd,
				  struct net_error *reterr)
{
	(void)opener;
	(void)ret_fd;
	(void)reterr;
	return TENF_E_NOT_FOUND;
}

bool net_changes_read(int fd)
{
	(void)fd;
	return false;
}

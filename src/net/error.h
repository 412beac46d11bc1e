/* SPDX-License-Identifier: MIT */
/* What went wrong at the edge: the errno and the call, for the text above. */
#ifndef TENF_NET_ERROR_H
#define TENF_NET_ERROR_H

struct net_error {
	const char *call; /* "socket", "bind to device" …; a literal */
	int code;         /* errno */
};

#endif

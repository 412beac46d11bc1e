/* SPDX-License-Identifier: MIT */
/*
 * Who makes the sockets: a socket belongs to the network namespace it was made
 * in, and to nobody else's, so whoever makes them decides which network is seen
 * here. All of this room's functions that make one take an opener; NULL, or one
 * without a function, is socket(2) in the namespace of the process.
 */
#ifndef TENF_NET_OPENER_H
#define TENF_NET_OPENER_H

struct net_opener {
	/* As socket(2): a descriptor, or -1 with errno. */
	int (*open)(void *context, int domain, int type, int protocol);
	void *context;
};

int net_open(const struct net_opener *opener, int domain, int type, int protocol);

#endif

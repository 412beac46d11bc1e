/* SPDX-License-Identifier: MIT */
/*
 * Looks for a UPnP description on the gateway. The gateway is asked directly
 * and by the group, and only what it answers itself about itself is taken: from
 * its address, with a place on its address. Whoever else answers is not looked
 * at, however many they are.
 *
 * The places are pulled one after the other as they come; the search ends after
 * its window, or soon when the gateway says that nobody listens there.
 */
#ifndef TENF_IGD_SEARCH_H
#define TENF_IGD_SEARCH_H

#include "base/time.h"
#include "igd/sockets.h"
#include "igd/ssdp.h"

/* A device may wait one second before it answers, and datagrams get lost. */
#define IGD_SEARCH_WINDOW (2 * TENF_SECOND)
/* What is left of the window once the gateway has said that its port is closed: some
 * listen to the group alone, and those who answer at once need little longer than
 * that word did. */
#define IGD_REFUSED_MIN (8 * TENF_MILLISECOND)
#define IGD_REFUSED_MAX (30 * TENF_MILLISECOND)
#define IGD_REFUSED_TIMES 8

#define IGD_PLACES_MAX 4      /* descriptions of one gateway that are looked at */
#define IGD_DATAGRAMS_MAX 256 /* answers of all hosts that one search reads */

struct igd_search {
	struct igd_way way;
	int poll_fd;  /* epoll set that the sockets are members of */
	int group_fd; /* -1 when not searching */
	int direct_fd;
	unsigned rounds; /* packets sent to each */
	unsigned datagrams;
	bool patient;    /* the window stays open although the port is closed */
	tenf_time asked; /* when the first packet left */
	tenf_time next;  /* packet */
	tenf_time end;
	struct igd_url places[IGD_PLACES_MAX];
	size_t count;
	size_t taken;
};

void igd_search_init(struct igd_search *search, const struct igd_way *way, int poll_fd);
/* TENF_E_UNREACHABLE, TENF_E_SYSTEM … when not even a socket can be had. */
TENF_CHECKED enum tenf_status igd_search_start(struct igd_search *search, bool patient,
					       tenf_time now);
void igd_search_stop(struct igd_search *search);

void igd_search_step(struct igd_search *search, tenf_time now);
/* The next place that was found; false when there is none at the moment. */
bool igd_search_next(struct igd_search *search, struct igd_url *ret);
/* Nothing more will come. */
bool igd_search_is_over(const struct igd_search *search);
/* How long to listen on after a closed port was told, which took so long. */
tenf_time igd_search_rest(tenf_time took);
tenf_time igd_search_deadline(const struct igd_search *search);

#endif

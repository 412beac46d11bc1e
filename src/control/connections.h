/* SPDX-License-Identifier: MIT */
/*
 * Counts the connections of a server, which evhttp of libevent 2.1 does not. Each gets
 * a slot when it is accepted; it is free again when its descriptor is closed,
 * which is seen by the socket's inode number: no two that live share one.
 *
 * The first CONTROL_CONNECTIONS_MAX are served. The next ones are marked, so that their
 * request can be answered with 503. When those are too many as well, nothing is
 * accepted until one is gone, and the kernel lets clients wait.
 */
#ifndef TENF_CONTROL_CONNECTIONS_H
#define TENF_CONTROL_CONNECTIONS_H

#include "base/attributes.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <tenforward/types.h>

struct control_connections;

TENF_CHECKED enum tenf_status control_connections_new(struct event_base *base,
						      struct control_connections **ret);
/* After evhttp_free(). NULL is fine. */
void control_connections_free(struct control_connections *c);

/* A listener to pause when all slots are taken. False when there are too many. */
TENF_CHECKED bool control_connections_watch(struct control_connections *c,
					    struct evconnlistener *listener);

/* For evhttp_set_bevcb(); `context` is the struct control_connections. */
struct bufferevent *control_connections_accept(struct event_base *base, void *context);

/* Whether the connection came when all served ones were taken. */
bool control_connections_is_turned_away(const struct control_connections *c, int fd);

/* Live connections, those turned away included. */
size_t control_connections_count(struct control_connections *c);

#endif

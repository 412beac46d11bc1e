/* SPDX-License-Identifier: MIT */
/*
 * Ports of firewalld's default zone, over D-Bus and on the event loop: nothing
 * here waits for an answer. The connection is made with the first port and again
 * after it was lost. Knows no mappings; firewall.c says what is to be open.
 */
#ifndef TENF_AGENT_FIREWALLD_H
#define TENF_AGENT_FIREWALLD_H

#include "base/attributes.h"

#include <event2/event.h>
#include <stdint.h>
#include <tenforward/types.h>

struct firewalld;

/* firewalld was started or read its rules again, and forgot what had a time limit. */
typedef void (*firewalld_forgot_fn)(void *context);

TENF_CHECKED enum tenf_status firewalld_new(struct event_base *base, firewalld_forgot_fn forgot,
					    void *context, struct firewalld **ret);
/* What was asked for is sent; answers are not waited for. NULL is fine. */
void firewalld_free(struct firewalld *firewalld);

/* Opens the port for so many seconds from now, 0: closes it. What firewalld says to
 * it goes to the log. */
void firewalld_set(struct firewalld *firewalld, uint16_t port, const char *protocol,
		   uint32_t seconds);

#endif

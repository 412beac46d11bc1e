/* SPDX-License-Identifier: MIT */
/*
 * The service manager, for agent and gateway: readiness, reloads, a watchdog, a
 * socket it opened for us. Does nothing where there is none, or when built without
 * libsystemd.
 */
#ifndef TENF_SERVICE_SERVICE_H
#define TENF_SERVICE_SERVICE_H

#include <stdbool.h>

struct event;
struct event_base;

/* What the manager shows beside the unit, from the first SERVICE_READY on. */
void service_status(const char *status);

enum service_word { SERVICE_READY, SERVICE_RELOADING, SERVICE_STOPPING };

void service_tell(enum service_word word);

/* The listening socket handed over (socket activation), -1 when there is none. */
int service_socket(void);

/* Says from the loop of `base` that we are alive, twice in the time after which the
 * manager would restart us. *ret is NULL where nobody wants to hear it, else the
 * caller frees it, before `base`. False when memory is out. */
bool service_beat(struct event_base *base, struct event **ret);

#endif

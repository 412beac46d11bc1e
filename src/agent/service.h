/* SPDX-License-Identifier: MIT */
/* The service manager: readiness, watchdog, a socket it opened for us. Does
 * nothing where there is none, or when built without libsystemd. */
#ifndef TENF_AGENT_SERVICE_H
#define TENF_AGENT_SERVICE_H

#include <sys/time.h>

enum service_word { SERVICE_READY, SERVICE_RELOADING, SERVICE_STOPPING, SERVICE_ALIVE };

void service_tell(enum service_word word);
/* The listening socket handed over (socket activation), -1 when there is none. */
int service_socket(void);
/* How often SERVICE_ALIVE is wanted; zero when it is not. */
struct timeval service_beat(void);

#endif

/* SPDX-License-Identifier: MIT */
/* The service manager: readiness, reloads, a control socket it opened for us. Does
 * nothing where there is none, or when built without libsystemd. */
#ifndef TENF_GATEWAY_SERVICE_H
#define TENF_GATEWAY_SERVICE_H

enum service_word { SERVICE_READY, SERVICE_RELOADING, SERVICE_STOPPING };

void service_tell(enum service_word word);
/* The listening socket handed over, -1 when there is none. */
int service_socket(void);

#endif

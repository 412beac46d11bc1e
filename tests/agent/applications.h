/* SPDX-License-Identifier: MIT */
/* Small stand-ins for applications that speak just what connectors need. */
#ifndef TENF_TESTS_AGENT_APPLICATIONS_H
#define TENF_TESTS_AGENT_APPLICATIONS_H

#include "loop.h"

struct application {
	enum connector_type type;
	struct fake fake;
	unsigned port, port_last; /* what it listens on; the last for Deluge */
	bool random_port;
	unsigned session;         /* changes at each start */
	unsigned sign_ins;
	bool open;                /* asks nobody to sign in */
	bool stubborn;            /* takes a port and forgets it */
	bool disconnected;        /* Deluge's web part without its daemon */
	const char *hostile;      /* answers this to everything, with hostile_status */
	int hostile_status;
};

/* User "user", password "pass word&x". `port` as of fake_start(). */
void application_start(struct application *application, struct event_base *base,
		       enum connector_type type, uint16_t port);
void application_stop(struct application *application);

#endif

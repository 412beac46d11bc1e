/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with what is open, one finding each: how bad, a code for
 * scripts, a sentence for people, and what to do. Pure.
 *
 *   sensitive-service        SSH, databases, file sharing … open to the world
 *   nobody-listens           a port leads to this computer, where nobody waits
 *   foreign-host             a port leads to another computer
 *   endless-lease            a port stays open until somebody closes it
 *   several-mappings         several ports lead to the same place
 *   upnp-answers             UPnP is on where NAT-PMP or PCP would do
 *   gateway-answers-outside  the gateway takes orders at its outside address
 */
#ifndef TENF_CLI_FINDINGS_H
#define TENF_CLI_FINDINGS_H

#include "cli/exposed.h"
#include "cli/severity.h"

struct finding {
	enum severity severity;
	const char *code;
	char text[320];
	char advice[200];              /* "" for none */
	const struct exposed *exposed; /* NULL: about the gateway */
};

struct findings {
	struct finding *items; /* worst first */
	size_t count;
	size_t size;
};

struct findings_scene {
	const struct exposed_list *exposed;
	const struct tenf_gateway *gateway; /* NULL: none answered */
	bool answers_outside;               /* asked at its outside address */
};

/* TENF_E_MEMORY. Done with findings_done(), after a failure too. */
TENF_CHECKED enum tenf_status findings_judge(const struct findings_scene *scene,
					     struct findings *ret);
void findings_done(struct findings *findings);
/* A new reference. */
json_t *finding_shape(const struct finding *finding);

#endif

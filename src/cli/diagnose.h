/* SPDX-License-Identifier: MIT */
/*
 * What check and doctor look at, one function a step: each adds to the steps what it
 * saw, what that means, and what to do, in words of people who want to play. Later
 * steps use what earlier ones found. Nothing is opened or changed.
 */
#ifndef TENF_CLI_DIAGNOSE_H
#define TENF_CLI_DIAGNOSE_H

#include "cli/opened-sources.h"
#include "cli/steps.h"
#include "host/host.h"
#include "host/reach.h"

/* A connection that is not there by then is not there. */
#define DIAGNOSE_REACH_MS 3000

/* The port in question: what the user named. */
struct subject {
	enum tenf_protocol protocol; /* TENF_TCP or TENF_UDP */
	uint16_t internal_port;
	uint16_t external_port;      /* 0: any */
	char text[40];               /* "25565/tcp" */
};

struct diagnosis {
	struct cli *cli;
	const struct subject *subject; /* NULL: none was named */
	const struct tenf_endpoint *stun; /* NULL: none was named */
	struct host *host;
	struct opened_sources sources;
	const struct opened *held;     /* the mapping of the subject; NULL: none */
	struct tenf_gateway gateway;
	enum tenf_status gateway_status;
	struct tenf_error gateway_error;
	struct steps steps;
};

/* Reads the words of the command line; exit status. `*ret_count` is 0 without a word,
 * 2 for one that names both protocols. */
int diagnose_subjects(struct cli *cli, struct subject ret[2], size_t *ret_count);

/* Looks at this computer, at what is held, and at the gateway. Exit status; done
 * with diagnose_done(), after a failure too. */
int diagnose_begin(struct cli *cli, const struct subject *subject, struct diagnosis *ret);
void diagnose_done(struct diagnosis *d);
/* Reads again what is held, after it was changed. Exit status. */
int diagnose_reread(struct diagnosis *d);

/* of diagnose-host.c */
void diagnose_link(struct diagnosis *d);
void diagnose_route(struct diagnosis *d);
void diagnose_clock(struct diagnosis *d); /* adds a step only when it is wrong */
void diagnose_listener(struct diagnosis *d);
void diagnose_firewall(struct diagnosis *d);

/* of diagnose-gateway.c */
void diagnose_gateway(struct diagnosis *d);
void diagnose_service(struct diagnosis *d);
void diagnose_address(struct diagnosis *d);
void diagnose_policy(struct diagnosis *d);

/* of diagnose-path.c */
void diagnose_mapping(struct diagnosis *d);
void diagnose_hairpin(struct diagnosis *d);
/* By --from or --from-url; says how where neither is given. */
void diagnose_outside(struct diagnosis *d);

/* What is held is a hole in a firewall before an IPv6 address of ours: nobody translates
 * there, and UPnP has no list of those. */
bool diagnose_is_pinhole(const struct diagnosis *d);
/* The address the subject is open at; false when it is not known. */
bool diagnose_outside_endpoint(const struct diagnosis *d, struct tenf_endpoint *ret);
/* The sentence at the end, and the exit status. */
int diagnose_verdict(struct diagnosis *d);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A bad network on request: a stage between the socket and the responder that
 * loses, delays, repeats, reorders and damages datagrams, for those who test
 * clients. From one seed it always does the same. Wrong decisions, unlike
 * wrong datagrams, are the responder's quirks.
 *
 * Put a datagram in one end, take what is due out of it. It copies what it is
 * given, holds FAULTS_QUEUE_MAX datagrams and loses what is more.
 */
#ifndef TENF_GATEWAY_FAULTS_H
#define TENF_GATEWAY_FAULTS_H

#include "gateway/responder.h"

#define FAULTS_QUEUE_MAX 256
#define FAULTS_ALL 10000 /* chances are parts of this */
/* A reordered datagram is this much late, so that the next ones overtake it. */
#define FAULTS_REORDER_DELAY (100 * TENF_MILLISECOND)

struct faults_config {
	unsigned loss; /* chances, of each datagram in each direction */
	unsigned duplicate;
	unsigned reorder;
	unsigned truncate;     /* what the gateway sends: cut short */
	unsigned wrong_source; /* and: from another port */
	tenf_duration delay_min;
	tenf_duration delay_max;
	tenf_duration reboot_every; /* 0: never */
	struct responder_quirks quirks;
};

enum faults_way {
	FAULTS_TO_GATEWAY,
	FAULTS_TO_CLIENT,
};

struct faults;

TENF_CHECKED enum tenf_status faults_new(const struct faults_config *config,
					 const struct tenf_random *random,
					 const struct tenf_memory *memory, tenf_time now,
					 struct faults **ret);
void faults_free(struct faults *f);
/* Other faults from now on; what is under way stays under way. The first reboot
 * is a whole `reboot_every` away. TENF_E_ARGUMENT: nothing changed. */
TENF_CHECKED enum tenf_status faults_configure(struct faults *f,
					       const struct faults_config *config, tenf_time now);

void faults_put(struct faults *f, enum faults_way way, const struct responder_datagram *datagram,
		tenf_time now);
/* The next one of this direction that is due; its octets live until the next
 * faults_put. A source port other than the one put in is the fault wrong_source. */
bool faults_take(struct faults *f, enum faults_way way, tenf_time now,
		 struct responder_datagram *ret);

/* True once each time a reboot is due. */
bool faults_reboot(struct faults *f, tenf_time now);
tenf_time faults_deadline(const struct faults *f);

#endif

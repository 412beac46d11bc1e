/* SPDX-License-Identifier: MIT */
/*
 * The inside of the running gateway, for its own files.
 *
 *	daemon.c         life: opens, serves, frees
 *	daemon-backend.c opens the backend, hears its news
 *	daemon-links.c   networks that come and go, sockets for them
 *	reload.c         another configuration while it runs
 *	daemon-turn.c    one turn: commit, send, tell what was decided, set the timer
 *	daemon-faults.c  wrong behaviour on request, also while it runs
 *
 * Whoever wants to know what was decided (the log, the history, the control
 * API) is an observer; the turn tells each of them.
 */
#ifndef TENF_GATEWAY_DAEMON_PRIVATE_H
#define TENF_GATEWAY_DAEMON_PRIVATE_H

#include "gateway/backend/backend.h"
#include "gateway/daemon.h"
#include "gateway/links.h"
#include "gateway/neighbours.h"
#include "gateway/reserved.h"
#include "gateway/responder-govern.h"
#include "gateway/meters.h"
#include "gateway/observe.h"
#include "gateway/server.h"

#include <event2/event.h>

#define DAEMON_OBSERVERS_MAX 4

/* Told of each decision after its answer has left, then once at the end of a
 * turn in which there was any. A record lives for the call alone. */
struct daemon_observer {
	void (*record)(void *context, const struct responder_record *record, tenf_time now);
	void (*flush)(void *context); /* may be NULL */
	void *context;
};

struct listener {
	struct daemon *daemon;
	int fd;
	int stray_fd; /* another port of the same address, for the fault WrongSource=; or -1 */
	struct event *readable;
};

struct daemon {
	struct gateway_config config;
	struct links links;
	struct listener listeners[RESPONDER_LINKS_MAX]; /* one for each link */
	struct responder *responder;
	struct responder_flows flows; /* of the backend */
	struct backend *backend;
	struct neighbours *neighbours;
	struct reserved reserved;
	bool wants_macs; /* so each request is looked up */
	struct faults *faults; /* or NULL */
	struct tenf_random random;
	struct tenf_seeded seeded;
	struct tenf_random faults_random;
	struct server_in *in;
	struct server_out *out;
	int changes_fd;
	int journal; /* a socket (journal.h), or -1 */
	struct event_base *base;
	struct event *timer;
	struct event *changed;
	struct event *news; /* of the backend, or NULL */
	bool heed;          /* a commit failed: ask the backend why */
	bool has_failed;    /* the loop ends because something is broken */
	struct event *settled; /* some time after news of the network */
	struct event *minute;
	struct event *beat; /* for the service manager, or NULL */
	struct event *hangup;
	struct event *stops[2];
	struct daemon_observer observers[DAEMON_OBSERVERS_MAX];
	size_t observer_count;
	struct meters meters;
	uint64_t answered;       /* answers that have left */
	tenf_time arrived;       /* when what is being decided was read; 0: nothing was */
	tenf_time committed;     /* the same of what was committed last */
	struct observe *observe; /* or NULL */
};

/* Adds an observer; at most DAEMON_OBSERVERS_MAX, a mistake of ours above. */
void daemon_observe(struct daemon *d, const struct daemon_observer *observer);

/* Before anything else is opened: the backend may fork. False with a sentence in `why`. */
bool daemon_open_backend(struct daemon *d, struct tenf_text *why);
/* Goes on with what the backend holds from before. False with a sentence in `why`. */
bool daemon_restore(struct daemon *d, struct tenf_text *why);
/* Puts the backend's news into the loop. */
bool daemon_watch_backend(struct daemon *d);
/* Acts on what the backend has to tell; true when there is a batch to commit now. */
bool daemon_heed_backend(struct daemon *d, tenf_time now);
/* Other faults from now on. False with a sentence in `why`. */
bool daemon_set_faults(struct daemon *d, const struct faults_config *faults,
		       struct tenf_text *why);
/* A socket at another port of this link's address, where there is none yet. */
bool daemon_open_stray(struct daemon *d, size_t link, struct tenf_text *why);

/* Tells the backend of other interfaces, networks and limits; a failure is a warning. */
void daemon_set_up_backend(struct daemon *d);

/* A socket for link `i`, and its place in the loop. */
bool daemon_open_listener(struct daemon *d, size_t i, struct tenf_text *why);
bool daemon_watch_listener(struct daemon *d, size_t i);
/* Serves these links from now on. `strict`: false with a sentence in `why` when one
 * of them cannot be, and nothing has changed; otherwise it is left out. */
bool daemon_relink(struct daemon *d, const struct links *next, bool strict,
		   struct tenf_text *why);
/* The external addresses as of now. */
void daemon_set_externals(struct daemon *d);
/* The machine's own ports as of now. */
void daemon_set_reserved(struct daemon *d);
/* Follows links and addresses from now on. */
bool daemon_watch_links(struct daemon *d);

/* Hands one datagram to the responder, making room for it when there is none. */
void daemon_deliver(struct daemon *d, const struct responder_datagram *datagram, tenf_time now);
/* The link-layer address of a host of one of our networks; false: unknown. */
bool daemon_mac_of(struct daemon *d, const struct tenf_address *client, tenf_time now,
		   uint8_t ret[NEIGHBOURS_MAC]);
/* Reads what waits at a listener and answers it. */
void daemon_serve(struct listener *listener);
/* After whatever woke us up. */
void daemon_turn(struct daemon *d);

#endif

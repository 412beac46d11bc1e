/* SPDX-License-Identifier: MIT */
#include "gateway/daemon-private.h"

#include "net/clock.h"

#include <assert.h>

#define BATCH_READS 2 /* of SERVER_BATCH datagrams each; more than one batch keeps both busy */
#define CROWD 8       /* requests from which on the next batch is looked for before answering */
#define ROUNDS_MAX 8  /* batches of one listener until others are looked after */
_Static_assert(BATCH_READS * SERVER_BATCH <= RESPONDER_BATCH_MAX, "what is read fits one batch");

/* ---- One turn --------------------------------------------------------- */

void daemon_observe(struct daemon *d, const struct daemon_observer *observer)
{
	assert(d->observer_count < DAEMON_OBSERVERS_MAX);
	d->observers[d->observer_count++] = *observer;
}

static void tell(struct daemon *d, tenf_time now)
{
	struct responder_record record;
	bool any = false;

	while (responder_next_record(d->responder, &record)) {
		meters_record(&d->meters, &record);
		for (size_t i = 0; i < d->observer_count; i++)
			d->observers[i].record(d->observers[i].context, &record, now);
		any = true;
	}
	for (size_t i = 0; any && i < d->observer_count; i++) {
		if (d->observers[i].flush != NULL)
			d->observers[i].flush(d->observers[i].context);
	}
}

/* The socket this leaves from: the one bound to its source; for a source that
 * faults made up, a stray one of the same address. */
static int socket_for(const struct daemon *d, const struct tenf_endpoint *from)
{
	int stray_fd = -1;

	for (size_t i = 0; i < d->links.count; i++) {
		const struct tenf_endpoint *own = &d->links.at[i].address;

		if (tenf_endpoint_equal(own, from))
			return d->listeners[i].fd;
		if (tenf_address_equal(&own->address, &from->address))
			stray_fd = d->listeners[i].stray_fd;
	}
	return stray_fd;
}

static void send_one(struct daemon *d, const struct responder_datagram *datagram)
{
	int fd = socket_for(d, &datagram->from);

	if (fd >= 0)
		server_send(d->out, fd, datagram);
}

static void send_all(struct daemon *d, tenf_time now)
{
	struct responder_datagram datagram;

	while (responder_next_send(d->responder, now, &datagram)) {
		if (d->faults != NULL)
			faults_put(d->faults, FAULTS_TO_CLIENT, &datagram, now);
		else
			send_one(d, &datagram);
	}
	while (d->faults != NULL && faults_take(d->faults, FAULTS_TO_CLIENT, now, &datagram))
		send_one(d, &datagram);
}

/* How long the answers that left took, from the reading of their requests. */
static void measure(struct daemon *d)
{
	struct responder_counts counts;

	responder_count(d->responder, &counts);
	if (counts.answered > d->answered)
		meters_answers(&d->meters, counts.answered - d->answered,
			       net_now() - d->committed);
	d->answered = counts.answered;
}

static void answer(struct daemon *d, tenf_time now)
{
	observe_push(d); /* also of what needed no commit */
	send_all(d, now);
	server_flush(d->out); /* who asked need not wait for the log */
	measure(d);
	tell(d, now);
}

/* What was committed before is answered while this is being committed. */
static void commit(struct daemon *d, tenf_time now)
{
	backend_begin(d->backend, d->responder);
	answer(d, now);
	if (backend_end(d->backend, d->responder, now) != TENF_OK) {
		d->heed = true;
		meters_error(&d->meters, d->backend->code);
	}
	observe_push(d); /* what is to be kept goes before the answers */
	d->committed = d->arrived != 0 ? d->arrived : now;
	d->arrived = 0;
}

static void commit_and_answer(struct daemon *d, tenf_time now)
{
	commit(d, now);
	answer(d, now);
}

bool daemon_mac_of(struct daemon *d, const struct tenf_address *client, tenf_time now,
		   uint8_t ret[NEIGHBOURS_MAC])
{
	for (size_t i = 0; i < d->links.count; i++) {
		const struct responder_link *link = &d->links.at[i];

		if (tenf_prefix_contains(&link->network, client))
			return neighbours_find(d->neighbours, link->interface, client, now, ret);
	}
	return false;
}

void daemon_deliver(struct daemon *d, const struct responder_datagram *in, tenf_time now)
{
	struct responder_datagram datagram = *in;

	if (d->wants_macs)
		datagram.has_mac = neighbours_find(d->neighbours, in->interface,
						   &in->from.address, now, datagram.mac);
	while (responder_receive(d->responder, &datagram, now) == TENF_E_AGAIN)
		commit_and_answer(d, now); /* makes room */
}

/* At most one batch; how many datagrams it has. */
static size_t read_batch(struct daemon *d, const struct listener *listener)
{
	const struct tenf_endpoint *bound = &d->links.at[listener - d->listeners].address;
	const struct responder_datagram *datagrams;
	size_t count = SERVER_BATCH;
	size_t total = 0;

	d->arrived = net_now();
	for (unsigned i = 0; i < BATCH_READS && count == SERVER_BATCH; i++) {
		count = server_receive(listener->fd, bound, d->in, &datagrams);
		responder_expect(d->responder, datagrams, count);
		for (size_t k = 0; k < count; k++) {
			if (d->faults != NULL)
				faults_put(d->faults, FAULTS_TO_GATEWAY, &datagrams[k], d->arrived);
			else
				daemon_deliver(d, &datagrams[k], d->arrived);
		}
		total += count;
	}
	return total;
}

/* Where many wait, the next batch is decided and under way before the last is answered. */
void daemon_serve(struct listener *listener)
{
	struct daemon *d = listener->daemon;
	unsigned rounds = d->faults != NULL ? 1 : ROUNDS_MAX;

	while (!d->heed && read_batch(d, listener) >= CROWD && --rounds > 0)
		commit(d, net_now());
	daemon_turn(d);
}

static void set_timer(struct daemon *d, tenf_time now)
{
	tenf_time deadline = responder_deadline(d->responder);
	struct timeval wait;

	if (d->faults != NULL)
		deadline = tenf_time_min(deadline, faults_deadline(d->faults));
	if (deadline == TENF_NEVER) {
		(void)event_del(d->timer);
		return;
	}
	deadline = tenf_time_max(deadline - now, 0);
	wait.tv_sec = (time_t)(deadline / TENF_SECOND);
	wait.tv_usec = (suseconds_t)(deadline % TENF_SECOND);
	(void)event_add(d->timer, &wait);
}

void daemon_turn(struct daemon *d)
{
	tenf_time now = net_now();
	struct responder_datagram datagram;

	if (d->faults != NULL && faults_reboot(d->faults, now))
		responder_reboot(d->responder, now);
	while (d->faults != NULL && faults_take(d->faults, FAULTS_TO_GATEWAY, now, &datagram))
		daemon_deliver(d, &datagram, now);
	responder_expire(d->responder, now);
	commit_and_answer(d, now);
	if (d->heed && daemon_heed_backend(d, now))
		commit_and_answer(d, now);
	set_timer(d, now);
}

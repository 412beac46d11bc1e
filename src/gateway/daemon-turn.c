/* SPDX-License-Identifier: MIT */
#include "gateway/daemon-private.h"

#include "net/clock.h"

#include <assert.h>

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

static void commit_and_send(struct daemon *d, tenf_time now)
{
	if (backend_run(d->backend, d->responder, now) != TENF_OK) {
		d->heed = true;
		meters_error(&d->meters, d->backend->code);
	}
	observe_push(d);
	send_all(d, now);
	server_flush(d->out); /* who asked need not wait for the log */
	tell(d, now);
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
		commit_and_send(d, now); /* makes room */
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

/* How long the answers of this turn took, from the reading of the first request. */
static void measure(struct daemon *d, tenf_time arrived)
{
	struct responder_counts counts;

	responder_count(d->responder, &counts);
	if (counts.answered > d->answered)
		meters_answers(&d->meters, counts.answered - d->answered, net_now() - arrived);
	d->answered = counts.answered;
	d->arrived = 0;
}

void daemon_turn(struct daemon *d)
{
	tenf_time now = net_now();
	tenf_time arrived = d->arrived != 0 ? d->arrived : now;
	struct responder_datagram datagram;

	if (d->faults != NULL && faults_reboot(d->faults, now))
		responder_reboot(d->responder, now);
	while (d->faults != NULL && faults_take(d->faults, FAULTS_TO_GATEWAY, now, &datagram))
		daemon_deliver(d, &datagram, now);
	responder_expire(d->responder, now);
	commit_and_send(d, now);
	if (d->heed && daemon_heed_backend(d, now))
		commit_and_send(d, now);
	server_flush(d->out);
	measure(d, arrived);
	set_timer(d, now);
}

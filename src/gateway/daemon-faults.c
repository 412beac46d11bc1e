/* SPDX-License-Identifier: MIT */
#include "gateway/daemon-private.h"

#include "net/clock.h"

#include <string.h>

bool daemon_open_stray(struct daemon *d, size_t link, struct tenf_text *why)
{
	struct listener *listener = &d->listeners[link];
	struct tenf_endpoint stray = { d->links.at[link].address.address, 0 };
	struct net_error error = { .call = "open" };

	if (listener->stray_fd >= 0 ||
	    server_open(&stray, &listener->stray_fd, &stray, &error) == TENF_OK)
		return true;
	tenf_text_add(why, "cannot open a socket to answer from a wrong port: ");
	tenf_text_add(why, error.call);
	tenf_text_add(why, ": ");
	tenf_text_add(why, strerror(error.code));
	return false;
}

static enum tenf_status configure(struct daemon *d, const struct faults_config *faults)
{
	tenf_time now = net_now();

	if (d->faults != NULL)
		return faults_configure(d->faults, faults, now);
	tenf_seeded_init(&d->seeded, d->config.seed);
	d->faults_random = tenf_seeded_random(&d->seeded);
	return faults_new(faults, &d->faults_random, &tenf_memory_libc, now, &d->faults);
}

bool daemon_set_faults(struct daemon *d, const struct faults_config *faults,
		       struct tenf_text *why)
{
	for (size_t i = 0; faults->wrong_source > 0 && i < d->links.count; i++) {
		if (!daemon_open_stray(d, i, why))
			return false;
	}
	if (configure(d, faults) != TENF_OK) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	d->config.has_faults = true;
	d->config.faults = *faults;
	responder_set_quirks(d->responder, &faults->quirks);
	return true;
}

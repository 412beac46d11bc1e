/* SPDX-License-Identifier: MIT */
#include "agent/firewalld.h"

#include "agent/log.h"

#ifdef TENF_HAVE_SYSTEMD
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define NAME "org.fedoraproject.FirewallD1"
#define PATH "/org/fedoraproject/FirewallD1"
#define ZONE NAME ".zone"

struct firewalld {
	struct event_base *base;
	firewalld_forgot_fn forgot;
	void *context;
	sd_bus *bus; /* NULL: not connected */
	struct event *wake;
};

static void on_wake(evutil_socket_t fd, short what, void *context);

/* ---- The bus on the loop ------------------------------------------------------ */

static void disconnect(struct firewalld *f)
{
	if (f->wake != NULL)
		event_free(f->wake);
	f->wake = NULL;
	sd_bus_close_unref(f->bus);
	f->bus = NULL;
}

/* sd-bus tells a point of CLOCK_MONOTONIC, libevent wants a duration. */
static bool wait_of(sd_bus *bus, struct timeval *ret)
{
	struct timespec now;
	uint64_t until = UINT64_MAX, now_us, us;

	if (sd_bus_get_timeout(bus, &until) < 0 || until == UINT64_MAX)
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	us = until > now_us ? until - now_us : 0;
	*ret = (struct timeval){ .tv_sec = (time_t)(us / 1000000),
				 .tv_usec = (suseconds_t)(us % 1000000) };
	return true;
}

static void arm(struct firewalld *f)
{
	int events = sd_bus_get_events(f->bus);
	struct timeval wait;
	short what = 0;

	if (events & EPOLLIN)
		what |= EV_READ;
	if (events & EPOLLOUT)
		what |= EV_WRITE;
	if (f->wake != NULL)
		event_free(f->wake);
	f->wake = event_new(f->base, sd_bus_get_fd(f->bus), what, on_wake, f);
	if (f->wake != NULL)
		(void)event_add(f->wake, wait_of(f->bus, &wait) ? &wait : NULL);
}

static void work(struct firewalld *f)
{
	int status;

	do {
		status = sd_bus_process(f->bus, NULL);
	} while (status > 0);
	if (status >= 0 && sd_bus_is_open(f->bus) >= 0) {
		arm(f);
		return;
	}
	log_warning("firewalld: the connection to the system bus is lost; made again with the next "
		    "port");
	disconnect(f);
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	work(context);
}

/* ---- What firewalld says -------------------------------------------------------- */

static int on_reloaded(sd_bus_message *message, void *context, sd_bus_error *error)
{
	struct firewalld *f = context;

	(void)message;
	(void)error;
	f->forgot(f->context);
	return 0;
}

static int on_owner(sd_bus_message *message, void *context, sd_bus_error *error)
{
	const char *name, *before, *now;

	if (sd_bus_message_read(message, "sss", &name, &before, &now) < 0 || now[0] == '\0')
		return 0;
	return on_reloaded(message, context, error);
}

/* The port it was about is in the call; the answer to one that opens. */
static int on_opened(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	const sd_bus_error *why = sd_bus_message_get_error(answer);

	(void)context;
	(void)error;
	if (why != NULL)
		log_warning("firewalld: a port could not be opened: %s",
			    why->message != NULL ? why->message : why->name);
	return 0;
}

/* That a port was not open is no failure of closing it. */
static int on_closed(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	(void)answer;
	(void)context;
	(void)error;
	return 0;
}

static bool connect_bus(struct firewalld *f)
{
	int status = sd_bus_open_system(&f->bus);

	if (status >= 0)
		status = sd_bus_match_signal_async(f->bus, NULL, NAME, PATH, NAME, "Reloaded",
						   on_reloaded, NULL, f);
	if (status >= 0)
		status = sd_bus_add_match_async(f->bus, NULL,
						"type='signal',sender='org.freedesktop.DBus',"
						"member='NameOwnerChanged',arg0='" NAME "'",
						on_owner, NULL, f);
	if (status >= 0)
		return true;
	log_warning("firewalld: no connection to the system bus: %s", strerror(-status));
	disconnect(f);
	return false;
}

/* ---- For firewall.c --------------------------------------------------------------- */

enum tenf_status firewalld_new(struct event_base *base, firewalld_forgot_fn forgot, void *context,
			       struct firewalld **ret)
{
	struct firewalld *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return TENF_E_MEMORY;
	*f = (struct firewalld){ .base = base, .forgot = forgot, .context = context };
	*ret = f;
	return TENF_OK;
}

void firewalld_free(struct firewalld *firewalld)
{
	if (firewalld == NULL)
		return;
	disconnect(firewalld);
	free(firewalld);
}

/* It does not lengthen the time of a port that is open: closed and opened in
 * one breath, as calls of one sender are worked off in their order. */
void firewalld_set(struct firewalld *f, uint16_t port, const char *protocol, uint32_t seconds)
{
	char text[8];
	int status;

	if (f->bus == NULL && !connect_bus(f))
		return;
	snprintf(text, sizeof(text), "%u", port);
	status = sd_bus_call_method_async(f->bus, NULL, NAME, PATH, ZONE, "removePort", on_closed,
					  f, "sss", "", text, protocol);
	if (status >= 0 && seconds > 0)
		status = sd_bus_call_method_async(f->bus, NULL, NAME, PATH, ZONE, "addPort",
						  on_opened, f, "sssi", "", text, protocol,
						  seconds > INT32_MAX ? INT32_MAX : (int)seconds);
	if (status < 0)
		log_warning("firewalld: port %s/%s could not be asked for: %s", text, protocol,
			    strerror(-status));
	work(f);
}
#else
enum tenf_status firewalld_new(struct event_base *base, firewalld_forgot_fn forgot, void *context,
			       struct firewalld **ret)
{
	(void)base;
	(void)forgot;
	(void)context;
	*ret = NULL;
	return TENF_OK;
}

void firewalld_free(struct firewalld *firewalld)
{
	(void)firewalld;
}

void firewalld_set(struct firewalld *firewalld, uint16_t port, const char *protocol,
		   uint32_t seconds)
{
	(void)firewalld;
	if (seconds > 0)
		log_warning("port %u/%s stays closed: this build has no support for firewalld",
			    port, protocol);
}
#endif

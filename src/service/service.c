/* SPDX-License-Identifier: MIT */
#include "service/service.h"

#include <stddef.h>

#ifdef TENF_HAVE_SYSTEMD
#include <event2/event.h>
#include <stdint.h>
#include <systemd/sd-daemon.h>

void service_status(const char *status)
{
	(void)sd_notifyf(0, "STATUS=%s", status);
}

void service_tell(enum service_word word)
{
	switch (word) {
	case SERVICE_READY:
		(void)sd_notify(0, "READY=1");
		break;
	case SERVICE_RELOADING:
		(void)sd_notify(0, "RELOADING=1");
		break;
	case SERVICE_STOPPING:
		(void)sd_notify(0, "STOPPING=1");
		break;
	}
}

int service_socket(void)
{
	return sd_listen_fds(1) >= 1 ? SD_LISTEN_FDS_START : -1;
}

static void beat(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	(void)sd_notify(0, "WATCHDOG=1");
}

bool service_beat(struct event_base *base, struct event **ret)
{
	uint64_t us = 0;
	struct timeval pause;

	*ret = NULL;
	if (sd_watchdog_enabled(0, &us) <= 0)
		return true;
	us /= 2; /* as sd_watchdog_enabled(3) advises */
	pause = (struct timeval){ .tv_sec = (time_t)(us / 1000000),
				  .tv_usec = (suseconds_t)(us % 1000000) };
	*ret = event_new(base, -1, EV_PERSIST, beat, NULL);
	if (*ret != NULL && event_add(*ret, &pause) == 0)
		return true;
	if (*ret != NULL)
		event_free(*ret);
	*ret = NULL;
	return false;
}
#else
void service_status(const char *status)
{
	(void)status;
}

void service_tell(enum service_word word)
{
	(void)word;
}

int service_socket(void)
{
	return -1;
}

bool service_beat(struct event_base *base, struct event **ret)
{
	(void)base;
	*ret = NULL;
	return true;
}
#endif

/* SPDX-License-Identifier: MIT */
#include "agent/service.h"

#include <stdint.h>

#ifdef TENF_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

void service_tell(enum service_word word)
{
	switch (word) {
	case SERVICE_READY:
		(void)sd_notify(0, "READY=1\nSTATUS=holding mappings");
		break;
	case SERVICE_RELOADING:
		(void)sd_notify(0, "RELOADING=1");
		break;
	case SERVICE_STOPPING:
		(void)sd_notify(0, "STOPPING=1");
		break;
	case SERVICE_ALIVE:
		(void)sd_notify(0, "WATCHDOG=1");
		break;
	}
}

int service_socket(void)
{
	return sd_listen_fds(1) >= 1 ? SD_LISTEN_FDS_START : -1;
}

struct timeval service_beat(void)
{
	uint64_t us = 0;

	if (sd_watchdog_enabled(0, &us) <= 0)
		return (struct timeval){ 0 };
	us /= 2; /* twice in the time it waits, as sd_watchdog_enabled(3) advises */
	return (struct timeval){ .tv_sec = (time_t)(us / 1000000),
				 .tv_usec = (suseconds_t)(us % 1000000) };
}
#else
void service_tell(enum service_word word)
{
	(void)word;
}

int service_socket(void)
{
	return -1;
}

struct timeval service_beat(void)
{
	return (struct timeval){ 0 };
}
#endif

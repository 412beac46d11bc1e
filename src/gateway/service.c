/* SPDX-License-Identifier: MIT */
#include "gateway/service.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

void service_tell(enum service_word word)
{
	switch (word) {
	case SERVICE_READY:
		(void)sd_notify(0, "READY=1\nSTATUS=serving");
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
#else
void service_tell(enum service_word word)
{
	(void)word;
}

int service_socket(void)
{
	return -1;
}
#endif

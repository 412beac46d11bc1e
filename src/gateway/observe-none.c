/* SPDX-License-Identifier: MIT */
/* In the place of observe.c where the libraries of the control API are missing. */
#include "gateway/daemon-private.h"
#include "gateway/observe.h"

bool observe_open(struct daemon *d, struct tenf_text *why)
{
	if (d->config.socket[0] == '\0')
		return true;
	tenf_text_add(why, "this build has no control API; write Socket=none");
	return false;
}

bool observe_fork(struct daemon *d, struct tenf_text *why)
{
	if (d->config.state[0] == '\0' && d->config.hook_count == 0)
		return true;
	tenf_text_add(why, d->config.hook_count > 0
				   ? "this build runs no hooks; leave [Hook] out"
				   : "this build keeps no history; write State=none");
	return false;
}

void observe_recall(struct daemon *d)
{
	(void)d;
}

void observe_push(struct daemon *d)
{
	(void)d;
}

bool observe_set_hooks(struct daemon *d, const struct gateway_config *config,
		       struct tenf_text *why)
{
	(void)d;
	tenf_text_add(why, config->hook_count > 0 ? "this build runs no hooks" : "");
	return config->hook_count == 0;
}

void observe_close(struct daemon *d)
{
	(void)d;
}

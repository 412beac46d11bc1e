/* SPDX-License-Identifier: MIT */
/* keep: holds mappings until a signal, then gives them up. */
#include "cli/holder.h"
#include "cli/verbs.h"

static bool is_end(int sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGHUP;
}

/* Until a signal ends it; false when it cannot go on. */
static bool hold(struct cli *cli, struct holder *h)
{
	for (;;) {
		bool typed;
		int sig;

		if (!holder_step(cli, h, -1))
			return false;
		while ((sig = loop_signal(&h->loop, &typed)) != 0) {
			if (is_end(sig))
				return true;
		}
	}
}

int verb_keep(struct cli *cli)
{
	struct holder h;
	int status = holder_start(cli, &h);

	if (status == CLI_EXIT_DONE) {
		if (!hold(cli, &h))
			status = CLI_EXIT_FAILURE;
		/* What was not held in the end is a failure that scripts see. */
		status = cli_exit_worse(status, batch_exit(&h.batch));
		status = cli_exit_worse(status, holder_leave(cli, &h));
	}
	holder_done(&h);
	return status;
}

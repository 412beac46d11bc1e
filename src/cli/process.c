/* SPDX-License-Identifier: MIT */
#include "cli/process.h"

#include "cli/output.h"

#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_clock(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 ? (int64_t)now.tv_sec : 0;
}

static int64_t steady_clock_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

void process_begin(struct cli *ret)
{
	static char talk[1024]; /* else each letter is a system call */
	static char data[4096];

	*ret = (struct cli){ .out = stdout,
			     .err = stderr,
			     .color_out = output_is_colored(stdout),
			     .color_err = output_is_colored(stderr),
			     .now = wall_clock,
			     .steady_ms = steady_clock_ms,
			     .pause_ms = pause_ms };
	(void)setvbuf(stderr, talk, _IOLBF, sizeof(talk));
	/* Some C libraries write the first line at once, and forget why they could not. */
	if (!isatty(STDOUT_FILENO))
		(void)setvbuf(stdout, data, _IOFBF, sizeof(data));
	/* A reader that went away is a failed write, which is told by the exit
	 * status, not a reason to die before mappings are removed. */
	(void)signal(SIGPIPE, SIG_IGN);
}

/* SPDX-License-Identifier: MIT */
#include "cli/loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

void loop_init(struct loop *loop, struct tenf_session *session)
{
	*loop = (struct loop){ .session = session, .signals = -1 };
	for (size_t i = 0; i < LOOP_WATCHED; i++)
		loop->watched[i] = -1;
}

bool loop_take_signals(struct loop *loop)
{
	sigset_t taken;

	sigemptyset(&taken);
	sigaddset(&taken, SIGINT);
	sigaddset(&taken, SIGTERM);
	sigaddset(&taken, SIGHUP);
	sigaddset(&taken, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &taken, &loop->before) != 0)
		return false;
	loop->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	return loop->signals >= 0;
}

void loop_done(struct loop *loop)
{
	if (loop->signals < 0)
		return;
	close(loop->signals);
	loop->signals = -1;
	(void)sigprocmask(SIG_SETMASK, &loop->before, NULL);
}

int loop_signal(struct loop *loop, bool *ret_typed)
{
	struct signalfd_siginfo info;

	if (loop->signals < 0 || read(loop->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	*ret_typed = info.ssi_code == SI_KERNEL;
	return (int)info.ssi_signo;
}

static int sooner(int a, int b)
{
	if (a < 0)
		return b;
	return b >= 0 && b < a ? b : a;
}

enum tenf_status loop_step(struct loop *loop, int limit_ms)
{
	struct pollfd fds[LOOP_WATCHED + 2];
	nfds_t count = 0;
	int timeout_ms = limit_ms;

	for (size_t i = 0; i < LOOP_WATCHED; i++)
		fds[count++] = (struct pollfd){ .fd = loop->watched[i], .events = POLLIN };
	fds[count++] = (struct pollfd){ .fd = loop->signals, .events = POLLIN };
	if (loop->session != NULL) {
		fds[count++] = (struct pollfd){ .fd = tenf_session_fd(loop->session),
						.events = POLLIN };
		timeout_ms = sooner(timeout_ms, tenf_session_timeout_ms(loop->session));
	}
	if (poll(fds, count, timeout_ms) < 0 && errno != EINTR)
		return TENF_E_SYSTEM;
	for (size_t i = 0; i < LOOP_WATCHED; i++)
		loop->ready[i] = loop->watched[i] >= 0 && fds[i].revents != 0;
	loop->signalled = loop->signals >= 0 && fds[LOOP_WATCHED].revents != 0;
	return loop->session != NULL ? tenf_session_process(loop->session) : TENF_OK;
}

enum tenf_status loop_verdict(struct cli *cli, struct tenf_session *session, uint32_t id,
			      struct tenf_mapping *ret)
{
	int64_t end = cli->steady_ms() + cli->global.ask.timeout_ms;
	enum tenf_status status = TENF_OK;
	struct tenf_event event;
	struct loop loop;

	loop_init(&loop, session);
	while (status == TENF_OK) {
		while (tenf_session_next_event(session, &event)) {
			if (event.kind < TENF_EVENT_MAPPED || event.mapping.id != id)
				continue;
			*ret = event.mapping;
			return TENF_OK;
		}
		if (cli->steady_ms() >= end)
			return TENF_E_AGAIN;
		status = loop_step(&loop, (int)(end - cli->steady_ms()));
	}
	return status;
}

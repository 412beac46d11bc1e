/* SPDX-License-Identifier: MIT */
#include "agent/namespace.h"

#include "agent/log.h"
#include "agent/namespace-child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct namespace {
	struct namespace *next;
	char name[AGENT_NAMESPACE];
	int fd; /* to the child; -1: there is none, or no more */
	pid_t pid;
	struct tenf_error error; /* why it was not entered */
};

void namespaces_init(struct namespaces *namespaces)
{
	*namespaces = (struct namespaces){ .first = NULL };
}

static void let_go(struct namespace *n)
{
	if (n->fd >= 0)
		(void)close(n->fd);
	n->fd = -1;
	if (n->pid > 0)
		(void)waitpid(n->pid, NULL, WNOHANG); /* one that does not end is not waited for */
	n->pid = 0;
}

void namespaces_done(struct namespaces *namespaces)
{
	while (namespaces->first != NULL) {
		struct namespace *n = namespaces->first;

		namespaces->first = n->next;
		let_go(n);
		free(n);
	}
	namespaces->count = 0;
}

const char *namespace_name(const struct namespace *namespace)
{
	return namespace->name;
}

/* ---- Asking the child ------------------------------------------------------- */

/* One descriptor at most comes with an answer; -1 when there is none. */
static int take_descriptor(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd;

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* False when the child is gone, says nothing in time or says what makes no sense. */
static bool hear(const struct namespace *n, struct namespace_answer *ret, int *ret_fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr message;
	ssize_t got;

	do {
		message = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1,
					   .msg_control = control,
					   .msg_controllen = sizeof(control) };
		got = recvmsg(n->fd, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	*ret_fd = take_descriptor(&message);
	return got == (ssize_t)sizeof(*ret) && !(message.msg_flags & MSG_CTRUNC);
}

/* An answer that comes late would be taken for that of the next question, so
 * a child that fails once is not asked again. */
static int give_up(struct namespace *n)
{
	log_warning("network namespace %s: its helper does not answer any more; what is "
		    "held there is renewed, but cannot follow changes of its network: restart the "
		    "agent", n->name);
	let_go(n);
	errno = ENETDOWN;
	return -1;
}

int namespace_socket(void *context, int domain, int type, int protocol)
{
	struct namespace *n = context;
	struct namespace_request request = { domain, type, protocol };
	struct namespace_answer answer;
	int fd = -1;

	if (n->fd < 0) {
		errno = ENETDOWN;
		return -1;
	}
	if (send(n->fd, &request, sizeof(request), MSG_NOSIGNAL) != (ssize_t)sizeof(request) ||
	    !hear(n, &answer, &fd) || (answer.code == 0) != (fd >= 0)) {
		if (fd >= 0)
			(void)close(fd);
		return give_up(n);
	}
	errno = answer.code;
	return fd;
}

/* ---- Entering --------------------------------------------------------------- */

static void set_patience(int fd)
{
	struct timeval limit = { .tv_sec = NAMESPACE_PATIENCE_MS / 1000,
				 .tv_usec = NAMESPACE_PATIENCE_MS % 1000 * 1000 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void explain(struct namespace *n, const struct namespace_answer *answer)
{
	const char *advice = "";

	switch ((enum namespace_step)answer->step) {
	case NAMESPACE_NOT_OPENED:
		advice = "; it has to be there when the agent starts, see: ip netns";
		break;
	case NAMESPACE_NOT_ENTERED:
		advice = "; that needs CAP_SYS_ADMIN at the start, see tenforward-agent.conf(5)";
		break;
	case NAMESPACE_KEEPS_RIGHTS:
		advice = ", as it would have to keep its rights; does the sandbox allow capset?";
		break;
	case NAMESPACE_SERVED:
		break;
	}
	n->error = (struct tenf_error){ .status = TENF_E_SYSTEM, .reason = TENF_REASON_SYSTEM,
					.result = -1, .system_error = answer->code };
	snprintf(n->error.text, sizeof(n->error.text),
		 "Cannot enter the network namespace %s: %s%s", n->name, strerror(answer->code),
		 advice);
}

/* The child's first answer says how it went. */
static void start_child(struct namespace *n)
{
	char path[sizeof(NAMESPACE_DIRECTORY) + AGENT_NAMESPACE];
	struct namespace_answer answer = { .code = EPIPE };
	int pair[2], none = -1;

	snprintf(path, sizeof(path), "%s%s", n->name[0] == '/' ? "" : NAMESPACE_DIRECTORY, n->name);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		answer.code = errno;
		explain(n, &answer);
		return;
	}
	n->pid = fork();
	if (n->pid == 0)
		namespace_child(pair[1], path);
	answer.code = n->pid < 0 ? errno : EPIPE;
	(void)close(pair[1]);
	n->fd = pair[0];
	set_patience(n->fd);
	if (n->pid > 0 && hear(n, &answer, &none) && answer.code == 0)
		return;
	explain(n, &answer);
	let_go(n);
}

static enum tenf_status result_of(struct namespace *n, struct namespace **ret,
				  struct tenf_error *reterr)
{
	if (n->error.status == TENF_OK)
		*ret = n;
	else if (reterr != NULL)
		*reterr = n->error;
	return n->error.status;
}

static enum tenf_status refuse(const char *name, struct tenf_error *reterr)
{
	if (reterr != NULL) {
		*reterr = (struct tenf_error){ .status = TENF_E_SYSTEM,
					       .reason = TENF_REASON_SYSTEM, .result = -1 };
		snprintf(reterr->text, sizeof(reterr->text),
			 "The network namespace %s was not named when the agent started, and can "
			 "be entered at no other time; write Namespace= and restart it", name);
	}
	return TENF_E_SYSTEM;
}

enum tenf_status namespaces_at(struct namespaces *namespaces, const char *name,
			       struct namespace **ret, struct tenf_error *reterr)
{
	struct namespace *n;

	for (n = namespaces->first; n != NULL; n = n->next) {
		if (strcmp(n->name, name) == 0)
			return result_of(n, ret, reterr);
	}
	if (namespaces->sealed)
		return refuse(name, reterr);
	if (namespaces->count >= NAMESPACES_MAX || strlen(name) >= AGENT_NAMESPACE)
		return TENF_E_LIMIT;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return TENF_E_MEMORY;
	n->fd = -1;
	memcpy(n->name, name, strlen(name) + 1);
	n->next = namespaces->first;
	namespaces->first = n;
	namespaces->count++;
	start_child(n);
	if (n->error.status != TENF_OK)
		log_warning("%s", n->error.text);
	return result_of(n, ret, reterr);
}

bool namespaces_seal(struct namespaces *namespaces, struct tenf_error *reterr)
{
	int code;

	namespaces->sealed = true;
	if (namespaces->count == 0)
		return true; /* nothing was entered: the rights it has are for something else */
	code = namespace_drop_rights(false);
	if (code != 0 && reterr != NULL) {
		*reterr = (struct tenf_error){ .status = TENF_E_SYSTEM,
					       .reason = TENF_REASON_SYSTEM, .result = -1,
					       .system_error = code };
		snprintf(reterr->text, sizeof(reterr->text),
			 "the right to enter namespaces cannot be given up: %s; does the sandbox "
			 "allow capset?", strerror(code));
	}
	return code == 0;
}

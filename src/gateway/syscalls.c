/* SPDX-License-Identifier: MIT */
#include "gateway/syscalls.h"

#include "base/attributes.h"

#include <errno.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

#if defined(HAVE_SECCOMP) && !defined(UNDER_SANITIZER)

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Lists ------------------------------------------------------------ */

/* Memory, time, waiting, signals, the end; reading and writing what is open. */
static const int always[] = {
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_gettime64), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(nanosleep), SCMP_SYS(getrandom), SCMP_SYS(futex),
	SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(membarrier), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit),
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(fcntl), SCMP_SYS(fcntl64),
	SCMP_SYS(dup), SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64), SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(lstat), SCMP_SYS(lstat64),
	SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(_newselect),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2), SCMP_SYS(pipe2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(bind),
	SCMP_SYS(connect), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(recv), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmmsg_time64), SCMP_SYS(send), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(shutdown),
};

/* The control socket and the history besides. */
static const int of_daemon[] = {
	SCMP_SYS(accept4), SCMP_SYS(accept), SCMP_SYS(listen), SCMP_SYS(getpeername),
	SCMP_SYS(socketpair), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(pwrite64),
	SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(umask),
	SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64), SCMP_SYS(statfs), SCMP_SYS(statfs64),
	SCMP_SYS(utimensat), SCMP_SYS(flock), SCMP_SYS(wait4), SCMP_SYS(waitid),
};

/* ---- Rules ------------------------------------------------------------ */

static int allow_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
		if (result == -EDOM) /* this machine has no such call */
			result = 0;
	}
	return result;
}

static int allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition)
{
	int result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition);

	return result == -EDOM ? 0 : result;
}

static int allow_sockets(scmp_filter_ctx filter, const int *families, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = allow_if(filter, SCMP_SYS(socket),
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return result;
}

/* No memory is ever written and run: what arrives cannot become code. */
static int allow_data_memory(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
	int result = 0;

	for (size_t i = 0; result == 0 && i < TENF_ARRAY_SIZE(calls); i++)
		result = allow_if(filter, calls[i], SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return result;
}

/* The name and the number of an interface; how much waits; is it a terminal. */
static int allow_questions(scmp_filter_ctx filter)
{
	static const unsigned long questions[] = { SIOCGIFINDEX, SIOCGIFNAME, FIONREAD, TCGETS };
	int result = 0;

	for (size_t i = 0; result == 0 && i < TENF_ARRAY_SIZE(questions); i++)
		result = allow_if(filter, SCMP_SYS(ioctl),
				  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, questions[i]));
	return result;
}

static int allow_common(scmp_filter_ctx filter)
{
	int result = allow_all(filter, always, TENF_ARRAY_SIZE(always));

	if (result == 0)
		result = allow_data_memory(filter);
	if (result == 0)
		result = allow_questions(filter);
	if (result == 0) /* abort() ends this process, not another one */
		result = allow_if(filter, SCMP_SYS(tgkill),
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	return result;
}

/* Threads, but no processes: clone3 hides its flags in memory, and the C
 * library asks clone when it is told that there is no clone3. */
static int allow_threads(scmp_filter_ctx filter)
{
	int result = allow_if(filter, SCMP_SYS(clone),
			      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (result == 0)
		result = allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	return result;
}

static int allow_daemon(scmp_filter_ctx filter)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	int result = allow_all(filter, of_daemon, TENF_ARRAY_SIZE(of_daemon));

	if (result == 0)
		result = allow_sockets(filter, families, TENF_ARRAY_SIZE(families));
	return result == 0 ? allow_threads(filter) : result;
}

static int allow_helper(scmp_filter_ctx filter)
{
	static const int families[] = { AF_NETLINK };
	int result = allow_sockets(filter, families, TENF_ARRAY_SIZE(families));

	if (result == 0)
		result = allow_if(filter, SCMP_SYS(open),
				  SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT, O_RDONLY));
	if (result == 0)
		result = allow_if(filter, SCMP_SYS(openat),
				  SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT, O_RDONLY));
	return result;
}

int syscalls_limit(enum syscalls_of whose)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result;

	if (filter == NULL)
		return ENOMEM;
	result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (result == 0)
		result = allow_common(filter);
	if (result == 0)
		result = whose == SYSCALLS_DAEMON ? allow_daemon(filter) : allow_helper(filter);
	if (result == 0) /* a tree: as fast for the last of the list as for the first */
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return -result;
}

#else

int syscalls_limit(enum syscalls_of whose)
{
	(void)whose;
	return ENOSYS;
}

#endif

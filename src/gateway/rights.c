/* SPDX-License-Identifier: MIT */
#include "gateway/rights.h"

#include "gateway/syscalls.h"
#include "gateway/user.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef HAVE_CAPNG
#include <cap-ng.h>
#endif

static void note(struct tenf_text *notes, const char *what, const char *reason)
{
	tenf_text_add(notes, what);
	tenf_text_add(notes, reason);
	tenf_text_add_char(notes, '\n');
}

/* ---- User and capabilities -------------------------------------------- */

#ifdef HAVE_CAPNG

/* Leaves nothing, or CAP_NET_ADMIN alone, in every set. */
static void choose(bool admin)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (admin)
		(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
}

/* What may ever be had again; only who could change it has to. */
static void clear_bounds(void)
{
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		(void)capng_apply(CAPNG_SELECT_BOUNDS);
	}
}

static bool become(const struct user *user, bool admin, struct tenf_text *why)
{
	(void)capng_get_caps_process();
	clear_bounds();
	/* Across the change of user the permitted set stays; the effective one does not. */
	if (prctl(PR_SET_KEEPCAPS, admin ? 1L : 0L, 0L, 0L, 0L) != 0 || !user_become(user, why))
		return false;
	return true;
}

static bool keep(bool admin, struct tenf_text *why)
{
	choose(admin);
	if (capng_apply(CAPNG_SELECT_CAPS) == 0)
		return true;
	tenf_text_add(why, admin ? "cannot keep the right to change the packet path: "
				 : "cannot give up capabilities: ");
	tenf_text_add(why, strerror(errno));
	if (admin)
		tenf_text_add(why, "; start as root, or with CAP_NET_ADMIN");
	return false;
}

#else

static bool become(const struct user *user, bool admin, struct tenf_text *why)
{
	/* Without the library root is all there is to keep. */
	return admin || user_become(user, why);
}

static bool keep(bool admin, struct tenf_text *why)
{
	(void)admin;
	(void)why;
	return true;
}

#endif

static bool change_user(const char *name, bool admin, struct tenf_text *notes,
			struct tenf_text *why)
{
	char buffer[256];
	struct tenf_text reason = tenf_text_of(buffer, sizeof(buffer));
	struct user user;

	if (geteuid() != 0)
		return true;
	if (user_find(name, &user, &reason) && become(&user, admin, &reason))
		return true;
	if (name[0] != '\0') {
		tenf_text_add(why, buffer);
		return false;
	}
	/* Inside a user namespace without other users there is nothing to become. */
	note(notes, buffer, "; going on as root");
	return true;
}

/* ---- All of it -------------------------------------------------------- */

static void limit_calls(enum syscalls_of whose, struct tenf_text *notes)
{
	int error = syscalls_limit(whose);

	if (error == ENOSYS)
		note(notes, "this build cannot limit system calls", "; going on without a limit");
	else if (error != 0)
		note(notes, "the kernel does not limit system calls: ", strerror(error));
}

static bool limit(const char *user, bool admin, struct tenf_text *notes, struct tenf_text *why)
{
	if (!change_user(user, admin, notes, why) || !keep(admin, why))
		return false;
#ifndef HAVE_CAPNG
	note(notes, "this build cannot give up single capabilities",
	     admin ? "; the helper keeps them all" : "");
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
		note(notes, "the kernel does not rule out new privileges: ", strerror(errno));
	limit_calls(admin ? SYSCALLS_HELPER : SYSCALLS_DAEMON, notes);
	return true;
}

bool rights_daemon(const char *user, struct tenf_text *notes, struct tenf_text *why)
{
	return limit(user, false, notes, why);
}

bool rights_clerk(const char *user, struct tenf_text *notes, struct tenf_text *why)
{
	if (!change_user(user, false, notes, why) || !keep(false, why))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
		note(notes, "the kernel does not rule out new privileges: ", strerror(errno));
	return true;
}

bool rights_helper(const char *user, struct tenf_text *notes, struct tenf_text *why)
{
	return limit(user, true, notes, why);
}

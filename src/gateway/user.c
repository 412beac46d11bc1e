/* SPDX-License-Identifier: MIT */
#include "gateway/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

bool user_find(const char *name, struct user *ret, struct tenf_text *why)
{
	const struct passwd *found;

	if (name[0] == '\0')
		name = getpwnam("tenforward") != NULL ? "tenforward" : "nobody";
	found = getpwnam(name);
	if (found == NULL) {
		tenf_text_add(why, "there is no user ");
		tenf_text_add(why, name);
		return false;
	}
	*ret = (struct user){ name, found->pw_uid, found->pw_gid };
	return true;
}

bool user_become(const struct user *user, struct tenf_text *why)
{
	if (geteuid() != 0)
		return true;
	if (setgroups(0, NULL) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0) {
		tenf_text_add(why, "cannot become user ");
		tenf_text_add(why, user->name);
		tenf_text_add(why, ": ");
		tenf_text_add(why, strerror(errno));
		return false;
	}
	return true;
}

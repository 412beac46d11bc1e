/* SPDX-License-Identifier: MIT */
#include "gateway/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

bool user_become(const char *name, struct tenf_text *why)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return true;
	if (name[0] == '\0') {
		name = "tenforward";
		user = getpwnam(name);
		if (user == NULL)
			name = "nobody";
	}
	user = getpwnam(name);
	if (user == NULL) {
		tenf_text_add(why, "there is no user ");
		tenf_text_add(why, name);
		return false;
	}
	if (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
		tenf_text_add(why, "cannot become user ");
		tenf_text_add(why, name);
		tenf_text_add(why, ": ");
		tenf_text_add(why, strerror(errno));
		return false;
	}
	return true;
}

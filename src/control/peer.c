/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a connection. */
#include "control/request-private.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define USER_BUFFER 16384 /* the line of a user with a long home */

static bool is_unix(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

static void find_name(struct control_peer *peer)
{
	struct passwd user, *found = NULL;
	char *buffer = malloc(USER_BUFFER);

	(void)snprintf(peer->user, sizeof(peer->user), "%u", (unsigned)peer->uid);
	if (buffer != NULL && getpwuid_r(peer->uid, &user, buffer, USER_BUFFER, &found) == 0 &&
	    found != NULL)
		(void)snprintf(peer->user, sizeof(peer->user), "%s", found->pw_name);
	free(buffer);
}

void control_peer_of(int fd, struct control_peer *ret)
{
	struct control_peer peer = { .pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct ucred credentials;
	socklen_t len = sizeof(credentials);

	if (is_unix(fd) &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0) {
		peer.local = true;
		peer.pid = credentials.pid;
		peer.uid = credentials.uid;
		peer.gid = credentials.gid;
		find_name(&peer);
	}
	*ret = peer;
}

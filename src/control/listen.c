/* SPDX-License-Identifier: MIT */
#include "control/listen.h"

#include "base/address.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUP_BUFFER 65536 /* the line of a group with thousands of members */

enum tenf_status control_fail(struct tenf_error *reterr, enum tenf_status status, int system_error,
			      const char *format, ...)
{
	va_list arguments;

	if (reterr == NULL)
		return status;
	*reterr = (struct tenf_error){ .status = status, .result = -1,
				       .system_error = system_error };
	va_start(arguments, format);
	(void)vsnprintf(reterr->text, sizeof(reterr->text), format, arguments);
	va_end(arguments);
	return status;
}

static enum tenf_status fail_errno(struct tenf_error *reterr, const char *what, const char *path)
{
	int error = errno;

	return control_fail(reterr, TENF_E_SYSTEM, error, "%s %s: %s", what, path, strerror(error));
}

static bool unix_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path[0] == '\0' || strlen(path) >= sizeof(ret->sun_path))
		return false;
	memcpy(ret->sun_path, path, strlen(path) + 1);
	return true;
}

static int new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* The directory the socket stands in; not those above it. */
static enum tenf_status make_parent(const char *path, struct tenf_error *reterr)
{
	char parent[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *slash = strrchr(path, '/');
	mode_t before;
	int made;

	if (slash == NULL || slash == path)
		return TENF_OK;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	/* Others must get through whatever the umask says: the socket's own mode decides who
	 * may. Afterwards the name may be somebody else's, who can write above it. */
	before = umask(0022);
	made = mkdir(parent, 0755);
	(void)umask(before);
	return made == 0 || errno == EEXIST ? TENF_OK : fail_errno(reterr, "cannot make", parent);
}

/* Removes a socket file nobody listens on. */
static enum tenf_status clear_stale(const struct sockaddr_un *address, struct tenf_error *reterr)
{
	const char *path = address->sun_path;
	struct stat status;
	int fd, refused;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? TENF_OK : fail_errno(reterr, "cannot look at", path);
	if (!S_ISSOCK(status.st_mode))
		return control_fail(reterr, TENF_E_SYSTEM, EEXIST,
				    "%s is there and is no socket; it was left alone", path);
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return fail_errno(reterr, "cannot make a socket for", path);
	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		  errno == ECONNREFUSED;
	(void)close(fd);
	if (!refused)
		return control_fail(reterr, TENF_E_SYSTEM, EADDRINUSE,
				    "another daemon answers at %s; stop it first", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_errno(reterr, "cannot replace", path);
	return TENF_OK;
}

static enum tenf_status find_group(const char *name, gid_t *ret, struct tenf_error *reterr)
{
	struct group group, *found = NULL;
	uint64_t number;
	char *buffer;

	if (tenf_text_number(name, strlen(name), UINT32_MAX - 1, &number)) {
		*ret = (gid_t)number;
		return TENF_OK;
	}
	buffer = malloc(GROUP_BUFFER);
	if (buffer == NULL)
		return control_fail(reterr, TENF_E_MEMORY, 0, "out of memory");
	if (getgrnam_r(name, &group, buffer, GROUP_BUFFER, &found) == 0 && found != NULL)
		*ret = found->gr_gid;
	free(buffer);
	if (found == NULL)
		return control_fail(reterr, TENF_E_ARGUMENT, 0, "there is no group \"%s\"", name);
	return TENF_OK;
}

/* Whatever stands at the path by now, nothing but the socket we made is touched. */
static enum tenf_status give_to(const char *path, gid_t gid, struct tenf_error *reterr)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	enum tenf_status status = TENF_OK;
	struct stat found;

	if (fd < 0)
		return fail_errno(reterr, "cannot look at", path);
	if (fstat(fd, &found) != 0 || !S_ISSOCK(found.st_mode) || found.st_uid != geteuid() ||
	    found.st_nlink != 1)
		status = control_fail(reterr, TENF_E_SYSTEM, EEXIST,
				      "%s was replaced by somebody else; name a place where "
				      "nobody else can write", path);
	else if (fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH) != 0)
		status = fail_errno(reterr, "cannot set the group of", path);
	(void)close(fd);
	return status;
}

/* The file comes with its mode, and nobody can connect before listen(). */
static enum tenf_status bind_unix(int fd, const struct sockaddr_un *address, unsigned mode,
				  const char *group, struct tenf_error *reterr)
{
	const char *path = address->sun_path;
	enum tenf_status status = TENF_OK;
	mode_t before = umask(0777 & ~(mode_t)mode);
	int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	gid_t gid = (gid_t)-1;

	(void)umask(before);
	if (bound != 0)
		return fail_errno(reterr, "cannot make", path);
	if (group != NULL)
		status = find_group(group, &gid, reterr);
	if (status == TENF_OK && group != NULL)
		status = give_to(path, gid, reterr);
	if (status == TENF_OK && listen(fd, CONTROL_BACKLOG) != 0)
		status = fail_errno(reterr, "cannot listen on", path);
	if (status != TENF_OK)
		(void)unlink(path);
	return status;
}

enum tenf_status control_listen_unix(const char *path, unsigned mode, const char *group,
				     int *ret_fd, struct tenf_error *reterr)
{
	struct sockaddr_un address;
	enum tenf_status status;
	int fd;

	if (!unix_address(path, &address))
		return control_fail(reterr, TENF_E_ARGUMENT, 0,
				    "the path of a socket has 1 to %zu octets: \"%s\"",
				    sizeof(address.sun_path) - 1, path);
	status = make_parent(path, reterr);
	if (status == TENF_OK)
		status = clear_stale(&address, reterr);
	if (status != TENF_OK)
		return status;
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return fail_errno(reterr, "cannot make a socket for", path);
	status = bind_unix(fd, &address, mode, group, reterr);
	if (status != TENF_OK) {
		(void)close(fd);
		return status;
	}
	*ret_fd = fd;
	return TENF_OK;
}

static socklen_t inet_address(const struct tenf_endpoint *e, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(e->port) };

	*ret = (struct sockaddr_storage){ 0 };
	if (tenf_address_is_v4(&e->address)) {
		four.sin_addr.s_addr = htonl(tenf_address_to_v4(&e->address));
		memcpy(ret, &four, sizeof(four));
		return sizeof(four);
	}
	memcpy(&six.sin6_addr, e->address.octets, sizeof(six.sin6_addr));
	memcpy(ret, &six, sizeof(six));
	return sizeof(six);
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return 0;
	memcpy(&four, &bound, sizeof(four));
	memcpy(&six, &bound, sizeof(six));
	return ntohs(bound.ss_family == AF_INET6 ? six.sin6_port : four.sin_port);
}

enum tenf_status control_listen_tcp(const char *where, int *ret_fd, uint16_t *ret_port,
				    struct tenf_error *reterr)
{
	struct sockaddr_storage address;
	struct tenf_endpoint endpoint;
	socklen_t len;
	int fd, yes = 1;

	if (!tenf_endpoint_parse(where, 0, &endpoint))
		return control_fail(reterr, TENF_E_ARGUMENT, 0,
				    "\"%s\" is no address and port; write 127.0.0.1:8080", where);
	len = inet_address(&endpoint, &address);
	fd = new_socket(address.ss_family);
	if (fd < 0)
		return fail_errno(reterr, "cannot make a socket for", where);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    bind(fd, (const struct sockaddr *)&address, len) != 0 ||
	    listen(fd, CONTROL_BACKLOG) != 0) {
		enum tenf_status status = fail_errno(reterr, "cannot listen on", where);

		(void)close(fd);
		return status;
	}
	*ret_fd = fd;
	*ret_port = bound_port(fd);
	return TENF_OK;
}

/* SPDX-License-Identifier: MIT */
#include "control/remote-find.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSTEM_FOLDER "/run/tenforward"

enum tenf_status remote_fail(struct tenf_error *reterr, enum tenf_status status, int system_error,
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

/* ---- The socket ---------------------------------------------------------- */

/* errno of a connect that does not wait; 0 when somebody listens. */
static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		error = errno;
	(void)close(fd);
	return error == EAGAIN ? 0 : error; /* it listens, and is busy */
}

enum tenf_status remote_probe(const char *path, struct tenf_error *reterr)
{
	int error = access(path, F_OK) == 0 ? try_connect(path) : errno;

	switch (error) {
	case 0:
		return TENF_OK;
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED: /* nobody listens on this socket any more */
		return remote_fail(reterr, TENF_E_NOT_FOUND, error, "nobody answers at %s", path);
	case EACCES:
		return remote_fail(reterr, TENF_E_SYSTEM, error,
				   "you may not use %s; its group may: %s", path,
				   strerror(error));
	default:
		return remote_fail(reterr, TENF_E_SYSTEM, error, "cannot use %s: %s", path,
				   strerror(error));
	}
}

/* The n-th default of the daemon; false when there are no more. Empty when
 * it does not apply here. */
static bool default_path(enum remote_daemon daemon, unsigned n, char *ret)
{
	const char *name = daemon == REMOTE_AGENT ? "agent" : "gateway";
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");

	if (n > 1)
		return false;
	ret[0] = '\0';
	if (n == 1)
		(void)snprintf(ret, REMOTE_PATH_SIZE, SYSTEM_FOLDER "/%s.sock", name);
	else if (daemon == REMOTE_AGENT && runtime != NULL && runtime[0] == '/' &&
		 strlen(runtime) < REMOTE_PATH_SIZE - 32)
		(void)snprintf(ret, REMOTE_PATH_SIZE, "%s/tenforward/%s.sock", runtime, name);
	return true;
}

enum tenf_status remote_find(enum remote_daemon daemon, char *ret, struct tenf_error *reterr)
{
	enum tenf_status worst = TENF_E_NOT_FOUND;
	char path[REMOTE_PATH_SIZE];
	struct tenf_error error;

	(void)remote_fail(reterr, TENF_E_NOT_FOUND, 0, "no %s is running",
			  daemon == REMOTE_AGENT ? "agent" : "gateway daemon");
	for (unsigned n = 0; default_path(daemon, n, path); n++) {
		enum tenf_status status;

		if (path[0] == '\0')
			continue;
		status = remote_probe(path, &error);
		if (status == TENF_OK) {
			memcpy(ret, path, sizeof(path));
			return TENF_OK;
		}
		if (status != TENF_E_NOT_FOUND && worst == TENF_E_NOT_FOUND) {
			worst = status;
			if (reterr != NULL)
				*reterr = error;
		}
	}
	return worst;
}

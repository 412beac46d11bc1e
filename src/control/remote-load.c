/* SPDX-License-Identifier: MIT */
#include "control/remote-load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ../control/ from the folder of the running program: the build tree. */
static bool beside_program(char *ret, size_t size)
{
	char program[REMOTE_PATH_SIZE];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;
	int made;

	if (len <= 0)
		return false;
	program[len] = '\0';
	slash = strrchr(program, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	made = snprintf(ret, size, "%s/../control/" REMOTE_MODULE_FILE, program);
	return made > 0 && (size_t)made < size && access(ret, F_OK) == 0;
}

static bool module_path(char *ret, size_t size)
{
	const char *folder = secure_getenv("TENFORWARD_MODULES");
	int made;

	if (folder == NULL || folder[0] == '\0') {
		if (beside_program(ret, size))
			return true;
		folder = REMOTE_MODULE_FOLDER;
	}
	made = snprintf(ret, size, "%s/" REMOTE_MODULE_FILE, folder);
	return made > 0 && (size_t)made < size;
}

enum tenf_status remote_load(const struct remote_module **ret, struct tenf_error *reterr)
{
	char path[2 * REMOTE_PATH_SIZE];
	const struct remote_module *module;
	void *handle;

	if (!module_path(path, sizeof(path)))
		return remote_fail(reterr, TENF_E_SYSTEM, ENAMETOOLONG,
				   "the path of " REMOTE_MODULE_FILE " is too long");
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (handle == NULL)
		return remote_fail(reterr, TENF_E_SYSTEM, 0,
				   "a daemon is running, but talking to it needs a module: %s",
				   dlerror());
	module = dlsym(handle, REMOTE_MODULE_SYMBOL);
	(void)dlclose(handle); /* it was loaded never to leave */
	if (module == NULL || strcmp(module->version, TENF_VERSION) != 0)
		return remote_fail(reterr, TENF_E_SYSTEM, 0, "%s is of another version", path);
	*ret = module;
	return TENF_OK;
}

/* SPDX-License-Identifier: MIT */
#include "control/remote-load.h"

#include "files/beside.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool module_path(char *ret, size_t size)
{
	const char *folder = secure_getenv("TENFORWARD_MODULES");
	int made;

	if (folder == NULL || folder[0] == '\0') {
		/* In the build tree. */
		if (beside_program("../control/" REMOTE_MODULE_FILE, F_OK, ret, size))
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

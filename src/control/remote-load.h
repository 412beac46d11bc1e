/* SPDX-License-Identifier: MIT */
/* Finding the module that talks to a daemon. */
#ifndef TENF_CONTROL_REMOTE_LOAD_H
#define TENF_CONTROL_REMOTE_LOAD_H

#include "control/remote-module.h"
#include "control/remote.h"

/* From $TENFORWARD_MODULES, beside the build tree's command, or where it was
 * installed. It stays loaded. */
TENF_CHECKED enum tenf_status remote_load(const struct remote_module **ret,
					  struct tenf_error *reterr);

#endif

/* SPDX-License-Identifier: MIT */
#include "gateway/backend/backend.h"

/* All changes are drawn, also behind one that failed: the batch is closed by
 * its end. */
enum tenf_status backend_run(struct backend *backend, struct responder *r, tenf_time now)
{
	enum tenf_status staged = TENF_OK;
	enum tenf_status committed = TENF_OK;
	struct responder_change change;
	bool any = false;

	while (responder_next_change(r, &change)) {
		any = true;
		if (staged == TENF_OK)
			staged = backend->ops->stage(backend, &change);
	}
	if (any)
		committed = backend->ops->commit(backend);
	if (staged == TENF_OK)
		staged = committed;
	responder_committed(r, staged, now);
	return staged;
}

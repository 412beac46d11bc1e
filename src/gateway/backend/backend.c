/* SPDX-License-Identifier: MIT */
#include "gateway/backend/backend.h"

/* All changes are drawn, also behind one that failed: the batch is closed by
 * its end. */
void backend_begin(struct backend *backend, struct responder *r)
{
	struct responder_change change;

	backend->staged = TENF_OK;
	backend->is_submitted = false;
	while (responder_next_change(r, &change)) {
		backend->is_submitted = true;
		if (backend->staged == TENF_OK)
			backend->staged = backend->ops->stage(backend, &change);
	}
	if (backend->is_submitted)
		backend->ops->submit(backend);
}

enum tenf_status backend_end(struct backend *backend, struct responder *r, tenf_time now)
{
	enum tenf_status status = backend->staged;
	enum tenf_status committed = TENF_OK;

	if (backend->is_submitted)
		committed = backend->ops->commit(backend);
	backend->is_submitted = false;
	if (status == TENF_OK)
		status = committed;
	responder_committed(r, status, now);
	return status;
}

enum tenf_status backend_run(struct backend *backend, struct responder *r, tenf_time now)
{
	backend_begin(backend, r);
	return backend_end(backend, r, now);
}

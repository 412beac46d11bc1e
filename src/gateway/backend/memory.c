/* SPDX-License-Identifier: MIT */
/*
 * A gateway without a packet path. What was promised stands in the ledger
 * alone; here only the number of mappings is kept, so that a batch that does
 * not fit what came before is found.
 */
#include "gateway/backend/backend.h"

struct memory_backend {
	struct backend base;
	const struct tenf_memory *memory;
	uint32_t held;
	uint32_t staged; /* what `held` becomes */
	bool failed;
};

static struct memory_backend *of(struct backend *backend)
{
	return (struct memory_backend *)backend;
}

static enum tenf_status stage(struct backend *backend, const struct responder_change *change)
{
	struct memory_backend *b = of(backend);

	switch (change->kind) {
	case RESPONDER_INSTALL:
		b->staged++;
		break;
	case RESPONDER_RENEW:
		b->failed |= b->staged == 0;
		break;
	case RESPONDER_REMOVE:
		if (change->is_flushed)
			break;
		b->failed |= b->staged == 0;
		b->staged -= b->staged > 0;
		break;
	case RESPONDER_FLUSH:
		b->staged = 0;
		break;
	case RESPONDER_EPOCH: /* a restart is a new start here */
	case RESPONDER_PEER_INSTALL: /* a flow has no packet path to be kept in */
	case RESPONDER_PEER_RENEW:
	case RESPONDER_PEER_REMOVE:
		break;
	}
	return b->failed ? TENF_E_FAILED : TENF_OK;
}

static void submit(struct backend *backend)
{
	(void)backend; /* nothing takes time here */
}

static enum tenf_status commit(struct backend *backend)
{
	struct memory_backend *b = of(backend);
	enum tenf_status status = b->failed ? TENF_E_FAILED : TENF_OK;

	if (b->failed)
		b->staged = b->held;
	b->held = b->staged;
	b->failed = false;
	return status;
}

static enum tenf_status restore(struct backend *backend, const struct backend_keeper *keeper,
				tenf_time *ret_epoch_start)
{
	(void)backend;
	(void)keeper;
	(void)ret_epoch_start;
	return TENF_E_NOT_FOUND;
}

static bool find_flow(struct backend *backend, enum tenf_protocol protocol,
		      const struct tenf_endpoint *internal, const struct tenf_endpoint *remote,
		      struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s)
{
	(void)backend;
	(void)protocol;
	(void)internal;
	(void)remote;
	(void)ret_external;
	(void)ret_lifetime_s;
	return false;
}

static int fd_of(struct backend *backend)
{
	(void)backend;
	return -1;
}

static enum backend_news news(struct backend *backend)
{
	(void)backend;
	return BACKEND_NOTHING;
}

static void close_memory(struct backend *backend)
{
	if (backend != NULL)
		tenf_memory_free(of(backend)->memory, backend);
}

static const struct backend_ops ops = {
	.name = "memory", .filters_max = LEDGER_FILTERS_MAX, .peers = true,
	.stage = stage, .submit = submit, .commit = commit, .restore = restore,
	.flow = find_flow,
	.fd = fd_of, .news = news, .close = close_memory,
};

enum tenf_status backend_memory_open(const struct tenf_memory *memory, struct backend **ret)
{
	struct memory_backend *b = tenf_memory_zero(memory, 1, sizeof(*b));

	if (b == NULL)
		return TENF_E_MEMORY;
	b->base.ops = &ops;
	b->memory = memory;
	*ret = &b->base;
	return TENF_OK;
}

uint32_t backend_memory_count(const struct backend *backend)
{
	return ((const struct memory_backend *)backend)->held;
}

/* SPDX-License-Identifier: MIT */
#include "cli/through.h"

#include "base/address.h"
#include "base/forward.h"
#include "cli/output.h"
#include "cli/report.h"
#include "hops/joined.h"
#include "host/reach.h"

#include <string.h>

#define HOP_TIMEOUT_MS 1500

/* ---- What is recorded ------------------------------------------------------------- */

static bool is_hop_of(const struct lease *hop, const struct lease *lease)
{
	const struct tenf_mapping *m = &hop->mapping, *first = &lease->mapping;

	return hop != lease && m->method == TENF_METHOD_NATPMP && m->protocol == first->protocol &&
	       m->internal_port == first->external_port &&
	       strcmp(m->gateway, first->gateway) != 0 &&
	       strcmp(m->internal_address, first->internal_address) == 0 &&
	       output_class_of(first->external_address) == TENF_ADDRESS_PRIVATE;
}

const struct lease *through_hop(const struct leases *leases, const struct lease *lease)
{
	for (size_t i = 0; i < leases->count; i++) {
		if (is_hop_of(&leases->items[i], lease))
			return &leases->items[i];
	}
	return NULL;
}

bool through_is_hop(const struct leases *leases, const struct lease *lease)
{
	for (size_t i = 0; i < leases->count; i++) {
		if (is_hop_of(lease, &leases->items[i]))
			return true;
	}
	return false;
}

/* ---- Asking ------------------------------------------------------------------- */

static bool needs_hop(const struct half *half)
{
	return half_is_held(half) &&
	       output_class_of(half->mapping.external_address) == TENF_ADDRESS_PRIVATE;
}

static enum tenf_status ask(struct tenf_session *session, const struct batch *batch,
			    const struct half *half, uint32_t *ret_id)
{
	const struct tenf_mapping *m = &half->mapping;
	struct tenf_request request;

	tenf_request_init(&request);
	request.protocol = m->protocol;
	request.internal_port = m->external_port;
	request.external_port = m->requested_external_port != 0 ? m->requested_external_port :
								  m->external_port;
	request.lifetime_s = batch->wishes->lifetime_s;
	request.exact = batch->wishes->exact;
	return tenf_session_add(session, &request, ret_id);
}

static void record(struct cli *cli, const struct batch *batch, const struct tenf_mapping *made)
{
	struct lease lease = { .mapping = *made };
	struct tenf_text name = tenf_text_of(lease.name, sizeof(lease.name));
	struct leases leases;

	tenf_text_add(&name, batch->wishes->name != NULL ? batch->wishes->name : "");
	if (!leases_open(cli, &leases))
		return;
	(void)leases_put(&leases, &lease);
	(void)leases_write(cli, &leases);
	leases_done(&leases);
}

/* The mapping ends when its first hop does. */
static void join(struct tenf_mapping *first, const struct tenf_mapping *hop)
{
	memcpy(first->external_address, hop->external_address, sizeof(first->external_address));
	first->external_port = hop->external_port;
	if (hop->expires_at < first->expires_at) {
		first->expires_at = hop->expires_at;
		first->lifetime_s = hop->lifetime_s;
	}
}

static int open_one(struct cli *cli, struct batch *batch, struct tenf_session *session,
		    struct half *half)
{
	struct tenf_mapping made = { .error.result = -1 };
	uint32_t id = 0;
	enum tenf_status status = ask(session, batch, half, &id);

	if (status == TENF_OK)
		status = loop_verdict(cli, session, id, &made);
	if (status != TENF_OK && status != TENF_E_AGAIN)
		return cli_failed(cli, status, NULL);
	if (made.external_port == 0) {
		cli_error(cli, "the outer router does not open %u/%s: %s",
			  half->mapping.external_port, tenf_protocol_name(half->mapping.protocol),
			  made.error.reason == TENF_REASON_NO_SERVICE ?
				  hop_reason(&made.error) :
				  report_reason(&made.error));
		return status == TENF_OK ? cli_exit_of_reason(made.error.reason) :
					   CLI_EXIT_SILENT;
	}
	record(cli, batch, &made);
	join(&half->mapping, &made);
	return CLI_EXIT_DONE;
}

static int open_all(struct cli *cli, struct batch *batch, const struct tenf_options *ask)
{
	struct tenf_session *session = NULL;
	struct tenf_error error = { .result = -1 };
	enum tenf_status status = tenf_session_new(ask, &session, &error);
	int worst = CLI_EXIT_DONE;

	if (status != TENF_OK)
		return cli_failed(cli, status, &error);
	for (size_t i = 0; i < batch->count; i++) {
		if (needs_hop(&batch->halves[i]))
			worst = cli_exit_worse(worst,
					       open_one(cli, batch, session, &batch->halves[i]));
	}
	tenf_session_free(session);
	return worst;
}

int through_open(struct cli *cli, struct batch *batch)
{
	struct tenf_options ask = cli->global.ask;
	char text[TENF_ADDRESS_TEXT];
	struct tenf_address outer;
	bool needed = false;

	for (size_t i = 0; i < batch->count; i++)
		needed = needed || needs_hop(&batch->halves[i]);
	if (!needed)
		return CLI_EXIT_DONE;
	if (!host_hop(2, HOP_TIMEOUT_MS, &outer)) {
		cli_error(cli, "the outer router cannot be found: nobody says that a packet died "
			       "there; open the port at it by hand, or put it into bridge mode");
		return CLI_EXIT_NO_GATEWAY;
	}
	ask.gateway = tenf_address_text(&outer, text);
	ask.interface = NULL;
	ask.methods = TENF_METHOD_NATPMP;
	return open_all(cli, batch, &ask);
}

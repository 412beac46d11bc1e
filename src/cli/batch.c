/* SPDX-License-Identifier: MIT */
#include "cli/batch.h"

#include "base/text.h"
#include "cli/devices.h"
#include "cli/loop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The part of the time-out in which it is found out who is asked, where that is uncertain. */
#define PATIENCE_PART 4

/* What the record says of a wish: what it would renew. */
struct past {
	const struct lease *tcp; /* NULL: nothing */
	const struct lease *udp;
};

/* One of the two, tcp before udp. */
static const struct lease *any_of(const struct past *past)
{
	return past->tcp != NULL ? past->tcp : past->udp;
}

static struct past recorded(const struct leases *leases, const struct wishes *wishes,
			    const struct wish *wish, const struct tenf_gateway *gateway)
{
	const char *host = wishes->for_host[0] != '\0' ? wishes->for_host : gateway->source;
	struct past past = { NULL, NULL };

	for (size_t i = 0; i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];
		const struct tenf_mapping *m = &lease->mapping;

		if (m->internal_port != wish->internal_port ||
		    m->gateway_port != gateway->port || strcmp(m->gateway, gateway->address) != 0)
			continue;
		if (host[0] != '\0' && strcmp(m->internal_address, host) != 0)
			continue;
		if (m->protocol == TENF_TCP && wish->protocol != TENF_UDP)
			past.tcp = lease;
		if (m->protocol == TENF_UDP && wish->protocol != TENF_TCP)
			past.udp = lease;
	}
	return past;
}

static bool add_half(struct batch *batch, uint32_t id)
{
	struct half *half = &batch->halves[batch->count];

	if (!tenf_session_mapping(batch->session, id, &half->mapping))
		return false;
	half->id = id;
	half->pair = half->mapping.pair;
	batch->count++;
	return true;
}

/* Both have one mapping at the gateway, and whoever ends first closes it. */
static void tell_shared(struct cli *cli, const struct lease *lease)
{
	if (lease != NULL && lease->keeper != getpid() && lease_is_kept(lease))
		cli_note(cli, "Process %lld keeps port %u already; it is closed when either ends.",
			 (long long)lease->keeper, lease->mapping.internal_port);
}

static enum tenf_status ask(const struct cli *cli, struct batch *batch,
			    const struct past *past, const struct wish *wish)
{
	const struct wishes *wishes = batch->wishes;
	const struct lease *lease = any_of(past);
	struct tenf_request request;
	enum tenf_status status;
	uint32_t id = 0;

	tenf_request_init(&request);
	request.protocol = wish->protocol;
	request.internal_port = wish->internal_port;
	request.external_port = wish->external_port;
	request.lifetime_s = wishes->lifetime_s;
	request.exact = wishes->exact;
	request.keep = batch->keep;
	request.internal_address = wishes->for_host[0] != '\0' ? wishes->for_host : NULL;
	request.description = wishes->name;
	request.filters = wishes->filters.items;
	request.filter_count = wishes->filters.count;
	request.nonce = cli->nonce;
	request.pair_nonce = cli->nonce;
	if (past->tcp != NULL)
		request.nonce = past->tcp->mapping.nonce;
	if (past->udp != NULL && wish->protocol == TENF_BOTH)
		request.pair_nonce = past->udp->mapping.nonce;
	else if (past->udp != NULL)
		request.nonce = past->udp->mapping.nonce;
	if (lease != NULL) {
		request.clear_filters = lease->mapping.filtering != TENF_FILTERING_NONE;
		request.external_address = lease->mapping.external_address[0] != '\0'
						   ? lease->mapping.external_address
						   : NULL;
	}
	status = tenf_session_add(batch->session, &request, &id);
	if (status != TENF_OK)
		return status;
	if (!add_half(batch, id))
		return TENF_E_NOT_FOUND;
	if (batch->halves[batch->count - 1].pair != 0 &&
	    !add_half(batch, batch->halves[batch->count - 1].pair))
		return TENF_E_NOT_FOUND;
	return TENF_OK;
}

/* The nonce of a recorded lease is for its gateway alone (RFC 6887 §11.2), so it matters
 * who is asked. A gateway that answers has done so long before the patience ends. */
static void await_choice(struct cli *cli, struct tenf_session *session, struct tenf_gateway *io)
{
	int64_t end = cli->steady_ms() + cli->global.ask.timeout_ms / PATIENCE_PART;
	struct loop loop;

	loop_init(&loop, session);
	while (io->uncertain) {
		int64_t left = end - cli->steady_ms();

		if (left <= 0 || loop_step(&loop, (int)left) != TENF_OK)
			return;
		tenf_session_gateway(session, io);
	}
}

int batch_start(struct cli *cli, const struct wishes *wishes, bool keep, struct batch *ret)
{
	struct devices known;
	struct tenf_error error = { .result = -1 };
	struct tenf_gateway gateway;
	enum tenf_status status;

	*ret = (struct batch){ .wishes = wishes, .keep = keep };
	devices_options(cli, &known);
	known.options.announcements = keep;
	if (known.options.anycast)
		known.options.timeout_ms -= known.options.timeout_ms / PATIENCE_PART;
	ret->halves = calloc(2 * wishes->count, sizeof(*ret->halves));
	if (ret->halves == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	status = tenf_session_new(&known.options, &ret->session, &error);
	if (status != TENF_OK)
		return cli_failed(cli, status, &error);
	tenf_session_gateway(ret->session, &gateway);
	leases_read(cli, &ret->leases);
	if (ret->leases.count > 0)
		await_choice(cli, ret->session, &gateway);
	for (size_t i = 0; status == TENF_OK && i < wishes->count; i++) {
		const struct wish *wish = &wishes->items[i];
		const struct past past = recorded(&ret->leases, wishes, wish, &gateway);

		if (keep)
			tell_shared(cli, any_of(&past));
		status = ask(cli, ret, &past, wish);
	}
	return status != TENF_OK ? cli_failed(cli, status, NULL) : CLI_EXIT_DONE;
}

void batch_done(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->halves[i].waiting);
	free(batch->halves);
	tenf_session_free(batch->session);
	leases_done(&batch->leases);
	*batch = (struct batch){ 0 };
}

struct half *batch_find(const struct batch *batch, uint32_t id)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->halves[i].id == id)
			return &batch->halves[i];
	}
	return NULL;
}

/* That it is not there for this wish does not mean that it is not there. */
static void explain_lack(const struct wishes *wishes, struct tenf_mapping *m)
{
	bool filtered = wishes->filters.count > 0;
	struct tenf_text t;

	if (m->error.reason != TENF_REASON_NO_SERVICE || m->error.result >= 0 ||
	    (!filtered && wishes->for_host[0] == '\0'))
		return;
	t = tenf_text_of(m->error.text, sizeof(m->error.text));
	tenf_text_add(&t, m->gateway[0] != '\0' ? m->gateway : "The gateway");
	tenf_text_add(&t, filtered ? " does not speak PCP, which --filter needs." :
				     " speaks neither PCP nor UPnP, which --for needs.");
	tenf_text_add(&t, " See what it speaks: tenforward discover");
}

struct half *batch_take(struct batch *batch, const struct tenf_event *event)
{
	struct half *half;

	switch (event->kind) {
	case TENF_EVENT_GATEWAY:
	case TENF_EVENT_GATEWAY_RESTART:
	case TENF_EVENT_ADDRESS:
		return NULL;
	case TENF_EVENT_MAPPED:
	case TENF_EVENT_CHANGED:
	case TENF_EVENT_RENEWED:
	case TENF_EVENT_LOST:
	case TENF_EVENT_REFUSED:
	case TENF_EVENT_REMOVED:
		break;
	}
	half = batch_find(batch, event->mapping.id);
	if (half == NULL)
		return NULL;
	half->mapping = event->mapping;
	explain_lack(batch->wishes, &half->mapping);
	half->answered = true;
	half->dirty = true;
	return half;
}

bool batch_answered(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (!batch->halves[i].answered)
			return false;
	}
	return true;
}

int batch_exit(const struct batch *batch)
{
	int worst = CLI_EXIT_DONE;

	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];
		int status = cli_exit_of_reason(half->mapping.error.reason);

		if (half_is_held(half))
			continue;
		if (status == CLI_EXIT_DONE) /* no answer, and no reason told either */
			status = CLI_EXIT_SILENT;
		worst = cli_exit_worse(worst, status);
	}
	return worst;
}

static const struct tenf_mapping *to_record(const struct half *half)
{
	return half->recorded != NULL ? half->recorded : &half->mapping;
}

static void record_half(struct batch *batch, struct half *half, struct leases *leases)
{
	const struct wishes *wishes = batch->wishes;
	const struct tenf_mapping *m = to_record(half);
	struct lease lease = { .keeper = batch->keep ? getpid() : 0,
			       .for_other = wishes->for_host[0] != '\0',
			       .mapping = *m };
	struct tenf_text name = tenf_text_of(lease.name, sizeof(lease.name));

	half->dirty = false;
	if (mapping_is_held(m)) {
		tenf_text_add(&name, wishes->name != NULL ? wishes->name : "");
		half->number = leases_put(leases, &lease);
	} else if (m->state == TENF_STATE_LOST || m->error.reason == TENF_REASON_NONE) {
		leases_drop(leases, half->number);
	} else { /* not given up by the gateway, and left alone by us */
		leases_leave(leases, half->number);
	}
}

void batch_record(struct cli *cli, struct batch *batch)
{
	bool needed = false;

	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];

		needed = needed ||
			 (half->dirty && (mapping_is_held(to_record(half)) || half->number != 0));
	}
	if (!needed)
		return;
	if (leases_reopen(cli, &batch->leases)) {
		for (size_t i = 0; i < batch->count; i++) {
			if (batch->halves[i].dirty)
				record_half(batch, &batch->halves[i], &batch->leases);
		}
		(void)leases_write(cli, &batch->leases);
	}
	leases_done(&batch->leases);
}

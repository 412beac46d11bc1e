/* SPDX-License-Identifier: MIT */
/*
 * What the gateway counts, as Prometheus reads it. Clients are labels, so their
 * number is bounded: those with most mappings have lines of their own, and the
 * others share one.
 */
#include "control/metrics.h"

#include "gateway/api.h"
#include "gateway/observe-private.h"
#include "gateway/daemon-private.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_TOLD 50       /* with lines of their own */
#define CLIENTS_COUNTED 4096  /* places in which they are counted, a power of two */
#define BY_PEER 0 /* no mapping has this maker */
#define MAKERS (LEDGER_STATIC + 1)

struct client {
	struct tenf_address address;
	uint32_t mappings[MAKERS]; /* by enum ledger_maker; at BY_PEER what PEER made */
	uint32_t all;              /* 0: this place is free */
};

static const char *maker_name(unsigned maker)
{
	switch (maker) {
	case BY_PEER:
		return "pcp-peer";
	case LEDGER_BY_NATPMP:
		return "natpmp";
	case LEDGER_BY_PCP:
		return "pcp";
	default:
		return "static";
	}
}

/* ---- Mappings ----------------------------------------------------------- */

/* Its place, or a free one; NULL when half of them are taken and it has none. */
static struct client *find(struct client *clients, const struct tenf_address *address,
			   size_t used)
{
	uint32_t at = 2166136261u;

	for (size_t i = 0; i < sizeof(address->octets); i++)
		at = (at ^ address->octets[i]) * 16777619u;
	for (;; at++) {
		struct client *c = &clients[at % CLIENTS_COUNTED];

		if (c->all == 0)
			return used < CLIENTS_COUNTED / 2 ? c : NULL;
		if (tenf_address_equal(&c->address, address))
			return c;
	}
}

static int by_count(const void *a, const void *b)
{
	const struct client *one = a, *other = b;

	if (one->all != other->all)
		return one->all > other->all ? -1 : 1;
	return tenf_address_compare(&one->address, &other->address);
}

static void count_one(struct client *clients, const struct tenf_address *address, unsigned maker,
		      size_t *used, struct client *others)
{
	struct client *c = find(clients, address, *used);

	if (c == NULL)
		c = others;
	*used += c != others && c->all == 0;
	c->address = *address;
	c->mappings[maker]++;
	c->all++;
}

/* Most first; those that are not told apart are summed up in *ret_others. */
static void count_clients(const struct responder *r, struct client *clients,
			  struct client *ret_others)
{
	const struct ledger_mapping *m = NULL;
	const struct responder_peer *peer = NULL;
	size_t used = 0;

	while ((m = responder_mappings(r, m)) != NULL)
		count_one(clients, &m->internal_address, m->maker, &used, ret_others);
	while ((peer = responder_peers(r, peer)) != NULL)
		count_one(clients, &peer->internal.address, BY_PEER, &used, ret_others);
	qsort(clients, CLIENTS_COUNTED, sizeof(*clients), by_count);
	for (size_t i = CLIENTS_TOLD; i < CLIENTS_COUNTED && clients[i].all > 0; i++) {
		for (size_t k = 0; k < MAKERS; k++)
			ret_others->mappings[k] += clients[i].mappings[k];
	}
}

static void add_client(struct metrics *m, const char *name, const struct client *c)
{
	for (unsigned maker = 0; maker < MAKERS; maker++) {
		const struct metrics_label labels[] = { { "client", name },
							{ "method", maker_name(maker) } };

		if (c->mappings[maker] > 0)
			metrics_sample(m, labels, 2, c->mappings[maker]);
	}
}

static void add_mappings(struct metrics *m, const struct daemon *d)
{
	struct client *clients = calloc(CLIENTS_COUNTED, sizeof(*clients));
	struct client others = { .all = 0 };
	char text[TENF_ADDRESS_TEXT];

	metrics_one(m, "mappings", METRICS_GAUGE, "Mappings held",
		    responder_mapping_count(d->responder));
	metrics_one(m, "peer_mappings", METRICS_GAUGE, "Flows kept by PEER",
		    responder_peer_count(d->responder));
	metrics_one(m, "mappings_limit", METRICS_GAUGE, "Mappings there may be",
		    d->config.mappings_max);
	if (clients == NULL)
		return;
	count_clients(d->responder, clients, &others);
	metrics_family(m, "client_mappings", METRICS_GAUGE,
		       "Mappings by client and method; clients with few share one line");
	for (size_t i = 0; i < CLIENTS_TOLD && clients[i].all > 0; i++)
		add_client(m, tenf_address_text(&clients[i].address, text), &clients[i]);
	add_client(m, "others", &others);
	free(clients);
}

/* ---- Requests ----------------------------------------------------------- */

static void add_requests(struct metrics *m, const struct meters *meters)
{
	metrics_family(m, "requests_total", METRICS_COUNTER,
		       "Requests answered, by method and result");
	for (unsigned method = 0; method < METERS_METHODS; method++) {
		for (uint8_t result = 0; result < METERS_RESULTS; result++) {
			bool natpmp = method == METERS_NATPMP;
			const struct metrics_label labels[] = {
				{ "method", natpmp ? "natpmp" : "pcp" },
				{ "result", natpmp ? natpmp_result_name(result)
						   : pcp_result_name(result) },
			};

			if (meters->requests[method][result] > 0 || result == 0)
				metrics_sample(m, labels, 2,
					       (double)meters->requests[method][result]);
		}
	}
}

static void add_decisions(struct metrics *m, const struct meters *meters)
{
	static const char *const names[] = {
		[RESPONDER_GRANTED] = "granted",   [RESPONDER_RENEWED] = "renewed",
		[RESPONDER_REMOVED] = "removed",   [RESPONDER_REFUSED] = "refused",
		[RESPONDER_ANSWERED] = "answered", [RESPONDER_EXPIRED] = "expired",
		[RESPONDER_RESTARTED] = "restarted", [RESPONDER_PENDING] = "pending",
		[RESPONDER_REVOKED] = "revoked",
	};

	metrics_family(m, "decisions_total", METRICS_COUNTER, "What was decided, by verdict");
	for (size_t i = 0; i < TENF_ARRAY_SIZE(names); i++) {
		if (names[i] != NULL)
			metrics_sample(m, &(struct metrics_label){ "verdict", names[i] }, 1,
				       (double)meters->decisions[i]);
	}
}

static void add_drop(struct metrics *m, const char *reason, uint64_t count)
{
	metrics_sample(m, &(struct metrics_label){ "reason", reason }, 1, (double)count);
}

static void add_packets(struct metrics *m, const struct daemon *d)
{
	struct responder_counts c;

	responder_count(d->responder, &c);
	metrics_one(m, "packets_received_total", METRICS_COUNTER, "Datagrams read",
		    (double)c.received);
	metrics_family(m, "packets_dropped_total", METRICS_COUNTER,
		       "Datagrams not answered, by reason");
	add_drop(m, "place", c.dropped_place);
	add_drop(m, "bytes", c.dropped_bytes);
	add_drop(m, "fault", c.dropped_quirk);
	metrics_one(m, "answers_total", METRICS_COUNTER, "Answers made", (double)c.answered);
	metrics_one(m, "backend_failures_total", METRICS_COUNTER,
		    "Answers that became a failure because the packet path could not do it",
		    (double)c.rolled_back);
	metrics_one(m, "records_lost_total", METRICS_COUNTER,
		    "Decisions that were not told, because too many waited",
		    (double)c.records_lost);
}

static void add_errors(struct metrics *m, const struct meters *meters)
{
	char number[16];

	metrics_family(m, "commit_errors_total", METRICS_COUNTER,
		       "Commits that failed, by the kernel's errno; 0 when it said none");
	for (int code = 0; code < METERS_ERRORS; code++) {
		(void)snprintf(number, sizeof(number), "%d", code);
		if (meters->errors[code] > 0 || code == 0)
			metrics_sample(m, &(struct metrics_label){ "errno", number }, 1,
				       (double)meters->errors[code]);
	}
}

static void add_latency(struct metrics *m, const struct meters *meters)
{
	double bounds[METERS_BUCKETS];

	for (size_t i = 0; i < METERS_BUCKETS; i++)
		bounds[i] = (double)meters_bounds[i] / TENF_SECOND;
	metrics_histogram(m, "answer_seconds", "From the reading of a request to its answer",
			  bounds, meters->latency, METERS_BUCKETS,
			  (double)meters->latency_sum / TENF_SECOND);
	metrics_one(m, "commits_total", METRICS_COUNTER, "Turns in which answers left together",
		    (double)meters->turns);
}

static void add_hooks(struct metrics *m, const struct observe *o)
{
	struct hooks_counts counts;

	clerk_count_hooks(o->clerk, &counts);
	metrics_one(m, "hooks_told_total", METRICS_COUNTER, "Events that hooks were told",
		    (double)counts.told);
	metrics_one(m, "hooks_failed_total", METRICS_COUNTER,
		    "Events that hooks failed to hear, again and again", (double)counts.failed);
	metrics_one(m, "hooks_dropped_total", METRICS_COUNTER,
		    "Events dropped because too many waited for a hook", (double)counts.dropped);
}

void api_get_metrics(struct control_request *request, void *context)
{
	const struct daemon *d = context;
	struct metrics *m = metrics_new();
	const char *text;

	if (m == NULL) {
		control_answer_json(request, 500, NULL);
		return;
	}
	metrics_one(m, "start_time_seconds", METRICS_GAUGE, "When the gateway started",
		    (double)d->observe->started_at);
	add_mappings(m, d);
	add_requests(m, &d->meters);
	add_decisions(m, &d->meters);
	add_packets(m, d);
	add_errors(m, &d->meters);
	add_latency(m, &d->meters);
	metrics_one(m, "history_lost_total", METRICS_COUNTER,
		    "Events that history and hooks could not take",
		    (double)clerk_lost(d->observe->clerk));
	metrics_one(m, "history_is_kept", METRICS_GAUGE, "1 while there is a process that keeps it",
		    clerk_is_there(d->observe->clerk) && clerk_keeps_history(d->observe->clerk));
	add_hooks(m, d->observe);
	metrics_one(m, "event_listeners", METRICS_GAUGE, "Clients of /v1/events",
		    (double)control_stream_listeners(d->observe->stream));
	if (metrics_text(m, &text) == TENF_OK)
		control_answer_text(request, 200, CONTROL_METRICS_TYPE, text);
	else
		control_answer_json(request, 500, NULL);
	metrics_free(m);
}

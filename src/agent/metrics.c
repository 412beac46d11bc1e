/* SPDX-License-Identifier: MIT */
/* What the agent counts, as Prometheus reads it. */
#include "agent/api.h"
#include "control/metrics.h"

#define STATES (TENF_STATE_REMOVED + 1)

static void count_states(struct agent *agent, unsigned counts[STATES])
{
	for (size_t i = 0; i < agent_count(agent); i++) {
		const struct agent_item *item = agent_item_at(agent, i);
		unsigned halves = item->record.wish.protocol == TENF_BOTH ? 2 : 1;

		for (unsigned half = 0; half < halves; half++) {
			struct tenf_mapping m;

			agent_mapping(item, half, &m);
			counts[m.state]++;
		}
	}
}

static void add_mappings(struct metrics *m, const struct daemon *daemon)
{
	unsigned counts[STATES] = { 0 };

	count_states(daemon->agent, counts);
	metrics_family(m, "mappings", METRICS_GAUGE, "Mappings wanted, by state");
	for (enum tenf_state state = TENF_STATE_ASKING; state < STATES; state++) {
		struct metrics_label label = { "state", tenf_state_name(state) };

		metrics_sample(m, &label, 1, counts[state]);
	}
}

static void add_packets(struct metrics *m, const struct daemon *daemon)
{
	struct tenf_counters sum = { 0 };

	for (struct site *site = agent_sites(daemon->agent)->first; site != NULL;
	     site = site_next(site)) {
		struct tenf_counters c = { .size = sizeof(c) };

		tenf_session_counters(site_session(site), &c);
		sum.sent += c.sent;
		sum.received += c.received;
		sum.dropped_foreign += c.dropped_foreign;
		sum.dropped_malformed += c.dropped_malformed;
		sum.dropped_unasked += c.dropped_unasked;
	}
	metrics_one(m, "packets_sent_total", METRICS_COUNTER, "Requests sent to gateways",
		    (double)sum.sent);
	metrics_one(m, "packets_received_total", METRICS_COUNTER, "Answers accepted",
		    (double)sum.received);
	metrics_family(m, "packets_dropped_total", METRICS_COUNTER,
		       "Packets not accepted, by reason");
	metrics_sample(m, &(struct metrics_label){ "reason", "foreign" }, 1,
		       (double)sum.dropped_foreign);
	metrics_sample(m, &(struct metrics_label){ "reason", "malformed" }, 1,
		       (double)sum.dropped_malformed);
	metrics_sample(m, &(struct metrics_label){ "reason", "unasked" }, 1,
		       (double)sum.dropped_unasked);
}

static void add_deliveries(struct metrics *m, const struct daemon *daemon)
{
	struct delivery_counts counts;

	deliveries_count(daemon->deliveries, &counts);
	metrics_family(m, "deliveries", METRICS_GAUGE,
		       "Hooks and applications told, by how far they are");
	metrics_sample(m, &(struct metrics_label){ "state", "confirmed" }, 1,
		       (double)counts.confirmed);
	metrics_sample(m, &(struct metrics_label){ "state", "waiting" }, 1,
		       (double)counts.waiting);
	metrics_sample(m, &(struct metrics_label){ "state", "failed" }, 1, (double)counts.failed);
}

void api_get_metrics(struct control_request *request, void *context)
{
	const struct daemon *daemon = context;
	struct metrics *m = metrics_new();
	const char *text;

	if (m == NULL) {
		control_answer_json(request, 500, NULL);
		return;
	}
	metrics_one(m, "start_time_seconds", METRICS_GAUGE, "When the agent started",
		    (double)daemon->started_at);
	add_mappings(m, daemon);
	add_packets(m, daemon);
	add_deliveries(m, daemon);
	metrics_one(m, "event_listeners", METRICS_GAUGE, "Clients of /v1/events",
		    (double)control_stream_listeners(daemon->stream));
	if (metrics_text(m, &text) == TENF_OK)
		control_answer_text(request, 200, CONTROL_METRICS_TYPE, text);
	else
		control_answer_json(request, 500, NULL);
	metrics_free(m);
}

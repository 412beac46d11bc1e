/* SPDX-License-Identifier: MIT */
#include "sim-trace.h"

#include "base/names.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE 160

const char *sim_time_text(tenf_time at, char buffer[SIM_TIME_TEXT])
{
	int64_t ms = at / TENF_MILLISECOND;

	(void)snprintf(buffer, SIM_TIME_TEXT, "%dd %02d:%02d:%02d.%03d", (int)(ms / 86400000),
		       (int)(ms / 3600000 % 24), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
		       (int)(ms % 1000));
	return buffer;
}

void sim_trace(const struct sim_world *w, const char *format, ...)
{
	char at[SIM_TIME_TEXT];
	va_list args;

	if (!w->trace)
		return;
	printf("# %s  ", sim_time_text(w->now, at));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* ---- Packets ------------------------------------------------------------------ */

static void natpmp_text(const struct sim_packet *p, char line[LINE])
{
	struct natpmp_request request;
	struct natpmp_answer answer;

	if (p->way == SIM_TO_GATEWAY && natpmp_decode_request(p->data, p->len, &request) == TENF_OK)
		(void)snprintf(line, LINE, "NAT-PMP op %u %u->%u %us", request.opcode,
			       request.external_port, request.internal_port, request.lifetime_s);
	else if (natpmp_decode_answer(p->data, p->len, &answer) == TENF_OK)
		(void)snprintf(line, LINE, "NAT-PMP op %u %s epoch %u %u->%u %us", answer.opcode,
			       natpmp_result_name(answer.result), answer.epoch_s,
			       answer.external_port, answer.internal_port, answer.lifetime_s);
}

static void pcp_text(const struct sim_packet *p, char line[LINE])
{
	struct pcp_request request;
	struct pcp_answer answer;
	enum pcp_result result;

	if (p->way == SIM_TO_GATEWAY &&
	    pcp_parse_request(p->data, p->len, &request, &result) == PCP_PARSED)
		(void)snprintf(line, LINE, "PCP %s proto %u %u->%u %us nonce %02x%02x",
			       pcp_opcode_name(request.opcode), request.map.protocol,
			       request.map.external_port, request.map.internal_port,
			       request.lifetime_s, request.map.nonce[0], request.map.nonce[1]);
	else if (pcp_decode_answer(p->data, p->len, &answer) == TENF_OK)
		(void)snprintf(line, LINE,
			       "PCP %s %s epoch %u proto %u %u->%u %us nonce %02x%02x",
			       pcp_opcode_name(answer.opcode), pcp_result_name(answer.result),
			       answer.epoch_s, answer.map.protocol, answer.map.external_port,
			       answer.map.internal_port, answer.lifetime_s, answer.map.nonce[0],
			       answer.map.nonce[1]);
}

void sim_trace_packet(const struct sim_world *w, const char *what, const struct sim_packet *p)
{
	char line[LINE] = "something";
	char from[TENF_ENDPOINT_TEXT];

	if (!w->trace)
		return;
	if (p->way == SIM_ICMP)
		(void)snprintf(line, LINE, "port unreachable");
	else if (p->len > 0 && p->data[0] == NATPMP_VERSION)
		natpmp_text(p, line);
	else if (p->len > 0)
		pcp_text(p, line);
	sim_trace(w, "%s host %u, from %s%s: %s", what, p->host,
		  tenf_endpoint_text(&p->from, from), p->altered ? " (altered)" : "", line);
}

/* ---- Events ------------------------------------------------------------------- */

void sim_trace_event(const struct sim_world *w, const struct sim_host *host,
		     const struct engine_event *event)
{
	const struct keeper_view *m = &event->mapping;

	if (!w->trace)
		return;
	if (m->id == 0) {
		sim_trace(w, "host %u: EVENT %s", host->number, tenf_event_code(event->kind));
		return;
	}
	sim_trace(w, "host %u: EVENT %s m%u %u->%u/%u pair m%u, %s%s", host->number,
		  tenf_event_code(event->kind), m->id, m->grant.external_port,
		  m->wish.internal_port, (unsigned)m->wish.protocol, m->pair,
		  m->error.reason != TENF_REASON_NONE ? "reason " : "",
		  m->error.reason != TENF_REASON_NONE ? tenf_reason_code(m->error.reason) : "");
}

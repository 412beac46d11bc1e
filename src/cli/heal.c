/* SPDX-License-Identifier: MIT */
#include "cli/heal.h"

#include "cli/leases.h"
#include "cli/loop.h"
#include "cli/output.h"
#include "cli/report.h"

#include <string.h>

#define AGENT_POLL_MS 200

bool heal_is_needed(const struct diagnosis *d)
{
	if (d->held == NULL || d->held->mapping.external_port == 0)
		return false;
	return steps_is(&d->steps, "mapping", STEP_BAD) ||
	       (steps_is(&d->steps, "outside", STEP_BAD) &&
		!steps_is(&d->steps, "listener", STEP_BAD) &&
		!steps_is(&d->steps, "firewall", STEP_BAD));
}

/* ---- A lease of ours ------------------------------------------------------------- */

static void record(struct diagnosis *d, const struct lease *old, const struct tenf_mapping *made)
{
	struct lease lease = *old;
	struct leases leases;

	if (!leases_open(d->cli, &leases))
		return;
	lease.mapping = *made;
	lease.keeper = 0;
	(void)leases_put(&leases, &lease);
	(void)leases_write(d->cli, &leases);
	leases_done(&leases);
}

static enum tenf_status ask_again(struct diagnosis *d, struct tenf_session *session,
				  const struct lease *lease, struct tenf_mapping *ret)
{
	const struct tenf_mapping *m = &lease->mapping;
	struct tenf_request request;
	enum tenf_status status;
	struct tenf_mapping gone;
	uint32_t id = 0;

	/* That a gateway that forgot it cannot delete it is what is expected. */
	status = tenf_session_release(session, m, &id);
	if (status == TENF_OK)
		status = loop_verdict(d->cli, session, id, &gone);
	if (status != TENF_OK && status != TENF_E_AGAIN)
		return status;
	tenf_request_init(&request);
	request.protocol = m->protocol;
	request.internal_port = m->internal_port;
	request.external_port = m->external_port;
	request.lifetime_s = m->lifetime_s > 0 ? m->lifetime_s : TENF_DEFAULT_LIFETIME_S;
	request.internal_address = lease->for_other ? m->internal_address : NULL;
	request.description = lease->name[0] != '\0' ? lease->name : NULL;
	status = tenf_session_add(session, &request, &id);
	return status == TENF_OK ? loop_verdict(d->cli, session, id, ret) : status;
}

static enum tenf_status heal_lease(struct diagnosis *d, struct tenf_mapping *ret)
{
	struct tenf_options ask = d->cli->global.ask;
	struct tenf_session *session = NULL;
	char place[TENF_ADDRESS_SIZE + 8];
	struct tenf_text t = tenf_text_of(place, sizeof(place));
	struct leases leases;
	const struct lease *lease;
	enum tenf_status status = TENF_E_NOT_FOUND;

	leases_read(d->cli, &leases);
	lease = leases_same(&leases, &d->held->mapping);
	output_endpoint(&t, d->held->mapping.gateway, d->held->mapping.gateway_port, NULL);
	if (ask.gateway == NULL)
		ask.gateway = place;
	ask.methods = (unsigned)d->held->mapping.method;
	if (lease != NULL)
		status = tenf_session_new(&ask, &session, NULL);
	if (status == TENF_OK)
		status = ask_again(d, session, lease, ret);
	if (status == TENF_OK && ret->external_port != 0)
		record(d, lease, ret);
	tenf_session_free(session);
	leases_done(&leases);
	return status;
}

/* ---- The agent's ------------------------------------------------------------------ */

/* Until the agent tells of a later end. */
static int wait_for_agent(struct diagnosis *d, int64_t before, struct tenf_mapping *ret)
{
	int64_t end = d->cli->steady_ms() + d->cli->global.ask.timeout_ms;

	for (;;) {
		int status = diagnose_reread(d);

		if (status != CLI_EXIT_DONE)
			return status;
		if (d->held != NULL)
			*ret = d->held->mapping;
		if ((d->held != NULL && ret->expires_at > before) || d->cli->steady_ms() >= end)
			return CLI_EXIT_DONE;
		d->cli->pause_ms(AGENT_POLL_MS);
	}
}

static int heal_agent(struct diagnosis *d, struct tenf_mapping *ret)
{
	char path[AGENT_PATH_SIZE];
	struct remote *remote = NULL;
	int64_t before = d->held->mapping.expires_at;
	json_t *change = json_pack("{sI}", "lifetime", (json_int_t)d->held->mapping.lifetime_s);
	int status = agent_need(d->cli, &remote);

	agent_mapping_path(path, d->held->id);
	if (status == CLI_EXIT_DONE)
		status = agent_request(d->cli, remote, "PATCH", path, change, NULL);
	json_decref(change);
	remote_close(remote);
	return status == CLI_EXIT_DONE ? wait_for_agent(d, before, ret) : status;
}

/* ---- Both ----------------------------------------------------------------------- */

static void tell(struct diagnosis *d, const struct tenf_mapping *m, enum tenf_status status)
{
	bool done = status == TENF_OK && m->external_port != 0;
	struct step *step = steps_add(&d->steps, "mapping", done ? STEP_OK : STEP_BAD);
	char line[STEP_TEXT];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	if (done) {
		report_mapping(&t, m, m->protocol == TENF_TCP ? "tcp" : "udp");
		step_text(step->seen, "opened again: %s", line);
		return;
	}
	step->found = FOUND_NOT_REOPENED;
	step_text(step->seen, "could not be opened again: %s",
		  status == TENF_OK ? report_reason(&m->error) : tenf_status_text(status));
	step_text(step->because, "the router does not open %s again", d->subject->text);
}

/* What the steps before found is past: they are told, and count no more. */
static void forget_steps(struct steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		struct step *step = &steps->items[i];

		if (strcmp(step->name, "mapping") == 0 || strcmp(step->name, "outside") == 0)
			step->is_past = true;
	}
}

int heal(struct diagnosis *d)
{
	bool is_agents = (d->held->sources & OPENED_AGENT) != 0;
	struct tenf_mapping made = { .error.result = -1 };
	enum tenf_status status = TENF_OK;
	int exit = CLI_EXIT_DONE;

	forget_steps(&d->steps);
	if (is_agents)
		exit = heal_agent(d, &made);
	else
		status = heal_lease(d, &made);
	if (exit != CLI_EXIT_DONE)
		return exit;
	tell(d, &made, status);
	return diagnose_reread(d);
}

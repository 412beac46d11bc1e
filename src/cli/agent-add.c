/* SPDX-License-Identifier: MIT */
#include "cli/agent-add.h"

#include "base/forward.h"
#include "base/span.h"
#include "cli/agent-link.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

#define POLL_FIRST_MS 2 /* a gateway nearby has answered by then */
#define POLL_MAX_MS 250

/* What the agent holds for us: halves as `add` without it has, so that the
 * same sentences are told, and what the agent said of each. */
struct kept {
	struct batch batch;
	struct agent_mapping *from; /* for each half */
	size_t room;
};

/* ---- Wishing ------------------------------------------------------------- */

static void set_text(json_t *body, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		(void)json_object_set_new(body, key, json_string(value));
}

/* Only what was said on the command line: the rest is the agent's to choose. */
static json_t *make_wish(const struct cli *cli, const struct wishes *wishes, const char *word)
{
	const char *const *value = cli->arguments.value;
	json_t *body = json_object();

	set_text(body, "forward", word);
	set_text(body, "name", wishes->name);
	set_text(body, "for", wishes->for_host);
	set_text(body, "gateway", cli->global.ask.gateway);
	set_text(body, "interface", value[CLI_INTERFACE]);
	set_text(body, "method", value[CLI_METHOD]);
	if (value[CLI_LIFETIME] != NULL)
		(void)json_object_set_new(body, "lifetime", json_integer(wishes->lifetime_s));
	if (wishes->exact)
		(void)json_object_set_new(body, "exact", json_true());
	if (value[CLI_THROUGH] != NULL)
		(void)json_object_set_new(body, "through", json_true());
	return body;
}

static bool has_verdict(const struct tenf_mapping *m)
{
	switch (m->state) {
	case TENF_STATE_ASKING: /* what this computer cannot do needs no gateway */
		return m->error.reason == TENF_REASON_SYSTEM;
	case TENF_STATE_MAPPED:
	case TENF_STATE_RENEWING:
	case TENF_STATE_LOST:
	case TENF_STATE_REFUSED:
	case TENF_STATE_REMOVED:
		return true;
	}
	return true;
}

static void take(struct kept *kept, size_t at, struct agent_mapping *from)
{
	struct half *half = &kept->batch.halves[at];

	json_decref(kept->from[at].shape);
	kept->from[at] = *from;
	from->shape = NULL;
	half->mapping = from->mapping;
	half->answered = has_verdict(&half->mapping);
}

/* The two halves of a pair come one behind the other. */
static void append(struct kept *kept, struct agent_mapping *from)
{
	size_t at = kept->batch.count++;
	struct half *half = &kept->batch.halves[at], *before = half - 1;
	size_t stem = agent_id_stem(from->tag.id);

	take(kept, at, from);
	half->id = (uint32_t)at + 1;
	if (at == 0 || kept->from[at].tag.id[stem] == '\0' ||
	    strncmp(kept->from[at].tag.id, kept->from[at - 1].tag.id, stem + 1) == 0 ||
	    strncmp(kept->from[at].tag.id, kept->from[at - 1].tag.id, stem) != 0)
		return;
	half->pair = before->id;
	before->pair = half->id;
}

static int wish(struct cli *cli, struct remote *remote, const char *word, struct kept *kept)
{
	json_t *body = make_wish(cli, kept->batch.wishes, word), *answer = NULL;
	struct agent_mappings made = { NULL, 0 };
	int status = agent_request(cli, remote, "POST", "/v1/mappings", body, &answer);

	if (status == CLI_EXIT_DONE)
		status = agent_read_mappings(cli, remote, answer, &made);
	if (status == CLI_EXIT_DONE && (made.count == 0 ||
					made.count > kept->room - kept->batch.count))
		status = agent_nonsense(cli, remote, "it holds something else than was asked for");
	for (size_t i = 0; status == CLI_EXIT_DONE && i < made.count; i++)
		append(kept, &made.items[i]);
	agent_mappings_done(&made);
	json_decref(answer);
	json_decref(body);
	return status;
}

/* ---- Waiting -------------------------------------------------------------- */

static void was_removed(struct half *half)
{
	half->mapping.state = TENF_STATE_REMOVED;
	half->mapping.error = (struct tenf_error){ .reason = TENF_REASON_SYSTEM, .result = -1,
						   .text = "Somebody removed it meanwhile." };
	half->answered = true;
}

/* Asks again about the half, and its pair with it. */
static int look(struct cli *cli, struct remote *remote, struct kept *kept, size_t at)
{
	struct agent_mappings now = { NULL, 0 };
	char path[AGENT_PATH_SIZE];
	json_t *answer = NULL;
	int http = 0, status;

	agent_mapping_path(path, kept->from[at].tag.id);
	status = agent_ask(cli, remote, "GET", path, NULL, &http, &answer);
	if (status == CLI_EXIT_DONE && http == 404)
		was_removed(&kept->batch.halves[at]);
	else if (status == CLI_EXIT_DONE && http != 200)
		status = agent_refusal(cli, http, answer);
	else if (status == CLI_EXIT_DONE)
		status = agent_read_mappings(cli, remote, answer, &now);
	for (size_t i = 0; i < now.count; i++) {
		for (size_t k = at; k < kept->batch.count && k < at + 2; k++) {
			if (now.items[i].shape != NULL &&
			    strcmp(now.items[i].tag.id, kept->from[k].tag.id) == 0)
				take(kept, k, &now.items[i]);
		}
	}
	agent_mappings_done(&now);
	json_decref(answer);
	return status;
}

static size_t first_waiting(const struct batch *batch)
{
	size_t at = 0;

	while (at < batch->count && batch->halves[at].answered)
		at++;
	return at;
}

/* One after the other: while the first is waited for the others go on too. */
static int wait_for_verdicts(struct cli *cli, struct remote *remote, struct kept *kept)
{
	int64_t end = cli->steady_ms() + cli->global.ask.timeout_ms;
	int pause_ms = POLL_FIRST_MS;
	size_t last = SIZE_MAX;

	for (;;) {
		size_t at = first_waiting(&kept->batch);
		int64_t left = end - cli->steady_ms();
		int status;

		if (at == kept->batch.count || left <= 0)
			return CLI_EXIT_DONE;
		if (at == last) {
			cli->pause_ms(pause_ms < left ? pause_ms : (int)left);
			pause_ms = 2 * pause_ms < POLL_MAX_MS ? 2 * pause_ms : POLL_MAX_MS;
		}
		last = at;
		remote_set_timeout(remote, left > POLL_MAX_MS ? (uint32_t)left : POLL_MAX_MS);
		status = look(cli, remote, kept, at);
		if (status != CLI_EXIT_DONE)
			return status;
	}
}

/* What has no verdict by now is told as silence, unless the agent knows better. */
static void give_up(struct cli *cli, struct kept *kept)
{
	for (size_t i = 0; i < kept->batch.count; i++) {
		const struct half *half = &kept->batch.halves[i];
		struct tenf_error *error = &kept->batch.halves[i].mapping.error;
		struct tenf_text t;

		if (half->answered || error->reason != TENF_REASON_NONE)
			continue;
		t = tenf_text_of(error->text, sizeof(error->text));
		error->reason = TENF_REASON_SILENT;
		tenf_text_add(&t, "No answer from the gateway within ");
		tenf_span_add(&t, cli->global.ask.timeout_ms / 1000);
		tenf_text_add(&t, ".");
		(void)json_object_set_new(kept->from[i].shape, "error", json_error(error));
	}
}

/* ---- Printing ------------------------------------------------------------- */

static void print_json(struct cli *cli, const struct kept *kept)
{
	json_t *list = json_array();

	for (size_t i = 0; i < kept->batch.count; i++)
		(void)json_array_append(list, kept->from[i].shape);
	(void)json_print(cli, json_wrap("mappings", list));
}

static void print_half(struct cli *cli, const struct batch *batch, const struct half *half)
{
	const struct tenf_mapping *m = &half->mapping;
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	report_mapping(&t, m, tenf_protocol_name(m->protocol));
	tenf_text_add(&t, "   ");
	if (batch->wishes->name != NULL) {
		tenf_text_add(&t, batch->wishes->name);
		tenf_text_add(&t, "   ");
	}
	tenf_text_add(&t, "held by the agent");
	if (m->renews_at > cli->now()) {
		tenf_text_add(&t, ", renews ");
		output_until(&t, cli->now(), m->renews_at);
	}
	tenf_text_add(&t, "\n");
	output_text(cli, cli->out, OUTPUT_GREEN, line);
}

/* It is kept, so a refusal is not its end. */
static void tell_that_it_goes_on(struct cli *cli, const struct kept *kept)
{
	for (size_t i = 0; i < kept->batch.count; i++) {
		const char *id = kept->from[i].tag.id;

		if (half_is_held(&kept->batch.halves[i]) ||
		    kept->batch.halves[i].mapping.state == TENF_STATE_REMOVED)
			continue;
		cli_note(cli, "The agent goes on asking. Give it up with: tenforward remove %.*s",
			 (int)agent_id_stem(id), id);
		return;
	}
}

static int print(struct cli *cli, const struct kept *kept)
{
	const struct batch *batch = &kept->batch;

	if (cli->global.json)
		print_json(cli, kept);
	for (size_t i = 0; !cli->global.json && i < batch->count; i++) {
		if (half_is_held(&batch->halves[i]))
			print_half(cli, batch, &batch->halves[i]);
	}
	/* On a terminal both streams meet: data first, then the talk about it. */
	(void)fflush(cli->out);
	report_failures(cli, batch);
	report_differences(cli, batch);
	tell_that_it_goes_on(cli, kept);
	return batch_exit(batch);
}

static int make_room(struct cli *cli, const struct wishes *wishes, struct kept *ret)
{
	*ret = (struct kept){ .batch = { .wishes = wishes, .keep = true },
			      .room = 2 * wishes->count };
	ret->batch.halves = calloc(ret->room, sizeof(*ret->batch.halves));
	ret->from = calloc(ret->room, sizeof(*ret->from));
	if (ret->batch.halves == NULL || ret->from == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	return CLI_EXIT_DONE;
}

static void done(struct kept *kept)
{
	for (size_t i = 0; i < kept->batch.count; i++)
		json_decref(kept->from[i].shape);
	free(kept->from);
	batch_done(&kept->batch);
}

int agent_add(struct cli *cli, struct remote *remote, const struct wishes *wishes)
{
	struct kept kept;
	int status;

	if (cli->arguments.value[CLI_SOURCE] != NULL)
		return cli_usage(cli, "--source: the agent chooses its address by itself; "
				 "add --interface instead, or --direct");
	if (cli->arguments.value[CLI_FILTER] != NULL)
		return cli_usage(cli, "--filter: the agent keeps no filters; use tenforward keep, "
				 "or --direct");
	if (cli->arguments.value[CLI_ANYCAST] != NULL)
		return cli_usage(cli, "--anycast: the agent asks there when its configuration says "
				 "Anycast=yes; write that, or --direct");
	status = make_room(cli, wishes, &kept);
	for (size_t i = 0; status == CLI_EXIT_DONE && i < cli->arguments.count; i++)
		status = wish(cli, remote, cli->arguments.words[i], &kept);
	if (kept.batch.count > 0) {
		if (status != CLI_EXIT_NO_DAEMON)
			status = cli_exit_worse(status, wait_for_verdicts(cli, remote, &kept));
		give_up(cli, &kept);
		status = cli_exit_worse(status, print(cli, &kept));
	}
	done(&kept);
	return status;
}

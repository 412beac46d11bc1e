/* SPDX-License-Identifier: MIT */
/*
 * add: one lease for each mapping, and a record of it. Where an agent runs it
 * keeps the mapping instead, see agent-add.h.
 */
#include "cli/agent-add.h"
#include "cli/agent-link.h"
#include "cli/devices.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/through.h"
#include "cli/verbs.h"

#include "base/forward.h"

#include <string.h>

/* Longer advice than this is not read; it then names the verb alone. */
#define ADVICE_MAX 60

static enum tenf_status wait_for_verdicts(struct batch *batch)
{
	struct loop loop;
	struct tenf_event event;
	enum tenf_status status = tenf_session_process(batch->session); /* sends at once */

	loop_init(&loop, batch->session);
	while (status == TENF_OK) {
		while (tenf_session_next_event(batch->session, &event))
			(void)batch_take(batch, &event);
		if (batch_answered(batch))
			break;
		status = loop_step(&loop, -1);
	}
	return status;
}

static int print_json(struct cli *cli, const struct batch *batch)
{
	json_t *list = json_array();

	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];
		struct json_label label = { half->number, batch->wishes->name };

		(void)json_array_append_new(list, json_mapping(&half->mapping, &label));
	}
	return json_print(cli, json_wrap("mappings", list));
}

static void print_half(struct cli *cli, const struct batch *batch, const struct half *half)
{
	char line[REPORT_LINE];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	report_mapping(&t, &half->mapping, tenf_protocol_name(half->mapping.protocol));
	tenf_text_add(&t, "   ");
	if (batch->wishes->name != NULL) {
		tenf_text_add(&t, batch->wishes->name);
		tenf_text_add(&t, "   ");
	}
	report_lease(&t, cli->now(), &half->mapping);
	report_filtering(&t, &half->mapping);
	tenf_text_add(&t, "\n");
	output_text(cli, cli->out, OUTPUT_GREEN, line);
}

static void advise(struct cli *cli)
{
	char words[ADVICE_MAX];
	struct tenf_text t = tenf_text_of(words, sizeof(words));

	for (size_t i = 0; i < cli->arguments.count; i++) {
		tenf_text_add_char(&t, ' ');
		tenf_text_add(&t, cli->arguments.words[i]);
	}
	if (cli->arguments.value[CLI_THROUGH] != NULL)
		tenf_text_add(&t, " --through");
	cli_note(cli, "Nothing renews this. Keep it with `tenforward keep%s`.", t.cut ? "" : words);
}

static int print(struct cli *cli, const struct batch *batch)
{
	bool any = false;

	if (cli->global.json)
		(void)print_json(cli, batch);
	for (size_t i = 0; i < batch->count; i++) {
		if (!half_is_held(&batch->halves[i]))
			continue;
		any = true;
		if (!cli->global.json)
			print_half(cli, batch, &batch->halves[i]);
	}
	/* On a terminal both streams meet: data first, then the talk about it. */
	(void)cli_flush(cli);
	report_failures(cli, batch);
	report_differences(cli, batch);
	if (any && !cli->global.json)
		advise(cli);
	return batch_exit(batch);
}

static int ask_and_print(struct cli *cli, struct batch *batch)
{
	enum tenf_status status = wait_for_verdicts(batch);
	int through = CLI_EXIT_DONE;

	if (status != TENF_OK)
		return cli_failed(cli, status, NULL);
	batch_record(cli, batch);
	devices_keep_session(cli, batch->session);
	report_counters(cli, batch->session);
	if (cli->arguments.value[CLI_THROUGH] != NULL)
		through = through_open(cli, batch);
	return cli_exit_worse(through, print(cli, batch));
}

static int add_leases(struct cli *cli, const struct wishes *wishes)
{
	struct batch batch = { 0 };
	int status = batch_start(cli, wishes, false, &batch);

	if (status == CLI_EXIT_DONE)
		status = ask_and_print(cli, &batch);
	batch_done(&batch);
	return status;
}

int verb_add(struct cli *cli)
{
	struct remote *agent = NULL;
	struct wishes wishes;
	int status = wishes_read(cli, &wishes);

	if (status == CLI_EXIT_DONE)
		status = agent_find(cli, &agent);
	if (status == CLI_EXIT_DONE)
		status = agent != NULL ? agent_add(cli, agent, &wishes) :
					 add_leases(cli, &wishes);
	remote_close(agent);
	wishes_done(&wishes);
	return status;
}

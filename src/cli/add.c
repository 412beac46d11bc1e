/* SPDX-License-Identifier: MIT */
/*
 * add: one lease for each mapping, and a record of it. Where an agent runs it
 * keeps the mapping instead, see agent-add.h.
 */
#include "cli/add-lease.h"
#include "cli/agent-add.h"
#include "cli/agent-link.h"
#include "cli/devices.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/through.h"
#include "cli/verbs.h"

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

static int ask_and_print(struct cli *cli, struct batch *batch)
{
	enum tenf_status status = add_ask(cli, batch, INT64_MAX);
	int through = CLI_EXIT_DONE;

	if (status != TENF_OK)
		return cli_failed(cli, status, NULL);
	batch_record(cli, batch);
	devices_keep_session(cli, batch->session);
	report_counters(cli, batch->session);
	if (cli->arguments.value[CLI_THROUGH] != NULL)
		through = through_open(cli, batch);
	if (cli->global.json)
		(void)print_json(cli, batch);
	else
		add_print_held(cli, batch);
	return cli_exit_worse(through, add_print_rest(cli, batch));
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

/* SPDX-License-Identifier: MIT */
#include "cli/add-lease.h"

#include "base/forward.h"
#include "cli/loop.h"
#include "cli/output.h"
#include "cli/report.h"

#include <limits.h>

/* Longer advice than this is not read; it then names the verb alone. */
#define ADVICE_MAX 60

enum tenf_status add_ask(struct cli *cli, struct batch *batch, int64_t until_ms)
{
	struct loop loop;
	struct tenf_event event;
	enum tenf_status status = tenf_session_process(batch->session); /* sends at once */

	loop_init(&loop, batch->session);
	while (status == TENF_OK) {
		int64_t left_ms = until_ms - cli->steady_ms();

		while (tenf_session_next_event(batch->session, &event))
			(void)batch_take(batch, &event);
		if (batch_answered(batch) || left_ms <= 0)
			break;
		status = loop_step(&loop, left_ms < INT_MAX ? (int)left_ms : -1);
	}
	return status;
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

void add_print_held(struct cli *cli, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (half_is_held(&batch->halves[i]))
			print_half(cli, batch, &batch->halves[i]);
	}
}

int add_print_rest(struct cli *cli, const struct batch *batch)
{
	bool any = false;

	for (size_t i = 0; i < batch->count; i++)
		any = any || half_is_held(&batch->halves[i]);
	/* On a terminal both streams meet: data first, then the talk about it. */
	(void)cli_flush(cli);
	report_failures(cli, batch);
	report_differences(cli, batch);
	if (any && !cli->global.json)
		advise(cli);
	return batch_exit(batch);
}

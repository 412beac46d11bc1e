/* SPDX-License-Identifier: MIT */
/*
 * The short way of `tenforward add`, the program that is started as `tenforward`: small, static,
 * and so started in half the time. It does one thing, a lease by PCP or NAT-PMP from
 * a gateway that answers, with the files of src/cli. For everything else it becomes the
 * whole command by exec, before it has said a word: other verbs, agents, JSON, names that
 * have to be looked up, UPnP, and gateways that do not answer soon.
 */
#include "cli/add-lease.h"
#include "cli/handed-over.h"
#include "cli/process.h"
#include "cli/report.h"
#include "quick/short.h"
#include "quick/whole.h"

#include <stdlib.h>
#include <sys/random.h>

/* The first repetition of a request (RFC 6886 §3.1): who is silent until then is asked by
 * the whole command, which knows UPnP too. */
#define PATIENCE_MS 250

/* Would the whole command perhaps get further than this one did? */
static bool is_unanswered(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct half *half = &batch->halves[i];

		if (!half->answered || half->mapping.error.reason == TENF_REASON_SILENT ||
		    half->mapping.error.reason == TENF_REASON_NO_SERVICE)
			return true;
	}
	return false;
}

static int ask_and_print(struct cli *cli, struct batch *batch, char **argv, int64_t since_ms)
{
	enum tenf_status status = add_ask(cli, batch, cli->steady_ms() + PATIENCE_MS);

	if (status != TENF_OK)
		return cli_failed(cli, status, NULL);
	batch_record(cli, batch);
	if (is_unanswered(batch))
		return whole_become(cli, argv, (uint32_t)(cli->steady_ms() - since_ms));
	add_print_held(cli, batch);
	return add_print_rest(cli, batch);
}

static int add(struct cli *cli, char **argv)
{
	int64_t since_ms = cli->steady_ms();
	uint8_t nonce[TENF_NONCE_SIZE];
	struct batch batch = { 0 };
	struct wishes wishes;
	int status = wishes_read(cli, &wishes);

	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return whole_become(cli, argv, 0);
	cli->nonce = nonce;
	if (status == CLI_EXIT_DONE)
		status = batch_start(cli, &wishes, false, &batch);
	if (status == CLI_EXIT_DONE)
		status = ask_and_print(cli, &batch, argv, since_ms);
	batch_done(&batch);
	wishes_done(&wishes);
	return status;
}

int main(int argc, char **argv)
{
	const char **words = calloc((size_t)argc + 1, sizeof(*words));
	struct cli cli;
	int status;

	process_begin(&cli);
	if (words == NULL || !short_knows(argc, argv))
		return whole_become(&cli, argv, 0);
	status = short_read(&cli, argc, argv, words);
	if (status == SHORT_IS_NOT_ENOUGH)
		return whole_become(&cli, argv, 0);
	if (status == CLI_EXIT_DONE)
		status = add(&cli, argv);
	if (!cli_flush(&cli))
		status = CLI_EXIT_FAILURE;
	free(words);
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * The short way of `tenforward add`, the program that is started as `tenforward`: small, static,
 * and so started in half the time. It does one thing, a lease by PCP or NAT-PMP from
 * a gateway that answers, with the files of src/cli. For everything else it becomes the
 * whole command by exec, before it has said a word: other verbs, agents, JSON, names that
 * have to be looked up, UPnP, and gateways that have not said anything soon.
 */
#include "cli/add-lease.h"
#include "cli/handed-over.h"
#include "cli/process.h"
#include "cli/report.h"
#include "quick/short.h"
#include "quick/whole.h"

#include <stdlib.h>
#include <sys/random.h>

/* Nobody who answers has been silent for so long, near by; the whole command, which knows UPnP
 * too, then begins anew. */
#define PATIENCE_MS 250

/* What is said meanwhile waits until it is sure that it is this program that says it. */
struct talk {
	FILE *to;
	char *text;
	size_t size;
};

static void talk_begin(struct cli *cli, struct talk *talk)
{
	*talk = (struct talk){ NULL, NULL, 0 };
	talk->to = open_memstream(&talk->text, &talk->size);
	if (talk->to != NULL)
		cli->err = talk->to;
}

static void talk_end(struct cli *cli, struct talk *talk, bool said)
{
	if (talk->to == NULL)
		return;
	(void)fclose(talk->to);
	talk->to = NULL;
	cli->err = stderr;
	if (said)
		(void)fwrite(talk->text, 1, talk->size, stderr);
	free(talk->text);
}

/* Would the whole command perhaps get further? Not where a gateway talks to this one. */
static bool is_unanswered(const struct batch *batch)
{
	struct tenf_counters counters = { .size = sizeof(counters) };
	bool no_service = false;

	for (size_t i = 0; i < batch->count; i++) {
		if (half_is_held(&batch->halves[i]))
			return false;
		no_service = no_service ||
			     batch->halves[i].mapping.error.reason == TENF_REASON_NO_SERVICE;
	}
	tenf_session_counters(batch->session, &counters);
	return no_service || counters.received == 0;
}

static int ask_and_print(struct cli *cli, struct batch *batch, struct talk *talk)
{
	int64_t until_ms = cli->steady_ms() + PATIENCE_MS;
	enum tenf_status status = add_ask(cli, batch, until_ms);

	if (status == TENF_OK && is_unanswered(batch))
		return SHORT_IS_NOT_ENOUGH;
	if (status == TENF_OK && !batch_answered(batch))
		status = add_ask(cli, batch, INT64_MAX);
	if (status == TENF_OK && is_unanswered(batch))
		return SHORT_IS_NOT_ENOUGH;
	if (status != TENF_OK)
		return cli_failed(cli, status, NULL);
	batch_record(cli, batch);
	talk_end(cli, talk, true);
	add_print_held(cli, batch);
	return add_print_rest(cli, batch);
}

static int add(struct cli *cli, char **argv)
{
	int64_t since_ms = cli->steady_ms();
	uint8_t nonce[TENF_NONCE_SIZE];
	struct batch batch = { 0 };
	struct wishes wishes;
	struct talk talk;
	int status = wishes_read(cli, &wishes);

	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return whole_become(cli, argv, 0);
	cli->nonce = nonce;
	talk_begin(cli, &talk);
	if (status == CLI_EXIT_DONE)
		status = batch_start(cli, &wishes, false, &batch);
	if (status == CLI_EXIT_DONE)
		status = ask_and_print(cli, &batch, &talk);
	talk_end(cli, &talk, status != SHORT_IS_NOT_ENOUGH);
	if (status == SHORT_IS_NOT_ENOUGH)
		status = whole_become(cli, argv, (uint32_t)(cli->steady_ms() - since_ms));
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
	(void)unsetenv(HANDED_OVER); /* by others it would be of another run */
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

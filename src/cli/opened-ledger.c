/* SPDX-License-Identifier: MIT */
#include "cli/opened-ledger.h"

#include "cli/daemon-link.h"
#include "cli/gateway.h"

#include <string.h>

static enum tenf_status add_all(struct opened_list *list, const struct agent_mappings *ledger)
{
	enum tenf_status status = TENF_OK;

	for (size_t i = 0; status == TENF_OK && i < ledger->count; i++) {
		struct opened opened = { .mapping = ledger->items[i].mapping,
					 .sources = OPENED_GATEWAY };
		struct tenf_text t = tenf_text_of(opened.router, sizeof(opened.router));

		/* A flow to one remote peer is open to nobody else. */
		if (strcmp(gateway_text(ledger->items[i].shape, "opcode", "map"), "peer") == 0)
			continue;

		/* Its ids are for `gateway revoke` alone, and its names are the clients'. */
		tenf_text_add(&t, ledger->items[i].tag.name);
		opened.is_endless = opened.mapping.expires_at == 0;
		status = opened_add(list, &opened);
	}
	return status;
}

static bool read_ledger(struct cli *cli, struct remote *remote, struct opened_list *list)
{
	struct agent_mappings ledger = { NULL, 0 };
	json_t *answer = NULL;
	int status = daemon_request(cli, &daemon_is_gateway, remote, "GET", "/v1/mappings", NULL,
				    &answer);

	if (status == CLI_EXIT_DONE)
		status = daemon_read_mappings(cli, &daemon_is_gateway, remote, answer, &ledger);
	if (status == CLI_EXIT_DONE && add_all(list, &ledger) != TENF_OK)
		cli_note(cli, "The gateway has more mappings than fit in the list.");
	agent_mappings_done(&ledger);
	json_decref(answer);
	return status == CLI_EXIT_DONE;
}

void opened_ledger_try(struct cli *cli, struct opened_sources *sources)
{
	struct tenf_error error = { .result = -1 };
	struct remote *remote = NULL;
	enum tenf_status status = remote_open(REMOTE_GATEWAY, NULL, &remote, &error);

	if (status == TENF_E_NOT_FOUND)
		return;
	if (status != TENF_OK) {
		cli_note(cli, "The gateway's ledger is left out: %s.", error.text);
		return;
	}
	remote_set_timeout(remote, cli->global.ask.timeout_ms);
	sources->has_ledger = read_ledger(cli, remote, &sources->list);
	remote_close(remote);
}

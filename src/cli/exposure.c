/* SPDX-License-Identifier: MIT */
/* exposure: what of this host and network is open to the world, and what of it is
 * worth a thought. */
#include "cli/baseline.h"
#include "cli/findings.h"
#include "cli/json.h"
#include "cli/opened-ledger.h"
#include "cli/opened-router.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"

#include "control/shapes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long the outside of the gateway is waited for: healthy ones are silent. */
#define OUTSIDE_TIMEOUT_MS 700
#define MISSING_MAX 6
#define NO_LIST                                                              \
	"What others opened at the router, since it has no list (UPnP); of " \
	"this host, list --probe finds the rest"
#define ANSWER 0x80 /* in the opcode of either protocol */

struct scene {
	struct opened_sources sources;
	struct host *host;
	struct tenf_gateway gateway;
	bool has_gateway;
	struct exposed_list exposed;
	struct findings findings;
	struct baseline baseline;
	char missing[MISSING_MAX][REPORT_LINE]; /* what could not be looked at */
	size_t missing_count;
};

static void miss(struct scene *scene, const char *what, const char *why)
{
	struct tenf_text t;

	if (scene->missing_count == MISSING_MAX)
		return;
	t = tenf_text_of(scene->missing[scene->missing_count++], REPORT_LINE);
	tenf_text_add(&t, what);
	if (why[0] == '\0')
		return;
	tenf_text_add(&t, ": ");
	tenf_text_add(&t, why);
}

/* ---- Looking ------------------------------------------------------------------ */

static void find_gateway(struct cli *cli, struct scene *scene)
{
	struct tenf_error error = { .result = -1 };
	enum tenf_status status = tenf_find_gateway(&cli->global.ask, &scene->gateway, &error);

	scene->has_gateway = status == TENF_OK;
	if (!scene->has_gateway)
		miss(scene, "What is open at a gateway is not known beyond our own record",
		     report_reason(&error));
}

/* RFC 6886 §3.2: requests that arrive on the outside must be ignored. From inside
 * only its own outside address can be asked, which is what a stranger would ask. */
static bool answers_outside(struct cli *cli, const struct tenf_gateway *gateway)
{
	struct tenf_options ask = cli->global.ask;
	uint8_t request[2] = { 0, 0 }, answer[1100];
	size_t len = sizeof(answer);
	struct tenf_error error;
	char place[TENF_ADDRESS_SIZE + 8];
	struct tenf_text t = tenf_text_of(place, sizeof(place));

	if (gateway->address_class != TENF_ADDRESS_PUBLIC ||
	    strcmp(gateway->external_address, gateway->address) == 0)
		return false;
	output_endpoint(&t, gateway->external_address, gateway->port, NULL);
	ask.gateway = place;
	ask.interface = NULL;
	ask.timeout_ms = ask.timeout_ms < OUTSIDE_TIMEOUT_MS ? ask.timeout_ms :
							       OUTSIDE_TIMEOUT_MS;
	return tenf_raw_exchange(&ask, request, sizeof(request), answer, &len, NULL, NULL,
				 &error) == TENF_OK &&
	       len >= 8 && (answer[1] & ANSWER) != 0;
}

static int look_at_host(struct cli *cli, struct scene *scene)
{
	scene->host = host_new(true, true);
	if (scene->host == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	if (scene->host->network_error != 0)
		miss(scene, "The addresses of this computer cannot be read",
		     strerror(scene->host->network_error));
	if (scene->host->sockets_error != 0)
		miss(scene, "Who listens here cannot be read",
		     strerror(scene->host->sockets_error));
	if (scene->host->unknown_programs > 0)
		miss(scene, "Some programs that listen belong to other users; root sees them", "");
	if (scene->host->ruleset == NULL)
		miss(scene, "The firewall of this computer cannot be read",
		     scene->host->firewall_error);
	return CLI_EXIT_DONE;
}

static int look(struct cli *cli, struct scene *scene)
{
	struct findings_scene judged = { .exposed = &scene->exposed };
	enum tenf_status status;
	int code = opened_sources_read(cli, &scene->sources);

	if (code == CLI_EXIT_DONE)
		opened_ledger_try(cli, &scene->sources);
	if (code == CLI_EXIT_DONE)
		code = look_at_host(cli, scene);
	if (code != CLI_EXIT_DONE)
		return code;
	find_gateway(cli, scene);
	if (scene->has_gateway) {
		judged.gateway = &scene->gateway;
		opened_router_try(cli, &scene->gateway, &scene->sources);
		if (!scene->sources.router_was_asked)
			miss(scene, NO_LIST, "");
		judged.answers_outside = answers_outside(cli, &scene->gateway);
	}
	status = exposed_join(&scene->sources.list, scene->host, &scene->exposed);
	if (status == TENF_OK)
		status = findings_judge(&judged, &scene->findings);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

/* ---- Telling ------------------------------------------------------------------ */

static int print_json(struct cli *cli, const struct scene *scene)
{
	json_t *exposed = json_array(), *findings = json_array(), *missing = json_array();

	for (size_t i = 0; i < scene->exposed.count; i++) {
		if (!baseline_knows_exposed(&scene->baseline, &scene->exposed.items[i]))
			(void)shape_append(&exposed, exposed_shape(&scene->exposed.items[i]));
	}
	for (size_t i = 0; i < scene->findings.count; i++) {
		if (!baseline_knows_finding(&scene->baseline, &scene->findings.items[i]))
			(void)shape_append(&findings, finding_shape(&scene->findings.items[i]));
	}
	for (size_t i = 0; i < scene->missing_count; i++)
		(void)shape_append(&missing, shape_text(scene->missing[i]));
	return json_print(cli, json_pack("{so so so}", "exposed", exposed, "findings", findings,
					 "missing", missing));
}

static void fill_row(char (*row)[OUTPUT_CELL], const struct exposed *e)
{
	const struct tenf_mapping *m = &e->opened->mapping;
	struct tenf_text t = tenf_text_of(row[0], OUTPUT_CELL);

	if (m->external_port != 0)
		output_endpoint(&t, m->external_address, m->external_port,
				m->protocol == TENF_TCP ? "tcp" : "udp");
	else
		tenf_text_add(&t, "?");
	t = tenf_text_of(row[1], OUTPUT_CELL);
	if (e->opened->sources == OPENED_DIRECT)
		tenf_text_add_char(&t, '-');
	else
		output_endpoint(&t, m->internal_address, m->internal_port, NULL);
	t = tenf_text_of(row[2], OUTPUT_CELL);
	exposed_listener_text(&t, e);
	if (e->firewall == HOST_KEEPS_OUT)
		tenf_text_add(&t, ", kept out by the firewall");
	t = tenf_text_of(row[3], OUTPUT_CELL);
	opened_source_text(&t, e->opened);
}

static size_t print_table(struct cli *cli, const struct scene *scene)
{
	static const char titles[][12] = { "OUTSIDE", "INSIDE", "PROGRAM", "SOURCE" };
	struct output_table table = { .columns = TENF_ARRAY_SIZE(titles) };
	char (*row)[OUTPUT_CELL] = output_table_row(&table);
	size_t rows = 0;

	for (size_t c = 0; row != NULL && c < table.columns; c++) {
		struct tenf_text t = tenf_text_of(row[c], OUTPUT_CELL);

		tenf_text_add(&t, titles[c]);
	}
	for (size_t i = 0; i < scene->exposed.count; i++) {
		if (baseline_knows_exposed(&scene->baseline, &scene->exposed.items[i]))
			continue;
		row = output_table_row(&table);
		if (row != NULL)
			fill_row(row, &scene->exposed.items[i]);
		rows++;
	}
	if (rows > 0)
		output_table_print(cli, &table);
	output_table_done(&table);
	return rows;
}

static enum output_color color_of(enum severity severity)
{
	return severity == SEVERITY_HIGH ? OUTPUT_RED :
	       severity >= SEVERITY_MEDIUM ? OUTPUT_YELLOW :
					     OUTPUT_PLAIN;
}

static void print_finding(struct cli *cli, const struct finding *finding)
{
	char line[REPORT_LINE + sizeof(finding->text)];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	tenf_text_add(&t, severity_code(finding->severity));
	while (t.used < 8)
		tenf_text_add_char(&t, ' ');
	tenf_text_add(&t, finding->text);
	output_wrapped(cli, cli->out, color_of(finding->severity), 8, line);
	if (finding->advice[0] == '\0')
		return;
	t = tenf_text_of(line, sizeof(line));
	tenf_text_add(&t, "     →  ");
	tenf_text_add(&t, finding->advice);
	output_wrapped(cli, cli->out, OUTPUT_PLAIN, 8, line);
}

static void print_text(struct cli *cli, const struct scene *scene)
{
	bool is_new = scene->baseline.known != NULL;
	size_t rows = print_table(cli, scene), findings = 0;

	if (rows == 0)
		cli_note(cli, is_new ? "Nothing new is open." : "Nothing is known to be open.");
	for (size_t i = 0; i < scene->findings.count; i++) {
		const struct finding *finding = &scene->findings.items[i];

		if (baseline_knows_finding(&scene->baseline, finding))
			continue;
		if (findings++ == 0 && rows > 0)
			putc('\n', cli->out);
		print_finding(cli, finding);
	}
	(void)cli_flush(cli);
	if (rows > 0 && findings == 0)
		cli_note(cli, is_new ? "Nothing new is wrong with it." :
				       "Nothing is wrong with it.");
	for (size_t i = 0; !cli->global.quiet && i < scene->missing_count; i++) {
		char line[REPORT_LINE + 16];
		struct tenf_text t = tenf_text_of(line, sizeof(line));

		tenf_text_add(&t, "Not seen: ");
		tenf_text_add(&t, scene->missing[i]);
		output_wrapped(cli, cli->err, OUTPUT_PLAIN, 4, line);
	}
}

static int verdict(const struct scene *scene, bool fails, enum severity from)
{
	for (size_t i = 0; fails && i < scene->findings.count; i++) {
		const struct finding *finding = &scene->findings.items[i];

		if (finding->severity >= from &&
		    !baseline_knows_finding(&scene->baseline, finding))
			return CLI_EXIT_EXPOSED;
	}
	return CLI_EXIT_DONE;
}

int verb_exposure(struct cli *cli)
{
	const char *fail_on = cli->arguments.value[CLI_FAIL_ON];
	enum severity from = SEVERITY_INFO;
	struct scene *scene = calloc(1, sizeof(*scene));
	int status;

	if (scene == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	if (fail_on != NULL && !severity_parse(fail_on, &from))
		status = cli_usage(cli, "--fail-on: \"%s\" is not a severity; write info, low, "
				   "medium or high", fail_on);
	else
		status = baseline_read(cli, cli->arguments.value[CLI_BASELINE], &scene->baseline);
	if (status == CLI_EXIT_DONE)
		status = look(cli, scene);
	if (status == CLI_EXIT_DONE) {
		if (cli->global.json)
			(void)print_json(cli, scene);
		else
			print_text(cli, scene);
		status = verdict(scene, fail_on != NULL, from);
	}
	findings_done(&scene->findings);
	exposed_done(&scene->exposed);
	baseline_done(&scene->baseline);
	opened_sources_done(&scene->sources);
	host_done(scene->host);
	free(scene);
	return status;
}

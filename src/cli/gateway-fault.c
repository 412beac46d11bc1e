/* SPDX-License-Identifier: MIT */
/* gateway fault: what a test gateway does wrong, shown and changed. */
#include "cli/gateway.h"

#include "base/text.h"
#include "cli/json.h"
#include "cli/output.h"

#include <string.h>

#define FAULTS_PATH "/v1/faults"
#define KEY_SIZE 32

/* "loss=30%" of the command line as a member of the request; exit status. */
static int add_word(struct cli *cli, json_t *body, const char *word)
{
	const char *equals = strchr(word, '=');
	char key[KEY_SIZE];
	struct tenf_text t = tenf_text_of(key, sizeof(key));

	if (equals == NULL || equals == word || (size_t)(equals - word) >= sizeof(key))
		return cli_usage(cli, "gateway fault: \"%s\" is no fault; write KEY=VALUE such as "
				 "loss=30%%, or none", word);
	for (const char *at = word; at < equals; at++)
		tenf_text_add_char(&t, *at);
	if (json_object_get(body, key) != NULL)
		return cli_usage(cli, "gateway fault: %s is given twice; give it once", key);
	if (json_object_set_new(body, key, json_string(equals + 1)) != 0)
		return cli_usage(cli, "gateway fault: \"%s\" is no text", word);
	return CLI_EXIT_DONE;
}

static int read_words(struct cli *cli, json_t *body)
{
	const struct cli_arguments *a = &cli->arguments;
	int status = CLI_EXIT_DONE;

	if (a->count == 2 && strcmp(a->words[1], "none") == 0)
		return CLI_EXIT_DONE;
	for (size_t i = 1; status == CLI_EXIT_DONE && i < a->count; i++)
		status = add_word(cli, body, a->words[i]);
	return status;
}

/* Shares come as 0.3 and are shown as 30%; what is off is not shown. */
static bool add_value(struct tenf_text *t, const char *key, const json_t *value)
{
	static const char seconds[] = "delay reboot_every lifetime_cap";
	double number = json_number_value(value);
	char text[64];

	if (json_is_string(value)) {
		tenf_text_add(t, json_string_value(value));
		return true;
	}
	if (!json_is_number(value) || number <= 0 || number > 1e12)
		return false;
	if (strstr(seconds, key) != NULL)
		(void)snprintf(text, sizeof(text), "%g s", number);
	else
		(void)snprintf(text, sizeof(text), "%g%%", number * 100);
	tenf_text_add(t, text);
	return true;
}

static int show(struct cli *cli, struct remote *remote)
{
	json_t *faults = NULL, *value;
	bool any = false;
	const char *key;
	int status = gateway_request(cli, remote, "GET", FAULTS_PATH, NULL, &faults);

	if (status != CLI_EXIT_DONE)
		return status;
	if (cli->global.json)
		return json_print(cli, faults);
	json_object_foreach(faults, key, value) {
		char line[160];
		struct tenf_text t = tenf_text_of(line, sizeof(line));

		tenf_text_add(&t, key);
		tenf_text_add(&t, ": ");
		if (!add_value(&t, key, value))
			continue;
		tenf_text_add(&t, "\n");
		output_text(cli, cli->out, OUTPUT_PLAIN, line);
		any = true;
	}
	if (!any)
		cli_note(cli, "The gateway makes no mistakes on purpose.");
	json_decref(faults);
	return CLI_EXIT_DONE;
}

int gateway_fault(struct cli *cli, struct remote *remote)
{
	json_t *body;
	int status;

	if (cli->arguments.count > 1) {
		body = json_object();
		status = read_words(cli, body);
		if (status == CLI_EXIT_DONE)
			status = gateway_request(cli, remote, "PUT", FAULTS_PATH, body, NULL);
		json_decref(body);
		if (status != CLI_EXIT_DONE)
			return status;
	}
	return show(cli, remote);
}

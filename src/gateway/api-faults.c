/* SPDX-License-Identifier: MIT */
/*
 * GET and PUT /v1/faults: the keys of [Faults] in small letters with underscores.
 * A text means what it means in gateway.conf; a number is a share from 0 to 1,
 * or seconds.
 */
#include "gateway/api.h"

#include "gateway/api-shapes.h"
#include "gateway/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 32
#define VALUE_SIZE 64

/* ---- Out ---------------------------------------------------------------- */

static json_t *share(unsigned chance)
{
	return json_real((double)chance / FAULTS_ALL);
}

/* Seconds, or a text for a random time between two. */
static json_t *delay_of(const struct faults_config *f)
{
	char text[VALUE_SIZE];

	if (f->delay_min == f->delay_max)
		return json_real((double)f->delay_min / TENF_SECOND);
	(void)snprintf(text, sizeof(text), "%lldms-%lldms",
		       (long long)(f->delay_min / TENF_MILLISECOND),
		       (long long)(f->delay_max / TENF_MILLISECOND));
	return json_string(text);
}

static json_t *ignored(const struct responder_quirks *q)
{
	if (q->ignore_pcp && q->ignore_natpmp)
		return json_string("natpmp,pcp");
	if (q->ignore_pcp)
		return json_string("pcp");
	return q->ignore_natpmp ? json_string("natpmp") : json_null();
}

static json_t *faults_json(const struct faults_config *f)
{
	return json_pack("{so so so so so so so so so sI so}",
			 "loss", share(f->loss), "delay", delay_of(f),
			 "duplicate", share(f->duplicate), "reorder", share(f->reorder),
			 "truncate", share(f->truncate), "wrong_source", share(f->wrong_source),
			 "refuse", share(f->quirks.refuse),
			 "other_port", share(f->quirks.other_port),
			 "reboot_every", json_real((double)f->reboot_every / TENF_SECOND),
			 "lifetime_cap", (json_int_t)f->quirks.lifetime_cap_s,
			 "ignore", ignored(&f->quirks));
}

static bool is_a_test_gateway(const struct daemon *d, struct control_request *request)
{
	if (d->config.backend == CONFIG_MEMORY)
		return true;
	control_answer_error(request, 409, "conflict",
			     "faults are for Backend=memory alone: this gateway serves people");
	return false;
}

void api_get_faults(struct control_request *request, void *context)
{
	const struct daemon *d = context;

	if (is_a_test_gateway(d, request))
		control_answer_json(request, 200, faults_json(&d->config.faults));
}

/* ---- In ----------------------------------------------------------------- */

static bool is_share(const char *key)
{
	static const char *const shares[] = { "loss", "duplicate", "reorder", "truncate",
					      "wrongsource", "refuse", "otherport" };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(shares); i++) {
		if (strcasecmp(key, shares[i]) == 0)
			return true;
	}
	return false;
}

/* "wrong_source" is WrongSource=. */
static void plain_key(const char *key, char ret[KEY_SIZE])
{
	struct tenf_text t = tenf_text_of(ret, KEY_SIZE);

	for (; *key != '\0'; key++) {
		if (*key != '_')
			tenf_text_add_char(&t, *key);
	}
}

/* A value as the file has it; NULL when it cannot be one. */
static const char *value_text(const char *key, const json_t *value, char buffer[VALUE_SIZE])
{
	double number = json_number_value(value);

	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (!json_is_number(value) || number < 0 || number > UINT32_MAX)
		return NULL;
	if (is_share(key))
		(void)snprintf(buffer, VALUE_SIZE, "%.2f%%", number * 100);
	else if (json_is_integer(value))
		(void)snprintf(buffer, VALUE_SIZE, "%.0f", number);
	else
		(void)snprintf(buffer, VALUE_SIZE, "%.0fms", number * 1000);
	return buffer;
}

/* What is not named is off, so `config` starts without faults. */
static bool read_faults(json_t *body, struct gateway_config *config, struct tenf_text *why)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value) {
		char key[KEY_SIZE];
		char buffer[VALUE_SIZE];
		const char *text;

		if (json_is_null(value))
			continue;
		plain_key(name, key);
		text = value_text(key, value, buffer);
		if (text == NULL) {
			tenf_text_add(why, "the value of ");
			tenf_text_add(why, key);
			tenf_text_add(why, " is neither a number from 0 nor a text nor a boolean");
			return false;
		}
		if (!config_set_fault(config, key, text, why))
			return false;
	}
	return true;
}

void api_put_faults(struct control_request *request, void *context)
{
	struct daemon *d = context;
	struct gateway_config *config;
	char reason[512];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));
	json_t *body;

	if (!is_a_test_gateway(d, request) || !control_request_json(request, &body))
		return;
	config = calloc(1, sizeof(*config));
	if (config == NULL)
		control_answer_json(request, 500, NULL);
	else if (!read_faults(body, config, &why))
		control_answer_error(request, 400, "argument", reason);
	else if (!daemon_set_faults(d, &config->faults, &why))
		control_answer_error(request, 500, "system", reason);
	else
		control_answer_done(request);
	daemon_turn(d); /* another reboot is due */
	free(config);
	json_decref(body);
}

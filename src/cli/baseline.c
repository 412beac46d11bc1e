/* SPDX-License-Identifier: MIT */
#include "cli/baseline.h"

#include "files/whole-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 320

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

static void add_number(struct tenf_text *t, const json_t *object, const char *key)
{
	int64_t number = json_integer_value(json_object_get(object, key));

	tenf_text_add_number(t, number > 0 ? (uint64_t)number : 0);
	tenf_text_add_char(t, ' ');
}

/* Where it is open and where it leads; not until when, nor who knows of it. The
 * address of a gateway changes, and nothing is new by that. */
static void add_mapping(struct tenf_text *t, const json_t *mapping)
{
	tenf_text_add(t, text_of(mapping, "protocol"));
	tenf_text_add_char(t, ' ');
	add_number(t, mapping, "external_port");
	add_number(t, mapping, "internal_port");
	tenf_text_add(t, text_of(mapping, "internal_address"));
}

static void exposed_key(char key[KEY_SIZE], const json_t *exposed)
{
	struct tenf_text t = tenf_text_of(key, KEY_SIZE);

	tenf_text_add(&t, "exposed ");
	add_mapping(&t, exposed);
	tenf_text_add_char(&t, ' ');
	tenf_text_add(&t, text_of(json_object_get(exposed, "listener"), "program"));
}

static void finding_key(char key[KEY_SIZE], const json_t *finding)
{
	struct tenf_text t = tenf_text_of(key, KEY_SIZE);

	tenf_text_add(&t, "finding ");
	tenf_text_add(&t, text_of(finding, "severity"));
	tenf_text_add_char(&t, ' ');
	tenf_text_add(&t, text_of(finding, "code"));
	tenf_text_add_char(&t, ' ');
	add_mapping(&t, json_object_get(finding, "mapping"));
}

static bool learn(struct baseline *baseline, const json_t *list,
		  void (*key_of)(char key[KEY_SIZE], const json_t *one))
{
	if (!json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		char key[KEY_SIZE];

		key_of(key, json_array_get(list, i));
		if (json_object_set_new(baseline->known, key, json_true()) != 0)
			return false;
	}
	return true;
}

bool baseline_parse(const json_t *document, struct baseline *ret)
{
	ret->known = json_object();
	return ret->known != NULL &&
	       learn(ret, json_object_get(document, "exposed"), exposed_key) &&
	       learn(ret, json_object_get(document, "findings"), finding_key);
}

void baseline_done(struct baseline *baseline)
{
	json_decref(baseline->known);
	baseline->known = NULL;
}

int baseline_read(struct cli *cli, const char *path, struct baseline *ret)
{
	enum tenf_status status;
	json_t *document;
	char *data = NULL;
	size_t len = 0;
	bool is_one;

	*ret = (struct baseline){ NULL };
	if (path == NULL)
		return CLI_EXIT_DONE;
	status = whole_file_read(path, BASELINE_FILE_MAX, &data, &len);
	if (status != TENF_OK)
		return cli_usage(cli, "--baseline: cannot read %s: %s; make it with: "
				 "tenforward exposure --json > %s", path,
				 status == TENF_E_LIMIT ? "it is too large" : strerror(errno),
				 path);
	document = json_loadb(data, len, 0, NULL);
	free(data);
	is_one = document != NULL && baseline_parse(document, ret);
	json_decref(document);
	if (!is_one)
		return cli_usage(cli, "--baseline: %s is not what exposure --json prints", path);
	return CLI_EXIT_DONE;
}

static bool knows(const struct baseline *baseline, json_t *shape,
		  void (*key_of)(char key[KEY_SIZE], const json_t *one))
{
	char key[KEY_SIZE];

	key_of(key, shape);
	json_decref(shape);
	return baseline->known != NULL && json_object_get(baseline->known, key) != NULL;
}

bool baseline_knows_exposed(const struct baseline *baseline, const struct exposed *exposed)
{
	return knows(baseline, exposed_shape(exposed), exposed_key);
}

bool baseline_knows_finding(const struct baseline *baseline, const struct finding *finding)
{
	return knows(baseline, finding_shape(finding), finding_key);
}

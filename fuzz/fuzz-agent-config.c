/* SPDX-License-Identifier: MIT */
/*
 * The agent's configuration from any text: a mistake is told in words, and what
 * is taken for good keeps what everything after it relies on.
 */
#include "fuzz.h"

#include "agent/config-private.h"

#include <string.h>

static void check_mappings(const struct agent_config *c)
{
	FUZZ_CHECK(c->mapping_count <= CONFIG_MAPPINGS_MAX);
	for (size_t i = 0; i < c->mapping_count; i++) {
		const struct record_wish *w = &c->mappings[i];

		FUZZ_CHECK(w->internal_port != 0 && w->lifetime_s != 0);
		FUZZ_CHECK(!w->exact || w->external_port != 0);
		FUZZ_CHECK(!w->open_firewall || c->firewall != FIREWALL_NONE);
	}
}

static void check_targets(const struct agent_config *c)
{
	FUZZ_CHECK(c->hook_count <= CONFIG_HOOKS_MAX);
	FUZZ_CHECK(c->connector_count <= CONFIG_CONNECTORS_MAX);
	for (size_t i = 0; i < c->hook_count; i++)
		FUZZ_CHECK(c->hooks[i].target[0] != '\0' && c->hooks[i].timeout_s != 0);
	for (size_t i = 0; i < c->connector_count; i++)
		FUZZ_CHECK(c->connectors[i].url[0] != '\0' && c->connectors[i].mapping[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_mistake mistake = { .text = "" };
	struct agent_config config;
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	/* Secrets are read from files; devices would wait for somebody to type. */
	if (strstr(text, "/dev") == NULL && strstr(text, "/proc") == NULL) {
		if (config_read_text("fuzz", text, &config, &mistake)) {
			check_mappings(&config);
			check_targets(&config);
			config_done(&config);
		} else {
			FUZZ_CHECK(mistake.text[0] != '\0');
		}
	}
	free(text);
	return 0;
}

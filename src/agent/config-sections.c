/* SPDX-License-Identifier: MIT */
/* What a section needs to be whole, and its place in the configuration. */
#include "agent/config-private.h"

#include <stdlib.h>
#include <string.h>

void config_begin_section(struct config_reading *r, enum config_section section)
{
	r->section = section;
	r->section_line = r->line;
	r->mapping = (struct config_draft){ .wish.lifetime_s = TENF_DEFAULT_LIFETIME_S };
	r->hook = (struct config_hook){ .timeout_s = CONFIG_TIMEOUT_S };
	r->hook_targets = 0;
	r->connector = (struct config_connector){ .type = CONNECTOR_QBITTORRENT };
	r->type_said = false;
}

static bool make_room(struct config_reading *r, size_t more)
{
	size_t count = r->config->mapping_count + more;
	struct record_wish *mappings =
		reallocarray(r->config->mappings, count, sizeof(*mappings));
	struct config_note *notes;

	if (mappings == NULL)
		return false;
	r->config->mappings = mappings;
	notes = reallocarray(r->notes, count, sizeof(*notes));
	if (notes == NULL)
		return false;
	r->notes = notes;
	return true;
}

static void add_wishes(struct config_reading *r, const struct tenf_forward *f, unsigned line)
{
	struct agent_config *c = r->config;
	unsigned count = tenf_forward_count(f);

	if (count > CONFIG_MAPPINGS_MAX - c->mapping_count) {
		config_complain(r, line, "more than 4096 mappings", NULL, "name fewer ports");
		return;
	}
	if (!make_room(r, count)) {
		config_complain(r, 0, "out of memory", NULL, "try again");
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		struct record_wish *wish = &c->mappings[c->mapping_count];

		*wish = r->mapping.wish;
		r->through_count += wish->through;
		wish->protocol = f->protocol;
		wish->internal_port = (uint16_t)(f->internal_first + i);
		wish->external_port =
			(uint16_t)(f->external_first != 0 ? f->external_first + i : 0);
		r->notes[c->mapping_count++] = (struct config_note){
			.origin = { r->path, line },
			.place_said = r->mapping.place_said,
			.methods_said = r->mapping.methods_said,
			.firewall = r->mapping.firewall,
		};
	}
}

static void end_mapping(struct config_reading *r)
{
	const struct config_draft *draft = &r->mapping;

	if (draft->wish.through && draft->wish.follow)
		config_complain(r, r->section_line, "Through=yes together with Follow=yes", NULL,
				"write one of them: behind two routers the port inside stays");
	if (draft->forward_count == 0)
		config_complain(r, r->section_line, "this mapping has no Forward=", NULL,
				"write Forward=8080/tcp, Forward=80:8080/tcp or the like");
	for (size_t i = 0; i < draft->forward_count && !r->failed; i++) {
		if (draft->wish.exact && draft->forwards[i].external_first == 0)
			config_complain(r, draft->forward_lines[i],
					"Exact=yes together with any external port", NULL,
					"name the external port in Forward=, or leave Exact= out");
		else
			add_wishes(r, &draft->forwards[i], draft->forward_lines[i]);
	}
	if (!r->failed && r->through_count > AGENT_THROUGH_MAX)
		config_complain(r, r->section_line, "more than 256 mappings with Through=yes", NULL,
				"leave Through= out of some of them");
}

static void end_hook(struct config_reading *r)
{
	struct agent_config *c = r->config;

	if (r->hook_targets == 0)
		config_complain(r, r->section_line, "this hook tells nobody", NULL,
				"write one of Run=, Webhook= and File=");
	else if (r->hook_targets > 1)
		config_complain(r, r->section_line, "this hook has more than one target", NULL,
				"write one of Run=, Webhook= and File= in each [Hook]");
	else if (r->hook.format[0] != '\0' && r->hook.kind != HOOK_FILE)
		config_complain(r, r->section_line, "Format= without File=", NULL,
				"leave it out: commands and webhooks get the whole event");
	else if (c->hook_count == CONFIG_HOOKS_MAX)
		config_complain(r, r->section_line, "more than 64 hooks", NULL,
				"join some of them");
	if (r->failed)
		return;
	r->hook_origins[c->hook_count] = (struct config_origin){ r->path, r->section_line };
	c->hooks[c->hook_count++] = r->hook;
}

static void end_connector(struct config_reading *r)
{
	struct agent_config *c = r->config;
	const struct config_connector *it = &r->connector;

	if (!r->type_said)
		config_complain(r, r->section_line, "this connector has no Type=", NULL,
				"write Type=qbittorrent, Type=transmission or Type=deluge");
	else if (it->url[0] == '\0')
		config_complain(r, r->section_line, "this connector has no Url=", NULL,
				"write where it is, such as Url=http://127.0.0.1:8080");
	else if (it->mapping[0] == '\0')
		config_complain(r, r->section_line, "this connector has no Mapping=", NULL,
				"write the Name= of the mapping whose port it is told");
	else if (c->connector_count == CONFIG_CONNECTORS_MAX)
		config_complain(r, r->section_line, "more than 16 connectors", NULL,
				"leave some out");
	if (r->failed)
		return;
	r->connector_origins[c->connector_count] =
		(struct config_origin){ r->path, r->section_line };
	c->connectors[c->connector_count++] = *it;
}

void config_end_section(struct config_reading *r)
{
	if (!r->failed) {
		switch (r->section) {
		case CONFIG_IN_NONE:
		case CONFIG_IN_AGENT:
			break;
		case CONFIG_IN_MAPPING:
			end_mapping(r);
			break;
		case CONFIG_IN_HOOK:
			end_hook(r);
			break;
		case CONFIG_IN_CONNECTOR:
			end_connector(r);
			break;
		}
	}
	r->section = CONFIG_IN_NONE;
}

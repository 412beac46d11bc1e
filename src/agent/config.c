/* SPDX-License-Identifier: MIT */
/* One file after the other, then the environment, then the whole is checked. */
#include "agent/config-private.h"

#include "agent/config-paths.h"
#include "agent/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void config_complain(struct config_reading *r, unsigned line, const char *what, const char *value,
		     const char *right)
{
	struct tenf_text file, t;

	if (r->failed)
		return;
	r->failed = true;
	r->mistake->line = line;
	file = tenf_text_of(r->mistake->file, sizeof(r->mistake->file));
	t = tenf_text_of(r->mistake->text, sizeof(r->mistake->text));
	tenf_text_add(&file, r->path);
	tenf_text_add(&t, what);
	if (value != NULL) {
		tenf_text_add_char(&t, '"');
		tenf_text_add(&t, value);
		tenf_text_add_char(&t, '"');
	}
	if (right != NULL) {
		tenf_text_add(&t, "; ");
		tenf_text_add(&t, right);
	}
}

void config_mistake_text(const struct config_mistake *mistake, char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);

	tenf_text_add(&t, mistake->file);
	if (mistake->line > 0) {
		tenf_text_add_char(&t, ':');
		tenf_text_add_number(&t, mistake->line);
	}
	tenf_text_add(&t, ": ");
	tenf_text_add(&t, mistake->text);
}

static void complain_at(struct config_reading *r, struct config_origin origin, const char *what,
			const char *value, const char *right)
{
	r->path = origin.file;
	config_complain(r, origin.line, what, value, right);
}

/* ---- The whole ---------------------------------------------------------- */

/* Gateway, interface and namespace belong together: a mapping that names one of
 * them takes none from [Agent]. */
static void take_defaults(struct config_reading *r, size_t i)
{
	const struct agent_config *c = r->config;
	struct record_wish *wish = &c->mappings[i];
	struct config_note *note = &r->notes[i];
	unsigned methods = wish->place.methods;
	bool here;

	if (!note->place_said)
		wish->place = c->place;
	wish->place.methods = note->methods_said ? methods : c->place.methods;
	here = wish->internal_address[0] == '\0' && wish->place.namespace[0] == '\0';
	if (wish->place.namespace[0] != '\0' && wish->place.methods == TENF_METHOD_IGD)
		complain_at(r, note->origin, "Method=igd in another network namespace", NULL,
			    "UPnP is spoken in the agent's own alone; run an agent there: "
			    "tenforwardd@.service");
	if (note->firewall == CONFIG_YES && c->firewall == FIREWALL_NONE)
		complain_at(r, note->origin, "Firewall=yes, but no firewall is named", NULL,
			    "write Firewall=nftables or Firewall=firewalld in [Agent]");
	if (note->firewall == CONFIG_YES && !here)
		complain_at(r, note->origin, "Firewall=yes for another host or namespace",
			    NULL, "open the firewall there; it is ours that is opened here");
	wish->open_firewall = note->firewall == CONFIG_YES ||
			      (note->firewall == CONFIG_UNSAID && here &&
			       c->firewall != FIREWALL_NONE);
}

static bool collide(const struct record_wish *a, const struct record_wish *b)
{
	bool same_protocol = a->protocol == b->protocol || a->protocol == TENF_BOTH ||
			     b->protocol == TENF_BOTH;

	return a->internal_port == b->internal_port && same_protocol &&
	       strcmp(a->internal_address, b->internal_address) == 0 &&
	       strcmp(a->place.interface, b->place.interface) == 0 &&
	       strcmp(a->place.gateway, b->place.gateway) == 0 &&
	       strcmp(a->place.namespace, b->place.namespace) == 0;
}

static void complain_collision(struct config_reading *r, size_t first, size_t second)
{
	const struct config_origin *other = &r->notes[first].origin;
	char what[PATH_MAX + 128];
	struct tenf_text t = tenf_text_of(what, sizeof(what));

	tenf_text_add(&t, "internal port ");
	tenf_text_add_number(&t, r->config->mappings[second].internal_port);
	tenf_text_add_char(&t, '/');
	tenf_text_add(&t, tenf_protocol_name(r->config->mappings[second].protocol));
	tenf_text_add(&t, " is already mapped by ");
	tenf_text_add(&t, other->file);
	if (other->line > 0) {
		tenf_text_add_char(&t, ':');
		tenf_text_add_number(&t, other->line);
	}
	complain_at(r, r->notes[second].origin, what, NULL,
		    "leave one of the two out, or name another gateway");
}

static void check_collisions(struct config_reading *r)
{
	const struct agent_config *c = r->config;

	for (size_t second = 1; second < c->mapping_count && !r->failed; second++) {
		for (size_t first = 0; first < second; first++) {
			if (collide(&c->mappings[first], &c->mappings[second])) {
				complain_collision(r, first, second);
				break;
			}
		}
	}
}

static size_t count_named(const struct agent_config *c, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < c->mapping_count; i++)
		count += strcmp(c->mappings[i].name, name) == 0;
	return count;
}

static void check_targets(struct config_reading *r)
{
	const struct agent_config *c = r->config;

	for (size_t i = 0; i < c->hook_count; i++) {
		const char *name = c->hooks[i].mapping;

		if (name[0] != '\0' && count_named(c, name) == 0)
			complain_at(r, r->hook_origins[i],
				    "a hook for a mapping that does not exist: ", name,
				    "write the Name= of a [Mapping]");
	}
	for (size_t i = 0; i < c->connector_count; i++) {
		const char *name = c->connectors[i].mapping;
		size_t count = count_named(c, name);

		if (count == 0)
			complain_at(r, r->connector_origins[i],
				    "a connector for a mapping that does not exist: ", name,
				    "write the Name= of a [Mapping]");
		else if (count > 1) /* an application listens on one port */
			complain_at(r, r->connector_origins[i],
				    "a connector for a mapping of several ports: ", name,
				    "name a mapping of one port, /both for TCP and UDP");
	}
}

static void check_whole(struct config_reading *r)
{
	const struct agent_config *c = r->config;

	for (size_t i = 0; i < c->mapping_count && !r->failed; i++)
		take_defaults(r, i);
	check_collisions(r);
	check_targets(r);
	if (c->firewall == FIREWALL_NFTABLES && c->firewall_set[0] == '\0')
		complain_at(r, r->firewall_origin, "Firewall=nftables without FirewallSet=", NULL,
			    "name the set of your rules: FirewallSet=inet filter tenforward");
	if (c->listen[0] != '\0' && c->token[0] == '\0')
		complain_at(r, r->listen_origin, "Listen= without TokenFile=", NULL,
			    "whoever reaches this port could open others; write TokenFile= too");
}

/* ---- Files -------------------------------------------------------------- */

static void read_one(struct config_reading *r, const char *path)
{
	char *text;
	size_t len;
	enum tenf_status status = file_read(path, CONFIG_FILE_SIZE_MAX, &text, &len);

	r->path = path;
	if (status != TENF_OK) {
		config_complain(r, 0, "the file cannot be read", NULL,
				status == TENF_E_SYSTEM	 ? strerror(errno)
				: status == TENF_E_LIMIT ? "it is larger than 1 MiB"
							 : "out of memory");
		return;
	}
	if (strlen(text) != len) {
		config_complain(r, 0, "the file is no text", NULL, "write it in UTF-8");
	} else {
		r->text = text;
		config_read_lines(r);
	}
	free(text);
}

static void read_files(struct config_reading *r, const char *path)
{
	enum tenf_status status;

	r->path = path;
	status = config_paths_list(path, r->files, CONFIG_FILES_MAX, &r->file_count);
	if (status == TENF_E_LIMIT)
		config_complain(r, 0, "more than 255 drop-ins beside this file", NULL,
				"join some of them");
	else if (status != TENF_OK)
		config_complain(r, 0, "its drop-ins cannot be read", NULL, strerror(errno));
	for (size_t i = 0; i < r->file_count && !r->failed; i++)
		read_one(r, r->files[i]);
}

static bool start(struct config_reading *r)
{
	struct agent_config *c = r->config;

	c->hooks = calloc(CONFIG_HOOKS_MAX, sizeof(*c->hooks));
	c->connectors = calloc(CONFIG_CONNECTORS_MAX, sizeof(*c->connectors));
	config_paths_socket(c->socket, sizeof(c->socket));
	config_paths_state(c->state, sizeof(c->state));
	return c->hooks != NULL && c->connectors != NULL;
}

typedef void (*read_source)(struct config_reading *r, const void *source);

static void read_path(struct config_reading *r, const void *source)
{
	if (source != NULL)
		read_files(r, source);
	if (!r->failed)
		config_set_environment(r);
}

static void read_string(struct config_reading *r, const void *source)
{
	char *text = strdup(source);

	if (text == NULL) {
		config_complain(r, 0, "out of memory", NULL, "try again");
		return;
	}
	r->text = text;
	config_read_lines(r);
	free(text);
}

static bool read_whole(const char *path, read_source read, const void *source,
		       struct agent_config *ret, struct config_mistake *ret_mistake)
{
	struct agent_config *c = calloc(1, sizeof(*c));
	struct config_reading *r = calloc(1, sizeof(*r));
	bool good = false;

	if (c != NULL && r != NULL) {
		*r = (struct config_reading){ .config = c, .mistake = ret_mistake, .path = path };
		if (!start(r))
			config_complain(r, 0, "out of memory", NULL, "try again");
		if (!r->failed)
			read(r, source);
		if (!r->failed)
			check_whole(r);
		good = !r->failed;
		for (size_t i = 0; i < r->file_count; i++)
			free(r->files[i]);
		free(r->notes);
	} else {
		*ret_mistake = (struct config_mistake){ .text = "out of memory" };
	}
	if (good)
		*ret = *c;
	else if (c != NULL)
		config_done(c);
	free(r);
	free(c);
	return good;
}

bool config_read(const char *path, struct agent_config *ret, struct config_mistake *ret_mistake)
{
	return read_whole("", read_path, path, ret, ret_mistake);
}

bool config_read_text(const char *path, const char *text, struct agent_config *ret,
		      struct config_mistake *ret_mistake)
{
	return read_whole(path, read_string, text, ret, ret_mistake);
}

void config_done(struct agent_config *config)
{
	free(config->mappings);
	free(config->hooks);
	if (config->connectors != NULL)
		explicit_bzero(config->connectors,
			       config->connector_count * sizeof(*config->connectors));
	free(config->connectors);
	explicit_bzero(config, sizeof(*config));
}

/* SPDX-License-Identifier: MIT */
#include "cli/devices.h"

#include "base/text.h"
#include "cli/leases.h"
#include "files/whole-file.h"

#include <stdlib.h>
#include <string.h>

bool devices_path(char ret[PATH_MAX])
{
	char *name;

	if (!leases_path(ret, PATH_MAX))
		return false;
	name = strrchr(ret, '/');
	memcpy(name, "/upnp", sizeof("/upnp")); /* shorter than "/leases" */
	return true;
}

#if TENF_WITH_IGD

#define FILE_MAX ((size_t)DEVICES_MAX * 1024)
#define NEIGHBOURS "/proc/net/arp"
#define NEIGHBOURS_MAX ((size_t)1 << 20)
#define NETWORK_SIZE 128

static char *read_text(const char *path, size_t max)
{
	char *text = NULL;
	size_t len = 0;

	if (whole_file_read(path, max, &text, &len) != TENF_OK)
		return NULL;
	return text;
}

void devices_options(const struct cli *cli, struct devices *ret)
{
	char path[PATH_MAX];
	char *text, *neighbours;

	ret->options = cli->global.ask;
	ret->hints[0] = '\0';
	if (ret->options.methods != 0 && (ret->options.methods & TENF_METHOD_IGD) == 0)
		return;
	text = devices_path(path) ? read_text(path, FILE_MAX) : NULL;
	if (text == NULL)
		return;
	neighbours = read_text(NEIGHBOURS, NEIGHBOURS_MAX);
	devices_choose(text, neighbours != NULL ? neighbours : "", ret->hints,
		       sizeof(ret->hints));
	ret->options.igd_hints = ret->hints;
	free(neighbours);
	free(text);
}

static void keep(const struct tenf_gateway *gateway, const char *hint)
{
	char network[NETWORK_SIZE], path[PATH_MAX];
	char *before, *after, *neighbours;

	if (!devices_path(path) || gateway->interface[0] == '\0')
		return;
	neighbours = read_text(NEIGHBOURS, NEIGHBOURS_MAX);
	devices_network(neighbours != NULL ? neighbours : "", gateway->address,
			gateway->interface, network, sizeof(network));
	before = read_text(path, FILE_MAX);
	after = devices_merge(before != NULL ? before : "", network, hint);
	if (after != NULL && whole_file_folders(path) == TENF_OK)
		(void)!whole_file_write(path, after, strlen(after), 0600);
	free(after);
	free(before);
	free(neighbours);
}

void devices_keep_session(const struct cli *cli, const struct tenf_session *session)
{
	char hint[TENF_IGD_HINT_SIZE];
	struct tenf_gateway gateway;

	(void)cli;
	if (session == NULL || !tenf_session_igd_hint(session, hint))
		return;
	tenf_session_gateway(session, &gateway);
	keep(&gateway, hint);
}

void devices_keep_discovery(const struct cli *cli, const struct tenf_discovery *discovery)
{
	char hint[TENF_IGD_HINT_SIZE];
	struct tenf_gateway gateway;

	(void)cli;
	for (size_t i = 0; i < tenf_discovery_count(discovery); i++) {
		if (!tenf_discovery_igd_hint(discovery, i, hint))
			continue;
		tenf_discovery_gateway(discovery, i, &gateway);
		keep(&gateway, hint);
	}
}

#else

void devices_options(const struct cli *cli, struct devices *ret)
{
	ret->options = cli->global.ask;
}

void devices_keep_session(const struct cli *cli, const struct tenf_session *session)
{
	(void)cli, (void)session;
}

void devices_keep_discovery(const struct cli *cli, const struct tenf_discovery *discovery)
{
	(void)cli, (void)discovery;
}

#endif

/* ---- Texts ------------------------------------------------------------------------ */

/* The n-th word of a line, from 0; its length 0 when there is none. */
static const char *word_of(const char *line, size_t len, unsigned n, size_t *ret_len)
{
	const char *end = line + len;

	for (;; n--) {
		while (line < end && *line == ' ')
			line++;
		*ret_len = 0;
		while (line + *ret_len < end && line[*ret_len] != ' ')
			++*ret_len;
		if (n == 0 || *ret_len == 0)
			return line;
		line += *ret_len;
	}
}

static bool is_word(const char *line, size_t len, unsigned n, const char *word, size_t word_len)
{
	size_t found;
	const char *at = word_of(line, len, n, &found);

	return found == word_len && memcmp(at, word, found) == 0;
}

/* The next line of `*text`, which moves behind it; false at the end. */
static bool next_line(const char **text, const char **ret, size_t *ret_len)
{
	if (**text == '\0')
		return false;
	*ret = *text;
	*ret_len = strcspn(*text, "\n");
	*text += *ret_len + ((*text)[*ret_len] == '\n');
	return true;
}

/* Columns of /proc/net/arp: address, type, flags, hardware address, mask, device. */
static void add_hardware(struct tenf_text *t, const char *neighbours, const char *gateway,
			 size_t gateway_len, const char *interface, size_t interface_len)
{
	const char *line;
	size_t len, mac_len;

	while (next_line(&neighbours, &line, &len)) {
		const char *mac = word_of(line, len, 3, &mac_len);

		if (!is_word(line, len, 0, gateway, gateway_len) ||
		    !is_word(line, len, 5, interface, interface_len) || mac_len != 17 ||
		    memcmp(mac, "00:00:00:00:00:00", mac_len) == 0)
			continue;
		for (size_t i = 0; i < mac_len; i++)
			tenf_text_add_char(t, mac[i]);
		return;
	}
	tenf_text_add_char(t, '-');
}

void devices_network(const char *neighbours, const char *gateway, const char *interface,
		     char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);

	tenf_text_add(&t, gateway);
	tenf_text_add_char(&t, ' ');
	tenf_text_add(&t, interface);
	tenf_text_add_char(&t, ' ');
	add_hardware(&t, neighbours, gateway, strlen(gateway), interface, strlen(interface));
}

/* Whether the gateway of this line is the one there now, as far as that is known. */
static bool is_here(const char *line, size_t len, const char *neighbours)
{
	char now[32];
	struct tenf_text t = tenf_text_of(now, sizeof(now));
	size_t gateway_len, interface_len;
	const char *gateway = word_of(line, len, 0, &gateway_len);
	const char *interface = word_of(line, len, 1, &interface_len);

	add_hardware(&t, neighbours, gateway, gateway_len, interface, interface_len);
	return strcmp(now, "-") == 0 || is_word(line, len, 2, "-", 1) ||
	       is_word(line, len, 2, now, strlen(now));
}

void devices_choose(const char *text, const char *neighbours, char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);
	const char *line;
	size_t len, hint_len;

	while (next_line(&text, &line, &len)) {
		const char *hint = word_of(line, len, 3, &hint_len);
		size_t left = (size_t)(line + len - hint);

		if (hint_len == 0 || left + 1 >= size - t.used || !is_here(line, len, neighbours))
			continue;
		for (size_t i = 0; i < left; i++)
			tenf_text_add_char(&t, hint[i]);
		tenf_text_add_char(&t, '\n');
	}
}

/* One gateway on one interface has one line, whatever its hardware was before. */
static bool is_same_place(const char *line, size_t len, const char *network)
{
	size_t gateway_len, interface_len;
	const char *gateway = word_of(network, strlen(network), 0, &gateway_len);
	const char *interface = word_of(network, strlen(network), 1, &interface_len);

	return is_word(line, len, 0, gateway, gateway_len) &&
	       is_word(line, len, 1, interface, interface_len);
}

char *devices_merge(const char *before, const char *network, const char *hint)
{
	size_t first = strlen(network) + 1 + strlen(hint);
	size_t size = first + strlen(before) + 3;
	char *text = calloc(1, size);
	unsigned count = 1;
	struct tenf_text t;
	const char *line, *rest = before;
	size_t len;

	if (text == NULL)
		return NULL;
	t = tenf_text_of(text, size);
	tenf_text_add(&t, network);
	tenf_text_add_char(&t, ' ');
	tenf_text_add(&t, hint);
	tenf_text_add_char(&t, '\n');
	if (strncmp(before, text, t.used) == 0) {
		free(text);
		return NULL;
	}
	while (count < DEVICES_MAX && next_line(&rest, &line, &len)) {
		if (len == 0 || is_same_place(line, len, network))
			continue;
		for (size_t i = 0; i < len; i++)
			tenf_text_add_char(&t, line[i]);
		tenf_text_add_char(&t, '\n');
		count++;
	}
	return text;
}

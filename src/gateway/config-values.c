/* SPDX-License-Identifier: MIT */
#include "gateway/config-values.h"

#include "base/span.h"
#include "wire/pcp.h"

#include <string.h>
#include <strings.h>

#define WORD_MAX 64

bool config_next_word(const char **text, char *ret, size_t size)
{
	const char *at = *text;
	size_t len;

	at += strspn(at, ", \t");
	len = strcspn(at, ", \t");
	if (len == 0 || len >= size)
		return false;
	memcpy(ret, at, len);
	ret[len] = '\0';
	*text = at + len;
	return true;
}

/* Only separators are left. */
static bool is_at_end(const char *text)
{
	return text[strspn(text, ", \t")] == '\0';
}

bool config_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;

	if (!tenf_text_number(text, strlen(text), max, &value) || value < min)
		return false;
	*ret = value;
	return true;
}

bool config_yes_no(const char *text, bool *ret)
{
	bool yes = strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0;

	if (!yes && strcasecmp(text, "no") != 0 && strcasecmp(text, "false") != 0)
		return false;
	*ret = yes;
	return true;
}

/* Per cent with up to two decimals. */
bool config_chance(const char *text, unsigned *ret)
{
	size_t len = strlen(text);
	const char *dot = strchr(text, '.');
	size_t whole_len = dot != NULL ? (size_t)(dot - text) : len - 1;
	uint64_t whole;
	uint64_t part = 0;
	bool yes;

	if (config_yes_no(text, &yes)) {
		*ret = yes ? FAULTS_ALL : 0;
		return true;
	}
	if (len < 2 || text[len - 1] != '%' || !tenf_text_number(text, whole_len, 100, &whole))
		return false;
	if (dot != NULL) {
		size_t decimals = len - whole_len - 2;

		if (decimals > 2 || !tenf_text_number(dot + 1, decimals, 99, &part))
			return false;
		part *= decimals == 1 ? 10 : 1;
	}
	if (whole * 100 + part > FAULTS_ALL)
		return false;
	*ret = (unsigned)(whole * 100 + part);
	return true;
}

bool config_duration(const char *text, tenf_duration *ret)
{
	size_t len = strlen(text);
	uint64_t ms;
	uint32_t seconds;

	if (len > 2 && strcmp(text + len - 2, "ms") == 0) {
		if (!tenf_text_number(text, len - 2, UINT32_MAX, &ms))
			return false;
		*ret = (tenf_duration)ms * TENF_MILLISECOND;
		return true;
	}
	if (!tenf_span_parse(text, &seconds))
		return false;
	*ret = tenf_seconds(seconds);
	return true;
}

bool config_durations(const char *text, tenf_duration *ret_min, tenf_duration *ret_max)
{
	const char *dash = strchr(text, '-');
	char first[WORD_MAX];
	tenf_duration min;
	tenf_duration max;

	if (dash == NULL) {
		if (!config_duration(text, &min))
			return false;
		max = min;
	} else {
		size_t len = (size_t)(dash - text);

		if (len >= sizeof(first))
			return false;
		memcpy(first, text, len);
		first[len] = '\0';
		if (!config_duration(first, &min) || !config_duration(dash + 1, &max) || max < min)
			return false;
	}
	*ret_min = min;
	*ret_max = max;
	return true;
}

/* What listens there must not be reachable from outside: telnet, portmapper,
 * Windows RPC, NetBIOS, SMB, remote shells and printers, SQL Server, NFS, telnet
 * again, MySQL, remote desktop, PostgreSQL, ADB, VNC, WinRM, X11, Redis, printers,
 * Elasticsearch, memcached, MongoDB. */
static const struct policy_range dangerous[] = {
	{ 23, 23 },	  { 111, 111 },	  { 135, 139 },	  { 445, 445 },	    { 512, 515 },
	{ 1433, 1434 },	  { 2049, 2049 }, { 2323, 2323 }, { 3306, 3306 },   { 3389, 3389 },
	{ 5432, 5432 },	  { 5555, 5555 }, { 5900, 5903 }, { 5985, 5986 },   { 6000, 6010 },
	{ 6379, 6379 },	  { 9100, 9100 }, { 9200, 9200 }, { 11211, 11211 }, { 27017, 27017 },
};

static bool add_range(struct policy_ports *ports, struct policy_range range)
{
	if (ports->count == POLICY_RANGES_MAX)
		return false;
	ports->at[ports->count++] = range;
	return true;
}

static bool parse_range(const char *word, struct policy_range *ret)
{
	const char *dash = strchr(word, '-');
	size_t len = dash != NULL ? (size_t)(dash - word) : strlen(word);
	uint64_t first;
	uint64_t last;

	if (!tenf_text_number(word, len, UINT16_MAX, &first) || first == 0)
		return false;
	last = first;
	if (dash != NULL && !config_number(dash + 1, first, UINT16_MAX, &last))
		return false;
	*ret = (struct policy_range){ (uint16_t)first, (uint16_t)last };
	return true;
}

bool config_ports(const char *text, struct policy_ports *ret)
{
	struct policy_ports ports = { .count = 0 };
	char word[WORD_MAX];

	while (config_next_word(&text, word, sizeof(word))) {
		struct policy_range range;
		bool is_preset = strcasecmp(word, "dangerous") == 0;

		for (size_t i = 0; is_preset && i < TENF_ARRAY_SIZE(dangerous); i++) {
			if (!add_range(&ports, dangerous[i]))
				return false;
		}
		if (!is_preset && !(parse_range(word, &range) && add_range(&ports, range)))
			return false;
	}
	if (!is_at_end(text) || ports.count == 0)
		return false;
	*ret = ports;
	return true;
}

static bool is_among(const struct tenf_address *list, size_t count, const struct tenf_address *a)
{
	for (size_t i = 0; i < count; i++) {
		if (tenf_address_equal(&list[i], a))
			return true;
	}
	return false;
}

bool config_pool(const char *text, struct tenf_address *list, size_t max, size_t *count)
{
	struct tenf_prefix prefix;
	uint64_t hosts;
	size_t used = *count;

	if (!tenf_prefix_parse(text, &prefix) || !tenf_address_is_v4(&prefix.address) ||
	    prefix.length < 96 || tenf_address_is_none(&prefix.address) ||
	    tenf_address_is_multicast(&prefix.address))
		return false;
	hosts = (uint64_t)1 << (128 - prefix.length);
	for (uint64_t i = 0; i < hosts; i++) {
		uint32_t number = tenf_address_to_v4(&prefix.address) + (uint32_t)i;
		struct tenf_address address = tenf_address_v4(number);

		if (is_among(list, used, &address))
			continue;
		if (used == max)
			return false;
		list[used++] = address;
	}
	*count = used;
	return true;
}

bool config_protocol(const char *text, enum tenf_protocol *ret)
{
	static const struct {
		const char *name;
		enum tenf_protocol protocol;
	} names[] = { { "tcp", TENF_TCP }, { "udp", TENF_UDP }, { "both", TENF_BOTH } };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(names); i++) {
		if (strcasecmp(text, names[i].name) == 0) {
			*ret = names[i].protocol;
			return true;
		}
	}
	return false;
}

bool config_interfaces(const char *text, struct config_interfaces *ret)
{
	struct config_interfaces all = *ret;

	while (all.count < CONFIG_INTERFACES_MAX &&
	       config_next_word(&text, all.at[all.count], CONFIG_NAME_MAX))
		all.count++;
	if (!is_at_end(text) || all.count == ret->count)
		return false;
	*ret = all;
	return true;
}

bool config_protocols(const char *text, bool *ret_natpmp, bool *ret_pcp)
{
	bool natpmp = false;
	bool pcp = false;
	bool none = false;
	char word[WORD_MAX];

	while (config_next_word(&text, word, sizeof(word))) {
		if (strcasecmp(word, "natpmp") == 0)
			natpmp = true;
		else if (strcasecmp(word, "pcp") == 0)
			pcp = true;
		else if (strcasecmp(word, "none") == 0)
			none = true;
		else
			return false;
	}
	if (!is_at_end(text) || none == (natpmp || pcp))
		return false;
	*ret_natpmp = natpmp;
	*ret_pcp = pcp;
	return true;
}

bool config_listen(const char *text, struct tenf_endpoint *ret)
{
	size_t len = strlen(text);
	/* Port 0, not the end of a bare IPv6 address. */
	bool any = len > 2 && strcmp(text + len - 2, ":0") == 0 &&
		   (text[len - 3] == ']' || strchr(text, ':') == text + len - 2);
	char buffer[TENF_ENDPOINT_TEXT];
	struct tenf_endpoint endpoint;

	if (len >= sizeof(buffer))
		return false;
	memcpy(buffer, text, len + 1);
	if (any) /* which tenf_endpoint_parse does not take for an endpoint */
		buffer[len - 1] = '1';
	if (!tenf_endpoint_parse(buffer, PCP_PORT, &endpoint) ||
	    tenf_address_is_none(&endpoint.address) ||
	    tenf_address_is_multicast(&endpoint.address))
		return false;
	if (any)
		endpoint.port = 0;
	*ret = endpoint;
	return true;
}

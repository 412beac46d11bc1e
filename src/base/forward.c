/* SPDX-License-Identifier: MIT */
#include "base/forward.h"

#include <string.h>

struct span {
	const char *at;
	size_t len;
};

struct ports {
	uint16_t first;
	uint16_t last;
};

static void say(struct tenf_text *why, const char *text, struct span part, const char *rest)
{
	if (why == NULL)
		return;
	tenf_text_add(why, text);
	tenf_text_add(why, "\"");
	for (size_t i = 0; i < part.len; i++)
		tenf_text_add_char(why, part.at[i]);
	tenf_text_add(why, "\"");
	tenf_text_add(why, rest);
}

static bool parse_protocol(struct span s, enum tenf_protocol *ret)
{
	static const enum tenf_protocol all[] = { TENF_TCP, TENF_UDP, TENF_BOTH };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(all); i++) {
		const char *name = tenf_protocol_name(all[i]);

		if (s.len == strlen(name) && memcmp(s.at, name, s.len) == 0) {
			*ret = all[i];
			return true;
		}
	}
	return false;
}

static bool parse_port(struct span s, uint16_t *ret, struct tenf_text *why)
{
	uint64_t value;

	if (!tenf_text_number(s.at, s.len, UINT64_MAX, &value)) {
		say(why, "", s, " is not a port; write a number from 1 to 65535");
		return false;
	}
	if (value < 1 || value > 65535) {
		say(why, "port ", s, " does not exist; ports go from 1 to 65535");
		return false;
	}
	*ret = (uint16_t)value;
	return true;
}

static bool parse_ports(struct span s, struct ports *ret, struct tenf_text *why)
{
	const char *dash = memchr(s.at, '-', s.len);
	struct span first = s;
	struct ports p;

	if (dash != NULL)
		first.len = (size_t)(dash - s.at);
	if (!parse_port(first, &p.first, why))
		return false;
	p.last = p.first;
	if (dash != NULL) {
		struct span last = { dash + 1, s.len - first.len - 1 };

		if (!parse_port(last, &p.last, why))
			return false;
	}
	if (p.last < p.first) {
		say(why, "the range ", s, " is empty; write the lower port first");
		return false;
	}
	*ret = p;
	return true;
}

static bool has_port_shape(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((s.at[i] < '0' || s.at[i] > '9') && s.at[i] != '-')
			return false;
	}
	return s.len > 0;
}

static bool is_any(struct span s)
{
	return s.len == 3 && memcmp(s.at, "any", 3) == 0;
}

/* What has not even the shape of a mapping gets the whole lesson. */
static bool has_shape(struct span external, struct span internal, bool has_external)
{
	return has_port_shape(internal) &&
	       (!has_external || is_any(external) || has_port_shape(external));
}

bool tenf_forward_parse(const char *text, struct tenf_forward *ret, struct tenf_text *why)
{
	struct span whole = { text, strlen(text) };
	const char *slash = strchr(text, '/');
	const char *colon = strchr(text, ':');
	struct span internal = { text, slash != NULL ? (size_t)(slash - text) : whole.len };
	struct span external = { text, 0 };
	enum tenf_protocol protocol = TENF_TCP;
	struct ports in, out;

	if (colon != NULL && (slash == NULL || colon < slash)) {
		external.len = (size_t)(colon - text);
		internal.at = colon + 1;
		internal.len -= external.len + 1;
	} else {
		colon = NULL;
	}
	if (!has_shape(external, internal, colon != NULL)) {
		say(why, "", whole,
		    " is not a mapping; write 8080/tcp, 80:8080/tcp or 6881-6889/udp");
		return false;
	}
	if (slash != NULL) {
		struct span name = { slash + 1, strlen(slash + 1) };

		if (!parse_protocol(name, &protocol)) {
			say(why, "", name, " is not a protocol; write tcp, udp or both");
			return false;
		}
	}
	if (!parse_ports(internal, &in, why))
		return false;
	out = in;
	if (colon != NULL && is_any(external))
		out = (struct ports){ 0, 0 };
	else if (colon != NULL && !parse_ports(external, &out, why))
		return false;
	if (out.first != 0 && out.last - out.first != in.last - in.first) {
		say(why, "the ranges of ", whole, " differ in length; write 7000-7010:6000-6010");
		return false;
	}
	*ret = (struct tenf_forward){ .internal_first = in.first,
				      .internal_last = in.last,
				      .external_first = out.first,
				      .protocol = protocol };
	return true;
}

const char *tenf_protocol_name(enum tenf_protocol protocol)
{
	switch (protocol) {
	case TENF_TCP:
		return "tcp";
	case TENF_UDP:
		return "udp";
	case TENF_BOTH:
		return "both";
	}
	return "unknown";
}

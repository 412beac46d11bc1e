/* SPDX-License-Identifier: MIT */
#include "host/matches.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

const json_t *host_rules_find(const struct host_scene *scene, const char *kind, const char *name)
{
	for (size_t i = 0; i < json_array_size(scene->objects); i++) {
		const json_t *one = json_object_get(json_array_get(scene->objects, i), kind);

		if (one != NULL && strcmp(text_of(one, "name"), name) == 0 &&
		    strcmp(text_of(one, "table"), text_of(scene->rule, "table")) == 0 &&
		    strcmp(text_of(one, "family"), text_of(scene->rule, "family")) == 0)
			return one;
	}
	return NULL;
}

static enum host_match when(bool is_so)
{
	return is_so ? HOST_YES : HOST_NO;
}

/* ---- Values ------------------------------------------------------------------ */

static enum host_match is_number(const json_t *value, int64_t number)
{
	const json_t *range = json_object_get(value, "range");

	if (json_is_integer(value))
		return when(json_integer_value(value) == number);
	if (json_array_size(range) != 2 || !json_is_integer(json_array_get(range, 0)) ||
	    !json_is_integer(json_array_get(range, 1)))
		return HOST_MAYBE; /* a service by its name, which is not printed so */
	return when(json_integer_value(json_array_get(range, 0)) <= number &&
		    number <= json_integer_value(json_array_get(range, 1)));
}

/* "eth*" stands for all that begin so. */
static enum host_match is_name(const json_t *value, const char *name)
{
	const char *pattern = json_string_value(value);
	size_t len = pattern != NULL ? strlen(pattern) : 0;

	if (pattern == NULL || name[0] == '\0')
		return HOST_MAYBE;
	if (len > 0 && pattern[len - 1] == '*')
		return when(strncmp(pattern, name, len - 1) == 0);
	return when(strcmp(pattern, name) == 0);
}

/* Somebody on the internet has no private address; which public one is open. */
static enum host_match is_stranger(const json_t *value)
{
	const json_t *prefix = json_object_get(value, "prefix");
	const json_t *range = json_object_get(value, "range");
	const char *text = json_string_value(value);
	struct tenf_address address;

	if (prefix != NULL) {
		if (json_integer_value(json_object_get(prefix, "len")) == 0)
			return HOST_YES;
		text = text_of(prefix, "addr");
	} else if (range != NULL) {
		text = json_string_value(json_array_get(range, 0));
	}
	if (text == NULL || !tenf_address_parse(text, &address))
		return HOST_MAYBE;
	if (tenf_address_is_loopback(&address) ||
	    tenf_address_classify(&address) != TENF_ADDRESS_PUBLIC)
		return HOST_NO;
	return HOST_MAYBE;
}

static enum host_match is_address(const json_t *value, const struct tenf_address *ours)
{
	const json_t *prefix = json_object_get(value, "prefix");
	const char *text = prefix != NULL ? text_of(prefix, "addr") : json_string_value(value);
	struct tenf_prefix p = { .length = 128 };

	if (text == NULL || tenf_address_is_none(ours) || !tenf_address_parse(text, &p.address))
		return HOST_MAYBE;
	if (prefix != NULL) {
		int64_t length = json_integer_value(json_object_get(prefix, "len"));
		int64_t most = tenf_address_is_v4(&p.address) ? 32 : 128;

		if (length < 0 || length > most)
			return HOST_MAYBE;
		p.length = (unsigned)(128 - most + length);
	}
	return when(tenf_prefix_contains(&p, ours));
}

/* A word, or one of several joined to a mask; `word` is what holds here. */
static enum host_match has_word(const json_t *value, const char *word)
{
	const json_t *parts = json_is_array(value) ? value : json_object_get(value, "|");
	enum host_match match = HOST_NO;

	if (json_is_string(value))
		return when(strcmp(json_string_value(value), word) == 0);
	if (!json_is_array(parts))
		return HOST_MAYBE;
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const char *part = json_string_value(json_array_get(parts, i));

		match = host_match_either(match, part == NULL ? HOST_MAYBE :
						 when(strcmp(part, word) == 0));
	}
	return match;
}

/* ---- Facts ------------------------------------------------------------------- */

static const char *protocol_word(const struct host_packet *packet)
{
	return packet->protocol == TENF_TCP ? "tcp" : "udp";
}

static enum host_match is_protocol(const json_t *value, const struct host_packet *packet)
{
	if (json_is_integer(value))
		return when(json_integer_value(value) == (int64_t)packet->protocol);
	return has_word(value, protocol_word(packet));
}

static enum host_match meta_is(const char *key, const json_t *value,
			       const struct host_packet *packet)
{
	if (strcmp(key, "iifname") == 0 || strcmp(key, "iif") == 0)
		return is_name(value, packet->interface);
	if (strcmp(key, "l4proto") == 0)
		return is_protocol(value, packet);
	if (strcmp(key, "nfproto") == 0)
		return has_word(value, packet->is_v6 ? "ipv6" : "ipv4");
	if (strcmp(key, "protocol") == 0)
		return has_word(value, packet->is_v6 ? "ip6" : "ip");
	if (strcmp(key, "pkttype") == 0)
		return has_word(value, "host");
	return HOST_MAYBE;
}

static enum host_match network_is(const char *field, const json_t *value,
				  const struct host_packet *packet)
{
	if (strcmp(field, "saddr") == 0)
		return is_stranger(value);
	if (strcmp(field, "daddr") == 0)
		return is_address(value, &packet->address);
	if (strcmp(field, "protocol") == 0 || strcmp(field, "nexthdr") == 0)
		return is_protocol(value, packet);
	return HOST_MAYBE;
}

static enum host_match payload_is(const json_t *payload, const json_t *value,
				  const struct host_packet *packet)
{
	const char *header = text_of(payload, "protocol"), *field = text_of(payload, "field");

	if (strcmp(header, "ip") == 0)
		return packet->is_v6 ? HOST_NO : network_is(field, value, packet);
	if (strcmp(header, "ip6") == 0)
		return packet->is_v6 ? network_is(field, value, packet) : HOST_NO;
	if (strcmp(header, "th") != 0 && strcmp(header, protocol_word(packet)) != 0)
		return header[0] != '\0' && strcmp(header, "ether") != 0 &&
				       strcmp(header, "vlan") != 0 ?
			       HOST_NO :
			       HOST_MAYBE;
	if (strcmp(field, "flags") == 0)
		return has_word(value, "syn");
	return strcmp(field, "dport") == 0 ? is_number(value, packet->port) : HOST_MAYBE;
}

/* {"&": [the flags of TCP, mask]}: of a first packet SYN alone is set. */
static enum host_match masked_is(const json_t *operands, const json_t *value,
				 const struct host_packet *packet)
{
	const json_t *payload = json_object_get(json_array_get(operands, 0), "payload");

	if (strcmp(text_of(payload, "protocol"), "tcp") != 0 ||
	    strcmp(text_of(payload, "field"), "flags") != 0)
		return HOST_MAYBE;
	if (packet->protocol != TENF_TCP)
		return HOST_NO;
	if (has_word(json_array_get(operands, 1), "syn") != HOST_YES)
		return HOST_MAYBE;
	return when(json_is_string(value) && strcmp(json_string_value(value), "syn") == 0);
}

static enum host_match tracking_is(const char *key, const json_t *value)
{
	if (strcmp(key, "state") == 0)
		return has_word(value, "new");
	/* Translated by the gateway before it got here, not by this computer. */
	if (strcmp(key, "status") == 0 && json_is_string(value))
		return HOST_NO;
	return HOST_MAYBE;
}

static enum host_match fact_is(const json_t *left, const json_t *value,
			       const struct host_packet *packet)
{
	const json_t *fact;

	if ((fact = json_object_get(left, "&")) != NULL)
		return masked_is(fact, value, packet);
	if ((fact = json_object_get(left, "meta")) != NULL)
		return meta_is(text_of(fact, "key"), value, packet);
	if ((fact = json_object_get(left, "payload")) != NULL)
		return payload_is(fact, value, packet);
	if ((fact = json_object_get(left, "ct")) != NULL)
		return tracking_is(text_of(fact, "key"), value);
	if ((fact = json_object_get(left, "fib")) != NULL &&
	    strcmp(text_of(fact, "result"), "type") == 0)
		return has_word(value, "local");
	return HOST_MAYBE;
}

/* ---- Sets -------------------------------------------------------------------- */

static enum host_match is_in_list(const struct host_scene *scene, const json_t *left,
				  const json_t *list)
{
	enum host_match match = HOST_NO;

	for (size_t i = 0; match != HOST_YES && i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const json_t *timed = json_object_get(one, "elem");

		if (timed != NULL)
			one = json_object_get(timed, "val");
		/* A set inside a set is none, and would let us go in circles. */
		if (json_object_get(one, "set") != NULL ||
		    (json_is_string(one) && json_string_value(one)[0] == '@'))
			return HOST_MAYBE;
		match = host_match_either(match, host_match_equal(scene, left, one));
	}
	return match;
}

static enum host_match is_joined(const struct host_scene *scene, const json_t *facts,
				 const json_t *values)
{
	enum host_match match = HOST_YES;

	if (json_array_size(facts) == 0 || json_array_size(facts) != json_array_size(values))
		return HOST_MAYBE;
	for (size_t i = 0; i < json_array_size(facts); i++)
		match = host_match_both(match, fact_is(json_array_get(facts, i),
						       json_array_get(values, i), scene->packet));
	return match;
}

enum host_match host_match_equal(const struct host_scene *scene, const json_t *left,
				 const json_t *right)
{
	const json_t *facts = json_object_get(left, "concat");
	const json_t *set = json_object_get(right, "set");
	const char *name = json_string_value(right);

	if (name != NULL && name[0] == '@') {
		const json_t *named = host_rules_find(scene, "set", name + 1);

		return named != NULL ?
			       is_in_list(scene, left, json_object_get(named, "elem")) :
			       HOST_MAYBE;
	}
	if (set != NULL)
		return is_in_list(scene, left, set);
	if (name != NULL && strcmp(name, "*") == 0) /* the default of a map */
		return HOST_YES;
	if (facts != NULL)
		return is_joined(scene, facts, json_object_get(right, "concat"));
	return fact_is(left, right, scene->packet);
}

static enum host_match not_so(enum host_match match)
{
	return match == HOST_MAYBE ? HOST_MAYBE : when(match == HOST_NO);
}

/* A header that the packet has not: no operation makes the rule fit. */
static bool lacks_header(const json_t *left, const struct host_packet *packet)
{
	const json_t *masked = json_array_get(json_object_get(left, "&"), 0);
	const json_t *payload = json_object_get(masked != NULL ? masked : left, "payload");
	const char *header = text_of(payload, "protocol");

	if (payload == NULL || header[0] == '\0')
		return false;
	if (strcmp(header, "ip") == 0 || strcmp(header, "ip6") == 0)
		return (strcmp(header, "ip6") == 0) != packet->is_v6;
	return strcmp(header, "th") != 0 && strcmp(header, "ether") != 0 &&
	       strcmp(header, "vlan") != 0 && strcmp(header, protocol_word(packet)) != 0;
}

enum host_match host_match_holds(const struct host_scene *scene, const json_t *match)
{
	const json_t *left = json_object_get(match, "left");
	const json_t *right = json_object_get(match, "right");
	const char *op = text_of(match, "op");

	if (left == NULL || right == NULL)
		return HOST_MAYBE;
	if (lacks_header(left, scene->packet))
		return HOST_NO;
	if (strcmp(op, "==") == 0 || strcmp(op, "in") == 0)
		return host_match_equal(scene, left, right);
	if (strcmp(op, "!=") == 0)
		return not_so(host_match_equal(scene, left, right));
	return HOST_MAYBE;
}

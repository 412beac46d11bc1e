/* SPDX-License-Identifier: MIT */
#include "host/rules.h"

#include "host/matches.h"

#include <string.h>

/* What can become of the packet, as a set. */
#define ACCEPTED 1u
#define DROPPED 2u
#define GOES_ON 4u

struct walk {
	struct host_scene scene;
	unsigned left; /* rules that may still be looked at */
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static unsigned walk_chain(struct walk *walk, const json_t *rule, const char *name,
			   unsigned depth);

/* `*ret_stops`: nothing behind it in this chain is looked at. */
static unsigned verdict_of(struct walk *walk, const json_t *rule, const json_t *statement,
			   unsigned depth, bool *ret_stops)
{
	const char *target = text_of(json_object_get(statement, "jump"), "target");
	unsigned can;

	*ret_stops = true;
	if (json_object_get(statement, "accept") != NULL)
		return ACCEPTED;
	if (json_object_get(statement, "drop") != NULL ||
	    json_object_get(statement, "reject") != NULL)
		return DROPPED;
	if (json_object_get(statement, "queue") != NULL)
		return ACCEPTED | DROPPED; /* a program decides */
	if (json_object_get(statement, "return") != NULL)
		return GOES_ON;
	if (json_object_get(statement, "goto") != NULL)
		return walk_chain(walk, rule, text_of(json_object_get(statement, "goto"), "target"),
				  depth + 1);
	*ret_stops = false;
	if (target[0] == '\0')
		return 0;
	can = walk_chain(walk, rule, target, depth + 1);
	*ret_stops = (can & GOES_ON) == 0;
	return can & ~GOES_ON;
}

static const json_t *pairs_of(const struct host_scene *scene, const json_t *map)
{
	const json_t *data = json_object_get(map, "data");
	const char *name = json_string_value(data);

	if (name != NULL && name[0] == '@')
		return json_object_get(host_rules_find(scene, "map", name + 1), "elem");
	return json_object_get(data, "set");
}

/* {"vmap": {"key": …, "data": {"set": [[value, verdict], …]}}} */
static unsigned verdict_of_map(struct walk *walk, const json_t *rule, const json_t *map,
			       unsigned depth, bool *ret_stops)
{
	const json_t *pairs = pairs_of(&walk->scene, map), *key = json_object_get(map, "key");
	unsigned can = 0;

	*ret_stops = false;
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		enum host_match match = host_match_equal(&walk->scene, key,
							 json_array_get(pair, 0));
		bool stops;

		if (match == HOST_NO)
			continue;
		can |= verdict_of(walk, rule, json_array_get(pair, 1), depth, &stops);
		if (match == HOST_YES) {
			*ret_stops = stops;
			return can;
		}
	}
	return can;
}

/* Statements that neither judge nor ask. */
static bool is_beside(const json_t *statement)
{
	static const char *const names[] = { "counter", "log", "mangle", "notrack", "set", "map",
					     "comment", "continue", "secmark", "flow" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (json_object_get(statement, names[i]) != NULL)
			return true;
	}
	return strcmp(text_of(json_object_get(statement, "xt"), "name"), "comment") == 0;
}

static bool is_verdict(const json_t *statement)
{
	static const char *const names[] = { "accept", "drop", "reject", "queue", "return",
					     "goto", "jump" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (json_object_get(statement, names[i]) != NULL)
			return true;
	}
	return false;
}

/* What one rule can do to the packet. */
static unsigned walk_rule(struct walk *walk, const json_t *rule, unsigned depth, bool *ret_stops)
{
	const json_t *statements = json_object_get(rule, "expr");
	enum host_match fits = HOST_YES;
	unsigned can = 0;

	*ret_stops = false;
	for (size_t i = 0; fits != HOST_NO && i < json_array_size(statements); i++) {
		const json_t *one = json_array_get(statements, i);
		const json_t *match = json_object_get(one, "match");
		const json_t *map = json_object_get(one, "vmap");
		bool stops = false;

		if (match != NULL)
			fits = host_match_both(fits, host_match_holds(&walk->scene, match));
		else if (map != NULL)
			can |= verdict_of_map(walk, rule, map, depth, &stops);
		else if (is_verdict(one))
			can |= verdict_of(walk, rule, one, depth, &stops);
		else if (!is_beside(one))
			fits = host_match_both(fits, HOST_MAYBE);
		*ret_stops = stops && fits == HOST_YES;
		if (stops)
			break;
	}
	return can;
}

static bool is_of_chain(const json_t *rule, const json_t *like, const char *chain)
{
	return rule != NULL && strcmp(text_of(rule, "chain"), chain) == 0 &&
	       strcmp(text_of(rule, "table"), text_of(like, "table")) == 0 &&
	       strcmp(text_of(rule, "family"), text_of(like, "family")) == 0;
}

/* `like` has the family and the table. */
static unsigned walk_chain(struct walk *walk, const json_t *like, const char *name,
			   unsigned depth)
{
	const json_t *objects = walk->scene.objects;
	unsigned can = 0;

	if (depth > HOST_JUMPS_MAX)
		return ACCEPTED | DROPPED;
	for (size_t i = 0; i < json_array_size(objects); i++) {
		const json_t *rule = json_object_get(json_array_get(objects, i), "rule");
		bool stops;

		if (walk->left == 0)
			return can | ACCEPTED | DROPPED;
		walk->left--;
		if (!is_of_chain(rule, like, name))
			continue;
		walk->scene.rule = rule;
		can |= walk_rule(walk, rule, depth, &stops);
		if (stops)
			return can;
	}
	return can | GOES_ON;
}

/* Base chains that see what is meant for this computer. */
static bool is_on_the_way(const json_t *chain, const struct host_packet *packet)
{
	const char *hook = text_of(chain, "hook"), *family = text_of(chain, "family");

	return strcmp(text_of(chain, "type"), "filter") == 0 &&
	       (strcmp(hook, "input") == 0 || strcmp(hook, "prerouting") == 0) &&
	       (strcmp(family, "inet") == 0 || strcmp(family, packet->is_v6 ? "ip6" : "ip") == 0);
}

static void tell(struct tenf_text *because, const json_t *chain)
{
	if (because == NULL || because->used > 0)
		return;
	tenf_text_add(because, "chain ");
	tenf_text_add(because, text_of(chain, "name"));
	tenf_text_add(because, " of table ");
	tenf_text_add(because, text_of(chain, "family"));
	tenf_text_add_char(because, ' ');
	tenf_text_add(because, text_of(chain, "table"));
}

static enum host_verdict judge_chain(struct walk *walk, const json_t *chain)
{
	unsigned can;

	walk->scene.rule = chain;
	can = walk_chain(walk, chain, text_of(chain, "name"), 0);
	if ((can & GOES_ON) != 0)
		can |= strcmp(text_of(chain, "policy"), "drop") == 0 ? DROPPED : ACCEPTED;
	if ((can & DROPPED) == 0)
		return HOST_LETS_IN;
	return (can & ACCEPTED) == 0 ? HOST_KEEPS_OUT : HOST_UNSURE;
}

enum host_verdict host_rules_judge(const json_t *ruleset, const struct host_packet *packet,
				   struct tenf_text *because)
{
	struct walk walk = { { json_object_get(ruleset, "nftables"), NULL, packet },
			     HOST_RULES_MAX };
	const json_t *unsure = NULL;

	if (!json_is_array(walk.scene.objects))
		return HOST_UNREADABLE;
	/* Every chain on the way must let it in, so their order does not matter. */
	for (size_t i = 0; i < json_array_size(walk.scene.objects); i++) {
		const json_t *chain = json_object_get(json_array_get(walk.scene.objects, i),
						      "chain");
		enum host_verdict verdict;

		if (chain == NULL || !is_on_the_way(chain, packet))
			continue;
		verdict = judge_chain(&walk, chain);
		if (verdict == HOST_KEEPS_OUT) {
			tell(because, chain);
			return verdict;
		}
		if (verdict == HOST_UNSURE && unsure == NULL)
			unsure = chain;
	}
	if (unsure == NULL)
		return HOST_LETS_IN;
	tell(because, unsure);
	return HOST_UNSURE;
}

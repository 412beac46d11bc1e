/* SPDX-License-Identifier: MIT */
#include "gateway/policy.h"

#include <string.h>

enum tenf_status policy_init(struct policy *policy, const struct policy_rule *rules, size_t count,
			     const struct tenf_memory *memory)
{
	struct policy_rule *copy = NULL;

	if (count > POLICY_RULES_MAX)
		return TENF_E_LIMIT;
	if (count > 0) {
		copy = tenf_memory_zero(memory, count, sizeof(*copy));
		if (copy == NULL)
			return TENF_E_MEMORY;
		memcpy(copy, rules, count * sizeof(*copy));
	}
	*policy = (struct policy){ .memory = memory, .rules = copy, .count = count };
	for (size_t i = 0; i < count; i++) {
		policy->asks |= copy[i].action == POLICY_ASK;
		policy->has_macs |= copy[i].has_mac;
	}
	return TENF_OK;
}

void policy_done(struct policy *policy)
{
	if (policy->memory != NULL)
		tenf_memory_free(policy->memory, policy->rules);
	*policy = (struct policy){ 0 };
}

bool policy_ports_contain(const struct policy_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (port >= ports->at[i].first && port <= ports->at[i].last)
			return true;
	}
	return ports->count == 0;
}

static bool is_from(const struct policy_rule *rule, const struct tenf_address *client,
		    const uint8_t *mac)
{
	if (rule->has_mac && (mac == NULL || memcmp(mac, rule->mac, POLICY_MAC) != 0))
		return false;
	return tenf_prefix_contains(&rule->client, client);
}

/* All but the external port. */
static bool is_about(const struct policy_rule *rule, const struct policy_query *query)
{
	const bool doubt = query->may_be_any_mac && query->mac == NULL &&
			   rule->action != POLICY_DENY;

	if (rule->protocol != 0 && rule->protocol != TENF_BOTH &&
	    rule->protocol != query->protocol)
		return false;
	return is_from(rule, &query->client, doubt ? rule->mac : query->mac) &&
	       policy_ports_contain(&rule->internal, query->internal_port);
}

static enum policy_action action_of(const struct policy_rule *rule,
				    const struct policy_query *query)
{
	return rule->third_party || !query->third_party ? rule->action : POLICY_DENY;
}

static bool is_approved(const struct policy_query *query, uint16_t external_port)
{
	return query->approved &&
	       (query->approved_port == 0 || query->approved_port == external_port);
}

enum policy_action policy_decide(const struct policy *policy, const struct policy_query *query,
				 uint16_t external_port, int *ret_rule)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (is_about(rule, query) && policy_ports_contain(&rule->external, external_port)) {
			enum policy_action action = action_of(rule, query);

			*ret_rule = (int)i;
			return action == POLICY_ASK && is_approved(query, external_port)
				       ? POLICY_ALLOW
				       : action;
		}
	}
	*ret_rule = POLICY_NO_RULE;
	return POLICY_DENY;
}

bool policy_allows(const struct policy *policy, const struct policy_query *query,
		   uint16_t external_port, int *ret_rule)
{
	return policy_decide(policy, query, external_port, ret_rule) == POLICY_ALLOW;
}

const struct policy_rule *policy_rule(const struct policy *policy, int rule)
{
	return rule >= 0 && (size_t)rule < policy->count ? &policy->rules[rule] : NULL;
}

/* The bits of one word that lie between two ports. */
static uint64_t word_mask(size_t word, unsigned first, unsigned last)
{
	uint64_t mask = UINT64_MAX;

	if (word == first / 64)
		mask &= UINT64_MAX << (first % 64);
	if (word == last / 64)
		mask &= UINT64_MAX >> (63 - last % 64);
	return mask;
}

static void paint_range(uint64_t *bitmap, unsigned first, unsigned last, bool on)
{
	for (size_t word = first / 64; word <= last / 64; word++) {
		uint64_t mask = word_mask(word, first, last);

		if (on)
			bitmap[word] |= mask;
		else
			bitmap[word] &= ~mask;
	}
}

/* The external ports of one rule. */
static void paint_rule(const struct policy_rule *rule, const struct policy_query *query,
		       uint64_t *bitmap)
{
	enum policy_action action = action_of(rule, query);
	bool asks = action == POLICY_ASK && query->approved;
	uint16_t only = asks ? query->approved_port : 0;
	bool on = action == POLICY_ALLOW || (asks && only == 0);

	if (rule->external.count == 0)
		paint_range(bitmap, 0, UINT16_MAX, on);
	for (size_t k = 0; k < rule->external.count; k++) {
		const struct policy_range *range = &rule->external.at[k];

		if (range->first <= range->last)
			paint_range(bitmap, range->first, range->last, on);
	}
	if (only != 0 && policy_ports_contain(&rule->external, only))
		paint_range(bitmap, only, only, true);
}

/* From the last rule to the first, so that the first one has the last word. */
bool policy_paint(const struct policy *policy, const struct policy_query *query,
		  uint64_t ret[POLICY_PORT_WORDS])
{
	uint64_t any = 0;

	memset(ret, 0, POLICY_PORT_WORDS * sizeof(*ret));
	for (size_t i = policy->count; i-- > 0;) {
		if (is_about(&policy->rules[i], query))
			paint_rule(&policy->rules[i], query, ret);
	}
	ret[0] &= ~(uint64_t)1; /* port 0 is no port */
	for (size_t word = 0; word < POLICY_PORT_WORDS; word++)
		any |= ret[word];
	return any != 0;
}

bool policy_third_party(const struct policy *policy, const struct tenf_address *client,
			const uint8_t *mac)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->action != POLICY_DENY && rule->third_party && is_from(rule, client, mac))
			return true;
	}
	return false;
}

/* Adds what is between two ports; true when any of it was not there. */
static bool cover_range(uint64_t *bitmap, unsigned first, unsigned last)
{
	bool any = false;

	for (size_t word = first / 64; word <= last / 64; word++) {
		uint64_t mask = word_mask(word, first, last);

		any |= (mask & ~bitmap[word]) != 0;
		bitmap[word] |= mask;
	}
	return any;
}

static bool cover(uint64_t *bitmap, const struct policy_ports *ports)
{
	bool any = false;

	if (ports->count == 0)
		return cover_range(bitmap, 1, UINT16_MAX);
	for (size_t k = 0; k < ports->count; k++) {
		if (ports->at[k].first <= ports->at[k].last)
			any |= cover_range(bitmap, ports->at[k].first, ports->at[k].last);
	}
	return any;
}

/* From the first rule to the last: a port that is decided is not asked about. */
int policy_asking_rule(const struct policy *policy, const struct policy_query *query)
{
	uint64_t decided[POLICY_PORT_WORDS] = { 0 };

	for (size_t i = 0; policy->asks && i < policy->count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (is_about(rule, query) && cover(decided, &rule->external) &&
		    action_of(rule, query) == POLICY_ASK)
			return (int)i;
	}
	return POLICY_NO_RULE;
}

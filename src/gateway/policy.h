/* SPDX-License-Identifier: MIT */
/*
 * Who may have which port: a list of rules, the first that matches decides,
 * and what none matches is denied. A rule looks at who asks, the protocol, the
 * internal port and the external port; its limits then hold for the request. A
 * rule may leave the decision to the administrator (POLICY_ASK): then it denies
 * until somebody has approved the very wish (pending.h), which the query says.
 *
 * The external port is often the gateway's own choice, so a rule list also
 * answers the other way round: the set of external ports it would allow, as a
 * bitmap that the allocator searches (ports.h). Painting it costs one pass
 * over the rules, whatever the ports look like.
 */
#ifndef TENF_GATEWAY_POLICY_H
#define TENF_GATEWAY_POLICY_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/memory.h"

#define POLICY_RULES_MAX 256
#define POLICY_RANGES_MAX 32 /* ranges of one port list */
#define POLICY_NO_RULE (-1)  /* denied because nothing matched */
#define POLICY_NAME_MAX 32   /* octets of a rule's name, with its terminator */
#define POLICY_MAC 6         /* octets of a link-layer address */

#define POLICY_PORT_WORDS (65536 / 64)

enum policy_action {
	POLICY_DENY,
	POLICY_ALLOW,
	POLICY_ASK, /* the administrator decides, wish by wish */
};

struct policy_range {
	uint16_t first;
	uint16_t last;
};

struct policy_ports {
	struct policy_range at[POLICY_RANGES_MAX];
	size_t count; /* 0: every port */
};

/* All zero is "deny everybody everything". */
struct policy_rule {
	enum policy_action action;
	char name[POLICY_NAME_MAX]; /* for people; empty: none */
	struct tenf_prefix client; /* ::/0 is everybody, IPv4 too */
	bool has_mac;              /* and only the client with this link-layer address */
	uint8_t mac[POLICY_MAC];
	enum tenf_protocol protocol; /* 0 or TENF_BOTH: either */
	struct policy_ports external;
	struct policy_ports internal;
	uint32_t mappings_max;    /* for each client; 0: no limit */
	uint32_t lifetime_max_s;  /* 0: the gateway's own */
	uint32_t requests_per_s;  /* for each client; 0: no limit */
	bool third_party;         /* may map for other hosts, RFC 6887 §13.1 */
};

struct policy_query {
	struct tenf_address client; /* who asks */
	enum tenf_protocol protocol;
	uint16_t internal_port;
	bool third_party; /* for another host: a rule without third_party denies it */
	const uint8_t *mac; /* of the client; NULL: unknown, then no rule with a MAC matches */
	bool may_be_any_mac; /* when it is unknown: rules with one that do not deny match */
	bool approved;      /* the administrator said yes: POLICY_ASK allows */
	uint16_t approved_port; /* this external port alone; 0: any that is asked about */
};

struct policy {
	const struct tenf_memory *memory;
	struct policy_rule *rules;
	size_t count;
	bool asks; /* there is a rule with POLICY_ASK */
	bool has_macs;
};

/* Copies the rules. TENF_E_LIMIT above POLICY_RULES_MAX. */
TENF_CHECKED enum tenf_status policy_init(struct policy *policy, const struct policy_rule *rules,
					  size_t count, const struct tenf_memory *memory);
void policy_done(struct policy *policy);

/* May it have this external port? *ret_rule is the number of the rule that
 * decided, from 0, or POLICY_NO_RULE. POLICY_ASK is the answer only to a query
 * that is not approved for this port. */
enum policy_action policy_decide(const struct policy *policy, const struct policy_query *query,
				 uint16_t external_port, int *ret_rule);
/* Is that answer POLICY_ALLOW? */
bool policy_allows(const struct policy *policy, const struct policy_query *query,
		   uint16_t external_port, int *ret_rule);

/* NULL for POLICY_NO_RULE. */
const struct policy_rule *policy_rule(const struct policy *policy, int rule);

/* Sets the bit of each external port that would be allowed; false when none is. */
bool policy_paint(const struct policy *policy, const struct policy_query *query,
		  uint64_t ret[POLICY_PORT_WORDS]);

/* The first rule that would ask about some external port that no rule before it
 * decides, when it is not approved; POLICY_NO_RULE when there is none. */
int policy_asking_rule(const struct policy *policy, const struct policy_query *query);

/* Is there any rule by which this client may map for other hosts? `mac` may be NULL. */
bool policy_third_party(const struct policy *policy, const struct tenf_address *client,
			const uint8_t *mac);

bool policy_ports_contain(const struct policy_ports *ports, uint16_t port);

#endif

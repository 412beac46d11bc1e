/* SPDX-License-Identifier: MIT */
/*
 * The rules of our table. Each packet of a flow that is known passes none of the
 * lookups: the kernel asks the chains of type nat for the first packet alone.
 */
#include "gateway/helper/table.h"

#include <string.h>

#define KEY_MAPPING4 "type inet_proto . ipv4_addr . inet_service"
#define KEY_MAPPING6 "type inet_proto . ipv6_addr . inet_service"
#define TO_ENDPOINT4 " : ipv4_addr . inet_service"
#define DESTINATION4 "meta l4proto . ip daddr . th dport"
#define SOURCE4 "meta l4proto . ip saddr . th sport"
#define DESTINATION6 "meta l4proto . ip6 daddr . th dport"

static void add(struct tenf_text *t, const char *text)
{
	tenf_text_add(t, text);
}

static void add_set(struct tenf_text *t, const char *kind, const char *name, const char *rest,
		    uint64_t size)
{
	add(t, "add ");
	add(t, kind);
	add(t, " inet " TRANSACTION_TABLE " ");
	add(t, name);
	add(t, " { ");
	add(t, rest);
	add(t, "; size ");
	tenf_text_add_number(t, size);
	add(t, "; }\n");
}

_Static_assert(TABLE_FILTERED_MAX >= 2 * LEDGER_FILTERS_TOTAL_MAX &&
		       TABLE_FILTERED_MAX >= 2 * LEDGER_FILTERED_MAX,
	       "all filters fit before and after a change");

static void add_sets(struct tenf_text *t)
{
	add(t, "add table inet " TRANSACTION_TABLE "\n");
	for (unsigned set = SET_DNAT4; element_set_is_dnat4(set) || element_set_is_snat4(set);
	     set++)
		add_set(t, "map", element_set_names[set],
			KEY_MAPPING4 TO_ENDPOINT4 "; flags timeout",
			TABLE_MAPPINGS_MAX);
	add_set(t, "set", "pinhole6", KEY_MAPPING6 "; flags timeout", TABLE_MAPPINGS_MAX);
	add_set(t, "set", "filtered4", KEY_MAPPING4 "; flags timeout", TABLE_FILTERED_MAX);
	add_set(t, "set", "filtered6", KEY_MAPPING6 "; flags timeout", TABLE_FILTERED_MAX);
	add_set(t, "set", "allowed4",
		KEY_MAPPING4 " . ipv4_addr . inet_service; flags interval,timeout",
		TABLE_FILTERED_MAX);
	add_set(t, "set", "allowed6",
		KEY_MAPPING6 " . ipv6_addr . inet_service; flags interval,timeout",
		TABLE_FILTERED_MAX);
	add_set(t, "map", "dpeer4",
		KEY_MAPPING4 " . ipv4_addr . inet_service" TO_ENDPOINT4 "; flags timeout",
		TABLE_PEERS_MAX);
	add_set(t, "map", "speer4",
		KEY_MAPPING4 " . ipv4_addr . inet_service" TO_ENDPOINT4 "; flags timeout",
		TABLE_PEERS_MAX);
	add_set(t, "set", "peer6", KEY_MAPPING6 " . ipv6_addr . inet_service; flags timeout",
		TABLE_PEERS_MAX);
	add_set(t, "set", "state", "type mark", 16);
	add_set(t, "set", "askers4", "type ipv4_addr; flags dynamic,timeout; timeout 10s",
		TABLE_ASKERS_MAX);
	add_set(t, "set", "askers6", "type ipv6_addr; flags dynamic,timeout; timeout 10s",
		TABLE_ASKERS_MAX);
	add_set(t, "set", "senders", "type ether_addr; flags dynamic,timeout; timeout 10s",
		TABLE_ASKERS_MAX);
}

/* The priorities: beside the administrator's own translation, a step before it. */
static void add_chains(struct tenf_text *t)
{
	static const char *const chains[][2] = {
		{ "prerouting", "type nat hook prerouting priority -110" },
		{ "output", "type nat hook output priority -110" },
		{ "postrouting", "type nat hook postrouting priority 90" },
		{ "forward", "type filter hook forward priority -10" },
		{ "input", "type filter hook input priority -10" },
	};

	for (size_t i = 0; i < TENF_ARRAY_SIZE(chains); i++) {
		add(t, "add chain inet " TRANSACTION_TABLE " ");
		add(t, chains[i][0]);
		add(t, " { ");
		add(t, chains[i][1]);
		add(t, "; policy accept; }\nflush chain inet " TRANSACTION_TABLE " ");
		add(t, chains[i][0]);
		tenf_text_add_char(t, '\n');
	}
}

static void begin_rule(struct tenf_text *t, const char *chain)
{
	add(t, "add rule inet " TRANSACTION_TABLE " ");
	add(t, chain);
	tenf_text_add_char(t, ' ');
}

static void add_rule(struct tenf_text *t, const char *chain, const char *rule)
{
	begin_rule(t, chain);
	add(t, rule);
	tenf_text_add_char(t, '\n');
}

static void add_names(struct tenf_text *t, const char *what, const struct helper_names *names)
{
	add(t, what);
	add(t, " { ");
	for (size_t i = 0; i < names->count; i++) {
		add(t, i > 0 ? ", \"" : "\"");
		add(t, names->at[i]);
		tenf_text_add_char(t, '"');
	}
	add(t, " } ");
}

/* To the part of a map that the last bits of the port say. */
static void add_choice(struct tenf_text *t, const char *port, const char *how,
		       enum element_set first)
{
	add(t, port);
	add(t, " & ");
	tenf_text_add_number(t, ELEMENT_PARTS - 1);
	add(t, " vmap { ");
	for (unsigned i = 0; i < ELEMENT_PARTS; i++) {
		add(t, i > 0 ? ", " : "");
		tenf_text_add_number(t, i);
		add(t, " : ");
		add(t, how);
		add(t, " to_");
		add(t, element_set_names[first + i]);
	}
	add(t, " }\n");
}

/* To a mapped external endpoint, from wherever: outside, inside, this host. */
static void add_translation(struct tenf_text *t, const char *chain)
{
	add_rule(t, chain, "dnat ip to " DESTINATION4 " . ip saddr . th sport map @dpeer4");
	add_rule(t, chain,
		 DESTINATION4 " @filtered4 " DESTINATION4
			      " . ip saddr . th sport != @allowed4 return");
	begin_rule(t, chain);
	add_choice(t, "th dport", "goto", SET_DNAT4);
}

/* A chain for each part of a map. */
static void add_parts(struct tenf_text *t, enum element_set first, const char *lookup)
{
	for (unsigned i = 0; i < ELEMENT_PARTS; i++) {
		const char *name = element_set_names[first + i];

		add(t, "add chain inet " TRANSACTION_TABLE " to_");
		add(t, name);
		add(t, "\nflush chain inet " TRANSACTION_TABLE " to_");
		add(t, name);
		add(t, "\nadd rule inet " TRANSACTION_TABLE " to_");
		add(t, name);
		tenf_text_add_char(t, ' ');
		add(t, lookup);
		add(t, name);
		tenf_text_add_char(t, '\n');
	}
}

static void add_postrouting(struct tenf_text *t, const struct helper_setup *setup)
{
	begin_rule(t, "postrouting");
	add_names(t, "oifname", &setup->external);
	add(t, "snat ip to " SOURCE4 " . ip daddr . th dport map @speer4\n");
	begin_rule(t, "postrouting");
	add_names(t, "oifname", &setup->external);
	add_choice(t, "th sport", "jump", SET_SNAT4);
	if (setup->internal.count == 0)
		return;
	/* From inside to inside by way of an external address: the answers have to come
	 * this way too. The caller is shown as that address (RFC 4787 REQ-9). */
	begin_rule(t, "postrouting");
	add_names(t, "iifname", &setup->internal);
	add_names(t, "oifname", &setup->internal);
	add(t, "ct status dnat snat ip to ct original ip daddr\n");
}

/* Told to rules in other tables by a mark. */
static void add_mark(struct tenf_text *t, const struct helper_setup *setup, const char *match)
{
	begin_rule(t, "forward");
	add_names(t, "iifname", &setup->external);
	add(t, match);
	add(t, " meta mark set meta mark or ");
	tenf_text_add_number(t, TABLE_MARK);
	tenf_text_add_char(t, '\n');
}

static void add_pinholes(struct tenf_text *t, const struct helper_setup *setup)
{
	begin_rule(t, "forward");
	add_names(t, "iifname", &setup->external);
	add(t, "ct state new " DESTINATION6 " @filtered6 " DESTINATION6
	       " . ip6 saddr . th sport != @allowed6 drop\n");
	if (!setup->manage_forward)
		return;
	add_mark(t, setup, DESTINATION6 " @pinhole6");
	add_mark(t, setup, DESTINATION6 " . ip6 saddr . th sport @peer6");
}

/* ---- Requests ------------------------------------------------------------------------ */

static void begin_requests(struct tenf_text *t, const struct helper_link *link)
{
	char text[TENF_ADDRESS_TEXT];

	begin_rule(t, "input");
	add(t, "iifname \"");
	add(t, link->interface);
	add(t, tenf_address_is_v4(&link->address.address) ? "\" ip daddr " : "\" ip6 daddr ");
	add(t, tenf_address_text(&link->address.address, text));
	add(t, " udp dport ");
	tenf_text_add_number(t, link->address.port);
	tenf_text_add_char(t, ' ');
}

/* One machine may speak with many addresses, or pretend to: all of them together
 * have this many times the limit of one. On a link without such addresses, a
 * tunnel, the rule finds nothing. */
#define ADDRESSES_OF_SENDER 4

static void add_sender(struct tenf_text *t, const struct helper_link *link, uint64_t flood_per_s)
{
	begin_requests(t, link);
	add(t, "update @senders { ether saddr limit rate over ");
	tenf_text_add_number(t, ADDRESSES_OF_SENDER * flood_per_s);
	add(t, "/second burst ");
	tenf_text_add_number(t, 2 * ADDRESSES_OF_SENDER * flood_per_s);
	add(t, " packets } drop\n");
}

/* What one sender may ask a second passes, with twice that at once; what is above
 * never reaches the daemon, so that others are heard. */
static void add_link(struct tenf_text *t, const struct helper_link *link, uint32_t flood_per_s)
{
	bool v4 = tenf_address_is_v4(&link->address.address);
	char text[TENF_ADDRESS_TEXT];

	if (flood_per_s == 0)
		return;
	add_sender(t, link, flood_per_s);
	begin_requests(t, link);
	add(t, v4 ? "ip saddr " : "ip6 saddr ");
	add(t, tenf_address_text(&link->network.address, text));
	tenf_text_add_char(t, '/');
	tenf_text_add_number(t, v4 ? link->network.length - 96 : link->network.length);
	add(t, v4 ? " update @askers4 { ip saddr" : " update @askers6 { ip6 saddr");
	add(t, " limit rate ");
	tenf_text_add_number(t, flood_per_s);
	add(t, "/second burst ");
	tenf_text_add_number(t, 2 * (uint64_t)flood_per_s);
	add(t, " packets } accept\n");
	begin_requests(t, link);
	add(t, "drop\n");
}

static void add_requests(struct tenf_text *t, const struct helper_setup *setup)
{
	begin_rule(t, "input");
	add_names(t, "iifname", &setup->external);
	add(t, "udp dport 5351 drop\n");
	for (size_t i = 0; i < setup->link_count; i++)
		add_link(t, &setup->links[i], setup->flood_per_s);
}

void table_text(const struct helper_setup *setup, struct tenf_text *ret)
{
	add_sets(ret);
	add_chains(ret);
	add_parts(ret, SET_DNAT4, "dnat ip to " DESTINATION4 " map @");
	add_parts(ret, SET_SNAT4, "snat ip to " SOURCE4 " map @");
	add_translation(ret, "prerouting");
	add_translation(ret, "output");
	add_postrouting(ret, setup);
	add_pinholes(ret, setup);
	add_requests(ret, setup);
}

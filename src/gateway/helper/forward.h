/* SPDX-License-Identifier: MIT */
/*
 * Chains of other tables that drop what is forwarded: a mapped packet passes ours and
 * is dropped there, unless a rule says otherwise. This finds them, says so, and when
 * told to puts the rules in that let mapped packets pass, marked by a comment so
 * that they are found and removed again, after a kill too.
 *
 *	ct status dnat accept           what was translated (IPv4)
 *	meta mark & BIT == BIT accept   what our forward chain saw going to a pinhole (IPv6)
 *
 * Nothing else of other tables is touched, and nothing in tables of iptables, which
 * cannot show such rules. What a chain says in chains it jumps to is not looked at.
 */
#ifndef TENF_GATEWAY_HELPER_FORWARD_H
#define TENF_GATEWAY_HELPER_FORWARD_H

#include "base/text.h"

#include <stdint.h>

#define FORWARD_CHAINS_MAX 64 /* chains of others that are looked at */
#define FORWARD_NAME_MAX 64
#define FORWARD_OWN_MAX 16    /* rules of ours in one chain */
#define FORWARD_COMMENT "tenforward"

struct forward_chain {
	char family[8]; /* inet, ip or ip6 */
	char table[FORWARD_NAME_MAX];
	char name[FORWARD_NAME_MAX];
	bool drops; /* by its policy */
};

/* Filter chains of the forward hook, out of nft's "list chains"; how many. Names that
 * need quotes are passed over. */
size_t forward_find_chains(const char *listed, struct forward_chain *ret, size_t max);

struct forward_rules {
	bool accepts_translated; /* a rule of others does */
	bool accepts_marked;
	uint64_t own[FORWARD_OWN_MAX]; /* handles of ours */
	size_t own_count;
};

/* What nft's "list chain", with handles, says about this. */
void forward_read_rules(const char *listed, struct forward_rules *ret);

/* Does iptables own this chain? */
bool forward_is_of_iptables(const struct forward_chain *chain);

/* Brings the chains of others up to date: our rules are in those that need them when
 * `manage`, and in no other. `notes`: a line for each chain that drops mapped packets. */
void forward_update(bool manage, struct tenf_text *notes);

#endif

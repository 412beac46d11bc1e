/* SPDX-License-Identifier: MIT */
#include "gateway/helper/forward.h"

#include "gateway/helper/table.h"

#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>

/* What nft prints for a command, NULL when it cannot; to be freed. */
static char *list(const char *command)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	char *listed = NULL;

	if (nft == NULL)
		return NULL;
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS);
	if (nft_ctx_buffer_output(nft) == 0 && nft_ctx_buffer_error(nft) == 0 &&
	    nft_run_cmd_from_buffer(nft, command) == 0)
		listed = strdup(nft_ctx_get_output_buffer(nft));
	nft_ctx_free(nft);
	return listed;
}

static void add_place(struct tenf_text *t, const struct forward_chain *chain)
{
	tenf_text_add(t, chain->family);
	tenf_text_add_char(t, ' ');
	tenf_text_add(t, chain->table);
	tenf_text_add_char(t, ' ');
	tenf_text_add(t, chain->name);
}

static bool wants_translated(const struct forward_chain *chain)
{
	return chain->drops && strcmp(chain->family, "ip6") != 0;
}

static bool wants_marked(const struct forward_chain *chain)
{
	return chain->drops && strcmp(chain->family, "ip") != 0;
}

static void add_rule(struct tenf_text *t, const struct forward_chain *chain, const char *rule)
{
	tenf_text_add(t, "insert rule ");
	add_place(t, chain);
	tenf_text_add_char(t, ' ');
	tenf_text_add(t, rule);
	tenf_text_add(t, " accept comment \"" FORWARD_COMMENT "\"\n");
}

/* Ours go and come in one transaction, so that nothing is dropped in between. */
static bool replace_rules(const struct forward_chain *chain, const struct forward_rules *rules,
			  bool manage)
{
	char buffer[8192];
	char ignored[256];
	struct tenf_text t = tenf_text_of(buffer, sizeof(buffer));
	struct tenf_text why = tenf_text_of(ignored, sizeof(ignored));

	for (size_t i = 0; i < rules->own_count; i++) {
		tenf_text_add(&t, "delete rule ");
		add_place(&t, chain);
		tenf_text_add(&t, " handle ");
		tenf_text_add_number(&t, rules->own[i]);
		tenf_text_add_char(&t, '\n');
	}
	if (manage && wants_translated(chain) && !rules->accepts_translated)
		add_rule(&t, chain, "ct status dnat");
	if (manage && wants_marked(chain) && !rules->accepts_marked)
		add_rule(&t, chain, "meta mark & 0x20000000 == 0x20000000");
	return t.used == 0 || table_run(buffer, &why);
}
_Static_assert(TABLE_MARK == 0x20000000u, "the rule tests the bit our table sets");

static void note(const struct forward_chain *chain, bool manage, struct tenf_text *notes)
{
	tenf_text_add(notes, "chain ");
	add_place(notes, chain);
	if (forward_is_of_iptables(chain))
		tenf_text_add(notes, " drops what is mapped; add there: iptables -I FORWARD -m "
				     "conntrack --ctstate DNAT -j ACCEPT\n");
	else if (manage)
		tenf_text_add(notes, " drops what is mapped, and does not take the rule that lets "
				     "it pass\n");
	else
		tenf_text_add(notes, " drops what is mapped; add \"ct status dnat accept\" "
				     "there, or write ManageForward=yes\n");
}

static void update_chain(const struct forward_chain *chain, bool manage, struct tenf_text *notes)
{
	char command[256];
	struct tenf_text t = tenf_text_of(command, sizeof(command));
	bool ours = manage && !forward_is_of_iptables(chain);
	struct forward_rules rules;
	char *listed;

	tenf_text_add(&t, "list chain ");
	add_place(&t, chain);
	listed = list(command);
	if (listed == NULL)
		return; /* it went away meanwhile */
	forward_read_rules(listed, &rules);
	free(listed);
	if ((!replace_rules(chain, &rules, ours) || !ours) && wants_translated(chain) &&
	    !rules.accepts_translated)
		note(chain, manage, notes);
}

void forward_update(bool manage, struct tenf_text *notes)
{
	struct forward_chain *chains = calloc(FORWARD_CHAINS_MAX, sizeof(*chains));
	char *listed = chains == NULL ? NULL : list("list chains");
	size_t count = 0;

	if (listed != NULL)
		count = forward_find_chains(listed, chains, FORWARD_CHAINS_MAX);
	for (size_t i = 0; i < count; i++)
		update_chain(&chains[i], manage, notes);
	free(listed);
	free(chains);
}

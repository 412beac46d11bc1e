/* SPDX-License-Identifier: MIT */
#include "gateway/helper/table.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making ----------------------------------------------------------------------- */

static void add_first_line(struct tenf_text *t, const char *text)
{
	for (; text != NULL && *text != '\0' && *text != '\n'; text++)
		tenf_text_add_char(t, *text);
}

bool table_run(const char *commands, struct tenf_text *why)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	bool good;

	if (nft == NULL || nft_ctx_buffer_error(nft) != 0 || nft_ctx_buffer_output(nft) != 0) {
		tenf_text_add(why, "out of memory");
		nft_ctx_free(nft);
		return false;
	}
	good = nft_run_cmd_from_buffer(nft, commands) == 0;
	if (!good)
		add_first_line(why, nft_ctx_get_error_buffer(nft));
	nft_ctx_free(nft);
	return good;
}

bool table_make(const struct helper_setup *setup, bool fresh, struct tenf_text *why)
{
	char *buffer = malloc(TABLE_TEXT_MAX);
	struct tenf_text text;
	bool good = false;

	if (buffer == NULL) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	text = tenf_text_of(buffer, TABLE_TEXT_MAX);
	if (fresh)
		tenf_text_add(&text, "add table inet " TRANSACTION_TABLE "\n"
				     "delete table inet " TRANSACTION_TABLE "\n");
	table_text(setup, &text);
	if (text.cut)
		tenf_text_add(why, "there are too many interfaces and addresses for one table");
	else
		good = table_run(buffer, why);
	free(buffer);
	return good;
}

/* ---- Reading ------------------------------------------------------------------------- */

struct reading {
	enum element_set set;
	netlink_each each;
	void *context;
	uint32_t number;
	bool complete;
	bool interrupted;
	int code;
};

static uint32_t next_number(void)
{
	static uint32_t number = UINT32_C(1) << 31; /* far from those of transactions */

	return number++ | UINT32_C(1) << 31;
}

static void read_message(const struct nlmsghdr *message, struct reading *reading)
{
	const int *code = mnl_nlmsg_get_payload(message);
	bool has_code = mnl_nlmsg_get_payload_len(message) >= sizeof(*code);

	if (message->nlmsg_seq != reading->number || reading->complete)
		return;
	if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		reading->interrupted = true;
	if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
		reading->complete = true;
		reading->code = has_code ? -*code : EPROTO;
	} else {
		netlink_read_elements(message, reading->set, reading->each, reading->context);
		reading->complete = (message->nlmsg_flags & NLM_F_MULTI) == 0;
	}
}

int table_read(const struct helper_transport *transport, enum element_set set,
	       const struct element *only, netlink_each each, void *context)
{
	struct reading reading = { .set = set, .each = each, .context = context,
				   .number = next_number() };
	uint64_t request[(NETLINK_HEAD_MAX + NETLINK_ELEMENT_MAX) / 8] = { 0 };
	uint64_t answer[TRANSPORT_MESSAGE_MAX / 8];
	struct nlmsghdr *asked = netlink_begin(request, NFT_MSG_GETSETELEM,
					       only == NULL ? NLM_F_DUMP : 0, reading.number);
	int code;

	netlink_put_set(asked, set);
	if (only != NULL) {
		struct nlattr *list = mnl_attr_nest_start(asked, NFTA_SET_ELEM_LIST_ELEMENTS);

		netlink_put_element(asked, only, NETLINK_KEY);
		mnl_attr_nest_end(asked, list);
	}
	code = transport->send(transport->context, request, asked->nlmsg_len);
	while (code == 0 && !reading.complete) {
		const struct nlmsghdr *message = (const void *)answer;
		size_t len = 0;
		int left;

		code = transport->receive(transport->context, answer, sizeof(answer), true, &len);
		left = (int)len;
		for (; code == 0 && mnl_nlmsg_ok(message, left);
		     message = mnl_nlmsg_next(message, &left))
			read_message(message, &reading);
	}
	if (code != 0)
		transport_drain(transport);
	if (code == 0)
		code = reading.code != 0 ? reading.code : reading.interrupted ? EINTR : 0;
	return code;
}

static void read_state(const struct element *e, uint64_t left_ms, void *context)
{
	(void)left_ms;
	if (element_to_state(e, context) != TENF_OK)
		return;
}

int table_read_epoch(const struct helper_transport *transport, tenf_time *ret)
{
	uint8_t user_data[ELEMENT_USER_DATA_MAX];
	tenf_time epoch_start = TENF_NEVER;
	struct element wanted;
	int code;

	element_of_state(0, user_data, &wanted);
	code = table_read(transport, SET_STATE, &wanted, read_state, &epoch_start);
	if (code == 0 && epoch_start == TENF_NEVER)
		code = ENOENT;
	if (code == 0)
		*ret = epoch_start;
	return code;
}

/* ---- What the kernel can do ---------------------------------------------------------- */

static void read_timeout(const struct element *e, uint64_t left_ms, void *context)
{
	uint64_t *timeout_ms = context;

	(void)left_ms;
	*timeout_ms = e->timeout_ms;
}

/* For any generation. */
static enum transaction_result try(struct transaction *t, enum transaction_act act,
				   const struct element *e, int *ret_code)
{
	uint32_t generation = 0;
	enum transaction_result result = TRANSACTION_REFUSED;

	transaction_clear(t);
	*ret_code = transaction_put(t, act, e);
	if (*ret_code == 0)
		result = transaction_commit(t, &generation, ret_code);
	return result;
}

int table_probe(const struct helper_transport *transport, struct transaction_features *ret)
{
	/* No packet has protocol 0. */
	struct element e = { .set = SET_SNAT4, .key_len = 12, .data_len = 8, .timeout_ms = 60000 };
	struct transaction_features features = { .destroy = true, .update = true };
	struct transaction *t = transaction_new(transport, &features);
	uint64_t timeout_ms = 0;
	int code = ENOMEM;

	if (t == NULL)
		return code;
	features.destroy = try(t, TRANSACTION_REMOVE, &e, &code) == TRANSACTION_HOLDS;
	if (try(t, TRANSACTION_ADD, &e, &code) == TRANSACTION_HOLDS) {
		e.timeout_ms *= 2;
		(void)try(t, TRANSACTION_EXTEND, &e, &code);
		code = table_read(transport, SET_SNAT4, &e, read_timeout, &timeout_ms);
		features.update = timeout_ms == e.timeout_ms;
		(void)try(t, TRANSACTION_REMOVE, &e, &(int){ 0 });
	}
	transaction_free(t);
	if (code == 0)
		*ret = features;
	return code;
}

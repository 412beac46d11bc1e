/* SPDX-License-Identifier: MIT */
#include "gateway/helper/transaction.h"

#include "gateway/helper/attributes.h"
#include "gateway/helper/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#define FULL_MESSAGE 32768 /* octets; a nest of elements must stay below 65536 */
#define NOBODY UINT32_MAX

enum pass {
	PASS_REMOVE,
	PASS_ADD,
	PASS_EXTEND,
	PASS_COUNT,
};

struct planned {
	struct element element; /* its user data lies in the pool */
	size_t user_data_at;
	enum transaction_act act;
	bool remove; /* what is now thought to be right */
	bool is_over; /* TRANSACTION_END */
	uint32_t next[PASS_COUNT];
	uint32_t number[PASS_COUNT]; /* of the message it was in */
};

struct transaction {
	const struct helper_transport *transport;
	const struct transaction_features *features;
	struct planned *planned;
	size_t count;
	size_t size;
	uint8_t *pool; /* user data, one after the other */
	size_t pool_used;
	size_t pool_size;
	size_t octets; /* that the batch may take at most */
	bool flush;
	bool lost_an_answer;

	uint8_t *out; /* the batch as sent */
	size_t out_used;
	size_t out_size;
	uint32_t heads[PASS_COUNT][SET_COUNT];
	uint32_t first_number; /* of the batch; rises for ever */
	uint32_t next_number;
	uint32_t last_number; /* of the message that is acknowledged */
};

struct transaction *transaction_new(const struct helper_transport *transport,
				    const struct transaction_features *features)
{
	struct transaction *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->transport = transport;
	t->features = features;
	t->next_number = 1;
	transaction_clear(t);
	return t;
}

void transaction_free(struct transaction *t)
{
	if (t == NULL)
		return;
	free(t->planned);
	free(t->pool);
	free(t->out);
	free(t);
}

void transaction_clear(struct transaction *t)
{
	t->count = 0;
	t->pool_used = 0;
	t->octets = NETLINK_HEAD_MAX * (2 + PASS_COUNT * SET_COUNT + SET_COUNT);
	t->flush = false;
	t->lost_an_answer = false;
}

bool transaction_is_empty(const struct transaction *t)
{
	return t->count == 0 && !t->flush;
}

bool transaction_lost_an_answer(const struct transaction *t)
{
	return t->lost_an_answer;
}

/* ---- Collecting ------------------------------------------------------------------ */

/* Makes room for `more` things of `one` octets behind `used`; doubles. */
static int grow(void **at, size_t *size, size_t used, size_t more, size_t one)
{
	size_t wanted = *size > 0 ? *size : 256;
	void *grown;

	if (used + more <= *size)
		return 0;
	while (wanted < used + more)
		wanted *= 2;
	grown = realloc(*at, wanted * one);
	if (grown == NULL)
		return ENOMEM;
	*at = grown;
	*size = wanted;
	return 0;
}

static int grow_octets(uint8_t **at, size_t *size, size_t used, size_t more)
{
	void *grown = *at;
	int code = grow(&grown, size, used, more, 1);

	*at = grown;
	return code;
}

/* Removed and added, in messages of its own where the kernel has to name it. */
static size_t octets_of(const struct transaction *t, const struct element *e)
{
	size_t key = 64 + 2u * e->key_len;

	return 2 * key + 32 + e->user_data_len +
	       (t->features->destroy ? 0 : 2 * NETLINK_HEAD_MAX);
}

static size_t limit_of(const struct transaction *t)
{
	size_t limit = t->transport->send_max;

	return limit < TRANSACTION_OCTETS_MAX ? limit : TRANSACTION_OCTETS_MAX;
}

size_t transaction_room(const struct transaction *t)
{
	size_t limit = limit_of(t);

	return t->octets < limit ? limit - t->octets : 0;
}

int transaction_put(struct transaction *t, enum transaction_act act, const struct element *e)
{
	size_t octets = t->octets + octets_of(t, e);
	void *planned = t->planned;
	struct planned *p;

	if (octets > limit_of(t))
		return E2BIG;
	if (grow(&planned, &t->size, t->count, 1, sizeof(*p)) != 0)
		return ENOMEM;
	t->planned = planned;
	if (grow_octets(&t->pool, &t->pool_size, t->pool_used, e->user_data_len) != 0)
		return ENOMEM;
	p = &t->planned[t->count++];
	p->element = *e;
	p->is_over = act == TRANSACTION_END;
	if (p->is_over)
		act = TRANSACTION_REMOVE;
	p->act = act == TRANSACTION_EXTEND && !t->features->update ? TRANSACTION_ADD : act;
	p->user_data_at = t->pool_used;
	/* Where what is not there cannot be removed, only what must be there is. */
	p->remove = act == TRANSACTION_REMOVE ||
		    (p->act == TRANSACTION_ADD &&
		     (t->features->destroy || act == TRANSACTION_EXTEND));
	if (e->user_data_len > 0)
		memcpy(t->pool + t->pool_used, e->user_data, e->user_data_len);
	t->pool_used += e->user_data_len;
	t->octets = octets;
	return 0;
}

bool transaction_keep_ends(struct transaction *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (!t->planned[i].is_over)
			continue;
		t->planned[kept] = t->planned[i];
		t->planned[kept++].remove = true;
	}
	t->count = kept; /* their user data stays where it is */
	t->flush = false;
	return kept > 0;
}

void transaction_flush(struct transaction *t)
{
	t->flush = true;
}

/* ---- Writing ----------------------------------------------------------------------- */

static void chain(struct transaction *t, uint32_t i, enum pass pass)
{
	struct planned *p = &t->planned[i];

	p->next[pass] = t->heads[pass][p->element.set];
	t->heads[pass][p->element.set] = i;
}

static void chain_all(struct transaction *t)
{
	for (unsigned pass = 0; pass < PASS_COUNT; pass++) {
		for (unsigned set = 0; set < SET_COUNT; set++)
			t->heads[pass][set] = NOBODY;
	}
	for (uint32_t i = 0; i < t->count; i++) {
		struct planned *p = &t->planned[i];

		memset(p->number, 0, sizeof(p->number));
		p->element.user_data = p->element.user_data_len > 0 ? t->pool + p->user_data_at
								    : NULL;
		if (p->remove)
			chain(t, i, PASS_REMOVE);
		if (p->act == TRANSACTION_ADD)
			chain(t, i, PASS_ADD);
		if (p->act == TRANSACTION_EXTEND)
			chain(t, i, PASS_EXTEND);
	}
}

static uint16_t type_of(const struct transaction *t, enum pass pass)
{
	if (pass != PASS_REMOVE)
		return NFT_MSG_NEWSETELEM;
	return t->features->destroy ? NETLINK_DESTROY_ELEMENTS : NFT_MSG_DELSETELEM;
}

static void end_message(struct transaction *t, const struct nlmsghdr *message)
{
	t->out_used += message->nlmsg_len;
}

/* Elements from `*at` on in one message; moves `*at` behind the last. */
static void write_message(struct transaction *t, enum pass pass, uint32_t *at)
{
	static const uint16_t flags[] = { [PASS_ADD] = NLM_F_CREATE | NLM_F_EXCL,
					  [PASS_EXTEND] = NLM_F_CREATE };
	static const enum netlink_part parts[] = { [PASS_REMOVE] = NETLINK_KEY,
						   [PASS_ADD] = NETLINK_WHOLE,
						   [PASS_EXTEND] = NETLINK_EXTEND };
	enum element_set set = t->planned[*at].element.set;
	struct nlmsghdr *message = netlink_begin(t->out + t->out_used, type_of(t, pass),
						 pass == PASS_REMOVE ? 0 : flags[pass],
						 t->next_number);
	struct nlattr *list;

	netlink_put_set(message, set);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	do {
		struct planned *p = &t->planned[*at];

		netlink_put_element(message, &p->element, parts[pass]);
		p->number[pass] = t->next_number;
		*at = p->next[pass];
		/* Where errors must name an element it has a message of its own. */
	} while (t->features->destroy && *at != NOBODY && message->nlmsg_len < FULL_MESSAGE);
	mnl_attr_nest_end(message, list);
	t->last_number = t->next_number++;
	end_message(t, message);
}

static void write_flush(struct transaction *t)
{
	for (unsigned set = 0; set < SET_COUNT; set++) {
		struct nlmsghdr *message = netlink_begin(t->out + t->out_used, NFT_MSG_DELSETELEM,
							 0, t->next_number);

		netlink_put_set(message, (enum element_set)set);
		t->last_number = t->next_number++;
		end_message(t, message);
	}
}

/* The message to be acknowledged is the last one before the end: older kernels do
 * not acknowledge the end itself. */
static void ask_acknowledgement(struct transaction *t)
{
	size_t at = 0;

	while (at < t->out_used) {
		struct nlmsghdr *message = (struct nlmsghdr *)(void *)(t->out + at);

		if (message->nlmsg_seq == t->last_number)
			message->nlmsg_flags |= NLM_F_ACK;
		at += message->nlmsg_len;
	}
}

static int write_all(struct transaction *t, uint32_t generation)
{
	if (grow_octets(&t->out, &t->out_size, 0, t->octets) != 0)
		return ENOMEM;
	t->out_used = 0;
	t->first_number = t->next_number++;
	t->last_number = t->first_number;
	end_message(t, netlink_batch(t->out, NFNL_MSG_BATCH_BEGIN, generation, t->first_number));
	if (t->flush)
		write_flush(t);
	chain_all(t);
	for (unsigned pass = 0; pass < PASS_COUNT; pass++) {
		for (unsigned set = 0; set < SET_COUNT; set++) {
			uint32_t at = t->heads[pass][set];

			while (at != NOBODY)
				write_message(t, (enum pass)pass, &at);
		}
	}
	if (t->last_number == t->first_number)
		return 0; /* nothing is left to do */
	end_message(t, netlink_batch(t->out + t->out_used, NFNL_MSG_BATCH_END, 0,
				     t->next_number++));
	ask_acknowledgement(t);
	return 0;
}

/* ---- The answer --------------------------------------------------------------------- */

struct answer {
	bool holds;
	bool changed; /* another generation */
	bool gone;
	bool mended;  /* an assumption about an element was wrong, and is changed */
	int code;     /* the first error that cannot be mended */
};

/* Which element a message was about, when that tells what to do otherwise. */
static bool mend(struct transaction *t, uint32_t number, int code)
{
	if (t->features->destroy)
		return false;
	for (size_t i = 0; i < t->count; i++) {
		struct planned *p = &t->planned[i];

		if (code == ENOENT && p->number[PASS_REMOVE] == number) {
			p->remove = false;
			return true;
		}
		if ((code == EEXIST || code == EBUSY) && p->number[PASS_ADD] == number &&
		    !p->remove) {
			p->remove = true;
			return true;
		}
	}
	return false;
}

static void read_error(struct transaction *t, const struct nlmsghdr *message, struct answer *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	uint32_t number = message->nlmsg_seq;
	int code;

	if (message->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(error->error) ||
	    number - t->first_number >= t->next_number - t->first_number)
		return; /* of another question, whose answer was given up */
	code = error->error < 0 ? -error->error : error->error;
	if (code == 0)
		answer->holds |= number == t->last_number;
	else if (code == ERESTART)
		answer->changed = true;
	else if (mend(t, number, code))
		answer->mended = true;
	else if (code == ENOENT)
		answer->gone = true;
	else if (answer->code == 0)
		answer->code = code;
}

static bool is_bad(const struct answer *answer)
{
	return answer->changed || answer->gone || answer->mended || answer->code != 0;
}

/* The kernel has answered when the send returns, errors first. False: it has not. */
static bool read_answer(struct transaction *t, struct answer *answer)
{
	uint64_t buffer[512];

	for (;;) {
		const struct nlmsghdr *message = (const void *)buffer;
		size_t len;
		int left;
		int code = t->transport->receive(t->transport->context, buffer, sizeof(buffer),
						 !is_bad(answer), &len);

		if (code != 0)
			return code == EAGAIN && is_bad(answer);
		left = (int)len;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			read_error(t, message, answer);
		if (answer->holds && !is_bad(answer))
			return true;
	}
}

/* One attempt. False: nobody knows what came of it. */
static bool attempt(struct transaction *t, struct answer *answer, int *ret_code)
{
	int code = t->transport->send(t->transport->context, t->out, t->out_used);

	*answer = (struct answer){ 0 };
	if (code == 0)
		return read_answer(t, answer);
	*ret_code = code;
	return false;
}

static enum transaction_result judge(const struct answer *answer, bool perhaps, int *ret_code)
{
	if (answer->changed) {
		*ret_code = ERESTART;
		return perhaps ? TRANSACTION_UNSURE : TRANSACTION_CHANGED;
	}
	*ret_code = answer->gone ? ENOENT : answer->code;
	if (perhaps)
		return TRANSACTION_UNSURE;
	return answer->gone ? TRANSACTION_GONE : TRANSACTION_REFUSED;
}

/* After an attempt without an answer: the generation tells whether it can have held.
 * False when not even that can be found out. */
static bool look(struct transaction *t, uint32_t *generation, bool *perhaps)
{
	uint32_t now;

	transport_drain(t->transport);
	t->lost_an_answer = true;
	if (transaction_generation(t->transport, &now) != 0) {
		*perhaps = true;
		return false;
	}
	*perhaps |= now != *generation;
	*generation = now;
	return true;
}

enum transaction_result transaction_commit(struct transaction *t, uint32_t *generation,
					   int *ret_code)
{
	bool perhaps = false; /* an attempt that was not answered may have held */
	struct answer answer;

	*ret_code = ETIMEDOUT;
	t->lost_an_answer = false;
	for (unsigned i = 0; i < TRANSACTION_ATTEMPTS; i++) {
		if (write_all(t, *generation) != 0) {
			*ret_code = ENOMEM;
			return perhaps ? TRANSACTION_UNSURE : TRANSACTION_REFUSED;
		}
		if (t->last_number == t->first_number)
			return TRANSACTION_HOLDS;
		if (!attempt(t, &answer, ret_code)) {
			if (!look(t, generation, &perhaps))
				break;
			continue;
		}
		if (answer.holds && !is_bad(&answer)) {
			*generation += *generation == UINT32_MAX ? 2 : 1;
			return TRANSACTION_HOLDS;
		}
		if (answer.changed || answer.gone || answer.code != 0)
			return judge(&answer, perhaps, ret_code);
	}
	return perhaps ? TRANSACTION_UNSURE : TRANSACTION_REFUSED;
}

/* ---- Generation ------------------------------------------------------------------------ */

static bool read_generation(const struct nlmsghdr *message, uint32_t *ret)
{
	const struct nlattr *a;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN) ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return false;
	ATTRIBUTES_FOR_EACH(a, message) {
		if (mnl_attr_get_type(a) == NFTA_GEN_ID && mnl_attr_get_payload_len(a) == 4) {
			*ret = ntohl(mnl_attr_get_u32(a));
			return true;
		}
	}
	return false;
}

int transaction_generation(const struct helper_transport *transport, uint32_t *ret)
{
	uint64_t request[NETLINK_HEAD_MAX / 8] = { 0 };
	uint64_t answer[64];
	const struct nlmsghdr *message = (const void *)answer;
	const struct nlmsghdr *asked = netlink_begin(request, NFT_MSG_GETGEN, 0, 0);
	size_t len;
	int code = transport->send(transport->context, request, asked->nlmsg_len);

	while (code == 0) {
		code = transport->receive(transport->context, answer, sizeof(answer), true, &len);
		if (code == 0 && mnl_nlmsg_ok(message, (int)len) && read_generation(message, ret))
			return 0;
	}
	return code;
}

/* SPDX-License-Identifier: MIT */
#include "gateway/helper/cut.h"

#include "gateway/helper/conntrack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_ATTEMPTS 4 /* of the connection table, when a piece is lost */
#define KEY_SIZE (1 + 2 * (16 + 2))

/* A mapping as the flows through it show it: protocol, external, internal. */
struct key {
	uint8_t octets[KEY_SIZE];
};

struct keys {
	struct key *at;
	size_t count;
	size_t size;
};

struct cut {
	struct helper_transport list;
	struct helper_transport kill;
	struct keys coming;  /* their removal is being committed */
	struct keys waiting; /* for the next reading */
	struct keys active;  /* of this reading, sorted */
	bool is_reading;
	unsigned attempts;
	uint32_t number;
	uint64_t cut;
};

struct cut *cut_new(const struct helper_transport *list, const struct helper_transport *kill)
{
	struct cut *cut = calloc(1, sizeof(*cut));

	if (cut == NULL)
		return NULL;
	cut->list = *list;
	cut->kill = *kill;
	return cut;
}

void cut_free(struct cut *cut)
{
	if (cut == NULL)
		return;
	free(cut->coming.at);
	free(cut->waiting.at);
	free(cut->active.at);
	free(cut);
}

uint64_t cut_count(const struct cut *cut)
{
	return cut->cut;
}

/* ---- What is to be cut ------------------------------------------------------------------ */

static struct key key_of(uint8_t protocol, const struct tenf_endpoint *external,
			 const struct tenf_endpoint *internal)
{
	struct key key;
	struct tenf_writer w = tenf_writer_of(key.octets, sizeof(key.octets));

	tenf_writer_u8(&w, protocol);
	tenf_writer_copy(&w, external->address.octets, sizeof(external->address.octets));
	tenf_writer_u16(&w, external->port);
	tenf_writer_copy(&w, internal->address.octets, sizeof(internal->address.octets));
	tenf_writer_u16(&w, internal->port);
	return key;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, KEY_SIZE);
}

static int reserve(struct keys *keys, size_t count)
{
	size_t size = keys->size > 0 ? keys->size : 64;
	struct key *grown;

	while (size < count)
		size *= 2;
	if (size == keys->size)
		return 0;
	grown = realloc(keys->at, size * sizeof(*grown));
	if (grown == NULL)
		return ENOMEM;
	keys->at = grown;
	keys->size = size;
	return 0;
}

/* Room in `waiting` is made here, so that settling cannot fail. */
int cut_put(struct cut *cut, const struct helper_mapping *m)
{
	size_t all = cut->waiting.count + cut->coming.count;

	if (all >= CUT_WAITING_MAX)
		return ENOSPC;
	if (reserve(&cut->coming, cut->coming.count + 1) != 0 ||
	    reserve(&cut->waiting, all + 1) != 0)
		return ENOMEM;
	cut->coming.at[cut->coming.count++] = key_of(m->protocol, &m->external, &m->internal);
	return 0;
}

void cut_settle(struct cut *cut, bool holds)
{
	if (holds && cut->coming.count > 0) {
		memcpy(cut->waiting.at + cut->waiting.count, cut->coming.at,
		       cut->coming.count * sizeof(struct key));
		cut->waiting.count += cut->coming.count;
	}
	cut->coming.count = 0;
}

/* ---- Reading the connection table -------------------------------------------------------- */

static bool is_active(const struct cut *cut, uint8_t protocol, const struct tenf_endpoint *external,
		      const struct tenf_endpoint *internal)
{
	struct key key = key_of(protocol, external, internal);

	return bsearch(&key, cut->active.at, cut->active.count, sizeof(key), compare) != NULL;
}

/* From outside by the external endpoint, or from inside and shown as it. What an
 * IPv6 host sends by itself never went through its pinhole. */
static bool went_through(const struct cut *cut, const struct conntrack_entry *e)
{
	uint8_t protocol = e->original.protocol;

	if (is_active(cut, protocol, &e->original.destination, &e->reply.source))
		return true;
	return tenf_address_is_v4(&e->original.source.address) &&
	       is_active(cut, protocol, &e->reply.destination, &e->original.source);
}

static void end_flow(struct cut *cut, const struct conntrack_entry *e)
{
	uint64_t request[CONNTRACK_REQUEST_MAX / 8] = { 0 };
	uint64_t answer[CONNTRACK_REQUEST_MAX / 8];
	struct nlmsghdr *asked = conntrack_ask_end(request, 0, e);
	size_t len;

	/* The answer is taken so that it does not pile up: the flow is over now, or was. */
	if (cut->kill.send(cut->kill.context, asked, asked->nlmsg_len) == 0 &&
	    cut->kill.receive(cut->kill.context, answer, sizeof(answer), true, &len) == 0)
		cut->cut++;
}

static void begin_reading(struct cut *cut)
{
	uint64_t request[CONNTRACK_REQUEST_MAX / 8] = { 0 };
	struct nlmsghdr *asked = conntrack_ask_all(request, ++cut->number);

	transport_drain(&cut->list);
	cut->is_reading = cut->list.send(cut->list.context, asked, asked->nlmsg_len) == 0;
}

static void end_reading(struct cut *cut, bool complete)
{
	cut->is_reading = false;
	if (complete || cut->attempts >= READ_ATTEMPTS)
		cut->active.count = 0;
}

/* The waiting ones become the active ones. */
static void activate(struct cut *cut)
{
	struct keys spare = cut->active;

	cut->active = cut->waiting;
	cut->waiting = spare;
	cut->waiting.count = 0;
	cut->attempts = 0;
	qsort(cut->active.at, cut->active.count, sizeof(struct key), compare);
}

static void read_piece(struct cut *cut)
{
	uint64_t answer[TRANSPORT_MESSAGE_MAX / 8];
	const struct nlmsghdr *message = (const void *)answer;
	struct conntrack_entry entry;
	size_t len = 0;
	int left;
	int code = cut->list.receive(cut->list.context, answer, sizeof(answer), true, &len);

	if (code != 0) {
		end_reading(cut, false);
		return;
	}
	left = (int)len;
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_seq != cut->number)
			continue;
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
			end_reading(cut, message->nlmsg_type == NLMSG_DONE);
			return;
		}
		if (conntrack_read(message, &entry) && went_through(cut, &entry))
			end_flow(cut, &entry);
	}
}

bool cut_is_due(const struct cut *cut)
{
	return cut->is_reading || cut->active.count > 0 || cut->waiting.count > 0;
}

void cut_step(struct cut *cut)
{
	if (cut->is_reading) {
		read_piece(cut);
		return;
	}
	if (cut->active.count == 0)
		activate(cut);
	cut->attempts++;
	begin_reading(cut);
	if (!cut->is_reading)
		end_reading(cut, false);
}

void cut_all(struct cut *cut)
{
	while (cut_is_due(cut))
		cut_step(cut);
}

/* ---- One flow ---------------------------------------------------------------------------- */

static int find_by(const struct helper_transport *transport, bool is_reply,
		   const struct conntrack_tuple *tuple, struct conntrack_entry *ret)
{
	uint64_t request[CONNTRACK_REQUEST_MAX / 8] = { 0 };
	uint64_t answer[TRANSPORT_MESSAGE_MAX / 8];
	const struct nlmsghdr *message = (const void *)answer;
	struct nlmsghdr *asked = conntrack_ask_one(request, 1, is_reply, tuple);
	size_t len = 0;
	int code;

	transport_drain(transport);
	code = transport->send(transport->context, asked, asked->nlmsg_len);
	if (code == 0)
		code = transport->receive(transport->context, answer, sizeof(answer), true, &len);
	if (code != 0)
		return code;
	return mnl_nlmsg_ok(message, (int)len) && conntrack_read(message, ret) ? 0 : ENOENT;
}

/* It began inside, or outside: then what leaves is its reply. */
int cut_find_flow(const struct helper_transport *transport, const struct helper_flow *flow,
		  struct helper_found *ret)
{
	struct conntrack_tuple tuple = { flow->protocol, flow->internal, flow->remote };
	struct conntrack_entry entry = { .timeout_s = 0 };
	bool is_reply = false;
	int code = find_by(transport, is_reply, &tuple, &entry);

	if (code == ENOENT) {
		is_reply = true;
		code = find_by(transport, is_reply, &tuple, &entry);
	}
	if (code != 0)
		return code;
	*ret = (struct helper_found){
		.found = true,
		.external = is_reply ? entry.original.destination : entry.reply.destination,
		.lifetime_s = entry.timeout_s,
	};
	return 0;
}

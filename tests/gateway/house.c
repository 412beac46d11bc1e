/* SPDX-License-Identifier: MIT */
#include "house.h"

#include <string.h>

const struct tenf_address house_gateway = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 1 }
};
const struct tenf_address house_external = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7 }
};

struct tenf_address house_host(unsigned last)
{
	return tenf_address_v4(0xc0a80100u + last);
}

struct tenf_address house_v6(const char *text)
{
	struct tenf_address a;

	assert_true(tenf_address_parse(text, &a));
	return a;
}

static struct responder_link link_of(const char *address, const char *network)
{
	struct responder_link link = { .interface = HOUSE_LAN };

	assert_true(tenf_endpoint_parse(address, PCP_PORT, &link.address));
	assert_true(tenf_prefix_parse(network, &link.network));
	return link;
}

void house_init(struct house *h)
{
	memset(h, 0, sizeof(*h));
	h->links[0] = link_of("192.168.1.1", "192.168.1.0/24");
	h->links[1] = link_of("2001:db8:1::1", "2001:db8:1::/64");
	h->rules[0].action = POLICY_ALLOW;
	tenf_seeded_init(&h->seeded, 20261122);
	h->random = tenf_seeded_random(&h->seeded);
	responder_config_init(&h->config);
	h->config.links = h->links;
	h->config.link_count = 2;
	h->config.rules = h->rules;
	h->config.rule_count = 1;
	h->config.external_address = house_external;
	h->now = 1000 * TENF_SECOND;
}

void house_start(struct house *h)
{
	h->answered = 0;
	assert_int_equal(responder_new(&h->config, &h->random, &tenf_memory_libc, h->now, &h->r),
			 TENF_OK);
}

void house_stop(struct house *h)
{
	responder_free(h->r);
	h->r = NULL;
}

static void apply(struct house *h, const struct responder_change *change)
{
	switch (change->kind) {
	case RESPONDER_INSTALL:
		h->installs++;
		h->installed = change->external;
		h->held++;
		break;
	case RESPONDER_RENEW:
		h->renewals++;
		h->rewritten += change->content;
		break;
	case RESPONDER_REMOVE:
		h->removals++;
		h->removed = *change->mapping;
		h->held -= !change->is_flushed;
		break;
	case RESPONDER_FLUSH:
		h->flushes++;
		h->held = 0;
		h->peers = 0;
		break;
	case RESPONDER_PEER_INSTALL:
		h->peer_installs++;
		h->peers++;
		h->peer = *change->peer;
		break;
	case RESPONDER_PEER_RENEW:
		h->peer_renewals++;
		h->peer = *change->peer;
		break;
	case RESPONDER_PEER_REMOVE:
		h->peers -= !change->is_flushed;
		break;
	case RESPONDER_EPOCH:
		h->epochs++;
		h->epoch_start = change->epoch_start;
		break;
	}
}

static void commit(struct house *h)
{
	struct house undone = *h;
	struct responder_change change;

	while (responder_next_change(h->r, &change))
		apply(h, &change);
	if (h->backend != TENF_OK)
		h->held = undone.held;
	if (h->backend != TENF_OK)
		h->peers = undone.peers;
	responder_committed(h->r, h->backend, h->now);
}

/* Answers leave first, and are counted; what comes behind is an update. */
static void keep(struct house *h, const struct responder_datagram *out, bool is_answer)
{
	uint8_t *octets = is_answer ? h->answer : h->update;

	assert_true(out->len <= sizeof(h->answer));
	memcpy(octets, out->data, out->len);
	if (is_answer) {
		h->sent = *out;
		h->sent.data = h->answer;
		h->answers++;
	} else {
		h->updated = *out;
		h->updated.data = h->update;
		h->updates++;
	}
}

void house_turn(struct house *h)
{
	struct responder_datagram out;
	struct responder_record record;
	struct responder_counts counts;

	responder_expire(h->r, h->now);
	commit(h);
	responder_count(h->r, &counts);
	while (responder_next_send(h->r, h->now, &out)) {
		if (out.to.port == PCP_ANNOUNCE_PORT)
			continue;
		keep(h, &out, h->answered < counts.answered);
		h->answered += h->answered < counts.answered;
	}
	h->answered = counts.answered;
	while (responder_next_record(h->r, &record)) {
		h->record = record;
		h->records++;
	}
	assert_int_equal(h->held, house_count(h));
}

void house_wait(struct house *h, tenf_duration time)
{
	h->now += time;
	house_turn(h);
}

void house_send_as(struct house *h, const struct responder_datagram *in)
{
	h->answers = 0;
	assert_int_equal(responder_receive(h->r, in, h->now), TENF_OK);
	house_turn(h);
}

static struct responder_datagram datagram(const struct house *h, const struct tenf_endpoint *from,
					  const uint8_t *data, size_t len)
{
	bool v4 = tenf_address_is_v4(&from->address);

	struct responder_datagram in = {
		.from = *from, .to = h->links[v4 ? 0 : 1].address, .interface = HOUSE_LAN,
		.data = data, .len = len, .has_mac = h->has_mac,
	};

	memcpy(in.mac, h->mac, sizeof(in.mac));
	return in;
}

void house_hand_in(struct house *h, const struct tenf_endpoint *from, const uint8_t *data,
		   size_t len)
{
	const struct responder_datagram in = datagram(h, from, data, len);

	assert_int_equal(responder_receive(h->r, &in, h->now), TENF_OK);
}

void house_send(struct house *h, const struct tenf_endpoint *from, const uint8_t *data, size_t len)
{
	const struct responder_datagram in = datagram(h, from, data, len);

	house_send_as(h, &in);
}

struct natpmp_answer house_natpmp(struct house *h, unsigned host, enum tenf_protocol protocol,
				  uint16_t internal, uint16_t external, uint32_t lifetime_s)
{
	const struct natpmp_request request = {
		.opcode = natpmp_opcode_of(protocol), .internal_port = internal,
		.external_port = external, .lifetime_s = lifetime_s,
	};
	const struct tenf_endpoint from = { house_host(host), 50000 };
	struct natpmp_answer answer;
	uint8_t data[16];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	natpmp_write_request(&w, &request);
	house_send(h, &from, data, w.used);
	assert_int_equal(h->answers, 1);
	assert_int_equal(h->sent.len, 16);
	assert_int_equal(natpmp_decode_answer(h->answer, h->sent.len, &answer), TENF_OK);
	return answer;
}

size_t house_write(const struct wish *wish, uint8_t *ret, size_t size)
{
	struct pcp_request request = {
		.opcode = PCP_MAP, .lifetime_s = wish->lifetime_s,
		.client = wish->from != NULL ? *wish->from : house_host(wish->host),
		.map = { .protocol = (uint8_t)wish->protocol, .internal_port = wish->internal,
			 .external_port = wish->external, .external_address = wish->address },
	};
	struct tenf_writer w = tenf_writer_of(ret, size);

	if (wish->from == NULL && tenf_address_equal(&wish->address, &tenf_address_none6))
		request.map.external_address = tenf_address_none4;
	memset(request.map.nonce, wish->nonce, PCP_NONCE);
	pcp_write_request(&w, &request);
	tenf_writer_copy(&w, wish->options, wish->options_len);
	assert_false(w.failed);
	return w.used;
}

struct pcp_answer house_pcp(struct house *h, const struct wish *wish)
{
	const struct tenf_endpoint from = {
		wish->from != NULL ? *wish->from : house_host(wish->host), 50000
	};
	struct pcp_answer answer;
	uint8_t data[1200];
	size_t len = house_write(wish, data, sizeof(data));

	house_send(h, &from, data, len);
	assert_int_equal(h->answers, 1);
	assert_int_equal(pcp_decode_answer(h->answer, h->sent.len, &answer), TENF_OK);
	return answer;
}

uint32_t house_count(const struct house *h)
{
	const struct ledger_mapping *m = NULL;
	uint32_t count = 0;

	while ((m = responder_mappings(h->r, m)) != NULL)
		count++;
	return count;
}

const struct ledger_mapping *house_find(const struct house *h, enum tenf_protocol protocol,
					uint16_t external)
{
	const struct ledger_mapping *m = NULL;

	while ((m = responder_mappings(h->r, m)) != NULL) {
		if (m->protocol == (uint8_t)protocol && m->external_port == external)
			return m;
	}
	return NULL;
}

static void *resize(void *context, void *old, size_t size)
{
	struct house_memory *m = context;

	if (size > 0 && m->left-- <= 0)
		return NULL;
	return tenf_memory_libc.resize(NULL, old, size);
}

void house_memory_init(struct house_memory *m, long left)
{
	*m = (struct house_memory){ { resize, m }, left };
}

static void *count_resize(void *context, void *old, size_t size)
{
	struct house_counted *c = context;
	size_t *block = old;
	size_t *fresh;

	/* The size stands before the block, on a boundary of its own. */
	if (block != NULL) {
		block -= 2;
		c->held -= block[0];
	}
	if (size == 0) {
		(void)tenf_memory_libc.resize(NULL, block, 0);
		return NULL;
	}
	fresh = tenf_memory_libc.resize(NULL, block, size + 16);
	assert_non_null(fresh);
	fresh[0] = size;
	c->held += size;
	return fresh + 2;
}

void house_counted_init(struct house_counted *c)
{
	*c = (struct house_counted){ { count_resize, c }, 0 };
}

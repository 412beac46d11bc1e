/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "wire/pcp-option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define VERDICT (5 * TENF_SECOND)
#define START (1000 * TENF_SECOND)
#define STEPS_MAX 100000 /* a client that wants to be called for ever at one time */

struct tenf_endpoint endpoint_of(const char *text)
{
	struct tenf_endpoint e;

	assert_true(tenf_endpoint_parse(text, PCP_PORT, &e));
	return e;
}

struct tenf_address address_of(const char *text)
{
	return endpoint_of(text).address;
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = START;
	f->rtt = 2 * TENF_MILLISECOND;
	tenf_seeded_init(&f->seeded, 42);
	fixture_restart(f, FIXTURE_GATEWAY, FIXTURE_SOURCE, FIXTURE_BOTH, false);
	return f;
}

void fixture_restart(struct fixture *f, const char *gateway, const char *source, unsigned methods,
		     bool forced)
{
	struct tenf_random random = tenf_seeded_random(&f->seeded);

	f->gateway = endpoint_of(gateway);
	f->source = address_of(source);
	f->sent_count = 0;
	client_init(&f->client, &f->gateway, &f->source, methods, forced, &random);
}

int fixture_setup(void **state)
{
	*state = fixture_new();
	return 0;
}

int fixture_teardown(void **state)
{
	free(*state);
	return 0;
}

/* ---- Questions ---------------------------------------------------------------- */

static void question(struct fixture *f, struct inquiry *inquiry, enum core_op op)
{
	memset(inquiry, 0, sizeof(*inquiry));
	inquiry->question = (struct core_question){
		.op = op,
		.methods = FIXTURE_BOTH,
		.race = true,
		.give_up = f->now + VERDICT,
		.external_address = tenf_address_zero_of(&f->source),
	};
}

void question_discover(struct fixture *f, struct inquiry *inquiry)
{
	question(f, inquiry, CORE_DISCOVER);
}

void question_map(struct fixture *f, struct inquiry *inquiry, enum tenf_protocol protocol,
		  uint16_t internal_port, uint16_t external_port)
{
	struct tenf_random random = tenf_seeded_random(&f->seeded);

	question(f, inquiry, CORE_MAP);
	inquiry->question.protocol = protocol;
	inquiry->question.internal_port = internal_port;
	inquiry->question.external_port = external_port;
	inquiry->question.lifetime_s = 7200;
	tenf_random_fill(&random, inquiry->question.nonce, CORE_NONCE);
}

void question_unmap(struct fixture *f, struct inquiry *inquiry, enum tenf_protocol protocol,
		    uint16_t internal_port)
{
	question_map(f, inquiry, protocol, internal_port, 0);
	inquiry->question.op = CORE_UNMAP;
	inquiry->question.lifetime_s = 0;
}

static void golden_pcp(struct core_question *q, const struct vector *request)
{
	const struct vector_decoded *d = &request->decoded;

	q->methods = TENF_METHOD_PCP;
	q->op = d->opcode == PCP_ANNOUNCE ? CORE_DISCOVER :
		d->lifetime_s == 0	  ? CORE_UNMAP :
					    CORE_MAP;
	q->external_address = d->external_address;
	memcpy(q->nonce, d->nonce, sizeof(q->nonce));
	q->protocol = d->protocol == TENF_UDP ? TENF_UDP : TENF_TCP;
	for (size_t i = 0; i < d->option_count; i++)
		q->prefer_failure |= d->options[i].code == PCP_OPTION_PREFER_FAILURE;
}

static void golden_natpmp(struct core_question *q, const struct vector *request)
{
	const struct vector_decoded *d = &request->decoded;

	q->methods = TENF_METHOD_NATPMP;
	q->op = d->opcode == NATPMP_ADDRESS ? CORE_DISCOVER :
		d->lifetime_s == 0	    ? CORE_UNMAP :
					      CORE_MAP;
	q->protocol = d->opcode == NATPMP_MAP_UDP ? TENF_UDP : TENF_TCP;
}

void question_golden(struct fixture *f, struct inquiry *inquiry, const struct vector *request)
{
	struct core_question *q = &inquiry->question;

	question(f, inquiry, CORE_MAP);
	if (request->protocol == VECTOR_PCP)
		golden_pcp(q, request);
	else
		golden_natpmp(q, request);
	q->internal_port = request->decoded.internal_port;
	q->external_port = request->decoded.external_port;
	q->lifetime_s = request->decoded.lifetime_s;
}

/* ---- The network and time ------------------------------------------------------- */

static void check_sent(const struct sent *sent, const struct tenf_writer *w)
{
	assert_false(w->failed);
	assert_true(sent->len >= 2 && sent->len <= PCP_MAX);
	assert_true(sent->data[0] == NATPMP_VERSION || sent->data[0] == PCP_VERSION);
	assert_int_equal(sent->data[1] & PCP_RESPONSE, 0);
	if (sent->data[0] == PCP_VERSION)
		assert_int_equal(sent->len % 4, 0);
}

static void gateway_answers(struct fixture *f, const struct sent *sent)
{
	uint8_t data[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	if (f->answers == NULL ||
	    !fake_gateway_answer(f->answers, sent->data, sent->len, f->now, &w))
		return;
	assert_false(w.failed);
	f->now += f->rtt;
	(void)fixture_receive(f, data, w.used);
}

void fixture_flush(struct fixture *f)
{
	for (;;) {
		struct sent *next = &f->sent[f->sent_count];
		struct tenf_writer w = tenf_writer_of(next->data, sizeof(next->data));

		assert_true(f->sent_count < FIXTURE_SENT_MAX);
		if (!client_next_send(&f->client, f->now, &w))
			return;
		next->at = f->now;
		next->len = w.used;
		check_sent(next, &w);
		f->sent_count++;
		gateway_answers(f, next);
	}
}

void fixture_ask(struct fixture *f, struct inquiry *inquiry)
{
	client_ask(&f->client, inquiry, f->now);
	fixture_flush(f);
}

void fixture_run(struct fixture *f, tenf_time until)
{
	unsigned steps = 0;

	fixture_flush(f);
	while (client_deadline(&f->client) <= until) {
		assert_true(++steps < STEPS_MAX);
		f->now = tenf_time_max(f->now, client_deadline(&f->client));
		client_expire(&f->client, f->now);
		fixture_flush(f);
	}
	f->now = tenf_time_max(f->now, until);
}

enum client_receipt fixture_receive_from(struct fixture *f, const char *from, const uint8_t *data,
					 size_t len)
{
	struct tenf_endpoint source = endpoint_of(from);
	uint8_t *copy = malloc(len + 1); /* ends where the packet does, for ASan */
	enum client_receipt receipt;

	assert_non_null(copy);
	memcpy(copy + 1, data, len);
	receipt = client_receive(&f->client, &source, copy + 1, len, f->now, &f->update);
	f->update.options = tenf_reader_of(NULL, 0);
	free(copy);
	return receipt;
}

enum client_receipt fixture_receive(struct fixture *f, const uint8_t *data, size_t len)
{
	char text[TENF_ENDPOINT_TEXT];

	return fixture_receive_from(f, tenf_endpoint_text(&f->gateway, text), data, len);
}

enum client_receipt fixture_golden(struct fixture *f, const char *name)
{
	const struct vector *v = vector_find(name);
	char text[TENF_ENDPOINT_TEXT];

	assert_non_null(v);
	return fixture_receive_from(f, tenf_endpoint_text(&v->source, text), v->data, v->len);
}

static enum client_receipt receive_natpmp(struct fixture *f, const struct natpmp_answer *answer)
{
	uint8_t data[NATPMP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	natpmp_write_answer(&w, answer);
	assert_false(w.failed);
	return fixture_receive(f, data, w.used);
}

enum client_receipt answer_address(struct fixture *f, uint16_t result, uint32_t epoch_s,
				   const char *external)
{
	struct natpmp_answer answer = { .opcode = NATPMP_ADDRESS + NATPMP_ANSWER,
					.result = result,
					.epoch_s = epoch_s,
					.external_address = address_of(external) };

	return receive_natpmp(f, &answer);
}

enum client_receipt answer_map(struct fixture *f, enum tenf_protocol protocol,
			       uint16_t internal_port, uint16_t external_port, uint32_t lifetime_s,
			       uint16_t result, uint32_t epoch_s)
{
	struct natpmp_answer answer = {
		.opcode = (uint8_t)(natpmp_opcode_of(protocol) + NATPMP_ANSWER),
		.result = result,
		.epoch_s = epoch_s,
		.internal_port = internal_port,
		.external_port = external_port,
		.lifetime_s = lifetime_s,
	};

	return receive_natpmp(f, &answer);
}

enum client_receipt answer_pcp(struct fixture *f, const struct inquiry *inquiry, uint8_t result,
			       uint16_t external_port, uint32_t lifetime_s, uint32_t epoch_s)
{
	const struct core_question *q = &inquiry->question;
	struct pcp_answer answer = {
		.opcode = q->op == CORE_DISCOVER ? PCP_ANNOUNCE : PCP_MAP,
		.result = result,
		.lifetime_s = lifetime_s,
		.epoch_s = epoch_s,
		.map = { .protocol = (uint8_t)q->protocol,
			 .internal_port = q->internal_port,
			 .external_port = external_port,
			 .external_address = address_of("203.0.113.7") },
	};
	uint8_t data[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	memcpy(answer.map.nonce, q->nonce, PCP_NONCE);
	pcp_write_answer(&w, &answer);
	assert_false(w.failed);
	return fixture_receive(f, data, w.used);
}

/* ---- What was sent ------------------------------------------------------------ */

bool sent_is_pcp(const struct sent *sent)
{
	return sent->data[0] == PCP_VERSION;
}

bool sent_is_address_request(const struct sent *sent)
{
	return sent->data[0] == NATPMP_VERSION && sent->data[1] == NATPMP_ADDRESS;
}

bool sent_is_natpmp_map(const struct sent *sent)
{
	return sent->data[0] == NATPMP_VERSION && sent->data[1] != NATPMP_ADDRESS;
}

size_t sent_count(const struct fixture *f, bool (*is)(const struct sent *sent))
{
	size_t count = 0;

	for (size_t i = 0; i < f->sent_count; i++)
		count += is(&f->sent[i]);
	return count;
}

const struct sent *sent_nth(const struct fixture *f, bool (*is)(const struct sent *sent), size_t n)
{
	for (size_t i = 0; i < f->sent_count; i++) {
		if (is(&f->sent[i]) && n-- == 0)
			return &f->sent[i];
	}
	fail_msg("not sent so often");
	return NULL;
}

struct pcp_request sent_pcp(const struct sent *sent)
{
	struct pcp_request request;
	enum pcp_result reject;

	assert_int_equal(pcp_parse_request(sent->data, sent->len, &request, &reject), PCP_PARSED);
	return request;
}

struct natpmp_request sent_natpmp(const struct sent *sent)
{
	struct natpmp_request request;

	assert_int_equal(natpmp_decode_request(sent->data, sent->len, &request), TENF_OK);
	return request;
}

void sent_equals_golden(const struct sent *sent, const char *name)
{
	const struct vector *v = vector_find(name);

	assert_non_null(v);
	assert_int_equal(sent->len, v->len);
	assert_memory_equal(sent->data, v->data, v->len);
}

/* ---- Answers ------------------------------------------------------------------ */

void fixture_expect(struct fixture *f, struct inquiry *inquiry, enum tenf_reason reason)
{
	assert_ptr_equal(client_next_answer(&f->client), inquiry);
	assert_int_equal(inquiry->answer.reason, reason);
	assert_int_equal(inquiry->place, INQUIRY_NOWHERE);
}

void fixture_expect_none(struct fixture *f)
{
	assert_null(client_next_answer(&f->client));
}

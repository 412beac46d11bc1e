/* SPDX-License-Identifier: MIT */
#include "cli/probe.h"

#include "cli/output.h"
#include "cli/probe-state.h"
#include "cli/report.h"
#include "host/reach.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TRIES 4
#define FIRST_WAIT_MS 250 /* doubled with each try */
#define REST_MS 10        /* the least that is rested at once */
#define TELL_MS 5000      /* between two words on the progress */
#define SAVE_EACH 512     /* questions between two savings */
#define TEST_LIFETIME_S 120 /* should the self-test be unable to clean up */
/* A gateway that says this of most ports says it for another reason. */
#define UNBELIEVABLE_FROM 32

static const enum tenf_protocol protocols[] = { TENF_TCP, TENF_UDP };

struct probe {
	struct cli *cli;
	struct tenf_options ask;
	struct tenf_gateway gateway;
	char place[TENF_ADDRESS_SIZE + 8];
	uint8_t nonce[TENF_NONCE_SIZE]; /* nobody's */
	int64_t rest_us;                /* owed to the gateway */
	int64_t told_ms;
	struct probe_state state;
};

/* ---- One question ----------------------------------------------------------------- */

static void rest(struct probe *p, int64_t rtt_us)
{
	p->rest_us += rtt_us;
	if (p->rest_us < REST_MS * 1000)
		return;
	p->cli->pause_ms((int)(p->rest_us / 1000));
	p->rest_us = 0;
}

/* TENF_E_FAILED when there is no answer; then *ret_error tells. */
static enum tenf_status exchange(struct probe *p, const struct tenf_raw *raw,
				 enum probe_answer *ret, uint8_t *ret_result,
				 struct tenf_error *ret_error)
{
	uint8_t request[1100], answer[1100];
	size_t request_len = sizeof(request);
	enum tenf_status status = tenf_raw_build(&p->ask, raw, request, &request_len, ret_error);

	p->ask.timeout_ms = FIRST_WAIT_MS;
	for (int i = 0; i < TRIES && status == TENF_OK; i++) {
		size_t len = sizeof(answer);
		int64_t rtt_us = 0;

		status = tenf_raw_exchange(&p->ask, request, request_len, answer, &len, &rtt_us,
					   NULL, ret_error);
		if (status == TENF_OK) {
			rest(p, rtt_us);
			*ret = probe_read_answer(request, request_len, answer, len, ret_result);
			if (*ret != PROBE_FOREIGN)
				return TENF_OK;
		} else if (status == TENF_E_FAILED && ret_error->reason == TENF_REASON_SILENT) {
			status = TENF_OK; /* once more, with more patience */
		}
		p->ask.timeout_ms *= 2;
	}
	if (status != TENF_OK)
		return status;
	*ret_error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1 };
	return TENF_E_FAILED;
}

static struct tenf_raw question(struct probe *p, enum tenf_protocol protocol, uint16_t port,
				uint32_t lifetime_s, const uint8_t *nonce)
{
	struct tenf_raw raw;

	tenf_raw_init(&raw);
	raw.kind = TENF_RAW_PCP_MAP;
	raw.protocol = protocol;
	raw.internal_port = port;
	raw.lifetime_s = lifetime_s;
	raw.nonce = nonce;
	raw.client = p->gateway.source;
	return raw;
}

/* ---- The self-test ---------------------------------------------------------------- */

static int give_up(struct probe *p, const char *why)
{
	cli_error(p->cli, "this gateway is not probed: %s", why);
	return CLI_EXIT_NO_SERVICE;
}

static int no_answer(struct probe *p, enum tenf_status status, const struct tenf_error *error)
{
	if (status != TENF_E_FAILED)
		return cli_failed(p->cli, status, error);
	cli_error(p->cli, "%s no longer answers; ask again later, and it goes on where it was",
		  p->gateway.address);
	return CLI_EXIT_SILENT;
}

struct test {
	enum tenf_protocol protocol;
	uint16_t port;
	uint8_t nonce[TENF_NONCE_SIZE]; /* of the mapping that is made */
};

/* One step of the test: the answer, or an exit status. */
static int step(struct probe *p, const struct test *test, uint32_t lifetime_s, bool ours,
		enum probe_answer *ret)
{
	struct tenf_raw raw = question(p, test->protocol, test->port, lifetime_s,
				       ours ? test->nonce : p->nonce);
	struct tenf_error error = { .result = -1 };
	uint8_t result = 0;
	enum tenf_status status = exchange(p, &raw, ret, &result, &error);

	return status == TENF_OK ? CLI_EXIT_DONE : no_answer(p, status, &error);
}

/* A mapping of ours is made, must resist a nonce that is not its own, and goes. */
static int test_nonces(struct probe *p, const struct test *test)
{
	enum probe_answer answer = PROBE_OTHER, foreign = PROBE_OTHER, gone = PROBE_OTHER;
	int status = step(p, test, 0, false, &answer);

	if (status != CLI_EXIT_DONE)
		return status;
	if (answer == PROBE_NO_PCP)
		return give_up(p, "it speaks no PCP");
	if (answer != PROBE_NOTHING && answer != PROBE_DONE)
		return give_up(p, "it refuses to delete what is not there, so its answers tell "
				  "nothing");
	status = step(p, test, TEST_LIFETIME_S, true, &answer);
	if (status == CLI_EXIT_DONE && answer != PROBE_DONE)
		return give_up(p, "it made no mapping for the self-test");
	if (status == CLI_EXIT_DONE)
		status = step(p, test, 0, false, &foreign);
	if (status == CLI_EXIT_DONE)
		status = step(p, test, 0, true, &gone);
	if (status == CLI_EXIT_DONE && gone != PROBE_DONE)
		cli_note(p->cli, "Port %u of the self-test is open for another %d s.", test->port,
			 TEST_LIFETIME_S);
	if (status == CLI_EXIT_DONE && foreign != PROBE_THERE)
		return give_up(p, "it does not check whose a mapping is (the nonce), so that "
				  "asking for one would close it");
	return status;
}

static int self_test(struct probe *p)
{
	struct test test;

	if (getrandom(p->nonce, sizeof(p->nonce), 0) != (ssize_t)sizeof(p->nonce) ||
	    getrandom(test.nonce, sizeof(test.nonce), 0) != (ssize_t)sizeof(test.nonce))
		return cli_failed(p->cli, TENF_E_SYSTEM, NULL);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(protocols); i++) {
		int status;

		test.protocol = protocols[i];
		/* Nobody here uses it, so nobody opened it. */
		if (!host_free_port(test.protocol, &test.port))
			return cli_failed(p->cli, TENF_E_SYSTEM, NULL);
		status = test_nonces(p, &test);
		if (status != CLI_EXIT_DONE)
			return status;
	}
	return CLI_EXIT_DONE;
}

/* ---- The range -------------------------------------------------------------------- */

static int add_found(struct probe *p, const struct probe_found *found, struct opened_list *list)
{
	struct opened opened = { .sources = OPENED_PROBE };
	struct tenf_mapping *m = &opened.mapping;

	m->protocol = found->protocol;
	m->internal_port = found->port;
	m->state = TENF_STATE_MAPPED;
	m->error.result = -1;
	m->gateway_port = p->gateway.port;
	memcpy(m->gateway, p->gateway.address, sizeof(m->gateway));
	memcpy(m->internal_address, p->gateway.source, sizeof(m->internal_address));
	memcpy(m->external_address, p->gateway.external_address, sizeof(m->external_address));
	return opened_add(list, &opened) == TENF_OK ? CLI_EXIT_DONE :
						      cli_failed(p->cli, TENF_E_MEMORY, NULL);
}

static void tell_progress(struct probe *p)
{
	const struct probe_state *s = &p->state;

	if (p->cli->steady_ms() - p->told_ms < TELL_MS)
		return;
	p->told_ms = p->cli->steady_ms();
	cli_note(p->cli, "Port %u of %u-%u, %zu found", s->next, s->range.first, s->range.last,
		 s->count);
}

static int ask_one(struct probe *p, enum tenf_protocol protocol, uint16_t port)
{
	struct tenf_raw raw = question(p, protocol, port, 0, p->nonce);
	struct tenf_error error = { .result = -1 };
	enum probe_answer answer = PROBE_OTHER;
	uint8_t result = 0;
	enum tenf_status status = exchange(p, &raw, &answer, &result, &error);

	if (status != TENF_OK)
		return no_answer(p, status, &error);
	if (answer == PROBE_NO_PCP)
		return give_up(p, "it no longer speaks PCP");
	if (answer == PROBE_THERE && !probe_state_add(&p->state, protocol, port))
		return cli_failed(p->cli, TENF_E_MEMORY, NULL);
	return CLI_EXIT_DONE;
}

static int ask_all(struct probe *p)
{
	struct probe_state *s = &p->state;
	int status = CLI_EXIT_DONE;

	while (status == CLI_EXIT_DONE && s->next <= s->range.last) {
		size_t known = s->count;

		for (size_t i = 0; status == CLI_EXIT_DONE && i < TENF_ARRAY_SIZE(protocols); i++)
			status = ask_one(p, protocols[i], (uint16_t)s->next);
		if (status != CLI_EXIT_DONE) {
			s->count = known; /* both are asked again */
			break;
		}
		s->next++;
		if (s->next % SAVE_EACH == 0)
			probe_state_save(s);
		tell_progress(p);
	}
	return status;
}

static int finish(struct probe *p, int status, struct opened_list *list)
{
	const struct probe_state *s = &p->state;
	uint32_t asked = s->next - s->range.first;

	if (s->count >= UNBELIEVABLE_FROM && s->count > asked) /* of two questions each */
		return give_up(p, "it refuses most ports, mapped or not");
	for (size_t i = 0; i < s->count; i++)
		status = cli_exit_worse(status, add_found(p, &s->found[i], list));
	if (status == CLI_EXIT_DONE)
		probe_state_forget(s);
	else
		probe_state_save(s);
	return status;
}

static int find_gateway(struct probe *p)
{
	struct tenf_error error = { .result = -1 };
	enum tenf_status status = tenf_find_gateway(&p->cli->global.ask, &p->gateway, &error);
	struct tenf_text t = tenf_text_of(p->place, sizeof(p->place));

	if (status != TENF_OK)
		return cli_failed(p->cli, status, &error);
	for (size_t i = 0; i < p->gateway.spoken_count; i++) {
		if (p->gateway.spoken[i].method != TENF_METHOD_PCP)
			continue;
		/* No more looking for it, for each question. */
		output_endpoint(&t, p->gateway.address, p->gateway.port, NULL);
		p->ask = p->cli->global.ask;
		p->ask.gateway = p->place;
		p->ask.source = p->gateway.source;
		return CLI_EXIT_DONE;
	}
	return give_up(p, "it speaks no PCP");
}

int probe_run(struct cli *cli, const struct probe_range *range, struct opened_list *list)
{
	struct probe *p = calloc(1, sizeof(*p));
	int status;

	if (p == NULL)
		return cli_failed(cli, TENF_E_MEMORY, NULL);
	p->cli = cli;
	status = find_gateway(p);
	if (status == CLI_EXIT_DONE)
		status = self_test(p);
	if (status == CLI_EXIT_DONE) {
		probe_state_load(&p->state, range, p->gateway.address, p->gateway.source);
		if (p->state.next > range->first)
			cli_note(cli, "An earlier probe got to port %u; it goes on there.",
				 p->state.next);
		p->told_ms = cli->steady_ms();
		status = finish(p, ask_all(p), list);
	}
	probe_state_done(&p->state);
	free(p);
	return status;
}

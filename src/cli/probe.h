/* SPDX-License-Identifier: MIT */
/*
 * Finding this host's mappings on a PCP gateway, which has no list: a MAP with lifetime 0
 * and a nonce that is nobody's is answered NOT_AUTHORIZED where there is a mapping,
 * and changes nothing (RFC 6887 §15.1, §11.3). Only where the gateway checks nonces:
 * where it does not, the same request would delete what it finds. Hence a self-test
 * on a mapping of our own comes first, and nothing is asked when it fails.
 *
 * One question at a time, and as much time in between as the answers take, so that
 * a gateway is never more than half busy with it. Never port 0 and never protocol 0,
 * which stand for everything.
 */
#ifndef TENF_CLI_PROBE_H
#define TENF_CLI_PROBE_H

#include "cli/opened.h"
#include "cli/cli.h"

struct probe_range {
	uint16_t first; /* never 0 */
	uint16_t last;
};

/* "4000-4100" or "4000"; false when it is none, or has port 0. Pure. */
bool probe_range_parse(const char *text, struct probe_range *ret);

enum probe_answer {
	PROBE_THERE,   /* a mapping with another nonce */
	PROBE_NOTHING, /* none */
	PROBE_DONE,    /* the request itself was done: made, or deleted */
	PROBE_NO_PCP,  /* this version or opcode is not spoken */
	PROBE_OTHER,   /* refused for another reason; *ret_result tells */
	PROBE_FOREIGN, /* not the answer to this request */
};

/* What a gateway answered to a MAP request, which is `request`. Pure. */
enum probe_answer probe_read_answer(const uint8_t *request, size_t request_len,
				    const uint8_t *answer, size_t len, uint8_t *ret_result);

/* Asks for each port of the range, both protocols, and adds what is there to the
 * list. Exit status, after a message: a self-test that fails, a gateway that fell
 * silent. What was found until then is in the list, and the next probe of the same
 * range goes on there. */
int probe_run(struct cli *cli, const struct probe_range *range, struct opened_list *list);

#endif

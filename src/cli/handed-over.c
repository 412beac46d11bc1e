/* SPDX-License-Identifier: MIT */
#include "cli/handed-over.h"

#include "base/text.h"
#include "cli/lease-text.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MAX_MS 60000

void handed_over_write(uint32_t asked_ms, const uint8_t *nonce, char ret[HANDED_OVER_SIZE])
{
	struct tenf_text t = tenf_text_of(ret, HANDED_OVER_SIZE);

	tenf_text_add_number(&t, asked_ms < ASKED_MAX_MS ? asked_ms : ASKED_MAX_MS);
	tenf_text_add_char(&t, ' ');
	tenf_text_add_hex(&t, nonce, TENF_NONCE_SIZE);
}

void handed_over_take(struct cli *cli)
{
	static uint8_t nonce[TENF_NONCE_SIZE];
	const char *text = secure_getenv(HANDED_OVER);
	const char *blank = text != NULL ? strchr(text, ' ') : NULL;
	uint64_t asked_ms;

	if (blank != NULL && lease_text_nonce(blank + 1, nonce) &&
	    tenf_text_number(text, (size_t)(blank - text), ASKED_MAX_MS, &asked_ms)) {
		cli->asked_ms = (uint32_t)asked_ms;
		cli->nonce = nonce;
	}
	(void)unsetenv(HANDED_OVER);
}

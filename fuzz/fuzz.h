/* SPDX-License-Identifier: MIT */
/*
 * What a fuzz target and its drivers agree on. A target is one file that defines
 * LLVMFuzzerTestOneInput and checks invariants with FUZZ_CHECK. It is linked with
 * libFuzzer, which looks for new inputs, or with driver.c, which replays a
 * corpus under any compiler. The input is of exact size; a target must keep no
 * state from one input to the next.
 */
#ifndef TENF_FUZZ_H
#define TENF_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert, there in every build. */
#define FUZZ_CHECK(condition)                                                             \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                          \
		}                                                                         \
	} while (0)

#endif

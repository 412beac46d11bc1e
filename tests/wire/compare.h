/* SPDX-License-Identifier: MIT */
/*
 * Compares what the codecs read with what a golden packet says it holds. Only
 * fields that the packet really has are looked at. A difference fails the
 * running test with the packet's name.
 */
#ifndef TENF_TESTS_WIRE_COMPARE_H
#define TENF_TESTS_WIRE_COMPARE_H

#include "vectors.h"
#include "wire/natpmp.h"
#include "wire/pcp-option.h"
#include "wire/pcp.h"

/* Fails the test with the packet's name and `what` unless `good`. */
void golden_check(const struct vector *v, bool good, const char *what);
#define GOLDEN(v, condition) golden_check(v, condition, #condition)

void compare_natpmp_request(const struct vector *v, const struct natpmp_request *m);
void compare_natpmp_answer(const struct vector *v, const struct natpmp_answer *m);
void compare_pcp_request(const struct vector *v, const struct pcp_request *m);
void compare_pcp_answer(const struct vector *v, const struct pcp_answer *m);

/* Walks the options beside the list of the packet: the same ones, up to the
 * one that overruns. */
void compare_options(const struct vector *v, struct tenf_reader options);

#endif

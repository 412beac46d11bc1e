/* SPDX-License-Identifier: MIT */
/* Errors as people read them: what was tried, what happened, what to do. */
#ifndef TENF_LIB_EXPLAIN_H
#define TENF_LIB_EXPLAIN_H

#include "base/address.h"
#include "net/error.h"

#include <tenforward/tenforward.h>

/* What a failure is about. */
struct explain_case {
	const struct tenf_endpoint *gateway; /* NULL when there is none */
	const char *interface;               /* asked for by name; "" otherwise */
	const struct tenf_endpoint *named;   /* gateway asked for; NULL: that of the routes */
	const struct tenf_address *source;   /* own address asked for; NULL: any */
	enum tenf_reason reason;
	enum tenf_method method; /* whose result code it is */
	int result;              /* -1: the gateway said nothing */
	unsigned asked;          /* methods that were tried, or-ed */
	uint32_t timeout_ms;
};

void explain_reason(struct tenf_error *ret, const struct explain_case *c);

/* Each fills `reterr` (may be NULL) and returns the status it put there. */
enum tenf_status explain_argument(struct tenf_error *reterr, const char *before,
				  const char *value, const char *after);
enum tenf_status explain_system(struct tenf_error *reterr, enum tenf_status status,
				const char *what, const struct net_error *cause);

/* No error at all. */
void explain_nothing(struct tenf_error *ret);

#endif

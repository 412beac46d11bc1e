/* SPDX-License-Identifier: MIT */
/*
 * Actions of a UPnP service as text: the request's envelope, and what an answer
 * says. The XML of answers is libminiupnpc's to read. Texts that are shown to
 * people pass igd_text_clean() first: they come from whoever asked the router.
 */
#ifndef TENF_IGD_SOAP_H
#define TENF_IGD_SOAP_H

#include "base/attributes.h"
#include "base/text.h"

#include <tenforward/types.h>

#define IGD_VALUE 80     /* of an answer that is a number or an address */
#define IGD_VALUE_CUT 127 /* octets of a text the parser keeps: so long a one may be cut */
#define IGD_BODY 3072    /* of a request, with the terminator */

/* UPnP errors that decide what is done next (WANIPConnection:2 §2.5). */
#define IGD_ERROR_ARGUMENTS 402
#define IGD_ERROR_ACTION_FAILED 501
#define IGD_ERROR_NOT_AUTHORIZED 606
#define IGD_ERROR_END_OF_LIST 713
#define IGD_ERROR_NO_SUCH_ENTRY 714
#define IGD_ERROR_CONFLICT 718
#define IGD_ERROR_SAME_PORTS 724
#define IGD_ERROR_PERMANENT_ONLY 725
#define IGD_ERROR_NO_PORTS 728
#define IGD_ERROR_OTHER_MECHANISM 729
#define IGD_ERROR_NOT_FOUND 730

struct igd_argument {
	const char *name;
	const char *value; /* escaped when it is written */
};

/* Writes the envelope; `t->cut` when it does not fit. */
void igd_soap_write(struct tenf_text *t, const char *type, const char *action,
		    const struct igd_argument *arguments, size_t count);

/* What an answer came to: TENF_OK, TENF_E_FAILED with *ret_error (a UPnP error
 * code), or TENF_E_MALFORMED when it is no answer to `action`. */
TENF_CHECKED enum tenf_status igd_soap_judge(const char *body, size_t len, int status,
					     const char *action, int *ret_error);

/* Values of one answer; done with igd_values_done(). */
struct igd_values {
	void *parsed;
};

TENF_CHECKED enum tenf_status igd_values_read(const char *body, size_t len,
					      struct igd_values *ret);
void igd_values_done(struct igd_values *values);
/* The text as it stands in the XML; NULL when there is none. */
const char *igd_values_get(const struct igd_values *values, const char *name);
/* False when it is absent, no number, negative or above `max`. */
bool igd_values_number(const struct igd_values *values, const char *name, uint64_t max,
		       uint64_t *ret);
/* One element with a text after the other, the last of the document first. Begin
 * with *at NULL; false at the end. */
bool igd_values_next(const struct igd_values *values, const void **at, const char **ret_name,
		     const char **ret_value);
/* The raw XML behind NewPortListing; NULL when there is none. */
const char *igd_values_listing(const struct igd_values *values);

/* Resolves the five entities of XML and numeric ones, in place. */
void igd_unescape(char *text);
/* As igd_unescape(), and what remains is valid UTF-8 without control characters, cut to
 * `size` between characters. */
void igd_text_clean(const char *text, char *ret, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * PCP options (RFC 6887 §7.3, §13; RFC 7220): an iterator over what follows
 * the opcode data, a decoder and a writer for each option we know.
 */
#ifndef TENF_WIRE_PCP_OPTION_H
#define TENF_WIRE_PCP_OPTION_H

#include "base/address.h"
#include "base/bytes.h"

enum pcp_option_code {
	PCP_OPTION_THIRD_PARTY = 1,    /* §13.1 */
	PCP_OPTION_PREFER_FAILURE = 2, /* §13.2 */
	PCP_OPTION_FILTER = 3,         /* §13.3 */
	PCP_OPTION_DESCRIPTION = 128,  /* RFC 7220 */
};

#define PCP_DESCRIPTION_MAX 1016 /* octets, RFC 7220 §2 */

/* 0-127 must be understood, 128-255 may be skipped (§7.3). */
static inline bool pcp_option_is_mandatory(uint8_t code)
{
	return code < 128;
}

struct pcp_option {
	uint8_t code;
	uint16_t length;         /* of the data, without padding */
	struct tenf_reader data; /* cannot leave the option */
};

/* The next option, padding passed over; false at the end or when the option
 * runs over the end of the message, then options->failed is set. */
bool pcp_option_next(struct tenf_reader *options, struct pcp_option *ret);

/* Walks a copy to the end: false when any option overruns. */
bool pcp_options_are_sound(struct tenf_reader options);

struct pcp_filter {
	uint8_t prefix_length; /* of 128; 0 removes all filters */
	uint16_t port;         /* remote port, 0 for any */
	struct tenf_address address;
};

/* Each: TENF_E_MALFORMED when the length is not the option's own. */
TENF_CHECKED enum tenf_status pcp_option_third_party(const struct pcp_option *o,
						     struct tenf_address *ret);
TENF_CHECKED enum tenf_status pcp_option_filter(const struct pcp_option *o,
						struct pcp_filter *ret);
/* Points into the packet; valid UTF-8 without NUL, else TENF_E_MALFORMED. Trailing
 * spaces (padding of careful clients) are not cut here. */
TENF_CHECKED enum tenf_status pcp_option_description(const struct pcp_option *o,
						     const uint8_t **ret_text, size_t *ret_len);

void pcp_write_third_party(struct tenf_writer *w, const struct tenf_address *internal);
void pcp_write_prefer_failure(struct tenf_writer *w);
void pcp_write_filter(struct tenf_writer *w, const struct pcp_filter *filter);
/* Written with its exact length and zero padding. A client that wants to be
 * understood by gateways that forget the padding fills the text up with spaces first. */
void pcp_write_description(struct tenf_writer *w, const uint8_t *text, size_t len);

/* Strict UTF-8 (no overlong forms, no surrogates), no NUL. */
bool pcp_is_utf8(const uint8_t *text, size_t len);

#endif

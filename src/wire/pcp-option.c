/* SPDX-License-Identifier: MIT */
#include "wire/pcp-option.h"

/* Length of the data, §13.1-§13.3. */
#define THIRD_PARTY_LENGTH 16
#define PREFER_FAILURE_LENGTH 0
#define FILTER_LENGTH 20

/* Octets that fill the data of an option up to a multiple of four, §7.3. */
static size_t padding_of(size_t length)
{
	return (4 - length % 4) % 4;
}

bool pcp_option_next(struct tenf_reader *options, struct pcp_option *ret)
{
	struct pcp_option o;

	if (options->failed || options->left == 0)
		return false;
	o.code = tenf_reader_u8(options);
	tenf_reader_skip(options, 1);
	o.length = tenf_reader_u16(options);
	o.data = tenf_reader_sub(options, o.length);
	tenf_reader_skip(options, padding_of(o.length));
	if (options->failed)
		return false;
	*ret = o;
	return true;
}

bool pcp_options_are_sound(struct tenf_reader options)
{
	struct pcp_option o;

	while (pcp_option_next(&options, &o))
		;
	return !options.failed;
}

enum tenf_status pcp_option_third_party(const struct pcp_option *o, struct tenf_address *ret)
{
	struct tenf_reader data = o->data;

	if (o->length != THIRD_PARTY_LENGTH)
		return TENF_E_MALFORMED;
	tenf_reader_copy(&data, ret->octets, sizeof(ret->octets));
	return TENF_OK;
}

enum tenf_status pcp_option_filter(const struct pcp_option *o, struct pcp_filter *ret)
{
	struct tenf_reader data = o->data;

	if (o->length != FILTER_LENGTH)
		return TENF_E_MALFORMED;
	tenf_reader_skip(&data, 1);
	ret->prefix_length = tenf_reader_u8(&data);
	ret->port = tenf_reader_u16(&data);
	tenf_reader_copy(&data, ret->address.octets, sizeof(ret->address.octets));
	return TENF_OK;
}

enum tenf_status pcp_option_description(const struct pcp_option *o, const uint8_t **ret_text,
					size_t *ret_len)
{
	if (o->length > PCP_DESCRIPTION_MAX || !pcp_is_utf8(o->data.at, o->data.left))
		return TENF_E_MALFORMED;
	*ret_text = o->data.at;
	*ret_len = o->data.left;
	return TENF_OK;
}

static void write_header(struct tenf_writer *w, enum pcp_option_code code, uint16_t length)
{
	tenf_writer_u8(w, (uint8_t)code);
	tenf_writer_u8(w, 0);
	tenf_writer_u16(w, length);
}

void pcp_write_third_party(struct tenf_writer *w, const struct tenf_address *internal)
{
	write_header(w, PCP_OPTION_THIRD_PARTY, THIRD_PARTY_LENGTH);
	tenf_writer_copy(w, internal->octets, sizeof(internal->octets));
}

void pcp_write_prefer_failure(struct tenf_writer *w)
{
	write_header(w, PCP_OPTION_PREFER_FAILURE, PREFER_FAILURE_LENGTH);
}

void pcp_write_filter(struct tenf_writer *w, const struct pcp_filter *filter)
{
	write_header(w, PCP_OPTION_FILTER, FILTER_LENGTH);
	tenf_writer_u8(w, 0);
	tenf_writer_u8(w, filter->prefix_length);
	tenf_writer_u16(w, filter->port);
	tenf_writer_copy(w, filter->address.octets, sizeof(filter->address.octets));
}

void pcp_write_description(struct tenf_writer *w, const uint8_t *text, size_t len)
{
	if (len > PCP_DESCRIPTION_MAX) {
		w->failed = true;
		return;
	}
	write_header(w, PCP_OPTION_DESCRIPTION, (uint16_t)len);
	tenf_writer_copy(w, text, len);
	tenf_writer_fill(w, 0, padding_of(len));
}

/* How many octets follow the first one of a character, -1 when none may start
 * so. Takes C0, C1 and F5 up out at once: they could only begin overlong forms
 * or leave Unicode. */
static int tail_of(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first < 0xe0)
		return 1;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	if (first >= 0xf0 && first < 0xf5)
		return 3;
	return -1;
}

/* The second octet has less room after four of the first ones (RFC 3629 §4):
 * E0 and F0 would be overlong below, ED a surrogate and F4 past the end above. */
static bool second_is_good(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

bool pcp_is_utf8(const uint8_t *text, size_t len)
{
	struct tenf_reader r = tenf_reader_of(text, len);

	while (r.left > 0) {
		uint8_t first = tenf_reader_u8(&r);
		int tail = tail_of(first);

		if (first == 0 || tail < 0)
			return false;
		for (int i = 0; i < tail; i++) {
			uint8_t next = tenf_reader_u8(&r); /* 0, so refused, past the end */

			if ((next & 0xc0) != 0x80)
				return false;
			if (i == 0 && !second_is_good(first, next))
				return false;
		}
	}
	return true;
}

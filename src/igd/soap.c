/* SPDX-License-Identifier: MIT */
#include "igd/soap.h"

#include <miniupnpc/upnpreplyparse.h>
#include <stdlib.h>
#include <string.h>

static void add_escaped(struct tenf_text *t, const char *value)
{
	for (; *value != '\0'; value++) {
		switch (*value) {
		case '&':
			tenf_text_add(t, "&amp;");
			break;
		case '<':
			tenf_text_add(t, "&lt;");
			break;
		case '>':
			tenf_text_add(t, "&gt;");
			break;
		default:
			tenf_text_add_char(t, *value);
		}
	}
}

static void add_tag(struct tenf_text *t, const char *open, const char *name)
{
	tenf_text_add(t, open);
	tenf_text_add(t, name);
	tenf_text_add_char(t, '>');
}

void igd_soap_write(struct tenf_text *t, const char *type, const char *action,
		    const struct igd_argument *arguments, size_t count)
{
	tenf_text_add(t, "<?xml version=\"1.0\"?>\r\n"
			 "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
			 "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">"
			 "<s:Body><u:");
	tenf_text_add(t, action);
	tenf_text_add(t, " xmlns:u=\"");
	tenf_text_add(t, type);
	tenf_text_add(t, "\">");
	for (size_t i = 0; i < count; i++) {
		add_tag(t, "<", arguments[i].name);
		add_escaped(t, arguments[i].value);
		add_tag(t, "</", arguments[i].name);
	}
	add_tag(t, "</u:", action);
	tenf_text_add(t, "</s:Body></s:Envelope>\r\n");
}

/* ---- Answers ------------------------------------------------------------------ */

enum tenf_status igd_values_read(const char *body, size_t len, struct igd_values *ret)
{
	struct NameValueParserData *parsed = calloc(1, sizeof(*parsed));

	if (parsed == NULL)
		return TENF_E_MEMORY;
	if (len > 0 && len <= INT32_MAX)
		ParseNameValue(body, (int)len, parsed);
	ret->parsed = parsed;
	return TENF_OK;
}

void igd_values_done(struct igd_values *values)
{
	if (values->parsed == NULL)
		return;
	ClearNameValueList(values->parsed);
	free(values->parsed);
	values->parsed = NULL;
}

const char *igd_values_get(const struct igd_values *values, const char *name)
{
	return GetValueFromNameValueList(values->parsed, name);
}

bool igd_values_next(const struct igd_values *values, const void **at, const char **ret_name,
		     const char **ret_value)
{
	const struct NameValueParserData *parsed = values->parsed;
	const struct NameValue *next = *at != NULL ?
					       ((const struct NameValue *)*at)->l_next :
					       parsed->l_head;

	if (next == NULL)
		return false;
	*at = next;
	*ret_name = next->name;
	*ret_value = next->value;
	return true;
}

bool igd_values_number(const struct igd_values *values, const char *name, uint64_t max,
		       uint64_t *ret)
{
	const char *text = igd_values_get(values, name);

	return text != NULL && tenf_text_number(text, strlen(text), max, ret);
}

const char *igd_values_listing(const struct igd_values *values)
{
	const struct NameValueParserData *parsed = values->parsed;

	return parsed->portListing;
}

/* A success may have no values at all: its element must be there. */
static bool names_response(const char *body, size_t len, const char *action)
{
	char name[64];
	struct tenf_text t = tenf_text_of(name, sizeof(name));

	tenf_text_add(&t, action);
	tenf_text_add(&t, "Response");
	return !t.cut && memmem(body, len, name, t.used) != NULL;
}

enum tenf_status igd_soap_judge(const char *body, size_t len, int status, const char *action,
				int *ret_error)
{
	struct igd_values values;
	enum tenf_status judged;
	uint64_t code;

	if (body == NULL || len == 0)
		return TENF_E_MALFORMED;
	judged = igd_values_read(body, len, &values);
	if (judged != TENF_OK)
		return judged;
	if (igd_values_number(&values, "errorCode", 9999, &code)) {
		*ret_error = (int)code;
		judged = TENF_E_FAILED;
	} else if (status != 200 || !names_response(body, len, action)) {
		judged = TENF_E_MALFORMED;
	}
	igd_values_done(&values);
	return judged;
}

/* ---- Texts -------------------------------------------------------------------- */

/* Writes a character as UTF-8; gives the number of octets, 0 for none. */
static size_t put_utf8(uint32_t c, char *ret)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xe0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static bool parse_number(const char *text, size_t len, uint32_t *ret)
{
	bool hex = len > 0 && (text[0] == 'x' || text[0] == 'X');
	uint32_t number = 0;

	for (size_t i = hex; i < len; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = strchr(digits, text[i]);
		uint32_t value = digit != NULL ? (uint32_t)(digit - digits) % 16 : 16;

		if (value >= (hex ? 16u : 10u) || number > 0x10ffff)
			return false;
		number = number * (hex ? 16 : 10) + value;
	}
	*ret = number;
	return len > (size_t)hex;
}

/* The character an entity stands for, `text` behind its "&"; 0 for none. */
static uint32_t entity(const char *text, size_t len)
{
	static const struct {
		char name[5];
		char c;
	} all[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' },
		    { "quot", '"' }, { "apos", '\'' } };
	uint32_t number;

	if (len > 1 && text[0] == '#')
		return parse_number(text + 1, len - 1, &number) ? number : 0;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(all); i++) {
		if (strlen(all[i].name) == len && memcmp(all[i].name, text, len) == 0)
			return (uint32_t)all[i].c;
	}
	return 0;
}

/* An entity is never shorter than the character it stands for. */
void igd_unescape(char *text)
{
	char *to = text;

	while (*text != '\0') {
		size_t len = *text == '&' ? strcspn(text, "; ") : 0;
		char utf8[4];
		size_t octets = 0;

		if (len > 1 && len < 12 && text[len] == ';')
			octets = put_utf8(entity(text + 1, len - 1), utf8);
		if (octets == 0) {
			*to++ = *text++;
			continue;
		}
		memcpy(to, utf8, octets);
		to += octets;
		text += len + 1;
	}
	*to = '\0';
}

/* Octets of the sound character at `text`, 0 when it is none worth showing. */
static size_t sound_character(const unsigned char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t octets = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;
	uint32_t c;

	if (octets <= 1)
		return text[0] >= ' ' && text[0] != 0x7f ? octets : 0;
	c = text[0] & (0x7fu >> octets);
	for (size_t i = 1; i < octets; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	if (c < least[octets] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c < 0xa0)
		return 0;
	return octets;
}

void igd_text_clean(const char *text, char *ret, size_t size)
{
	char *copy = strdup(text);
	size_t used = 0;

	ret[0] = '\0';
	if (copy == NULL)
		return;
	igd_unescape(copy);
	for (const char *at = copy; *at != '\0';) {
		size_t octets = sound_character((const unsigned char *)at);

		if (octets == 0) {
			at++;
			continue;
		}
		if (used + octets >= size)
			break;
		memcpy(ret + used, at, octets);
		used += octets;
		at += octets;
	}
	ret[used] = '\0';
	free(copy);
}

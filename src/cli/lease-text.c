/* SPDX-License-Identifier: MIT */
#include "cli/lease-text.h"

#include "base/address.h"
#include "base/forward.h"
#include "base/names.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "tenforward-leases 1"
#define NO_ADDRESS "-"
#define NONCE_DIGITS (2 * TENF_NONCE_SIZE)
/* Twelve numbers, three addresses, a nonce, a name, and the keys of all. */
#define LEASE_ROOM 1024
#define FRAME_ROOM 64

/* Reads one lease; the first field that is wrong makes it fail for good. */
struct fields {
	char *rest;
	const char *wrong; /* key of the first field that is; NULL: none so far */
};

static void mark(struct fields *f, const char *key)
{
	if (f->wrong == NULL)
		f->wrong = key;
}

/* The value of the next field, which must have this key; "" when it has not. */
static const char *next(struct fields *f, const char *key)
{
	char *field = f->wrong == NULL ? strsep(&f->rest, " ") : NULL;
	size_t len = strlen(key);

	if (field == NULL || strncmp(field, key, len) != 0 || field[len] != '=') {
		mark(f, key);
		return "";
	}
	return field + len + 1;
}

static uint64_t number(struct fields *f, const char *key, uint64_t max)
{
	const char *value = next(f, key);
	uint64_t n = 0;

	if (!tenf_text_number(value, strlen(value), max, &n))
		mark(f, key);
	return n;
}

static uint16_t port(struct fields *f, const char *key)
{
	return (uint16_t)number(f, key, UINT16_MAX);
}

static void address(struct fields *f, const char *key, bool needed, char *ret)
{
	const char *value = next(f, key);
	char plain[TENF_ADDRESS_SIZE];
	struct tenf_text whole = tenf_text_of(ret, TENF_ADDRESS_SIZE);
	struct tenf_text t = tenf_text_of(plain, sizeof(plain));
	struct tenf_address parsed;

	if (!needed && strcmp(value, NO_ADDRESS) == 0)
		return;
	tenf_text_add(&whole, value);
	tenf_text_add(&t, value);
	plain[strcspn(plain, "%")] = '\0'; /* a scope, as in fe80::1%eth0 */
	if (t.cut || !tenf_address_parse(plain, &parsed))
		mark(f, key);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool lease_text_nonce(const char *hex, uint8_t *ret)
{
	uint8_t nonce[TENF_NONCE_SIZE];

	if (strlen(hex) != NONCE_DIGITS)
		return false;
	for (size_t i = 0; i < TENF_NONCE_SIZE; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		nonce[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, nonce, sizeof(nonce));
	return true;
}

static void nonce(struct fields *f, const char *key, uint8_t *ret)
{
	if (!lease_text_nonce(next(f, key), ret))
		mark(f, key);
}

/* Left out where it is 0, as it was in records before there were filters. */
static uint64_t optional(struct fields *f, const char *key, uint64_t max)
{
	size_t len = strlen(key);

	if (f->rest == NULL || strncmp(f->rest, key, len) != 0 || f->rest[len] != '=')
		return 0;
	return number(f, key, max);
}

static enum tenf_protocol protocol(struct fields *f, const char *key)
{
	const char *name = next(f, key);

	if (strcmp(name, "udp") == 0)
		return TENF_UDP;
	if (strcmp(name, "tcp") != 0)
		mark(f, key);
	return TENF_TCP;
}

static enum tenf_method method(struct fields *f, const char *key)
{
	static const enum tenf_method all[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP,
						TENF_METHOD_IGD };
	const char *name = next(f, key);

	for (size_t i = 0; i < TENF_ARRAY_SIZE(all); i++) {
		if (strcmp(name, tenf_method_code(all[i])) == 0)
			return all[i];
	}
	mark(f, key);
	return TENF_METHOD_NONE;
}

/* What is left of the line: a name may hold blanks. */
static void name(struct fields *f, const char *key, char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);
	size_t len = strlen(key);

	if (f->rest == NULL || strncmp(f->rest, key, len) != 0 || f->rest[len] != '=') {
		mark(f, key);
		return;
	}
	tenf_text_add(&t, f->rest + len + 1);
	if (t.cut)
		mark(f, key);
}

static const char *read_lease(char *line, struct lease *ret)
{
	struct fields f = { .rest = line };
	struct tenf_mapping *m = &ret->mapping;

	m->state = TENF_STATE_MAPPED;
	ret->number = number(&f, "id", INT64_MAX);
	if (ret->number == 0)
		mark(&f, "id");
	m->protocol = protocol(&f, "protocol");
	address(&f, "internal", true, m->internal_address);
	m->internal_port = port(&f, "port");
	address(&f, "external", false, m->external_address);
	m->external_port = port(&f, "external-port");
	m->requested_external_port = port(&f, "requested");
	address(&f, "gateway", true, m->gateway);
	m->gateway_port = port(&f, "gateway-port");
	m->method = method(&f, "method");
	m->lifetime_s = (uint32_t)number(&f, "lifetime", UINT32_MAX);
	m->expires_at = (int64_t)number(&f, "expires", INT64_MAX);
	m->renews_at = (int64_t)number(&f, "renews", INT64_MAX);
	ret->keeper = (int64_t)number(&f, "keeper", INT32_MAX);
	ret->for_other = number(&f, "for-other", 1) == 1;
	m->filtering = (enum tenf_filtering)optional(&f, "filtering", TENF_FILTERING_MISSING);
	nonce(&f, "nonce", m->nonce);
	name(&f, "name", ret->name, sizeof(ret->name));
	return f.wrong;
}

static bool read_head(const char *line, struct leases *ret)
{
	static const char head[] = HEAD " next=";
	uint64_t next_number;

	if (line == NULL || strncmp(line, head, sizeof(head) - 1) != 0 ||
	    !tenf_text_number(line + sizeof(head) - 1, strlen(line + sizeof(head) - 1),
			      INT64_MAX - 1, &next_number) ||
	    next_number == 0)
		return false;
	ret->next_number = next_number;
	return true;
}

/* The id a line begins with; 0 when it begins with none. */
static uint64_t id_of(const char *line)
{
	uint64_t id = 0;

	if (strncmp(line, "id=", 3) != 0)
		return 0;
	line += 3;
	if (!tenf_text_number(line, strcspn(line, " "), INT64_MAX - 1, &id))
		return 0;
	return id;
}

/* Where the lease of this id stands, `count` when it is new. Ids grow from line to
 * line, but for what was changed afterwards. */
static size_t place_of(const struct leases *leases, uint64_t id)
{
	size_t i = 0;

	if (leases->count == 0 || leases->items[leases->count - 1].number < id)
		return leases->count;
	while (i < leases->count && leases->items[i].number != id)
		i++;
	return i;
}

/* Leaves in `latest` the last line of each lease, in the order of `ret`'s. */
static bool find_latest(char *text, struct leases *ret, char *latest[LEASES_MAX], char *why,
			size_t why_size)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL && text != NULL) {
		uint64_t id = id_of(line);
		size_t place = place_of(ret, id);

		ret->lines++;
		if (id == 0) {
			snprintf(why, why_size, "line %zu has no id", ret->lines + 1);
			return false;
		}
		if (place == ret->count) {
			if (leases_grow(ret) != TENF_OK) {
				snprintf(why, why_size, "it has too many leases");
				return false;
			}
			ret->items[ret->count++].number = id;
		}
		if (id >= ret->next_number)
			ret->next_number = id + 1;
		latest[place] = line;
	}
	ret->torn = line != NULL && line[0] != '\0';
	return true;
}

enum tenf_status lease_text_read(char *text, struct leases *ret, char *why, size_t why_size)
{
	char *latest[LEASES_MAX];
	size_t count = 0;
	bool good;

	if (!read_head(strsep(&text, "\n"), ret) || text == NULL) {
		snprintf(why, why_size, "it does not begin with \"%s\"", HEAD);
		return TENF_E_MALFORMED;
	}
	good = find_latest(text, ret, latest, why, why_size);
	for (size_t i = 0; i < ret->count; i++) {
		struct lease lease = { .number = 0 };
		const char *wrong = read_lease(latest[i], &lease);

		if (wrong == NULL) {
			ret->items[count++] = lease;
			continue;
		}
		snprintf(why, why_size, "\"%s\" of lease m%llu makes no sense", wrong,
			 (unsigned long long)ret->items[i].number);
		good = false;
	}
	ret->count = count;
	return good ? TENF_OK : TENF_E_MALFORMED;
}

static void add_number(struct tenf_text *t, const char *key, uint64_t value)
{
	tenf_text_add_char(t, ' ');
	tenf_text_add(t, key);
	tenf_text_add_char(t, '=');
	tenf_text_add_number(t, value);
}

static void add_word(struct tenf_text *t, const char *key, const char *value)
{
	tenf_text_add_char(t, ' ');
	tenf_text_add(t, key);
	tenf_text_add_char(t, '=');
	tenf_text_add(t, value[0] != '\0' ? value : NO_ADDRESS);
}

static void add_lease(struct tenf_text *t, const struct lease *lease)
{
	const struct tenf_mapping *m = &lease->mapping;

	tenf_text_add(t, "id=");
	tenf_text_add_number(t, lease->number);
	add_word(t, "protocol", tenf_protocol_name(m->protocol));
	add_word(t, "internal", m->internal_address);
	add_number(t, "port", m->internal_port);
	add_word(t, "external", m->external_address);
	add_number(t, "external-port", m->external_port);
	add_number(t, "requested", m->requested_external_port);
	add_word(t, "gateway", m->gateway);
	add_number(t, "gateway-port", m->gateway_port);
	add_word(t, "method", tenf_method_code(m->method));
	add_number(t, "lifetime", m->lifetime_s);
	add_number(t, "expires", (uint64_t)m->expires_at);
	add_number(t, "renews", (uint64_t)m->renews_at);
	add_number(t, "keeper", (uint64_t)lease->keeper);
	add_number(t, "for-other", lease->for_other);
	if (m->filtering != TENF_FILTERING_NONE)
		add_number(t, "filtering", m->filtering);
	tenf_text_add(t, " nonce=");
	tenf_text_add_hex(t, m->nonce, TENF_NONCE_SIZE);
	tenf_text_add(t, " name=");
	tenf_text_add(t, lease->name);
	tenf_text_add_char(t, '\n');
}

char *lease_text_make(const struct leases *leases)
{
	size_t size = FRAME_ROOM + leases->count * LEASE_ROOM;
	char *text = malloc(size);
	struct tenf_text t;

	if (text == NULL)
		return NULL;
	t = tenf_text_of(text, size);
	tenf_text_add(&t, HEAD " next=");
	tenf_text_add_number(&t, leases->next_number);
	tenf_text_add_char(&t, '\n');
	for (size_t i = 0; i < leases->count; i++)
		add_lease(&t, &leases->items[i]);
	return text;
}

char *lease_text_changes(const struct leases *leases)
{
	size_t size = 1 + leases->changed * LEASE_ROOM;
	char *text = malloc(size);
	struct tenf_text t;

	if (text == NULL)
		return NULL;
	t = tenf_text_of(text, size);
	for (size_t i = 0; i < leases->count; i++) {
		if (leases->items[i].changed)
			add_lease(&t, &leases->items[i]);
	}
	return text;
}

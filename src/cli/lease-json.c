/* SPDX-License-Identifier: MIT */
#include "cli/lease-json.h"

#include "base/address.h"
#include "base/names.h"
#include "base/forward.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION 1
#define NONCE_DIGITS (2 * TENF_NONCE_SIZE)

/* Reads one lease; the first thing that is wrong makes it fail for good. */
struct fields {
	const json_t *object;
	const char *wrong; /* key of the first field that is; NULL: none so far */
};

static void mark(struct fields *f, const char *key)
{
	if (f->wrong == NULL)
		f->wrong = key;
}

static uint64_t number(struct fields *f, const char *key, uint64_t max)
{
	const json_t *value = json_object_get(f->object, key);
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0 || (uint64_t)n > max) {
		mark(f, key);
		return 0;
	}
	return (uint64_t)n;
}

static uint16_t port(struct fields *f, const char *key)
{
	return (uint16_t)number(f, key, UINT16_MAX);
}

static void text(struct fields *f, const char *key, char *ret, size_t size)
{
	const json_t *value = json_object_get(f->object, key);
	struct tenf_text t = tenf_text_of(ret, size);

	if (json_is_null(value))
		return;
	if (!json_is_string(value)) {
		mark(f, key);
		return;
	}
	tenf_text_add(&t, json_string_value(value));
	if (t.cut)
		mark(f, key);
}

static bool flag(struct fields *f, const char *key)
{
	const json_t *value = json_object_get(f->object, key);

	if (!json_is_boolean(value))
		mark(f, key);
	return json_is_true(value);
}

static void address(struct fields *f, const char *key, bool needed, char *ret)
{
	char plain[TENF_ADDRESS_SIZE];
	struct tenf_address parsed;

	text(f, key, ret, TENF_ADDRESS_SIZE);
	memcpy(plain, ret, sizeof(plain));
	plain[strcspn(plain, "%")] = '\0'; /* a scope, as in fe80::1%eth0 */
	if (ret[0] != '\0' ? !tenf_address_parse(plain, &parsed) : needed)
		mark(f, key);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void nonce(struct fields *f, const char *key, uint8_t *ret)
{
	const char *hex = json_string_value(json_object_get(f->object, key));

	if (hex == NULL || strlen(hex) != NONCE_DIGITS) {
		mark(f, key);
		return;
	}
	for (size_t i = 0; i < TENF_NONCE_SIZE; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0) {
			mark(f, key);
			return;
		}
		ret[i] = (uint8_t)(high << 4 | low);
	}
}

static enum tenf_protocol protocol(struct fields *f, const char *key)
{
	const char *name = json_string_value(json_object_get(f->object, key));

	if (name != NULL && strcmp(name, "udp") == 0)
		return TENF_UDP;
	if (name == NULL || strcmp(name, "tcp") != 0)
		mark(f, key);
	return TENF_TCP;
}

static enum tenf_method method(struct fields *f, const char *key)
{
	static const enum tenf_method all[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP,
						TENF_METHOD_IGD };
	const char *name = json_string_value(json_object_get(f->object, key));

	for (size_t i = 0; name != NULL && i < TENF_ARRAY_SIZE(all); i++) {
		if (strcmp(name, tenf_method_code(all[i])) == 0)
			return all[i];
	}
	mark(f, key);
	return TENF_METHOD_NONE;
}

static const char *read_lease(const json_t *object, struct lease *ret)
{
	struct fields f = { .object = object };
	struct tenf_mapping *m = &ret->mapping;

	if (!json_is_object(object))
		return "leases";
	ret->number = number(&f, "id", INT64_MAX);
	if (ret->number == 0)
		mark(&f, "id");
	ret->keeper = (int64_t)number(&f, "keeper", INT32_MAX);
	ret->for_other = flag(&f, "for_other");
	text(&f, "name", ret->name, sizeof(ret->name));
	m->protocol = protocol(&f, "protocol");
	m->state = TENF_STATE_MAPPED;
	m->method = method(&f, "method");
	m->internal_port = port(&f, "internal_port");
	m->external_port = port(&f, "external_port");
	m->requested_external_port = port(&f, "requested_external_port");
	m->gateway_port = port(&f, "gateway_port");
	m->lifetime_s = (uint32_t)number(&f, "lifetime", UINT32_MAX);
	m->expires_at = (int64_t)number(&f, "expires_at", INT64_MAX);
	m->renews_at = (int64_t)number(&f, "renews_at", INT64_MAX);
	address(&f, "internal_address", true, m->internal_address);
	address(&f, "external_address", false, m->external_address);
	address(&f, "gateway", true, m->gateway);
	nonce(&f, "nonce", m->nonce);
	return f.wrong;
}

static enum tenf_status read_list(const json_t *list, struct leases *ret, char *why,
				  size_t why_size)
{
	enum tenf_status status = TENF_OK;
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count > LEASES_MAX) {
		snprintf(why, why_size, "\"leases\" is no list of them");
		return TENF_E_MALFORMED;
	}
	ret->items = count > 0 ? calloc(count, sizeof(*ret->items)) : NULL;
	if (count > 0 && ret->items == NULL)
		return TENF_E_MEMORY;
	for (size_t i = 0; i < count; i++) {
		struct lease lease = { 0 };
		const char *wrong = read_lease(json_array_get(list, i), &lease);

		if (wrong != NULL) {
			snprintf(why, why_size, "\"%s\" of lease %zu makes no sense", wrong, i + 1);
			status = TENF_E_MALFORMED;
			continue;
		}
		if (lease.number >= ret->next_number)
			ret->next_number = lease.number + 1;
		ret->items[ret->count++] = lease;
	}
	return status;
}

enum tenf_status lease_json_read(const json_t *root, struct leases *ret, char *why,
				 size_t why_size)
{
	struct fields f = { .object = root };

	if (number(&f, "version", FORMAT_VERSION) != FORMAT_VERSION) {
		snprintf(why, why_size, "\"version\" is not %d", FORMAT_VERSION);
		return TENF_E_MALFORMED;
	}
	ret->next_number = number(&f, "next_id", INT64_MAX - 1);
	if (ret->next_number == 0)
		ret->next_number = 1;
	if (f.wrong != NULL) {
		snprintf(why, why_size, "\"%s\" makes no sense", f.wrong);
		(void)read_list(json_object_get(root, "leases"), ret, why, why_size);
		return TENF_E_MALFORMED;
	}
	return read_list(json_object_get(root, "leases"), ret, why, why_size);
}

static json_t *text_or_null(const char *string)
{
	return string[0] != '\0' ? json_string(string) : json_null();
}

static json_t *make_lease(const struct lease *lease)
{
	const struct tenf_mapping *m = &lease->mapping;
	char hex[NONCE_DIGITS + 1];
	struct tenf_text t = tenf_text_of(hex, sizeof(hex));

	tenf_text_add_hex(&t, m->nonce, TENF_NONCE_SIZE);
	return json_pack("{sI so ss ss si so si si ss si sI sI sI ss sI sb ss}",
			 "id", (json_int_t)lease->number,
			 "name", text_or_null(lease->name),
			 "protocol", tenf_protocol_name(m->protocol),
			 "internal_address", m->internal_address,
			 "internal_port", (int)m->internal_port,
			 "external_address", text_or_null(m->external_address),
			 "external_port", (int)m->external_port,
			 "requested_external_port", (int)m->requested_external_port,
			 "gateway", m->gateway,
			 "gateway_port", (int)m->gateway_port,
			 "lifetime", (json_int_t)m->lifetime_s,
			 "expires_at", (json_int_t)m->expires_at,
			 "renews_at", (json_int_t)m->renews_at,
			 "method", tenf_method_code(m->method),
			 "keeper", (json_int_t)lease->keeper,
			 "for_other", (int)lease->for_other,
			 "nonce", hex);
}

json_t *lease_json_make(const struct leases *leases)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < leases->count; i++) {
		if (json_array_append_new(list, make_lease(&leases->items[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{si sI so}", "version", FORMAT_VERSION, "next_id",
			 (json_int_t)leases->next_number, "leases", list);
}

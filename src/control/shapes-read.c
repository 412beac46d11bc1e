/* SPDX-License-Identifier: MIT */
#include "control/shapes-read.h"

#include "base/address.h"
#include "base/forward.h"
#include "base/names.h"

#include <string.h>
#include <time.h>

#define RTT_MAX_MS 1e9 /* eleven days: more is no round trip */

/* Reads the members of one object; the first that is wrong makes it fail. */
struct fields {
	const json_t *object;
	const char *wrong; /* key of that member; NULL: none so far */
};

static void mark(struct fields *f, const char *key)
{
	if (f->wrong == NULL)
		f->wrong = key;
}

/* The member, NULL when it is missing or null. */
static const json_t *member(const struct fields *f, const char *key)
{
	const json_t *value = json_object_get(f->object, key);

	return json_is_null(value) ? NULL : value;
}

static int64_t number(struct fields *f, const char *key, int64_t max, int64_t otherwise)
{
	const json_t *value = member(f, key);
	json_int_t n = json_integer_value(value);

	if (value == NULL)
		return otherwise;
	if (!json_is_integer(value) || n < 0 || n > max) {
		mark(f, key);
		return otherwise;
	}
	return n;
}

static uint16_t port(struct fields *f, const char *key)
{
	return (uint16_t)number(f, key, UINT16_MAX, 0);
}

/* A string without NUL inside; NULL when there is none. */
static const char *string(struct fields *f, const char *key)
{
	const json_t *value = member(f, key);
	const char *text = json_string_value(value);

	if (value == NULL)
		return NULL;
	if (text == NULL || strlen(text) != json_string_length(value)) {
		mark(f, key);
		return NULL;
	}
	return text;
}

/* `ret` is zeroed before; true when the whole text went in. */
static bool copy(const char *from, char *ret, size_t size)
{
	struct tenf_text t = tenf_text_of(ret, size);

	tenf_text_add(&t, from);
	return !t.cut;
}

static void text(struct fields *f, const char *key, char *ret, size_t size)
{
	const char *value = string(f, key);

	if (value != NULL && !copy(value, ret, size))
		mark(f, key);
}

static void address(struct fields *f, const char *key, char *ret)
{
	char plain[TENF_ADDRESS_SIZE] = "";
	struct tenf_address parsed;

	text(f, key, ret, TENF_ADDRESS_SIZE);
	memcpy(plain, ret, sizeof(plain));
	plain[strcspn(plain, "%")] = '\0'; /* a scope, as in fe80::1%eth0 */
	if (ret[0] != '\0' && !tenf_address_parse(plain, &parsed))
		mark(f, key);
}

static int64_t point_in_time(struct fields *f, const char *key)
{
	const char *value = string(f, key);
	int64_t at = 0;

	if (value != NULL && !shape_read_time(value, &at))
		mark(f, key);
	return at;
}

/* The value below `count` whose name stands there; `otherwise` when nothing does. */
static unsigned word(struct fields *f, const char *key, const char *(*name)(unsigned value),
		     unsigned count, unsigned otherwise)
{
	const char *value = string(f, key);

	if (value == NULL)
		return otherwise;
	for (unsigned i = 0; i < count; i++) {
		const char *one = name(i);

		if (one != NULL && strcmp(value, one) == 0)
			return i;
	}
	mark(f, key);
	return otherwise;
}

static const char *state_name(unsigned value)
{
	return tenf_state_code((enum tenf_state)value);
}

static const char *reason_name(unsigned value)
{
	return tenf_reason_code((enum tenf_reason)value);
}

static const char *class_name(unsigned value)
{
	return tenf_class_code((enum tenf_address_class)value);
}

static const char *event_name(unsigned value)
{
	return value != 0 ? tenf_event_code((enum tenf_event_kind)value) : NULL;
}

static const char *method_name(unsigned value)
{
	switch (value) {
	case TENF_METHOD_PCP:
	case TENF_METHOD_NATPMP:
	case TENF_METHOD_IGD:
		return tenf_method_code((enum tenf_method)value);
	default:
		return NULL;
	}
}

static const char *protocol_name(unsigned value)
{
	switch (value) {
	case TENF_TCP:
	case TENF_UDP:
	case TENF_BOTH:
		return tenf_protocol_name((enum tenf_protocol)value);
	default:
		return NULL;
	}
}

static enum tenf_method method(struct fields *f, const char *key)
{
	return (enum tenf_method)word(f, key, method_name, TENF_METHOD_IGD + 1, TENF_METHOD_NONE);
}

static void required(struct fields *f, const char *key)
{
	if (member(f, key) == NULL)
		mark(f, key);
}

static void error(struct fields *f, struct tenf_error *ret)
{
	struct fields e = { .object = member(f, "error") };
	const char *words;

	ret->result = -1;
	if (e.object == NULL)
		return;
	required(&e, "code");
	ret->reason = (enum tenf_reason)word(&e, "code", reason_name, TENF_REASON_SYSTEM + 1,
					     TENF_REASON_NONE);
	ret->status = ret->reason != TENF_REASON_NONE ? TENF_E_FAILED : TENF_OK;
	ret->result = (int)number(&e, "result", INT32_MAX, -1);
	words = string(&e, "text");
	if (words != NULL)
		(void)copy(words, ret->text, sizeof(ret->text)); /* a cut sentence will do */
	if (!json_is_object(e.object) || e.wrong != NULL)
		mark(f, "error");
}

static uint32_t id_number(const char *id)
{
	uint64_t value = 0;

	if (id[0] != 'm' || !tenf_text_number(id + 1, strlen(id + 1), UINT32_MAX, &value))
		return 0;
	return (uint32_t)value;
}

static void tag(struct fields *f, struct shape_tag *ret)
{
	struct fields d = { .object = member(f, "delivery") };

	text(f, "id", ret->id, sizeof(ret->id));
	text(f, "name", ret->name, sizeof(ret->name));
	text(f, "source", ret->source, sizeof(ret->source));
	address(f, "through", ret->through);
	if (d.object == NULL)
		return;
	text(&d, "state", ret->delivery, sizeof(ret->delivery));
	if (!json_is_object(d.object) || d.wrong != NULL)
		mark(f, "delivery");
}

static const char *read_mapping(const json_t *shape, struct tenf_mapping *m, struct shape_tag *t)
{
	struct fields f = { .object = shape };

	if (!json_is_object(shape))
		return "mapping";
	required(&f, "protocol");
	required(&f, "internal_port");
	required(&f, "state");
	tag(&f, t);
	m->id = id_number(t->id);
	m->protocol = (enum tenf_protocol)word(&f, "protocol", protocol_name, TENF_BOTH + 1,
					       TENF_TCP);
	m->state = (enum tenf_state)word(&f, "state", state_name, TENF_STATE_REMOVED + 1,
					 TENF_STATE_ASKING);
	m->method = method(&f, "method");
	m->internal_port = port(&f, "internal_port");
	m->external_port = port(&f, "external_port");
	m->requested_external_port = port(&f, "requested_external_port");
	m->lifetime_s = (uint32_t)number(&f, "lifetime", UINT32_MAX, 0);
	m->expires_at = point_in_time(&f, "expires_at");
	m->renews_at = point_in_time(&f, "renews_at");
	address(&f, "internal_address", m->internal_address);
	address(&f, "external_address", m->external_address);
	address(&f, "gateway", m->gateway);
	error(&f, &m->error);
	return f.wrong;
}

static void spoken(struct fields *f, struct tenf_gateway *g)
{
	const json_t *list = member(f, "methods");
	size_t count = json_array_size(list);

	if (list != NULL && !json_is_array(list))
		mark(f, "methods");
	for (size_t i = 0; i < count && i < TENF_ARRAY_SIZE(g->spoken); i++) {
		struct fields one = { .object = json_array_get(list, i) };
		struct tenf_spoken *s = &g->spoken[g->spoken_count++];

		required(&one, "name");
		s->method = method(&one, "name");
		s->version = (unsigned)number(&one, "version", UINT8_MAX, 0);
		if (one.wrong != NULL)
			mark(f, "methods");
	}
}

static int64_t round_trip_us(struct fields *f)
{
	const json_t *value = member(f, "rtt_ms");
	double ms = json_number_value(value);

	if (value == NULL)
		return -1;
	if (!json_is_number(value) || !(ms >= 0 && ms < RTT_MAX_MS)) {
		mark(f, "rtt_ms");
		return -1;
	}
	return (int64_t)(ms * 1000.0 + 0.5);
}

static const char *read_gateway(const json_t *shape, struct tenf_gateway *g)
{
	struct fields f = { .object = shape };

	if (!json_is_object(shape))
		return "gateway";
	address(&f, "address", g->address);
	g->port = port(&f, "port");
	text(&f, "interface", g->interface, sizeof(g->interface));
	address(&f, "source", g->source);
	spoken(&f, g);
	address(&f, "external_address", g->external_address);
	g->address_class = (enum tenf_address_class)word(
		&f, "address_class", class_name, TENF_ADDRESS_CARRIER + 1, TENF_ADDRESS_NONE);
	g->epoch_s = number(&f, "epoch", INT64_MAX, -1);
	g->up_since = point_in_time(&f, "up_since");
	g->rtt_us = round_trip_us(&f);
	error(&f, &g->error);
	return f.wrong;
}

static enum tenf_status wrong_key(const char *what, const char *key, struct tenf_text *why)
{
	if (why != NULL) {
		tenf_text_add(why, "\"");
		tenf_text_add(why, key);
		tenf_text_add(why, "\" of the ");
		tenf_text_add(why, what);
		tenf_text_add(why, " makes no sense");
	}
	return TENF_E_MALFORMED;
}

enum tenf_status shape_read_mapping(const json_t *shape, struct tenf_mapping *ret,
				    struct shape_tag *ret_tag, struct tenf_text *why)
{
	struct tenf_mapping m = { 0 };
	struct shape_tag t = { 0 };
	const char *wrong = read_mapping(shape, &m, &t);

	if (wrong != NULL)
		return wrong_key("mapping", wrong, why);
	*ret = m;
	if (ret_tag != NULL)
		*ret_tag = t;
	return TENF_OK;
}

enum tenf_status shape_read_gateway(const json_t *shape, struct tenf_gateway *ret,
				    struct tenf_text *why)
{
	struct tenf_gateway g = { 0 };
	const char *wrong = read_gateway(shape, &g);

	if (wrong != NULL)
		return wrong_key("gateway", wrong, why);
	*ret = g;
	return TENF_OK;
}

static bool is_about_gateway(enum tenf_event_kind kind)
{
	return kind == TENF_EVENT_GATEWAY || kind == TENF_EVENT_GATEWAY_RESTART ||
	       kind == TENF_EVENT_ADDRESS;
}

static const char *read_event(const json_t *shape, struct tenf_event *e, struct shape_tag *t)
{
	struct fields f = { .object = shape };
	struct shape_tag before = { 0 };
	const json_t *earlier = member(&f, "before");

	e->at = point_in_time(&f, "at");
	if (f.wrong != NULL)
		return f.wrong;
	if (is_about_gateway(e->kind)) {
		address(&f, "external_address_before", e->address_before);
		if (f.wrong != NULL)
			return f.wrong;
		return read_gateway(member(&f, "gateway"), &e->gateway);
	}
	if (earlier != NULL && read_mapping(earlier, &e->before, &before) != NULL)
		return "before";
	if (earlier != NULL && e->before.id == 0)
		e->before.id = UINT32_MAX; /* an id of another form, and yet it was there */
	return read_mapping(member(&f, "mapping"), &e->mapping, t);
}

enum tenf_status shape_read_event(const json_t *shape, struct tenf_event *ret,
				  struct shape_tag *ret_tag, struct tenf_text *why)
{
	struct fields f = { .object = shape };
	struct tenf_event e = { 0 };
	struct shape_tag t = { 0 };
	const char *wrong;

	if (!json_is_object(shape) || string(&f, "event") == NULL)
		return wrong_key("event", "event", why);
	e.kind = (enum tenf_event_kind)word(&f, "event", event_name, TENF_EVENT_REMOVED + 1, 0);
	if (f.wrong != NULL)
		return TENF_E_NOT_FOUND;
	wrong = read_event(shape, &e, &t);
	if (wrong != NULL)
		return wrong_key("event", wrong, why);
	*ret = e;
	if (ret_tag != NULL)
		*ret_tag = t;
	return TENF_OK;
}

const char *shape_read_failure(const json_t *shape, const char *otherwise)
{
	const char *words = json_string_value(json_object_get(json_object_get(shape, "error"),
							      "text"));

	return words != NULL ? words : otherwise;
}

/* Digits of `form` are marked 0; everything else stands for itself. */
static bool has_form(const char *value, const char *form)
{
	for (; *form != '\0'; form++, value++) {
		bool is_digit = *value >= '0' && *value <= '9';

		if (*form == '0' ? !is_digit : *value != *form)
			return false;
	}
	return *value == '\0';
}

static int digits(const char *at, int count)
{
	int value = 0;

	while (count-- > 0)
		value = 10 * value + (*at++ - '0');
	return value;
}

bool shape_read_time(const char *value, int64_t *ret)
{
	struct tm given = { 0 };
	struct tm real;
	time_t at;

	if (!has_form(value, "0000-00-00T00:00:00Z"))
		return false;
	given.tm_year = digits(value, 4) - 1900;
	given.tm_mon = digits(value + 5, 2) - 1;
	given.tm_mday = digits(value + 8, 2);
	given.tm_hour = digits(value + 11, 2);
	given.tm_min = digits(value + 14, 2);
	given.tm_sec = digits(value + 17, 2);
	real = given;
	at = timegm(&real); /* makes 31 February a day in March, which shows it */
	if (at <= 0 || real.tm_mon != given.tm_mon || real.tm_mday != given.tm_mday ||
	    real.tm_hour != given.tm_hour || real.tm_min != given.tm_min ||
	    real.tm_sec != given.tm_sec)
		return false;
	*ret = (int64_t)at;
	return true;
}

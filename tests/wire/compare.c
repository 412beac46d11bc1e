/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

void golden_check(const struct vector *v, bool good, const char *what)
{
	if (!good)
		fail_msg("%s: not %s", v->name, what);
}

/* Either the packet lacks the field or its value is the one read. */
static bool same(const struct vector *v, enum vector_has field, uint32_t said, uint32_t read)
{
	return (v->decoded.has & field) == 0 || said == read;
}

static bool same_address(const struct vector *v, enum vector_has field,
			 const struct tenf_address *said, const struct tenf_address *read)
{
	return (v->decoded.has & field) == 0 || tenf_address_equal(said, read);
}

void compare_natpmp_request(const struct vector *v, const struct natpmp_request *m)
{
	const struct vector_decoded *d = &v->decoded;

	GOLDEN(v, m->version == d->version);
	GOLDEN(v, m->opcode == d->opcode);
	GOLDEN(v, same(v, VECTOR_HAS_INTERNAL_PORT, d->internal_port, m->internal_port));
	GOLDEN(v, same(v, VECTOR_HAS_EXTERNAL_PORT, d->external_port, m->external_port));
	GOLDEN(v, same(v, VECTOR_HAS_LIFETIME, d->lifetime_s, m->lifetime_s));
}

void compare_natpmp_answer(const struct vector *v, const struct natpmp_answer *m)
{
	const struct vector_decoded *d = &v->decoded;
	unsigned whole = d->opcode == NATPMP_ANSWER ? VECTOR_HAS_EXTERNAL_ADDRESS
						    : VECTOR_HAS_LIFETIME;

	GOLDEN(v, m->version == d->version);
	GOLDEN(v, m->opcode == d->opcode);
	GOLDEN(v, same(v, VECTOR_HAS_RESULT, d->result, m->result));
	GOLDEN(v, same(v, VECTOR_HAS_EPOCH, d->epoch_s, m->epoch_s));
	if ((d->has & VECTOR_HAS_EPOCH) == 0)
		GOLDEN(v, v->len >= 8 || m->has == NATPMP_HAS_RESULT);
	GOLDEN(v, (m->has == NATPMP_HAS_ALL) == ((d->has & whole) != 0));
	if (m->result == NATPMP_SUCCESS)
		GOLDEN(v, same_address(v, VECTOR_HAS_EXTERNAL_ADDRESS, &d->external_address,
				       &m->external_address));
	else
		GOLDEN(v, tenf_address_equal(&m->external_address, &tenf_address_none4));
	GOLDEN(v, same(v, VECTOR_HAS_INTERNAL_PORT, d->internal_port, m->internal_port));
	GOLDEN(v, same(v, VECTOR_HAS_EXTERNAL_PORT, d->external_port, m->external_port));
	GOLDEN(v, same(v, VECTOR_HAS_LIFETIME, d->lifetime_s, m->lifetime_s));
}

static void compare_data(const struct vector *v, const struct pcp_map *map,
			 const struct pcp_remote *remote)
{
	const struct vector_decoded *d = &v->decoded;

	if (d->has & VECTOR_HAS_NONCE)
		GOLDEN(v, memcmp(d->nonce, map->nonce, PCP_NONCE) == 0);
	GOLDEN(v, same(v, VECTOR_HAS_PROTOCOL, d->protocol, map->protocol));
	GOLDEN(v, same(v, VECTOR_HAS_INTERNAL_PORT, d->internal_port, map->internal_port));
	GOLDEN(v, same(v, VECTOR_HAS_EXTERNAL_PORT, d->external_port, map->external_port));
	GOLDEN(v, same_address(v, VECTOR_HAS_EXTERNAL_ADDRESS, &d->external_address,
			       &map->external_address));
	GOLDEN(v, same(v, VECTOR_HAS_REMOTE, d->remote.port, remote->port));
	GOLDEN(v, same_address(v, VECTOR_HAS_REMOTE, &d->remote.address, &remote->address));
}

void compare_pcp_request(const struct vector *v, const struct pcp_request *m)
{
	const struct vector_decoded *d = &v->decoded;

	GOLDEN(v, !d->response);
	GOLDEN(v, m->version == d->version);
	GOLDEN(v, same(v, VECTOR_HAS_OPCODE, d->opcode, m->opcode));
	GOLDEN(v, same(v, VECTOR_HAS_LIFETIME, d->lifetime_s, m->lifetime_s));
	GOLDEN(v, same_address(v, VECTOR_HAS_CLIENT, &d->client, &m->client));
	compare_data(v, &m->map, &m->remote);
}

void compare_pcp_answer(const struct vector *v, const struct pcp_answer *m)
{
	const struct vector_decoded *d = &v->decoded;

	GOLDEN(v, d->response);
	GOLDEN(v, m->version == d->version);
	GOLDEN(v, m->opcode == d->opcode);
	GOLDEN(v, m->result == d->result);
	GOLDEN(v, same(v, VECTOR_HAS_LIFETIME, d->lifetime_s, m->lifetime_s));
	GOLDEN(v, same(v, VECTOR_HAS_EPOCH, d->epoch_s, m->epoch_s));
	compare_data(v, &m->map, &m->remote);
}

static void compare_option(const struct vector *v, const struct vector_option *said,
			   const struct pcp_option *o)
{
	const uint8_t *text;
	size_t len;
	struct pcp_filter filter;
	struct tenf_address address;

	GOLDEN(v, o->code == said->code);
	GOLDEN(v, o->length == said->length);
	GOLDEN(v, o->data.left == said->length);
	if (o->code == PCP_OPTION_THIRD_PARTY && o->length == 16) {
		GOLDEN(v, pcp_option_third_party(o, &address) == TENF_OK);
		GOLDEN(v, tenf_address_equal(&address, &said->address));
	} else if (o->code == PCP_OPTION_FILTER && o->length == 20) {
		GOLDEN(v, pcp_option_filter(o, &filter) == TENF_OK);
		GOLDEN(v, filter.prefix_length == said->prefix_length);
		GOLDEN(v, filter.port == said->port);
		GOLDEN(v, tenf_address_equal(&filter.address, &said->address));
	} else if (o->code == PCP_OPTION_DESCRIPTION) {
		GOLDEN(v, said->text != NULL);
		GOLDEN(v, pcp_option_description(o, &text, &len) == TENF_OK);
		GOLDEN(v, len == strlen(said->text));
		GOLDEN(v, len == 0 || memcmp(text, said->text, len) == 0);
	} else if (o->code == PCP_OPTION_THIRD_PARTY) {
		GOLDEN(v, pcp_option_third_party(o, &address) == TENF_E_MALFORMED);
	} else if (o->code == PCP_OPTION_FILTER) {
		GOLDEN(v, pcp_option_filter(o, &filter) == TENF_E_MALFORMED);
	}
}

void compare_options(const struct vector *v, struct tenf_reader options)
{
	const struct vector_decoded *d = &v->decoded;
	struct tenf_reader walk = options;
	bool overruns = false;
	struct pcp_option o;

	for (size_t i = 0; i < d->option_count; i++) {
		overruns = d->options[i].overrun > 0;
		GOLDEN(v, pcp_option_next(&walk, &o) == !overruns);
		if (!overruns)
			compare_option(v, &d->options[i], &o);
	}
	if (!d->more_options) {
		GOLDEN(v, !pcp_option_next(&walk, &o));
		GOLDEN(v, walk.failed == overruns);
		GOLDEN(v, pcp_options_are_sound(options) == !overruns);
	}
}

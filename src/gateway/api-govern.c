/* SPDX-License-Identifier: MIT */
/* What an administrator decides: revoke, make, approve, deny; and asks what would be. */
#include "gateway/api.h"

#include "base/forward.h"
#include "gateway/api-shapes.h"
#include "gateway/observe-private.h"
#include "gateway/responder-govern.h"
#include "net/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_MAX 256 /* ports of one request */

/* ---- Who ---------------------------------------------------------------- */

/* Whose will it is, until the turn is over: events of the turn say so. */
static void begin(struct daemon *d, const struct control_request *request, const char *what)
{
	const struct control_peer *peer = control_request_peer(request);

	(void)snprintf(d->observe->who, sizeof(d->observe->who), "%.*s", NOTICE_WHO_MAX - 1,
		       peer->local ? peer->user : "a client over TCP");
	(void)fprintf(stderr, "%s, asked by %s (pid %d)\n", what, d->observe->who,
		      (int)peer->pid);
}

static void end(struct daemon *d)
{
	d->observe->who[0] = '\0';
}

static const char *status_text(enum tenf_status status)
{
	if (status == TENF_E_LIMIT)
		return "the port, or that of the host, is taken, or the table is full";
	if (status == TENF_E_AGAIN)
		return "the packet path is being changed; try again";
	return status == TENF_E_MEMORY ? "out of memory" : "it is not to be had";
}

/* ---- Mappings ----------------------------------------------------------- */

static bool is_open(const struct daemon *d, uint32_t id)
{
	return responder_find(d->responder, id) != NULL ||
	       responder_find_peer(d->responder, id) != NULL;
}

static json_t *shape_of(struct daemon *d, uint32_t id)
{
	const struct ledger_mapping *m = responder_find(d->responder, id);

	return m != NULL ? api_mapping(d, m) : api_peer(d, responder_find_peer(d->responder, id));
}

json_t *api_named(struct daemon *d, struct control_request *request, uint32_t *ret_id)
{
	const char *id = control_request_part(request, "id");
	json_t *list = json_array();
	uint64_t number = 0;

	if (id == NULL || id[0] != 'm' ||
	    !tenf_text_number(id + 1, strlen(id + 1), UINT32_MAX, &number) ||
	    !is_open(d, (uint32_t)number)) {
		json_decref(list);
		control_answer_error(request, 404, "not-found",
				     "there is no such mapping; see GET /v1/mappings");
		return NULL;
	}
	*ret_id = (uint32_t)number;
	if (!shape_append(&list, shape_of(d, *ret_id)))
		control_answer_json(request, 500, NULL);
	return list;
}

void api_delete_mapping(struct control_request *request, void *context)
{
	struct daemon *d = context;
	enum tenf_status status;
	char what[48];
	uint32_t id;
	json_t *list = api_named(d, request, &id);

	if (list == NULL)
		return;
	(void)snprintf(what, sizeof(what), "revoking m%u", id);
	begin(d, request, what);
	status = responder_revoke(d->responder, id, net_now());
	daemon_turn(d);
	end(d);
	if (status == TENF_OK && !is_open(d, id)) {
		list = shape_wrap("mappings", list);
		if (list != NULL)
			api_answer_when_kept(d, request, list);
		else
			control_answer_json(request, 500, NULL);
		return;
	}
	json_decref(list);
	control_answer_error(request, status == TENF_OK ? 500 : 409,
			     status == TENF_OK ? "system" : "conflict",
			     status == TENF_OK ? "the packet path could not do it; it is still open"
					       : status_text(status));
}

/* What POST /v1/mappings wishes. */
struct wish {
	struct tenf_forward forward;
	struct tenf_address host;
	const char *name; /* in the body */
	struct tenf_endpoint made[2 * RANGE_MAX];
	enum tenf_protocol protocols[2 * RANGE_MAX];
	size_t count; /* made */
};

/* NULL, or what is wrong with it. */
static const char *read_wish(const struct daemon *d, const json_t *body, struct wish *ret,
			     struct tenf_text *why)
{
	const char *forward = json_string_value(json_object_get(body, "forward"));
	const char *host = json_string_value(json_object_get(body, "for"));
	const char *name = json_string_value(json_object_get(body, "name"));

	if (!tenf_forward_parse(forward != NULL ? forward : "", &ret->forward, why))
		return why->start;
	if (ret->forward.external_first == 0)
		return "a static mapping has an external port: write \"forward\": \"80:8080/tcp\"";
	if (tenf_forward_count(&ret->forward) > RANGE_MAX)
		return "a range has 256 ports at most";
	if (host == NULL || !tenf_address_parse(host, &ret->host))
		return "\"for\" is the address of the host that the ports lead to";
	/* The test gateway is there for programs of this very computer. */
	if (!tenf_address_is_host(&ret->host) &&
	    !(d->config.backend == CONFIG_MEMORY && tenf_address_is_loopback(&ret->host)))
		return "no port can lead to the address in \"for\"; write that of a host of an "
		       "internal network";
	ret->name = name != NULL ? name : "";
	if (strlen(ret->name) > LEDGER_DESCRIPTION_MAX)
		return "\"name\" is longer than 128 octets";
	return NULL;
}

static enum tenf_status add_one(struct daemon *d, struct wish *w, enum tenf_protocol protocol,
				unsigned offset)
{
	const struct tenf_endpoint internal = {
		w->host, (uint16_t)(w->forward.internal_first + offset)
	};
	const struct ledger_mapping *m;
	enum tenf_status status;

	status = responder_add_static(d->responder, protocol, &internal,
				      (uint16_t)(w->forward.external_first + offset), net_now());
	if (status != TENF_OK)
		return status;
	w->made[w->count] = internal;
	w->protocols[w->count++] = protocol;
	m = responder_find_internal(d->responder, protocol, &internal);
	if (w->name[0] == '\0' || m == NULL)
		return TENF_OK;
	return responder_describe(d->responder, m->id, w->name, strlen(w->name));
}

static enum tenf_status add_all(struct daemon *d, struct wish *w)
{
	enum tenf_status status = TENF_OK;

	for (unsigned i = 0; status == TENF_OK && i < tenf_forward_count(&w->forward); i++) {
		if (w->forward.protocol != TENF_UDP)
			status = add_one(d, w, TENF_TCP, i);
		if (status == TENF_OK && w->forward.protocol != TENF_TCP)
			status = add_one(d, w, TENF_UDP, i);
	}
	return status;
}

/* All of them, or none: what is there of a wish that failed is taken back. */
static void take_back(struct daemon *d, const struct wish *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct ledger_mapping *m =
			responder_find_internal(d->responder, w->protocols[i], &w->made[i]);

		if (m != NULL && m->maker == LEDGER_STATIC)
			(void)!responder_revoke(d->responder, m->id, net_now());
	}
}

/* NULL when one is not there. */
static json_t *list_made(struct daemon *d, const struct wish *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->count; i++) {
		const struct ledger_mapping *m =
			responder_find_internal(d->responder, w->protocols[i], &w->made[i]);

		if (m != NULL)
			observe_made(d->observe, m);
		if (!shape_append(&list, m != NULL ? api_mapping(d, m) : NULL))
			break;
	}
	return list;
}

static void make(struct daemon *d, struct control_request *request, struct wish *w,
		 const char *forward)
{
	enum tenf_status status;
	char what[80];
	json_t *list;

	(void)snprintf(what, sizeof(what), "opening %.40s for ever", forward);
	begin(d, request, what);
	status = add_all(d, w);
	if (status != TENF_OK)
		take_back(d, w);
	daemon_turn(d);
	list = status == TENF_OK ? list_made(d, w) : NULL;
	if (list == NULL && status == TENF_OK) {
		take_back(d, w);
		daemon_turn(d);
	}
	end(d);
	if (status != TENF_OK)
		control_answer_error(request, 409, "conflict", status_text(status));
	else if (list == NULL)
		control_answer_error(request, 500, "system", "the packet path could not do it");
	else
		control_answer_json(request, 201, shape_wrap("mappings", list));
}

void api_post_mappings(struct control_request *request, void *context)
{
	struct daemon *d = context;
	struct wish *w = calloc(1, sizeof(*w));
	char reason[256];
	struct tenf_text why = tenf_text_of(reason, sizeof(reason));
	const char *mistake;
	json_t *body;

	if (w == NULL) {
		control_answer_json(request, 500, NULL);
		return;
	}
	if (control_request_json(request, &body)) {
		mistake = read_wish(d, body, w, &why);
		if (mistake != NULL)
			control_answer_error(request, 400, "argument", mistake);
		else
			make(d, request, w,
			     json_string_value(json_object_get(body, "forward")));
		json_decref(body);
	}
	free(w);
}

/* ---- Wishes that wait --------------------------------------------------- */

void api_get_pending(struct control_request *request, void *context)
{
	const struct daemon *d = context;
	const struct pending_wish *wish = NULL;
	json_t *list = json_array();

	while ((wish = responder_pending(d->responder, wish)) != NULL)
		(void)shape_append(&list, api_pending(d, wish));
	control_answer_json(request, 200, shape_wrap("pending", list));
}

typedef enum tenf_status (*word)(struct responder *r, uint32_t id, tenf_time now);

static void say_word(struct control_request *request, struct daemon *d, const char *what,
		     word say)
{
	const char *id = control_request_part(request, "id");
	char line[48];
	uint64_t number = 0;

	if (id == NULL || id[0] != 'p' ||
	    !tenf_text_number(id + 1, strlen(id + 1), UINT32_MAX, &number) ||
	    say(d->responder, (uint32_t)number, net_now()) != TENF_OK) {
		control_answer_error(request, 404, "not-found",
				     "nothing of this number waits; see GET /v1/pending");
		return;
	}
	(void)snprintf(line, sizeof(line), "%s p%u", what, (unsigned)number);
	begin(d, request, line);
	observe_word(d->observe, (uint32_t)number);
	end(d);
	api_answer_when_kept(d, request, NULL);
}

void api_post_approve(struct control_request *request, void *context)
{
	say_word(request, context, "approving", responder_approve);
}

void api_post_deny(struct control_request *request, void *context)
{
	say_word(request, context, "denying", responder_deny);
}

/* SPDX-License-Identifier: MIT */
/*
 * The JSON shapes of Ten Forward: one function a shape, so that a mapping looks
 * the same wherever it is printed or served. Keys are a contract with scripts; a
 * fact that is missing is null.
 *
 * Every maker gives a new reference, NULL when memory is out. A maker that is
 * handed NULL for a part gives NULL, so that only the outermost caller need
 * look. The way back, from JSON to structs, is shapes-read.h.
 */
#ifndef TENF_CONTROL_SHAPES_H
#define TENF_CONTROL_SHAPES_H

#include <jansson.h>
#include <tenforward/tenforward.h>

/* What is known of a mapping beside what the library says. NULL or "" says
 * that there is none: null in JSON. */
struct shape_label {
	const char *id;     /* "m1" */
	const char *name;
	const char *source; /* "agent", "lease", "igd", "probe", "gateway" */
	json_t *delivery;   /* borrowed; NULL leaves the key out */
	const char *through; /* the router behind its gateway; NULL or "" leaves the key out */
	const char *namespace; /* network namespace of its gateway; NULL or "" leaves the key out */
};

/* `label` may be NULL. */
json_t *shape_mapping(const struct tenf_mapping *mapping, const struct shape_label *label);
json_t *shape_gateway(const struct tenf_gateway *gateway);
/* `label` is that of the mapping and of what it was before; may be NULL. */
json_t *shape_event(const struct tenf_event *event, const struct shape_label *label);
json_t *shape_error(const struct tenf_error *error); /* null when reason is NONE */

/* {"state": "confirmed", "at": …}: how far the application was told. */
json_t *shape_delivery(const char *state, int64_t at);

/* A client's wish that waits for the administrator of a gateway. */
struct shape_pending {
	const char *id;     /* "p7" */
	const char *client; /* address */
	const char *mac;    /* NULL or "": unknown */
	enum tenf_protocol protocol;
	uint16_t internal_port;
	uint16_t external_port; /* 0: any */
	int64_t first_seen;     /* wall clock */
	uint32_t tries;
	const char *state;      /* "waiting", "approved", "denied" */
};

json_t *shape_pending(const struct shape_pending *pending);

/* What a gateway knows of a mapping beside what its client does. */
struct shape_governed {
	const char *client;      /* address of who asked */
	const char *mac;         /* NULL or "": unknown */
	unsigned rule;           /* number of the rule that decided, from 1; 0: none */
	const char *rule_name;   /* NULL or "": it has none */
	const char *rule_action; /* "allow", "deny", "ask" */
	int64_t made_at;         /* wall clock, 0: unknown */
	int64_t renewals;        /* negative: unknown */
	const char *opcode;      /* "map", or "peer": for one remote peer alone */
	const char *remote_address; /* of that; NULL or "": there is none */
	uint16_t remote_port;    /* 0: the same */
};

/* Adds the keys client, mac, rule, made_at, renewals, opcode and remote_… to a mapping, which is
 * taken over and given back. */
json_t *shape_governed(json_t *mapping, const struct shape_governed *known);
/* {"number", "name", "action"}; null for number 0. */
json_t *shape_rule(unsigned number, const char *name, const char *action);

/* {"gateways": […], "agent": {…}, "mappings": N}; takes the first two over. */
json_t *shape_status(json_t *gateways, json_t *agent, size_t mappings);

/* {"error": {"code", "text"}}: a request that was not done. */
json_t *shape_failure(const char *code, const char *text);

json_t *shape_time(int64_t at);       /* "2026-11-22T07:00:00Z", null when 0 */
json_t *shape_text(const char *text); /* null when "" or NULL, or no UTF-8 */
json_t *shape_some(int64_t number);   /* null when 0: ports, lifetimes */
json_t *shape_known(int64_t number);  /* null when negative */

/* {KEY: value}, `value` is taken over. */
json_t *shape_wrap(const char *key, json_t *value);
/* Appends `value`, taken over; false when either is NULL or memory is out, and
 * then *list is released and NULL. */
bool shape_append(json_t **list, json_t *value);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The configuration, read again: everything of it that can be refused is tried first,
 * and only then is anything put into force. What is refused leaves the old one
 * as it was.
 */
#include "gateway/daemon-private.h"

#include "gateway/statics.h"
#include "net/clock.h"
#include "service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 1024

static void warn(const char *text)
{
	(void)fprintf(stderr, "tenforward-gatewayd: %s\n", text);
}

/* ---- What needs a restart --------------------------------------------- */

static bool is_other_list(const struct config_interfaces *a, const struct config_interfaces *b)
{
	return a->count != b->count || memcmp(a->at, b->at, a->count * sizeof(a->at[0])) != 0;
}

/* Sockets, users and processes were made at start, with rights that are gone. */
static void warn_of_restart(const struct gateway_config *now, const struct gateway_config *next)
{
	const struct {
		const char *key;
		bool differs;
	} keys[] = {
		{ "User=", strcmp(now->user, next->user) != 0 },
		{ "Protocols=", now->natpmp != next->natpmp || now->pcp != next->pcp },
		{ "Peer=", now->peer != next->peer },
		{ "Socket=", strcmp(now->socket, next->socket) != 0 },
		{ "SocketGroup=", strcmp(now->socket_group, next->socket_group) != 0 },
		{ "State=", strcmp(now->state, next->state) != 0 },
		{ "HistoryDays=", now->history_days != next->history_days },
		{ "HistorySize=", now->history_size != next->history_size },
	};

	for (size_t i = 0; i < TENF_ARRAY_SIZE(keys); i++) {
		if (keys[i].differs)
			(void)fprintf(stderr, "tenforward-gatewayd: %s has another value now, "
					      "which counts from the next start on\n",
				      keys[i].key);
	}
}

/* Keys whose old value stays in force are kept in the new configuration too. */
static void keep_started(const struct gateway_config *now, struct gateway_config *next)
{
	memcpy(next->user, now->user, sizeof(next->user));
	next->natpmp = now->natpmp;
	next->pcp = now->pcp;
	next->peer = now->peer;
	next->seed = now->seed;
	memcpy(next->socket, now->socket, sizeof(next->socket));
	memcpy(next->socket_group, now->socket_group, sizeof(next->socket_group));
	memcpy(next->state, now->state, sizeof(next->state));
	next->history_days = now->history_days;
	next->history_size = now->history_size;
}

static void keep_hooks(const struct gateway_config *now, struct gateway_config *next)
{
	next->hook_count = now->hook_count;
	memcpy(next->hooks, now->hooks, sizeof(next->hooks));
}

/* By a process of its own, which may be one that cannot be had any more. */
static void set_hooks(struct daemon *d, struct gateway_config *next)
{
	char buffer[WHY_MAX];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	if (next->hook_count == d->config.hook_count &&
	    memcmp(next->hooks, d->config.hooks, sizeof(next->hooks)) == 0)
		return;
	tenf_text_add(&why, "[Hook] is not what the file says: ");
	if (observe_set_hooks(d, next, &why))
		return;
	warn(buffer);
	keep_hooks(&d->config, next);
}

/* ---- Static mappings -------------------------------------------------- */

static bool covers(const struct config_static *s, const struct ledger_mapping *m)
{
	unsigned port = m->internal_port;

	return tenf_address_equal(&s->host, &m->internal_address) &&
	       (s->forward.protocol == TENF_BOTH || s->forward.protocol == m->protocol) &&
	       port >= s->forward.internal_first && port <= s->forward.internal_last &&
	       port - s->forward.internal_first + s->forward.external_first == m->external_port;
}

static bool is_listed(const struct gateway_config *config, const struct ledger_mapping *m)
{
	for (size_t i = 0; i < config->static_count; i++) {
		if (covers(&config->statics[i], m))
			return true;
	}
	return false;
}

/* Those that the old file had and the new one has not; others are not the file's. It is done
 * before anything else changes: flows are cut at the address where they are. */
static void remove_statics(struct daemon *d, const struct gateway_config *next, tenf_time now)
{
	const struct ledger_mapping *m = NULL;
	const struct ledger_mapping *before = NULL;
	bool any = false;

	while ((m = responder_mappings(d->responder, before)) != NULL) {
		before = m;
		if (m->maker != LEDGER_STATIC || !is_listed(&d->config, m) || is_listed(next, m))
			continue;
		if (responder_revoke(d->responder, m->id, now) == TENF_OK)
			any = true;
		else
			warn("a static mapping could not be removed; read the configuration again");
	}
	if (any)
		daemon_turn(d);
}

/* ---- All of it -------------------------------------------------------- */

static bool find_links(const struct gateway_config *next, struct links *ret, struct tenf_text *why)
{
	ret->count = 0;
	return (!next->natpmp && !next->pcp) || links_find(next, ret, why);
}

/* The last thing that can be refused; then rules and limits hold. */
static bool set_policy(struct daemon *d, const struct gateway_config *next, struct tenf_text *why)
{
	const struct responder_limits limits = {
		.lifetime_min_s = next->lifetime_min_s, .lifetime_max_s = next->lifetime_max_s,
		.withhold_udp_s = next->withhold_udp_s, .withhold_tcp_s = next->withhold_tcp_s,
		.mappings_max = next->mappings_max,
	};

	if (responder_set_policy(d->responder, next->rules, next->rule_count, &limits,
				 next->reapply, net_now()) == TENF_OK)
		return true;
	tenf_text_add(why, "the rules could not be taken over: out of memory");
	return false;
}

static void apply(struct daemon *d, struct gateway_config *next)
{
	char buffer[WHY_MAX];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));
	bool paths = is_other_list(&d->config.external, &next->external) ||
		     is_other_list(&d->config.internal, &next->internal) ||
		     d->config.flood_limit != next->flood_limit ||
		     d->config.manage_forward != next->manage_forward;
	bool faults = d->faults != NULL || next->has_faults;
	tenf_time now = net_now();

	remove_statics(d, next, now);
	set_hooks(d, next);
	d->config = *next;
	d->wants_macs = config_wants_macs(next);
	daemon_set_externals(d);
	daemon_set_reserved(d);
	if (!statics_add(d->responder, next, now, &why)) {
		tenf_text_add(&why, "; tried again every minute");
		warn(buffer);
	}
	why = tenf_text_of(buffer, sizeof(buffer));
	if (faults && !daemon_set_faults(d, &next->faults, &why))
		warn(buffer);
	if (paths)
		daemon_set_up_backend(d);
}

static bool reload(struct daemon *d, struct gateway_config *next, struct tenf_text *why)
{
	struct links links;

	if (!config_read(d->config.path, next, why))
		return false;
	if (next->backend != d->config.backend) {
		tenf_text_add(why, "Backend= cannot change while the gateway runs; restart it");
		return false;
	}
	warn_of_restart(&d->config, next);
	keep_started(&d->config, next);
	if (!find_links(next, &links, why) || !daemon_relink(d, &links, true, why))
		return false;
	if (!set_policy(d, next, why)) {
		/* The sockets of the old configuration again; the network tells if they cannot. */
		if (find_links(&d->config, &links, why))
			(void)daemon_relink(d, &links, false, why);
		return false;
	}
	apply(d, next);
	return true;
}

bool daemon_reload(struct daemon *d, struct tenf_text *why)
{
	struct gateway_config *next = malloc(sizeof(*next));
	char buffer[WHY_MAX];
	struct tenf_text reason = tenf_text_of(buffer, sizeof(buffer));
	bool good;

	service_tell(SERVICE_RELOADING);
	good = next != NULL && reload(d, next, &reason);
	if (next == NULL)
		tenf_text_add(&reason, "out of memory");
	tenf_text_add(why, buffer);
	if (good)
		(void)fprintf(stderr, "the configuration was read again: %zu rules\n",
			      d->config.rule_count);
	else
		(void)fprintf(stderr, "tenforward-gatewayd: %s; the old configuration stays in "
				      "force\n", buffer);
	(void)fflush(stderr);
	free(next);
	service_tell(SERVICE_READY);
	if (good)
		daemon_turn(d);
	return good;
}

/* SPDX-License-Identifier: MIT */
#include "agent/delivery-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making ------------------------------------------------------------- */

static void label_hook(struct target *t)
{
	const char *at = t->hook.target;
	const char *host = strstr(at, "://");

	switch (t->hook.kind) {
	case HOOK_RUN:
		snprintf(t->label, sizeof(t->label), "run %.80s", at);
		break;
	case HOOK_WEBHOOK: /* behind the host there may be a token */
		host = host != NULL ? host + 3 : at;
		snprintf(t->label, sizeof(t->label), "webhook %.*s",
			 (int)(host - at) + (int)strcspn(host, "/?#"), at);
		break;
	case HOOK_FILE:
		snprintf(t->label, sizeof(t->label), "file %.80s", at);
		break;
	}
}

static struct target *make_hook(const struct config_hook *hook)
{
	struct target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->hook = *hook;
	label_hook(t);
	return t;
}

static struct target *make_port_file(const char *path)
{
	struct config_hook hook = { .kind = HOOK_FILE };
	struct target *t;

	if (strlen(path) >= sizeof(hook.target))
		return NULL;
	memcpy(hook.target, path, strlen(path) + 1);
	t = make_hook(&hook);
	if (t != NULL)
		t->first_only = true;
	return t;
}

static struct target *make_connector(struct deliveries *d, const struct config_connector *config)
{
	struct target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->is_connector = true;
	t->config = *config;
	snprintf(t->label, sizeof(t->label), "%s %.75s", connector_type_name(config->type),
		 config->url);
	if (connector_new(d->outgoing, d->namespaces, config, &t->connector) != TENF_OK) {
		free(t);
		return NULL;
	}
	return t;
}

enum tenf_status targets_make(struct deliveries *d, const struct agent_config *config,
			      struct target **targets, size_t *ret_count)
{
	size_t count = 0;
	bool good = true;

	for (size_t i = 0; good && i < config->hook_count; i++, count++)
		good = (targets[count] = make_hook(&config->hooks[i])) != NULL;
	for (size_t i = 0; good && i < config->connector_count; i++, count++)
		good = (targets[count] = make_connector(d, &config->connectors[i])) != NULL;
	if (good && config->port_file[0] != '\0')
		good = (targets[count++] = make_port_file(config->port_file)) != NULL;
	if (!good) {
		while (count > 0)
			target_free(targets[--count]);
		return TENF_E_MEMORY;
	}
	*ret_count = count;
	return TENF_OK;
}

void target_free(struct target *target)
{
	if (target == NULL)
		return;
	connector_free(target->connector);
	explicit_bzero(target, sizeof(*target));
	free(target);
}

/* ---- Asking ------------------------------------------------------------- */

bool target_same(const struct target *a, const struct target *b)
{
	const struct config_hook *h = &a->hook, *g = &b->hook;
	const struct config_connector *c = &a->config, *e = &b->config;

	return a->is_connector == b->is_connector && a->first_only == b->first_only &&
	       h->events == g->events && h->kind == g->kind && h->timeout_s == g->timeout_s &&
	       strcmp(h->mapping, g->mapping) == 0 && strcmp(h->target, g->target) == 0 &&
	       strcmp(h->format, g->format) == 0 && c->type == e->type &&
	       strcmp(c->url, e->url) == 0 && strcmp(c->mapping, e->mapping) == 0 &&
	       c->recheck_s == e->recheck_s && strcmp(c->user, e->user) == 0 &&
	       strcmp(c->password, e->password) == 0 && strcmp(c->namespace, e->namespace) == 0;
}

static bool is_first(const struct deliveries *d, uint64_t number, const char *name,
		     const struct tenf_mapping *m)
{
	const struct record_wish *w = &d->first_wish;

	if (!d->has_first)
		return number == d->first_number;
	return strcmp(w->name, name) == 0 && m->requested_external_port == w->external_port &&
	       (w->follow || m->internal_port == w->internal_port) &&
	       (w->protocol == m->protocol || w->protocol == TENF_BOTH);
}

static bool is_second_half(const struct tenf_mapping *m)
{
	return m->pair != 0 && m->protocol == TENF_UDP;
}

static bool has_port(const struct tenf_event *event)
{
	return event->mapping.external_port != 0 &&
	       (event->kind == TENF_EVENT_MAPPED || event->kind == TENF_EVENT_CHANGED ||
		event->kind == TENF_EVENT_RENEWED);
}

bool target_wants(const struct deliveries *d, const struct target *target, uint64_t number,
		  const char *name, const struct tenf_event *event)
{
	const struct config_hook *hook = &target->hook;
	bool of_gateway = news_is_about_gateway(event->kind);

	if (target->is_connector)
		return has_port(event) && !is_second_half(&event->mapping) &&
		       strcmp(target->config.mapping, name) == 0;
	if (hook->events != 0 && (hook->events & 1u << event->kind) == 0)
		return false;
	if (hook->mapping[0] != '\0' && (of_gateway || strcmp(hook->mapping, name) != 0))
		return false;
	if (hook->kind == HOOK_FILE && (of_gateway || is_second_half(&event->mapping)))
		return false;
	return !target->first_only || is_first(d, number, name, &event->mapping);
}

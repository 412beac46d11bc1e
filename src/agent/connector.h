/* SPDX-License-Identifier: MIT */
/*
 * An application that is told the port it shall listen on. One sync reads what
 * the application has; when that is another port it sets ours and reads back.
 * Only what was read back counts. Signing in happens on the way when the application asks.
 *
 *   READ ── same ──► confirmed          any step ── asked to sign in ──► SIGN IN ──► again
 *     └─ other ──► SET ──► READ ── same ──► confirmed, else an error
 *
 * Whatever the application answers is bounded (outgoing.h) and taken for true
 * only where it has the shape it must have.
 */
#ifndef TENF_AGENT_CONNECTOR_H
#define TENF_AGENT_CONNECTOR_H

#include "agent/config.h"
#include "agent/namespace.h"
#include "hooks/outgoing.h"

#define CONNECTOR_TIMEOUT_S 10 /* of each request */
#define CONNECTOR_ERROR 160

struct connector;

/* `error` is NULL when the application confirmed; `changed` when it had another
 * port before. */
typedef void (*connector_done_fn)(void *context, const char *error, bool changed);

/* The configuration is copied; `namespaces` is borrowed, NULL: there is ours alone. */
TENF_CHECKED enum tenf_status connector_new(struct outgoing *outgoing,
					    struct namespaces *namespaces,
					    const struct config_connector *config,
					    struct connector **ret);
/* Cancels first. NULL is fine. */
void connector_free(struct connector *connector);

/* One sync at a time. `done` is called once, never from within. */
TENF_CHECKED enum tenf_status connector_sync(struct connector *connector, uint16_t port,
					     connector_done_fn done, void *context);
/* `done` is not called any more. */
void connector_cancel(struct connector *connector);

const char *connector_type_name(enum connector_type type);

#endif

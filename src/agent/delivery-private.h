/* SPDX-License-Identifier: MIT */
/*
 * delivery.c decides who is told what and when, delivery-target.c knows the
 * targets, delivery-table.c finds deliveries, delivery-job.c does the telling,
 * delivery-state.c shows it.
 */
#ifndef TENF_AGENT_DELIVERY_PRIVATE_H
#define TENF_AGENT_DELIVERY_PRIVATE_H

#include "agent/connector.h"
#include "agent/delivery.h"
#include "agent/hook.h"
#include "hooks/retry.h"
#include "base/heap.h"

#define TARGETS_MAX (CONFIG_HOOKS_MAX + CONFIG_CONNECTORS_MAX + 1)
#define TARGET_LABEL 96
#define DELIVERY_BUCKETS 4096
#define DELIVERY_ERROR 160

struct target {
	char label[TARGET_LABEL]; /* for people, without secrets */
	bool is_connector;
	bool first_only;          /* PortFile=: the first mapping alone */
	struct config_hook hook;
	struct config_connector config;
	struct connector *connector;
	bool busy;                /* the connector has a sync under way */
};

enum delivery_state {
	DELIVERY_CONFIRMED, /* from good to bad: the worst counts */
	DELIVERY_RUNNING,
	DELIVERY_WAITING,
	DELIVERY_FAILED,
};

/* One target and one mapping; for hooks each half of a pair is its own. */
struct delivery {
	struct tenf_heap_entry timer; /* first: the heap gives it back */
	struct delivery *next;        /* in its bucket */
	struct deliveries *owner;
	struct target *target;
	uint64_t number;
	enum tenf_protocol protocol;
	enum delivery_state state;
	struct retry retry;
	int64_t at;         /* wall clock of the state */
	char *error;        /* NULL: none */
	bool running;
	bool forgotten;     /* the mapping is gone */
	uint16_t port;      /* for a connector */
	bool newer_port;    /* came while it was running */
	struct news *news;  /* for a hook: what is to be told, NULL when it was */
	struct news *newer; /* came while it was running */
	struct hook_run *run;
	struct outgoing_call *call;
};

struct deliveries {
	struct event_base *base;
	struct outgoing *outgoing;
	struct namespaces *namespaces;
	struct event *timer;
	struct tenf_heap heap;
	struct tenf_random random;
	tenf_duration recheck, first_retry;
	struct target *targets[TARGETS_MAX];
	size_t target_count;
	struct delivery *buckets[DELIVERY_BUCKETS];
	size_t count;
	unsigned running;
	bool has_first;            /* first_wish is declared */
	struct record_wish first_wish;
	uint64_t first_number;     /* else the first that was told of; 0: none */
};

/* Targets. */
TENF_CHECKED enum tenf_status targets_make(struct deliveries *d, const struct agent_config *config,
					   struct target **targets, size_t *ret_count);
void target_free(struct target *target);
bool target_same(const struct target *a, const struct target *b);
/* Whether the target wants this event at all. */
bool target_wants(const struct deliveries *d, const struct target *target, uint64_t number,
		  const char *name, const struct tenf_event *event);

/* The table. */
struct delivery *delivery_find(struct deliveries *d, const struct target *target,
			       uint64_t number, enum tenf_protocol protocol);
struct delivery *delivery_add(struct deliveries *d, struct target *target, uint64_t number,
			      enum tenf_protocol protocol);
/* Cancels what is under way. */
void delivery_remove(struct delivery *delivery);
struct delivery **delivery_bucket(struct deliveries *d, uint64_t number);

/* Jobs: true when it runs, and delivery_finish() will be called; false with
 * the error, or with "" when it is done already. */
bool delivery_start(struct delivery *delivery, char *ret_error, size_t size);
void delivery_cancel(struct delivery *delivery);
void delivery_finish(struct delivery *delivery, const char *error, bool changed);

#endif

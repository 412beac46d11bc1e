/* SPDX-License-Identifier: MIT */
#include "gateway/ledger-private.h"

#define FIRST_BUCKETS 64

static struct ledger_host **bucket_of(const struct ledger *l, const struct tenf_address *address)
{
	return &l->hosts[ledger_hash(l, address, 0) & (l->host_buckets - 1)];
}

struct ledger_host *ledger_known_host(const struct ledger *l, const struct tenf_address *address)
{
	struct ledger_host *host = l->hosts != NULL ? *bucket_of(l, address) : NULL;

	while (host != NULL && !tenf_address_equal(&host->address, address))
		host = host->next_hash;
	return host;
}

static bool is_idle(const struct ledger_host *host)
{
	return host->live_count == 0 && host->ended_count == 0;
}

static void idle_push(struct ledger *l, struct ledger_host *host)
{
	host->idle_previous = NULL;
	host->idle_next = l->idle;
	if (l->idle != NULL)
		l->idle->idle_previous = host;
	else
		l->idle_last = host;
	l->idle = host;
	l->idle_count++;
}

static void idle_remove(struct ledger *l, struct ledger_host *host)
{
	if (host->idle_previous != NULL)
		host->idle_previous->idle_next = host->idle_next;
	else
		l->idle = host->idle_next;
	if (host->idle_next != NULL)
		host->idle_next->idle_previous = host->idle_previous;
	else
		l->idle_last = host->idle_previous;
	l->idle_count--;
}

static void forget_oldest_idle(struct ledger *l)
{
	struct ledger_host *host = l->idle_last;
	struct ledger_host **at = bucket_of(l, &host->address);

	while (*at != host)
		at = &(*at)->next_hash;
	*at = host->next_hash;
	idle_remove(l, host);
	l->host_count--;
	tenf_memory_free(l->memory, host);
}

/* Makes room for one more; when memory is out the chains get longer, which
 * only the first allocation cannot do. */
static bool grow(struct ledger *l)
{
	size_t old_buckets = l->host_buckets;
	struct ledger_host **old = l->hosts;
	size_t buckets = old_buckets > 0 ? old_buckets * 2 : FIRST_BUCKETS;
	struct ledger_host **fresh;

	if (l->host_count < old_buckets)
		return true;
	fresh = tenf_memory_zero(l->memory, buckets, sizeof(struct ledger_host *));
	if (fresh == NULL)
		return old != NULL;
	l->hosts = fresh;
	l->host_buckets = buckets;
	for (size_t i = 0; i < old_buckets; i++) {
		while (old[i] != NULL) {
			struct ledger_host *host = old[i];
			struct ledger_host **at = bucket_of(l, &host->address);

			old[i] = host->next_hash;
			host->next_hash = *at;
			*at = host;
		}
	}
	tenf_memory_free(l->memory, old);
	return true;
}

struct ledger_host *ledger_host(struct ledger *l, const struct tenf_address *address)
{
	struct ledger_host *host = ledger_known_host(l, address);
	struct ledger_host **at;

	if (host != NULL) {
		if (is_idle(host)) {
			idle_remove(l, host);
			idle_push(l, host);
		}
		return host;
	}
	if (!grow(l))
		return NULL;
	host = tenf_memory_zero(l->memory, 1, sizeof(*host));
	if (host == NULL)
		return NULL;
	host->address = *address;
	host->slot = ledger_pair(l, address);
	at = bucket_of(l, address);
	host->next_hash = *at;
	*at = host;
	l->host_count++;
	idle_push(l, host);
	if (l->idle_count > LEDGER_IDLE_HOSTS_MAX)
		forget_oldest_idle(l);
	return host;
}

/* Into the list of its state. */
void ledger_host_link(struct ledger *l, struct ledger_mapping *m)
{
	struct ledger_host *host = m->host;
	bool live = m->state == LEDGER_LIVE;
	struct ledger_mapping **first = live ? &host->live : &host->ended;

	if (is_idle(host))
		idle_remove(l, host);
	m->host_previous = NULL;
	m->host_next = *first;
	if (*first != NULL)
		(*first)->host_previous = m;
	*first = m;
	if (live)
		host->live_count++;
	else
		host->ended_count++;
}

void ledger_host_unlink(struct ledger *l, struct ledger_mapping *m)
{
	struct ledger_host *host = m->host;
	bool live = m->state == LEDGER_LIVE;

	if (m->host_previous != NULL)
		m->host_previous->host_next = m->host_next;
	else if (live)
		host->live = m->host_next;
	else
		host->ended = m->host_next;
	if (m->host_next != NULL)
		m->host_next->host_previous = m->host_previous;
	m->host_next = NULL;
	m->host_previous = NULL;
	if (live)
		host->live_count--;
	else
		host->ended_count--;
	if (is_idle(host))
		idle_push(l, host);
}

void ledger_hosts_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->host_buckets; i++) {
		while (l->hosts[i] != NULL) {
			struct ledger_host *host = l->hosts[i];

			l->hosts[i] = host->next_hash;
			tenf_memory_free(l->memory, host);
		}
	}
	tenf_memory_free(l->memory, l->hosts);
	l->hosts = NULL;
	l->host_buckets = 0;
	l->host_count = 0;
	l->idle = NULL;
	l->idle_last = NULL;
	l->idle_count = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Discovery: the same harmless question to every candidate gateway at once.
 * Each candidate is a client of its own with one inquiry; nothing is opened.
 */
#include "lib/discovery.h"

#include "core/client.h"
#include "lib/convert.h"
#include "lib/explain.h"
#include "lib/upnp.h"
#include "lib/wait.h"
#include "net/clock.h"
#include "net/poll.h"
#include "net/udp.h"

#include <stdlib.h>
#include <unistd.h>

/* How much longer one that is preferred may take than one that has answered, for each
 * millisecond of the time-out: of 5 s that is enough for a packet that was lost and is sent
 * again, and leaves time to ask for the mapping. */
#define PATIENCE_OF_A_MS (TENF_MILLISECOND / 8)

struct candidate {
	struct route route;
	int fd; /* -1 when no socket could be opened */
	struct client client;
	struct inquiry inquiry;
	enum tenf_reason reason;
	bool done;
#if TENF_WITH_IGD
	bool answered;   /* the inquiry is */
	tenf_time hurry; /* what is not heard by then is not waited for */
	unsigned igd_version;
	struct igd *igd; /* NULL once its verdict is in */
#endif
};

struct tenf_discovery {
	struct settings settings;
	int poll_fd;
	size_t count;
	size_t open;
	bool only_best;  /* the choice alone is wanted */
	bool decided;
	size_t chosen;   /* 0 while nobody is */
	tenf_time hurry; /* when patience is over, TENF_NEVER while there is no need */
	struct candidate *candidates;
};

/* ---- UPnP ---------------------------------------------------------------------- */

#if TENF_WITH_IGD

/* An answer that is there waits this long for UPnP, which answers at once or
 * has a window of two seconds; and one of UPnP this long for the others. */
#define UPNP_GRACE (250 * TENF_MILLISECOND)
#define OTHERS_GRACE (1 * TENF_SECOND)

static void start_upnp(struct tenf_discovery *d, struct candidate *c, tenf_time give_up)
{
	uint64_t tag = ROUTES_MAX + (uint64_t)(c - d->candidates);

	c->hurry = TENF_NEVER;
	if ((d->settings.methods & TENF_METHOD_IGD) == 0 ||
	    upnp_open(&d->settings, &c->route, d->poll_fd, tag, &c->igd) != TENF_OK)
		return;
	upnp_find(c->igd, d->settings.methods == TENF_METHOD_IGD, give_up);
}

static void take_upnp(struct candidate *c, const struct igd_result *result, tenf_time now)
{
	if (result->reason != TENF_REASON_NONE)
		return;
	c->igd_version = result->version;
	if (!tenf_address_is_none(&result->external_address) &&
	    tenf_address_is_none(&c->client.external))
		client_learn_address(&c->client, &result->external_address, TENF_METHOD_IGD, now);
	if (c->client.rtt < 0)
		c->client.rtt = result->rtt;
	c->hurry = tenf_time_min(c->hurry, now + OTHERS_GRACE);
}

static void step_upnp(struct candidate *c, tenf_time now)
{
	struct igd_result result;

	if (c->igd == NULL)
		return;
	igd_step(c->igd, now);
	if (igd_take(c->igd, &result))
		take_upnp(c, &result, now);
	if (c->answered && c->reason == TENF_REASON_NONE)
		c->hurry = tenf_time_min(c->hurry, now + UPNP_GRACE);
}

/* With `answered` the inquiry is: true when the candidate is done with it. */
static bool is_enough(struct candidate *c, bool answered, tenf_time now)
{
	bool looks;

	c->answered |= answered;
	step_upnp(c, now);
	looks = c->igd != NULL && !igd_is_idle(c->igd);
	if ((!c->answered || looks) && now < c->hurry)
		return false;
	if (c->igd_version != 0)
		c->reason = TENF_REASON_NONE;
	return true;
}

static bool has_answered(const struct candidate *c)
{
	return c->inquiry.answer.spoken != 0 || c->igd_version != 0;
}

static tenf_time upnp_due(const struct candidate *c)
{
	return c->igd != NULL ? tenf_time_min(igd_deadline(c->igd), c->hurry) : TENF_NEVER;
}

static void close_upnp(struct candidate *c)
{
	igd_free(c->igd);
	c->igd = NULL;
}

#else

static void start_upnp(struct tenf_discovery *d, struct candidate *c, tenf_time give_up)
{
	(void)d, (void)c, (void)give_up;
}

static bool is_enough(struct candidate *c, bool answered, tenf_time now)
{
	(void)c, (void)now;
	return answered;
}

static bool has_answered(const struct candidate *c)
{
	return c->inquiry.answer.spoken != 0;
}

static tenf_time upnp_due(const struct candidate *c)
{
	(void)c;
	return TENF_NEVER;
}

static void close_upnp(struct candidate *c)
{
	(void)c;
}

#endif

/* ---- Asking --------------------------------------------------------------------- */

static void start(struct tenf_discovery *d, struct candidate *c, tenf_time now)
{
	struct tenf_random random = net_random();
	/* Who names a gateway wants to know what it speaks, whoever asks. */
	bool forced = d->settings.has_gateway || d->settings.methods == TENF_METHOD_NATPMP;

	if (route_open(&d->settings, &c->route, &c->fd, NULL) != TENF_OK ||
	    net_poll_add(d->poll_fd, c->fd, (uint64_t)(c - d->candidates)) != TENF_OK) {
		c->reason = TENF_REASON_NO_GATEWAY;
		c->done = true;
		return;
	}
	d->open++;
	client_init(&c->client, &c->route.gateway, &c->route.source, d->settings.methods, forced,
		    &random);
	c->inquiry.question = (struct core_question){
		.op = CORE_DISCOVER,
		.methods = d->settings.methods,
		.give_up = now + d->settings.timeout_ms * TENF_MILLISECOND,
	};
	client_ask(&c->client, &c->inquiry, now);
	start_upnp(d, c, c->inquiry.question.give_up);
}

static void send_due(struct candidate *c, tenf_time now)
{
	uint8_t data[PCP_MAX];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	while (!c->done && client_next_send(&c->client, now, &w)) {
		if (!w.failed && net_udp_send(c->fd, data, w.used) == TENF_E_REFUSED)
			client_unreachable(&c->client, now);
		w = tenf_writer_of(data, sizeof(data));
	}
}

static void step(struct tenf_discovery *d, struct candidate *c, tenf_time now)
{
	struct inquiry *answered;

	if (c->done)
		return;
	client_expire(&c->client, now);
	send_due(c, now);
	answered = client_next_answer(&c->client);
	if (answered != NULL)
		c->reason = answered->answer.reason;
	if (!is_enough(c, answered != NULL, now))
		return;
	c->done = true;
	d->open--;
	net_poll_remove(d->poll_fd, c->fd);
}

/* Of those that stand in for one another: the first that answered, once those
 * before it had their say; nobody when all are done. */
static void choose(struct tenf_discovery *d, tenf_time now)
{
	bool waits = false;

	for (size_t i = 0; i < d->count && !d->decided; i++) {
		const struct candidate *c = &d->candidates[i];

		if (!has_answered(c)) {
			waits |= !c->done;
			continue;
		}
		if (d->hurry == TENF_NEVER)
			d->hurry = now + d->settings.timeout_ms * PATIENCE_OF_A_MS;
		d->decided = !waits || d->hurry <= now;
		d->chosen = d->decided ? i : 0;
	}
	d->decided |= !waits;
	if (d->decided)
		d->hurry = TENF_NEVER;
}

enum tenf_status discovery_start(const struct settings *settings, const struct route *routes,
				 size_t count, struct tenf_discovery **ret)
{
	struct tenf_discovery *d = calloc(1, sizeof(*d));
	tenf_time now = net_now();

	if (d == NULL)
		return TENF_E_MEMORY;
	d->settings = *settings;
	d->hurry = TENF_NEVER;
	d->candidates = calloc(count > 0 ? count : 1, sizeof(*d->candidates));
	if (d->candidates == NULL || net_poll_open(&d->poll_fd) != TENF_OK) {
		free(d->candidates);
		free(d);
		return TENF_E_SYSTEM;
	}
	d->count = count;
	for (size_t i = 0; i < count; i++) {
		d->candidates[i].route = routes[i];
		d->candidates[i].fd = -1;
		start(d, &d->candidates[i], now);
		step(d, &d->candidates[i], now);
	}
	*ret = d;
	return TENF_OK;
}

enum tenf_status tenf_discovery_new(const struct tenf_options *options, bool only_best,
				    struct tenf_discovery **ret, struct tenf_error *reterr)
{
	struct route routes[ROUTES_MAX];
	struct net_error cause = { 0 };
	struct settings settings;
	size_t count;
	enum tenf_status status = settings_read(options, &settings, reterr);

	if (status != TENF_OK)
		return status;
	status = route_find(&settings, routes, ROUTES_MAX, &count, &cause);
	if (status != TENF_OK)
		return explain_system(reterr, status, "Cannot read the routes", &cause);
	if (only_best)
		count = route_contenders(routes, count);
	status = discovery_start(&settings, routes, count, ret);
	if (status != TENF_OK)
		return explain_system(reterr, status, "Cannot wait for gateways", NULL);
	(*ret)->only_best = only_best;
	return TENF_OK;
}

void tenf_discovery_free(struct tenf_discovery *discovery)
{
	if (discovery == NULL)
		return;
	for (size_t i = 0; i < discovery->count; i++) {
		if (discovery->candidates[i].fd >= 0)
			close(discovery->candidates[i].fd);
		close_upnp(&discovery->candidates[i]);
	}
	close(discovery->poll_fd);
	free(discovery->candidates);
	free(discovery);
}

int tenf_discovery_fd(const struct tenf_discovery *discovery)
{
	return discovery->poll_fd;
}

tenf_time discovery_deadline(const struct tenf_discovery *discovery)
{
	tenf_time first = discovery->hurry;

	for (size_t i = 0; i < discovery->count; i++) {
		const struct candidate *c = &discovery->candidates[i];

		if (!c->done)
			first = tenf_time_min(tenf_time_min(first, client_deadline(&c->client)),
					      upnp_due(c));
	}
	return first;
}

int tenf_discovery_timeout_ms(const struct tenf_discovery *discovery)
{
	return timeout_until_ms(discovery_deadline(discovery), net_now());
}

static void receive(struct candidate *c)
{
	uint8_t data[PCP_MAX + 4];

	for (unsigned i = 0; i < 64; i++) {
		struct tenf_endpoint from;
		struct pcp_answer update;
		unsigned ifindex;
		size_t len;
		enum tenf_status status =
			net_udp_receive(c->fd, data, sizeof(data), &len, &from, &ifindex);

		if (status == TENF_E_REFUSED)
			client_unreachable(&c->client, net_now());
		if (status != TENF_OK)
			return;
		if (len <= sizeof(data) && client_receive(&c->client, &from, data, len, net_now(),
							  &update) == CLIENT_UPDATE)
			client_update(&c->client, &update, false, net_now());
	}
}

enum tenf_status tenf_discovery_process(struct tenf_discovery *discovery)
{
	uint64_t ready[2 * ROUTES_MAX];
	size_t count = net_poll_ready(discovery->poll_fd, ready, 2 * ROUTES_MAX);

	for (size_t i = 0; i < count; i++) {
		if (ready[i] < discovery->count)
			receive(&discovery->candidates[ready[i]]);
	}
	for (size_t i = 0; i < discovery->count; i++)
		step(discovery, &discovery->candidates[i], net_now());
	choose(discovery, net_now());
	return TENF_OK;
}

bool discovery_decides(const struct tenf_discovery *discovery, const struct route **ret)
{
	const struct candidate *c = &discovery->candidates[discovery->chosen];

	*ret = has_answered(c) ? &c->route : NULL;
	return discovery->decided;
}

bool tenf_discovery_done(const struct tenf_discovery *discovery)
{
	return discovery->open == 0 || (discovery->only_best && discovery->decided &&
					discovery->candidates[discovery->chosen].done);
}

size_t tenf_discovery_count(const struct tenf_discovery *discovery)
{
	return discovery->only_best && discovery->count > 0 ? 1 : discovery->count;
}

void tenf_discovery_gateway(const struct tenf_discovery *discovery, size_t index,
			    struct tenf_gateway *ret)
{
	const struct candidate *c;
	struct convert_scene scene = { .settings = &discovery->settings };

	if (index >= discovery->count) {
		convert_gateway(&scene, NULL, TENF_REASON_NO_GATEWAY, ret);
		return;
	}
	c = &discovery->candidates[discovery->only_best ? discovery->chosen : index];
	scene.route = &c->route;
#if TENF_WITH_IGD
	scene.igd_version = c->igd_version;
#endif
	convert_gateway(&scene, c->fd >= 0 ? &c->client : NULL, c->reason, ret);
}

#if TENF_WITH_IGD

bool tenf_discovery_igd_hint(const struct tenf_discovery *discovery, size_t index,
			     char ret[TENF_IGD_HINT_SIZE])
{
	if (discovery->only_best)
		index = discovery->chosen;
	ret[0] = '\0';
	if (index < discovery->count)
		upnp_hint(discovery->candidates[index].igd, ret);
	return ret[0] != '\0';
}

#endif

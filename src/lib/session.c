/* SPDX-License-Identifier: MIT */
/*
 * A session binds the engine to the sockets of this computer: one connected to
 * the gateway, the shared listener for announcements, and the kernel's word
 * that the network changed.
 *
 * Where it is uncertain who the gateway is (a guess, or the anycast address), a discovery
 * asks all who may be, and the engine's packets, which tell of ports, wait for
 * its choice:
 *
 *   routes ─► certain ─────────────────────────────────► engine sends
 *        └──► uncertain: packets held back, probe ─ one ──► engine sends there
 *                                                └─ none ─► to the first all the same,
 *                                                           save the anycast address
 */
#include "keeper/engine.h"
#include "lib/convert.h"
#include "lib/discovery.h"
#include "lib/explain.h"
#include "lib/upnp.h"
#include "lib/wait.h"
#include "net/changes.h"
#include "net/clock.h"
#include "net/poll.h"
#include "net/udp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Changes come in bursts; the routes are read once they have settled. */
#define SETTLE (100 * TENF_MILLISECOND)
/* Where the kernel does not tell, or the way to the gateway could not be opened. */
#define LOOK_AGAIN (30 * TENF_SECOND)

/* Datagrams taken by one call of process, so that a flood cannot hold it. */
#define RECEIVE_MAX 256

enum { TAG_GATEWAY, TAG_ANNOUNCEMENTS4, TAG_ANNOUNCEMENTS6, TAG_CHANGES, TAG_PROBE, TAGS };

struct tenf_session {
	struct settings settings;
	struct engine engine;
	struct route route;
	bool has_route;
	tenf_time look_at; /* when to read the routes again */
	int poll_fd;
	int fds[TAGS]; /* -1 where there is none */
	struct tenf_discovery *probe; /* NULL when it is certain who is asked */
	bool held_back; /* nothing is sent to `route` before the probe's choice */
#if TENF_WITH_IGD
	struct upnp_side upnp;
#endif
};

/* ---- UPnP --------------------------------------------------------------------- */

#if TENF_WITH_IGD

static void step_upnp(struct tenf_session *s)
{
	if (s->has_route && !s->held_back)
		upnp_side_step(&s->upnp, &s->engine, &s->route, &s->settings, s->poll_fd, TAGS);
}

static void drop_upnp(struct tenf_session *s)
{
	upnp_side_reset(&s->upnp, &s->engine);
}

static tenf_time upnp_due(const struct tenf_session *s)
{
	return s->held_back ? TENF_NEVER : upnp_side_deadline(&s->upnp, &s->engine);
}

#else

static void step_upnp(struct tenf_session *s)
{
	(void)s;
}

static void drop_upnp(struct tenf_session *s)
{
	(void)s;
}

static tenf_time upnp_due(const struct tenf_session *s)
{
	(void)s;
	return TENF_NEVER;
}

#endif

static bool tells_changes(const struct tenf_session *s)
{
	return s->fds[TAG_CHANGES] >= 0;
}

static void close_fd(struct tenf_session *s, int tag)
{
	if (s->fds[tag] < 0)
		return;
	net_poll_remove(s->poll_fd, s->fds[tag]);
	close(s->fds[tag]);
	s->fds[tag] = -1;
}

static enum tenf_status watch_fd(struct tenf_session *s, int tag, int fd)
{
	if (net_poll_add(s->poll_fd, fd, (uint64_t)tag) != TENF_OK) {
		close(fd);
		return TENF_E_SYSTEM;
	}
	s->fds[tag] = fd;
	return TENF_OK;
}

/* ---- The way to the gateway ---------------------------------------------- */

/* Announcements are worth having, not worth failing for: without them a
 * restart is noticed at the next answer. */
static void join_announcements(struct tenf_session *s)
{
	bool ipv6 = !tenf_address_is_v4(&s->route.gateway.address);
	int tag = ipv6 ? TAG_ANNOUNCEMENTS6 : TAG_ANNOUNCEMENTS4;
	int fd;

	if (!s->settings.announcements || s->route.ifindex == 0)
		return;
	if (s->fds[tag] < 0 &&
	    (net_announcements_open(&s->settings.opener, ipv6, &fd, NULL) != TENF_OK ||
	     watch_fd(s, tag, fd) != TENF_OK))
		return;
	(void)!net_announcements_join(s->fds[tag], ipv6, s->route.ifindex);
}

static void use_route(struct tenf_session *s, const struct route *route, int fd, tenf_time now)
{
	close_fd(s, TAG_GATEWAY);
	drop_upnp(s);
	if (watch_fd(s, TAG_GATEWAY, fd) != TENF_OK)
		return;
	s->route = *route;
	s->has_route = true;
	join_announcements(s);
	engine_set_gateway(&s->engine, &s->route.gateway, &s->route.source, now);
}

static void lose_route(struct tenf_session *s, tenf_time now)
{
	bool had = s->has_route;

	close_fd(s, TAG_GATEWAY);
	drop_upnp(s);
	s->has_route = false;
	if (had)
		engine_set_gateway(&s->engine, NULL, NULL, now);
}

static void end_probe(struct tenf_session *s)
{
	tenf_discovery_free(s->probe); /* its descriptor leaves the set by being closed */
	s->probe = NULL;
}

/* Puts the one in use to the front: it is not left for another while it answers.
 * False when it is not among them. */
static bool put_current_first(const struct tenf_session *s, struct route *routes, size_t count)
{
	for (size_t i = 0; s->has_route && i < count; i++) {
		struct route first = routes[0];

		if (!tenf_endpoint_equal(&routes[i].gateway, &s->route.gateway))
			continue;
		routes[0] = routes[i];
		routes[i] = first;
		return true;
	}
	return false;
}

/* Nobody there: a guess is asked all the same, which ends in a verdict that names it. */
static void step_probe(struct tenf_session *s, tenf_time now)
{
	const struct route *choice;
	struct route used;
	int fd;

	if (s->probe == NULL)
		return;
	(void)!tenf_discovery_process(s->probe);
	if (!discovery_decides(s->probe, &choice))
		return;
	if (choice == NULL) {
		s->look_at = now + LOOK_AGAIN;
		if (s->held_back && s->route.origin == TENF_ORIGIN_ANYCAST)
			lose_route(s, now);
	} else if (!route_equal(choice, &s->route)) {
		used = *choice;
		if (route_open(&s->settings, &used, &fd, NULL) == TENF_OK)
			use_route(s, &used, fd, now);
	}
	s->held_back = false;
	end_probe(s);
}

static void use_certain(struct tenf_session *s, const struct route *route, int fd, tenf_time now)
{
	s->held_back = false;
	if (s->has_route && route_equal(route, &s->route))
		close(fd);
	else
		use_route(s, route, fd, now);
}

static void use_uncertain(struct tenf_session *s, struct route *routes, size_t count, int fd,
			  tenf_time now)
{
	if (put_current_first(s, routes, count)) {
		close(fd);
	} else {
		s->held_back = true;
		use_route(s, &routes[0], fd, now);
	}
	if (discovery_start(&s->settings, routes, count, &s->probe) != TENF_OK)
		s->look_at = now + LOOK_AGAIN;
	else
		(void)!net_poll_add(s->poll_fd, tenf_discovery_fd(s->probe), TAG_PROBE);
}

/* The first candidate that a socket can be opened to. A socket is opened even
 * when nothing seems to have changed: it tells the source the kernel would use now. */
static void look_for_route(struct tenf_session *s, tenf_time now)
{
	struct route found[ROUTES_MAX];
	size_t count = 0;
	size_t i = 0;
	int fd = -1;

	end_probe(s);
	s->look_at = tells_changes(s) ? TENF_NEVER : now + LOOK_AGAIN;
	if (route_find(&s->settings, found, ROUTES_MAX, &count, NULL) != TENF_OK)
		s->look_at = now + LOOK_AGAIN;
	while (i < count && route_open(&s->settings, &found[i], &fd, NULL) != TENF_OK)
		i++;
	if (i == count) {
		if (count > 0)
			s->look_at = now + LOOK_AGAIN;
		lose_route(s, now);
		return;
	}
	count = route_contenders(&found[i], count - i);
	if (route_is_uncertain(&found[i], count))
		use_uncertain(s, &found[i], count, fd, now);
	else
		use_certain(s, &found[i], fd, now);
}

/* ---- Life ------------------------------------------------------------------ */

static enum tenf_status open_edge(struct tenf_session *s, struct tenf_error *reterr)
{
	struct net_error cause = { 0 };
	int fd;

	if (net_poll_open(&s->poll_fd) != TENF_OK)
		return explain_system(reterr, TENF_E_SYSTEM, "Cannot wait for sockets", NULL);
	/* Without this the routes are read every now and then. */
	if (net_changes_open(&s->settings.opener, &fd, &cause) == TENF_OK)
		(void)!watch_fd(s, TAG_CHANGES, fd);
	return TENF_OK;
}

enum tenf_status tenf_session_new(const struct tenf_options *options, struct tenf_session **ret,
				  struct tenf_error *reterr)
{
	struct settings settings;
	struct engine_config config;
	struct tenf_random random = net_random();
	struct tenf_session *s;
	enum tenf_status status = settings_read(options, &settings, reterr);

	if (status != TENF_OK)
		return status;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return explain_system(reterr, TENF_E_MEMORY, "Out of memory", NULL);
	s->settings = settings;
	s->poll_fd = -1;
	for (int tag = 0; tag < TAGS; tag++)
		s->fds[tag] = -1;
	config = (struct engine_config){
		.methods = settings.methods,
		.forced = settings.has_gateway || settings.methods == TENF_METHOD_NATPMP,
		.watch = settings.watch,
		.verdict = ((tenf_duration)settings.timeout_ms - settings.asked_ms) *
			   TENF_MILLISECOND,
	};
	engine_init(&s->engine, &config, &random, &tenf_memory_libc);
	status = open_edge(s, reterr);
	if (status != TENF_OK) {
		tenf_session_free(s);
		return status;
	}
	look_for_route(s, net_now());
	*ret = s;
	return TENF_OK;
}

void tenf_session_free(struct tenf_session *session)
{
	if (session == NULL)
		return;
	tenf_discovery_free(session->probe);
	for (int tag = 0; tag < TAGS; tag++) {
		if (session->fds[tag] >= 0)
			close(session->fds[tag]);
	}
	drop_upnp(session);
	if (session->poll_fd >= 0)
		close(session->poll_fd);
	engine_done(&session->engine);
	free(session);
}

int tenf_session_fd(const struct tenf_session *session)
{
	return session->poll_fd;
}

static bool has_events(const struct engine *e)
{
	return e->gateway_news || e->restart_news || e->keeper.first_news != NULL ||
	       (e->has_gateway && e->client.address_changed);
}

int tenf_session_timeout_ms(const struct tenf_session *session)
{
	const struct engine *e = &session->engine;
	tenf_time deadline = tenf_time_min(engine_deadline(e), session->look_at);

	if (has_events(e) ||
	    (!session->held_back && e->has_gateway && client_has_due(&e->client)))
		return 0;
	if (session->probe != NULL)
		deadline = tenf_time_min(deadline, discovery_deadline(session->probe));
	deadline = tenf_time_min(deadline, upnp_due(session));
	return timeout_until_ms(deadline, net_now());
}

/* ---- Process ----------------------------------------------------------------- */

static void receive_from_gateway(struct tenf_session *s)
{
	uint8_t data[PCP_MAX + 4];

	for (unsigned i = 0; i < RECEIVE_MAX && s->fds[TAG_GATEWAY] >= 0; i++) {
		struct tenf_endpoint from;
		unsigned ifindex;
		size_t len;
		enum tenf_status status = net_udp_receive(s->fds[TAG_GATEWAY], data, sizeof(data),
							  &len, &from, &ifindex);

		if (status == TENF_OK && len <= sizeof(data))
			engine_receive(&s->engine, &from, data, len, net_now());
		else if (status == TENF_E_REFUSED)
			engine_unreachable(&s->engine, net_now());
		else if (status != TENF_OK && status != TENF_E_UNREACHABLE)
			return;
	}
}

static void receive_announcements(struct tenf_session *s, int tag)
{
	uint8_t data[PCP_MAX + 4];

	for (unsigned i = 0; i < RECEIVE_MAX && s->fds[tag] >= 0; i++) {
		struct tenf_endpoint from;
		unsigned ifindex;
		size_t len;
		enum tenf_status status = net_udp_receive(s->fds[tag], data, sizeof(data), &len,
							  &from, &ifindex);

		if (status != TENF_OK)
			return;
		if (len <= sizeof(data) && ifindex == s->route.ifindex)
			engine_announced(&s->engine, &from, data, len, net_now());
	}
}

static void send_all(struct tenf_session *s)
{
	uint8_t data[PCP_MAX];
	tenf_time now = net_now();

	while (s->fds[TAG_GATEWAY] >= 0 && !s->held_back) {
		struct tenf_writer w = tenf_writer_of(data, sizeof(data));
		enum tenf_status status;

		if (!engine_next_send(&s->engine, now, &w))
			return;
		if (w.failed)
			continue;
		status = net_udp_send(s->fds[TAG_GATEWAY], data, w.used);
		/* What was not sent is what the network may lose: it is sent again. */
		if (status == TENF_E_REFUSED)
			engine_unreachable(&s->engine, now);
	}
}

static void take_ready(struct tenf_session *s, uint64_t tag, tenf_time now)
{
	switch (tag) {
	case TAG_GATEWAY:
		receive_from_gateway(s);
		break;
	case TAG_ANNOUNCEMENTS4:
	case TAG_ANNOUNCEMENTS6:
		receive_announcements(s, (int)tag);
		break;
	case TAG_CHANGES:
		if (net_changes_read(s->fds[TAG_CHANGES]))
			s->look_at = tenf_time_min(s->look_at, now + SETTLE);
		break;
	default:
		break;
	}
}

enum tenf_status tenf_session_process(struct tenf_session *session)
{
	uint64_t ready[TAGS + 1];
	size_t count = net_poll_ready(session->poll_fd, ready, TAGS + 1);
	tenf_time now = net_now();

	for (size_t i = 0; i < count; i++)
		take_ready(session, ready[i], now);
	step_probe(session, now);
	if (session->look_at <= now)
		look_for_route(session, now);
	engine_expire(&session->engine, net_now());
	step_upnp(session);
	send_all(session);
	return TENF_OK;
}

/* ---- Wishes ------------------------------------------------------------------- */

enum tenf_status tenf_session_add(struct tenf_session *session, const struct tenf_request *request,
				  uint32_t *ret_id)
{
	struct pcp_filter filters[TENF_FILTERS_MAX];
	struct keeper_wish wish;
	enum tenf_status status = convert_request(request, filters, &wish);

	if (status != TENF_OK)
		return status;
	return engine_add(&session->engine, &wish, request->protocol == TENF_BOTH, net_now(),
			  ret_id);
}

enum tenf_status tenf_session_set_lifetime(struct tenf_session *session, uint32_t id,
					   uint32_t lifetime_s)
{
	if (lifetime_s == 0)
		return TENF_E_ARGUMENT;
	return keeper_set_lifetime(&session->engine.keeper, id, lifetime_s, net_now());
}

enum tenf_status tenf_session_remove(struct tenf_session *session, uint32_t id)
{
	return engine_remove(&session->engine, id, net_now());
}

void tenf_session_remove_all(struct tenf_session *session)
{
	const struct keeper *keeper = &session->engine.keeper;

	for (size_t i = 0; i < keeper->count; i++)
		(void)!engine_remove(&session->engine, keeper->mappings[i]->id, net_now());
}

enum tenf_status tenf_session_release(struct tenf_session *session,
				      const struct tenf_mapping *lease, uint32_t *ret_id)
{
	struct keeper_wish wish;
	enum tenf_status status = convert_lease(lease, &wish);

	if (status != TENF_OK)
		return status;
	/* A lease of another host was made by THIRD_PARTY and is deleted so. */
	wish.for_other = lease->internal_address[0] != '\0' && session->has_route &&
			 !tenf_address_equal(&wish.other, &session->route.source) &&
			 net_interface_of(&session->settings.opener, &wish.other) == 0;
	return engine_release(&session->engine, &wish, net_now(), ret_id);
}

/* ---- What is there -------------------------------------------------------------- */

static struct convert_scene scene_of(const struct tenf_session *s)
{
	return (struct convert_scene){
		.route = s->has_route ? &s->route : NULL,
		.settings = &s->settings,
#if TENF_WITH_IGD
		.igd_version = s->engine.upnp.version,
#endif
	};
}

bool tenf_session_next_event(struct tenf_session *session, struct tenf_event *ret)
{
	struct engine_event event;
	struct convert_scene scene = scene_of(session);

	if (!engine_next_event(&session->engine, net_now(), &event))
		return false;
	*ret = (struct tenf_event){ .kind = event.kind, .at = net_wall_s() };
	if (event.mapping.id != 0)
		convert_mapping(&scene, &event.mapping, &ret->mapping);
	if (event.before.id != 0)
		convert_mapping(&scene, &event.before, &ret->before);
	if (event.mapping.id == 0)
		tenf_session_gateway(session, &ret->gateway);
	if (event.kind == TENF_EVENT_ADDRESS)
		convert_address(&event.address_before, ret->address_before);
	return true;
}

bool tenf_session_mapping(const struct tenf_session *session, uint32_t id,
			  struct tenf_mapping *ret)
{
	struct convert_scene scene = scene_of(session);
	const struct keeper_mapping *m = keeper_find(&session->engine.keeper, id);
	struct keeper_view view;

	if (m == NULL || m->phase == PHASE_REMOVED)
		return false;
	keeper_view(&session->engine.keeper, m, &view);
	convert_mapping(&scene, &view, ret);
	return true;
}

size_t tenf_session_count(const struct tenf_session *session)
{
	return session->engine.keeper.count;
}

uint32_t tenf_session_id_at(const struct tenf_session *session, size_t index)
{
	const struct keeper *keeper = &session->engine.keeper;

	return index < keeper->count ? keeper->mappings[index]->id : 0;
}

void tenf_session_gateway(const struct tenf_session *session, struct tenf_gateway *ret)
{
	struct convert_scene scene = scene_of(session);
	const struct engine *e = &session->engine;

	convert_gateway(&scene, e->has_gateway ? &e->client : NULL, e->gateway_reason, ret);
	ret->uncertain = session->held_back;
}

#if TENF_WITH_IGD

bool tenf_session_igd_hint(const struct tenf_session *session, char ret[TENF_IGD_HINT_SIZE])
{
	upnp_hint(session->upnp.igd, ret);
	return ret[0] != '\0';
}

#endif

void tenf_session_counters(const struct tenf_session *session, struct tenf_counters *ret)
{
	const struct client_counters *c = &session->engine.client.counters;
	struct tenf_counters counters = {
		.size = sizeof(counters),
		.sent = c->sent,
		.received = c->received,
		.dropped_foreign = c->dropped_foreign,
		.dropped_malformed = c->dropped_malformed,
		.dropped_unasked = c->dropped_unasked,
	};
	size_t size = ret->size < sizeof(counters) ? ret->size : sizeof(counters);

	counters.size = size;
	memcpy(ret, &counters, size);
}

/* SPDX-License-Identifier: MIT */
#include "gateway/daemon-private.h"

#include "gateway/journal.h"
#include "gateway/log.h"
#include "gateway/statics.h"
#include "net/clock.h"
#include "service/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The log ---------------------------------------------------------- */

static void log_one(void *context, const struct responder_record *record, tenf_time now)
{
	const struct daemon *d = context;
	const struct policy_rule *rule = responder_rule(d->responder, record->rule);
	char line[LOG_LINE_MAX];
	struct tenf_text text = tenf_text_of(line, sizeof(line));
	const char *name = rule != NULL ? rule->name : "";

	(void)now;
	log_record(record, name, &text);
	if (d->journal < 0 || !journal_send(d->journal, JOURNAL_SOCKET, line, record, name))
		(void)fprintf(stderr, "%s\n", line);
}

static void log_flush(void *context)
{
	(void)context;
	(void)fflush(stderr);
}

/* ---- What wakes us up ------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	daemon_serve(context);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	daemon_turn(context);
}

static void on_hangup(evutil_socket_t fd, short what, void *context)
{
	char buffer[1024];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));

	(void)fd;
	(void)what;
	(void)daemon_reload(context, &why);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
	struct daemon *d = context;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(d->base);
}

/* ---- Life ------------------------------------------------------------- */

static bool say(struct tenf_text *why, const char *text)
{
	tenf_text_add(why, text);
	return false;
}

bool daemon_open_listener(struct daemon *d, size_t i, struct tenf_text *why)
{
	struct responder_link *link = &d->links.at[i];
	struct listener *listener = &d->listeners[i];
	struct net_error error = { .call = "open" };
	char text[TENF_ENDPOINT_TEXT];

	listener->daemon = d;
	if (server_open(&link->address, &listener->fd, &link->address, &error) != TENF_OK) {
		tenf_text_add(why, "cannot listen on ");
		tenf_text_add(why, tenf_endpoint_text(&link->address, text));
		tenf_text_add(why, ": ");
		tenf_text_add(why, error.call);
		tenf_text_add(why, ": ");
		return say(why, strerror(error.code));
	}
	return true;
}

/* Nothing is taken away from this machine by a gateway that opens nothing. */
static void find_reserved(struct daemon *d, struct responder_config *config)
{
	struct tenf_address externals[CONFIG_EXTERNALS_MAX];
	size_t count = links_external_addresses(&d->config, externals);

	if (d->config.backend != CONFIG_NFTABLES)
		return;
	if (!reserved_find(externals, count, &d->reserved))
		(void)fprintf(stderr, "tenforward-gatewayd: cannot find out on which ports this "
				      "machine listens; they are not protected\n");
	config->reserved = d->reserved.at;
	config->reserved_count = d->reserved.count;
}

static bool find_flow(void *context, enum tenf_protocol protocol,
		      const struct tenf_endpoint *internal, const struct tenf_endpoint *remote,
		      struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s)
{
	struct backend *backend = ((struct daemon *)context)->backend;

	return backend->ops->flow(backend, protocol, internal, remote, ret_external,
				  ret_lifetime_s);
}

static bool open_responder(struct daemon *d, struct tenf_text *why)
{
	const struct gateway_config *c = &d->config;
	struct tenf_address externals[CONFIG_EXTERNALS_MAX];
	struct responder_config config;
	tenf_time now = net_now();

	responder_config_init(&config);
	config.links = d->links.at;
	config.link_count = d->links.count;
	config.rules = c->rules;
	config.rule_count = c->rule_count;
	config.natpmp = c->natpmp;
	config.pcp = c->pcp;
	config.external_address = links_external_address(c);
	config.external_count = links_external_addresses(c, externals);
	config.externals = config.external_count > 0 ? externals : NULL;
	config.lifetime_min_s = c->lifetime_min_s;
	config.lifetime_max_s = c->lifetime_max_s;
	config.withhold_tcp_s = c->withhold_tcp_s;
	config.withhold_udp_s = c->withhold_udp_s;
	config.mappings_max = c->mappings_max;
	config.filters_max = d->backend->ops->filters_max;
	config.peer = c->peer && d->backend->ops->peers;
	d->flows = (struct responder_flows){ find_flow, d };
	config.flows = &d->flows;
	find_reserved(d, &config);
	d->random = net_random();
	if (responder_new(&config, &d->random, &tenf_memory_libc, now, &d->responder) != TENF_OK)
		return say(why, "out of memory");
	return !c->has_faults || daemon_set_faults(d, &c->faults, why);
}

bool daemon_watch_listener(struct daemon *d, size_t i)
{
	struct listener *listener = &d->listeners[i];

	listener->readable = event_new(d->base, listener->fd, EV_READ | EV_PERSIST, on_readable,
				       listener);
	return listener->readable != NULL && event_add(listener->readable, NULL) == 0;
}

static bool watch(struct daemon *d)
{
	bool good = event_add(d->stops[0], NULL) == 0 && event_add(d->stops[1], NULL) == 0 &&
		    event_add(d->hangup, NULL) == 0 && service_beat(d->base, &d->beat);

	for (size_t i = 0; good && i < d->links.count; i++)
		good = daemon_watch_listener(d, i);
	return good && daemon_watch_links(d) && daemon_watch_backend(d);
}

static bool open_loop(struct daemon *d, struct tenf_text *why)
{
	static const int signals[] = { SIGTERM, SIGINT };

	d->base = event_base_new();
	d->in = server_in_new();
	d->out = server_out_new();
	if (d->base == NULL || d->in == NULL || d->out == NULL)
		return say(why, "out of memory");
	d->timer = event_new(d->base, -1, 0, on_timer, d);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(signals); i++)
		d->stops[i] = event_new(d->base, signals[i], EV_SIGNAL | EV_PERSIST, on_stop, d);
	d->hangup = event_new(d->base, SIGHUP, EV_SIGNAL | EV_PERSIST, on_hangup, d);
	if (d->timer == NULL || d->hangup == NULL ||
	    d->stops[0] == NULL || d->stops[1] == NULL || !watch(d))
		return say(why, "cannot set up the event loop");
	return true;
}

static bool open_all(struct daemon *d, struct tenf_text *why)
{
	if (!observe_fork(d, why))
		return false;
	d->journal = journal_open(getenv("JOURNAL_STREAM"), STDERR_FILENO);
	if (!d->config.natpmp && !d->config.pcp)
		d->links.count = 0; /* off: no socket, so that hosts are told (RFC 6886 §3.8) */
	else if (!links_find(&d->config, &d->links, why))
		return false;
	if (!daemon_open_backend(d, why))
		return false;
	for (size_t i = 0; i < d->links.count; i++) {
		if (!daemon_open_listener(d, i, why))
			return false;
	}
	if (neighbours_new(NULL, NULL, &d->neighbours) != TENF_OK)
		return say(why, "out of memory");
	d->wants_macs = config_wants_macs(&d->config);
	return open_responder(d, why) && daemon_restore(d, why) &&
	       statics_add(d->responder, &d->config, net_now(), why) &&
	       open_loop(d, why) && observe_open(d, why);
}

bool daemon_new(const struct gateway_config *config, struct daemon **ret, struct tenf_text *why)
{
	struct daemon *d;

	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return say(why, "out of memory");
	d->config = *config;
	d->changes_fd = -1;
	d->journal = -1;
	daemon_observe(d, &(struct daemon_observer){ .record = log_one, .flush = log_flush,
						     .context = d });
	for (size_t i = 0; i < RESPONDER_LINKS_MAX; i++)
		d->listeners[i] = (struct listener){ .fd = -1, .stray_fd = -1 };
	if (!open_all(d, why)) {
		daemon_free(d);
		return false;
	}
	*ret = d;
	return true;
}

static void free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void daemon_free(struct daemon *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < RESPONDER_LINKS_MAX; i++) {
		free_event(d->listeners[i].readable);
		close_fd(d->listeners[i].fd);
		close_fd(d->listeners[i].stray_fd);
	}
	observe_close(d);
	free_event(d->timer);
	free_event(d->changed);
	free_event(d->news);
	free_event(d->settled);
	free_event(d->minute);
	free_event(d->beat);
	free_event(d->hangup);
	free_event(d->stops[0]);
	free_event(d->stops[1]);
	close_fd(d->changes_fd);
	close_fd(d->journal);
	if (d->base != NULL)
		event_base_free(d->base);
	server_in_free(d->in);
	server_out_free(d->out);
	faults_free(d->faults);
	responder_free(d->responder);
	neighbours_free(d->neighbours);
	if (d->backend != NULL)
		d->backend->ops->close(d->backend);
	free(d);
}

size_t daemon_link_count(const struct daemon *d)
{
	return d->links.count;
}

static void add_network(struct tenf_text *t, const struct tenf_prefix *network)
{
	char text[TENF_ADDRESS_TEXT];
	bool v4 = tenf_address_is_v4(&network->address);

	tenf_text_add(t, tenf_address_text(&network->address, text));
	tenf_text_add_char(t, '/');
	tenf_text_add_number(t, v4 ? network->length - 96 : network->length);
}

void daemon_describe(const struct daemon *d, size_t link, struct tenf_text *t)
{
	const struct gateway_config *c = &d->config;
	struct tenf_address external = links_external_address(c);
	char text[TENF_ENDPOINT_TEXT];

	tenf_text_add(t, "listening on ");
	tenf_text_add(t, tenf_endpoint_text(&d->links.at[link].address, text));
	tenf_text_add(t, " (");
	tenf_text_add(t, d->links.names[link]);
	tenf_text_add(t, ") for ");
	add_network(t, &d->links.at[link].network);
	tenf_text_add(t, c->natpmp && c->pcp ? ", NAT-PMP and PCP"
			 : c->natpmp	      ? ", NAT-PMP"
					      : ", PCP");
	tenf_text_add(t, ", outside ");
	tenf_text_add(t, tenf_address_is_none(&external) ? "no address"
							 : tenf_address_text(&external, text));
	if (c->external_address_count > 1) {
		tenf_text_add(t, " and ");
		tenf_text_add_number(t, c->external_address_count - 1);
		tenf_text_add(t, " more");
	}
	tenf_text_add(t, ", backend ");
	tenf_text_add(t, d->backend->ops->name);
}

bool daemon_run(struct daemon *d)
{
	daemon_turn(d);
	return event_base_dispatch(d->base) >= 0 && !d->has_failed;
}

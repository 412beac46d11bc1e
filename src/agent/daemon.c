/* SPDX-License-Identifier: MIT */
#include "agent/daemon.h"

#include "agent/api.h"
#include "agent/log.h"
#include "control/server.h"
#include "service/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Ending takes no longer, even when the gateway is silent: two seconds are
 * promised for the whole process. */
#define END_MAX_US 1700000

/* ---- News ------------------------------------------------------------------- */

static void log_event(const struct agent_item *item, const struct tenf_event *event)
{
	const struct tenf_mapping *m = &event->mapping;
	const char *name;

	if (item == NULL) {
		log_note("%s: gateway %s, outside %s%s%s",
			   tenf_event_name(event->kind),
			   event->gateway.address[0] != '\0' ? event->gateway.address : "none",
			   event->gateway.external_address[0] != '\0' ?
				   event->gateway.external_address :
				   "unknown",
			   event->gateway.error.text[0] != '\0' ? ": " : "",
			   event->gateway.error.text);
		return;
	}
	if (event->kind == TENF_EVENT_RENEWED)
		return; /* nothing changed, and there are many */
	name = item->record.wish.name[0] != '\0' ? item->record.wish.name : "-";
	log_note("%s: m%llu %s %s:%u/%s to port %u%s%s", tenf_event_name(event->kind),
		   (unsigned long long)item->record.number, name, m->external_address,
		   m->external_port, m->protocol == TENF_TCP ? "tcp" : "udp", m->internal_port,
		   m->error.text[0] != '\0' ? ": " : "", m->error.text);
}

static void note_history(struct daemon *daemon, const struct agent_item *item,
			 const struct tenf_event *event, const json_t *json)
{
	char *text;

	if (event->kind == TENF_EVENT_RENEWED)
		return;
	text = json_dumps(json, JSON_COMPACT);
	if (text != NULL)
		(void)!store_note(daemon->store, event->at,
				  item != NULL ? item->record.number : 0,
				  event->mapping.external_port, text);
	free(text);
}

static void tell(void *context, const struct agent_item *item, unsigned half,
		 const struct tenf_event *event)
{
	struct daemon *daemon = context;
	json_t *json = api_event(daemon, item, half, event);

	log_event(item, event);
	if (json == NULL)
		return;
	note_history(daemon, item, event, json);
	if (item != NULL) {
		firewall_follow(&daemon->firewall, item, event);
		deliveries_tell(daemon->deliveries, item->record.number, item->record.wish.name,
				event, json);
	}
	(void)!control_stream_publish(daemon->stream, tenf_event_name(event->kind), json);
	if (item != NULL && event->kind == TENF_EVENT_REMOVED)
		deliveries_forget(daemon->deliveries, item->record.number);
}

static int64_t wall(void *context)
{
	(void)context;
	return time(NULL);
}

/* ---- Configuration ------------------------------------------------------------ */

/* Who is new among hooks and applications hears of what is held already. */
static void introduce(struct daemon *daemon)
{
	for (size_t i = 0; i < agent_count(daemon->agent); i++) {
		const struct agent_item *item = agent_item_at(daemon->agent, i);

		for (unsigned half = 0; half < 2; half++) {
			struct tenf_event event = { .kind = TENF_EVENT_MAPPED,
						    .at = time(NULL) };
			json_t *json;

			agent_mapping(item, half, &event.mapping);
			if (item->removing || event.mapping.expires_at == 0)
				continue;
			json = api_event(daemon, item, half, &event);
			deliveries_introduce(daemon->deliveries, item->record.number,
					     item->record.wish.name, &event, json);
			json_decref(json);
		}
	}
}

/* A firewall that was started again knows nothing of what is held. */
static void open_again(void *context)
{
	struct daemon *daemon = context;

	for (size_t i = 0; i < agent_count(daemon->agent); i++) {
		const struct agent_item *item = agent_item_at(daemon->agent, i);

		for (unsigned half = 0; half < 2; half++) {
			struct tenf_event event = { .kind = TENF_EVENT_MAPPED };

			agent_mapping(item, half, &event.mapping);
			if (!item->removing && event.mapping.expires_at != 0)
				firewall_follow(&daemon->firewall, item, &event);
		}
	}
}

bool daemon_reload(struct daemon *daemon, struct config_mistake *ret_mistake)
{
	char text[CONFIG_MISTAKE_SIZE];
	struct agent_config fresh;
	struct tenf_error error;

	if (!config_read(daemon->options->config, &fresh, ret_mistake)) {
		config_mistake_text(ret_mistake, text, sizeof(text));
		log_warning("%s; the configuration before stays in force", text);
		return false;
	}
	if (deliveries_reconfigure(daemon->deliveries, &fresh) != TENF_OK ||
	    agent_configure(daemon->agent, &fresh, &error) != TENF_OK)
		log_warning("the new configuration could not be put in force whole");
	introduce(daemon);
	config_done(&daemon->config);
	daemon->config = fresh;
	log_note("configuration read: %zu mappings declared",
		   daemon->config.mapping_count);
	return true;
}

/* ---- Signals and the end --------------------------------------------------------- */

static void end_is_due(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	event_base_loopexit(daemon->base, NULL);
}

static void look_for_end(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	if (agent_has_ended(daemon->agent))
		event_base_loopexit(daemon->base, NULL);
}

static void take_signal(evutil_socket_t number, short what, void *context)
{
	struct daemon *daemon = context;
	struct config_mistake mistake;
	struct timeval limit = { .tv_sec = END_MAX_US / 1000000, .tv_usec = END_MAX_US % 1000000 };
	struct timeval tick = { .tv_usec = 20000 };

	(void)what;
	if (number == SIGHUP) {
		service_tell(SERVICE_RELOADING);
		(void)!daemon_reload(daemon, &mistake);
		service_tell(SERVICE_READY);
		return;
	}
	if (daemon->ending) {
		event_base_loopexit(daemon->base, NULL);
		return;
	}
	daemon->ending = true;
	service_tell(SERVICE_STOPPING);
	log_note("ending: giving up what is not to persist");
	agent_begin_end(daemon->agent);
	(void)event_add(daemon->end, &tick);
	(void)event_base_once(daemon->base, -1, EV_TIMEOUT, end_is_due, daemon, &limit);
}

/* ---- Start --------------------------------------------------------------------- */

/* Those of applications; those of mappings are entered as they are asked for. One
 * that cannot be is logged, and the application's mapping says so. */
static void enter_namespaces(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->config.connector_count; i++) {
		const char *name = daemon->config.connectors[i].namespace;
		struct namespace *namespace;

		if (name[0] != '\0')
			(void)!namespaces_at(&daemon->namespaces, name, &namespace, NULL);
	}
}

static bool start_parts(struct daemon *daemon, struct tenf_error *error)
{
	struct agent_hooks hooks = { .tell = tell, .wall = wall, .context = daemon };
	struct namespaces *namespaces = &daemon->namespaces;

	if (store_open(daemon->config.state, &daemon->store, error) != TENF_OK)
		return false;
	if (deliveries_new(daemon->base, namespaces, &daemon->config, &daemon->deliveries) !=
		    TENF_OK ||
	    control_stream_new(daemon->base, (uint64_t)daemon->started_at * 1000,
			       &daemon->stream) != TENF_OK) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return false;
	}
	enter_namespaces(daemon);
	if (agent_new(daemon->base, namespaces, daemon->store, &hooks, &daemon->agent, error) !=
	    TENF_OK)
		return false;
	return agent_configure(daemon->agent, &daemon->config, error) == TENF_OK &&
	       namespaces_seal(namespaces, error);
}

static bool start_server(struct daemon *daemon, struct tenf_error *error)
{
	struct control_server_options options;

	control_server_options_init(&options);
	options.fd = service_socket();
	if (options.fd < 0) /* else the one that was passed is this one */
		options.path = daemon->config.socket;
	if (daemon->config.listen[0] != '\0') {
		options.tcp = daemon->config.listen;
		options.token = daemon->config.token;
	}
	return control_server_new(daemon->base, &options, api_routes, api_route_count, daemon,
				  &daemon->server, error) == TENF_OK;
}

static void say_ready(const struct daemon *daemon)
{
	char line[PATH_MAX + 32];
	int len = snprintf(line, sizeof(line), "ready on %s\n", daemon->config.socket);

	log_note("holding %zu mappings; control socket %s",
		   agent_count(daemon->agent), daemon->config.socket);
	service_status("holding mappings");
	service_tell(SERVICE_READY);
	if (daemon->options->ready_fd >= 0 &&
	    write(daemon->options->ready_fd, line, (size_t)len) != len)
		log_warning("cannot tell that the agent is ready");
}

struct watches {
	struct event *signals[3];
	struct event *watchdog;
};

static bool start_watches(struct daemon *daemon, struct watches *w)
{
	static const int numbers[3] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < 3; i++) {
		w->signals[i] = evsignal_new(daemon->base, numbers[i], take_signal, daemon);
		if (w->signals[i] == NULL || event_add(w->signals[i], NULL) != 0)
			return false;
	}
	daemon->end = event_new(daemon->base, -1, EV_PERSIST, look_for_end, daemon);
	return daemon->end != NULL && service_beat(daemon->base, &w->watchdog);
}

static void stop_watches(struct watches *w)
{
	for (size_t i = 0; i < 3; i++) {
		if (w->signals[i] != NULL)
			event_free(w->signals[i]);
	}
	if (w->watchdog != NULL)
		event_free(w->watchdog);
}

static void stop_parts(struct daemon *daemon)
{
	if (daemon->end != NULL)
		event_free(daemon->end);
	control_stream_free(daemon->stream);
	control_server_free(daemon->server);
	if (daemon->agent != NULL)
		agent_free(daemon->agent); /* closes the store */
	else
		store_close(daemon->store);
	firewall_done(&daemon->firewall);
	deliveries_free(daemon->deliveries);
	namespaces_done(&daemon->namespaces);
	config_done(&daemon->config);
	event_base_free(daemon->base);
}

int daemon_run(const struct daemon_options *options)
{
	struct daemon daemon = { .options = options, .started_at = time(NULL) };
	struct watches watches = { 0 };
	struct config_mistake mistake;
	char text[CONFIG_MISTAKE_SIZE];
	struct tenf_error error = { 0 };
	bool started;

	if (!config_read(options->config, &daemon.config, &mistake)) {
		config_mistake_text(&mistake, text, sizeof(text));
		log_warning("%s", text);
		return 2;
	}
	namespaces_init(&daemon.namespaces);
	signal(SIGPIPE, SIG_IGN);
	daemon.base = event_base_new();
	if (daemon.base == NULL)
		return 1;
	firewall_init(&daemon.firewall, daemon.base, &daemon.config, open_again, &daemon);
	started = start_parts(&daemon, &error) && start_server(&daemon, &error) &&
		  start_watches(&daemon, &watches);
	if (started) {
		say_ready(&daemon);
		event_base_dispatch(daemon.base);
	} else {
		log_warning("cannot start: %s", error.text);
	}
	stop_watches(&watches);
	stop_parts(&daemon);
	return started ? 0 : 1;
}

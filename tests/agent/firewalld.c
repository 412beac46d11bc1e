/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for firewalld where the real one is not installed: its name, its
 * object and the three methods of a zone that we use, with its two refusals and its time
 * limits. Says each call on its output; SIGHUP is `firewall-cmd --reload`.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define NAME "org.fedoraproject.FirewallD1"
#define PATH "/org/fedoraproject/FirewallD1"
#define PORTS 16

static struct port {
	char port[8], protocol[8];
	sd_event_source *timer;
} ports[PORTS];
static sd_event *loop;
static sd_bus *bus;

static struct port *find(const char *port, const char *protocol)
{
	for (size_t i = 0; i < PORTS; i++) {
		if (strcmp(ports[i].port, port) == 0 && strcmp(ports[i].protocol, protocol) == 0)
			return &ports[i];
	}
	return NULL;
}

static void drop(struct port *p)
{
	sd_event_source_unref(p->timer);
	*p = (struct port){ .timer = NULL };
}

static int end_of_time(sd_event_source *source, uint64_t now, void *context)
{
	struct port *p = context;

	(void)source;
	(void)now;
	printf("ended %s/%s\n", p->port, p->protocol);
	drop(p);
	return 0;
}

static int add_port(sd_bus_message *call, void *context, sd_bus_error *error)
{
	const char *zone, *port, *protocol;
	struct port *p;
	int32_t seconds;

	(void)context;
	if (sd_bus_message_read(call, "sssi", &zone, &port, &protocol, &seconds) < 0)
		return -22;
	if (find(port, protocol) != NULL) {
		printf("refused %s/%s\n", port, protocol);
		return sd_bus_error_setf(error, NAME ".Exception", "ALREADY_ENABLED: '%s:%s'", port,
					 protocol);
	}
	p = find("", "");
	if (p == NULL)
		return -12;
	snprintf(p->port, sizeof(p->port), "%s", port);
	snprintf(p->protocol, sizeof(p->protocol), "%s", protocol);
	sd_event_add_time_relative(loop, &p->timer, CLOCK_MONOTONIC, (uint64_t)seconds * 1000000,
				   1000, end_of_time, p);
	printf("opened %s/%s %d\n", port, protocol, seconds);
	return sd_bus_reply_method_return(call, "s", "public");
}

static int remove_port(sd_bus_message *call, void *context, sd_bus_error *error)
{
	const char *zone, *port, *protocol;
	struct port *p;

	(void)context;
	if (sd_bus_message_read(call, "sss", &zone, &port, &protocol) < 0)
		return -22;
	p = find(port, protocol);
	if (p == NULL)
		return sd_bus_error_setf(error, NAME ".Exception", "NOT_ENABLED: '%s:%s'", port,
					 protocol);
	drop(p);
	printf("closed %s/%s\n", port, protocol);
	return sd_bus_reply_method_return(call, "s", "public");
}

static int get_ports(sd_bus_message *call, void *context, sd_bus_error *error)
{
	sd_bus_message *answer = NULL;
	int status = sd_bus_message_new_method_return(call, &answer);

	(void)context;
	(void)error;
	if (status >= 0)
		status = sd_bus_message_open_container(answer, 'a', "as");
	for (size_t i = 0; i < PORTS && status >= 0; i++) {
		if (ports[i].port[0] != '\0')
			status = sd_bus_message_append(answer, "as", 2, ports[i].port,
						       ports[i].protocol);
	}
	if (status >= 0)
		status = sd_bus_message_close_container(answer);
	if (status >= 0)
		status = sd_bus_send(bus, answer, NULL);
	sd_bus_message_unref(answer);
	return status < 0 ? status : 1;
}

static int reload(sd_event_source *source, const struct signalfd_siginfo *about, void *context)
{
	(void)source;
	(void)about;
	(void)context;
	for (size_t i = 0; i < PORTS; i++)
		drop(&ports[i]);
	printf("reloaded\n");
	return sd_bus_emit_signal(bus, PATH, NAME, "Reloaded", "");
}

static const sd_bus_vtable zone_methods[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("addPort", "sssi", "s", add_port, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("removePort", "sss", "s", remove_port, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("getPorts", "s", "aas", get_ports, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int main(void)
{
	sigset_t hangup;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, NULL);
	if (sd_event_default(&loop) < 0 || sd_bus_open_system(&bus) < 0 ||
	    sd_bus_attach_event(bus, loop, 0) < 0 ||
	    sd_event_add_signal(loop, NULL, SIGHUP, reload, NULL) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, PATH, NAME ".zone", zone_methods, NULL) < 0 ||
	    sd_bus_request_name(bus, NAME, 0) < 0) {
		fprintf(stderr, "no bus\n");
		return 1;
	}
	printf("ready\n");
	return sd_event_loop(loop) < 0;
}

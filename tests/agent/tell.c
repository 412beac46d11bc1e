/* SPDX-License-Identifier: MIT */
/*
 * tell CONFIG RECHECK_MS PORT [PORT]: reads a configuration and tells the
 * mapping "torrent" its first port, as the agent would; with SIGUSR1 the
 * second. Prints each change of the delivery's state as one line of JSON.
 */
#include "agent/delivery.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct teller {
	struct event_base *base;
	struct deliveries *deliveries;
	char **ports;
	char *shown;
};

static void tell(struct teller *t, enum tenf_event_kind kind)
{
	struct tenf_event event = { .kind = kind };

	if (*t->ports == NULL)
		return;
	event.mapping.protocol = TENF_TCP;
	event.mapping.internal_port = 51413;
	event.mapping.external_port = (uint16_t)atoi(*t->ports++);
	deliveries_tell(t->deliveries, 1, "torrent", &event, NULL);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	tell(context, TENF_EVENT_CHANGED);
}

static void show(struct teller *t)
{
	json_t *state = deliveries_state(t->deliveries, 1);
	char *text = json_dumps(state, JSON_SORT_KEYS);

	json_decref(state);
	if (text == NULL || (t->shown != NULL && strcmp(text, t->shown) == 0)) {
		free(text);
		return;
	}
	printf("%s\n", text);
	fflush(stdout);
	free(t->shown);
	t->shown = text;
}

int main(int argc, char **argv)
{
	struct teller t = { .base = event_base_new() };
	struct config_mistake mistake;
	struct agent_config config;
	struct event *signalled;

	if (argc < 4 || t.base == NULL)
		return 2;
	if (!config_read(argv[1], &config, &mistake)) {
		fprintf(stderr, "%s:%u: %s\n", mistake.file, mistake.line, mistake.text);
		return 1;
	}
	if (deliveries_new(t.base, NULL, &config, &t.deliveries) != TENF_OK)
		return 1;
	deliveries_set_pace(t.deliveries, atoi(argv[2]) * TENF_MILLISECOND,
			    100 * TENF_MILLISECOND);
	signalled = evsignal_new(t.base, SIGUSR1, on_signal, &t);
	if (signalled == NULL || event_add(signalled, NULL) != 0)
		return 1;
	t.ports = argv + 3;
	tell(&t, TENF_EVENT_MAPPED);
	for (;;) {
		show(&t);
		event_base_loop(t.base, EVLOOP_ONCE);
	}
}

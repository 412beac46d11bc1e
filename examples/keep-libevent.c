/* SPDX-License-Identifier: MIT */
/* The same in a program that runs libevent: keep-libevent PORT [GATEWAY] */
#include <tenforward/tenforward.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

struct keeper {
	struct tenf_session *session;
	struct event *wakeup; /* readable descriptor, or the session's time-out */
};

static void wait_again(struct keeper *k)
{
	int ms = tenf_session_timeout_ms(k->session);
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(k->wakeup, ms >= 0 ? &tv : NULL);
}

static void wake(evutil_socket_t fd, short what, void *context)
{
	struct keeper *k = context;
	struct tenf_event event;

	(void)fd;
	(void)what;
	if (tenf_session_process(k->session) != TENF_OK)
		fprintf(stderr, "the session has trouble; it goes on\n");
	while (tenf_session_next_event(k->session, &event)) {
		printf("%s %s:%u\n", tenf_event_name(event.kind), event.mapping.external_address,
		       event.mapping.external_port);
		fflush(stdout);
	}
	wait_again(k);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct tenf_options options;
	struct tenf_request request;
	struct keeper k = { 0 };
	uint32_t id;

	tenf_options_init(&options);
	tenf_request_init(&request);
	if (argc > 2)
		options.gateway = argv[2];
	request.internal_port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0);
	request.keep = true;
	if (base == NULL || tenf_session_new(&options, &k.session, NULL) != TENF_OK)
		return 1;
	if (tenf_session_add(k.session, &request, &id) != TENF_OK) {
		fprintf(stderr, "usage: %s PORT [GATEWAY]\n", argv[0]);
		tenf_session_free(k.session);
		event_base_free(base);
		return 2;
	}
	k.wakeup = event_new(base, tenf_session_fd(k.session), EV_READ, wake, &k);
	if (k.wakeup == NULL)
		return 1;
	wait_again(&k);
	event_base_dispatch(base);
	event_free(k.wakeup);
	event_base_free(base);
	tenf_session_free(k.session);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Keeps one port open with nothing but poll(): keep-poll PORT [GATEWAY] */
#include <tenforward/tenforward.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct tenf_options options;
	struct tenf_request request;
	struct tenf_session *session;
	struct tenf_event event;
	struct tenf_error error;
	uint32_t id;

	tenf_options_init(&options);
	tenf_request_init(&request);
	if (argc > 2)
		options.gateway = argv[2];
	if (argc > 1)
		request.internal_port = (uint16_t)atoi(argv[1]);
	request.keep = true;
	if (tenf_session_new(&options, &session, &error) != TENF_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	if (tenf_session_add(session, &request, &id) != TENF_OK) {
		fprintf(stderr, "usage: %s PORT [GATEWAY]\n", argv[0]);
		tenf_session_free(session);
		return 2;
	}
	for (;;) {
		struct pollfd fd = { .fd = tenf_session_fd(session), .events = POLLIN };

		if (tenf_session_process(session) != TENF_OK)
			break;
		while (tenf_session_next_event(session, &event)) {
			printf("%s %s:%u\n", tenf_event_name(event.kind),
			       event.mapping.external_address, event.mapping.external_port);
			fflush(stdout);
		}
		poll(&fd, 1, tenf_session_timeout_ms(session));
	}
	tenf_session_free(session);
	return 1;
}

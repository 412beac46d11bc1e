/* SPDX-License-Identifier: MIT */
/* The same as a GSource, for GLib and GTK programs: keep-glib PORT [GATEWAY] */
#include <tenforward/tenforward.h>

#include <glib.h>
#include <stdlib.h>

struct source {
	GSource source;
	struct tenf_session *session;
};

static gboolean prepare(GSource *source, gint *ret_timeout_ms)
{
	*ret_timeout_ms = tenf_session_timeout_ms(((struct source *)source)->session);
	return *ret_timeout_ms == 0;
}

/* The descriptor was polled with the source; a time-out comes through prepare. */
static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct tenf_session *session = ((struct source *)source)->session;
	struct tenf_event event;

	(void)callback;
	(void)data;
	if (tenf_session_process(session) != TENF_OK)
		g_warning("the session has trouble; it goes on");
	while (tenf_session_next_event(session, &event))
		g_print("%s %s:%u\n", tenf_event_name(event.kind),
			event.mapping.external_address, event.mapping.external_port);
	return G_SOURCE_CONTINUE;
}

static void finalize(GSource *source)
{
	tenf_session_free(((struct source *)source)->session);
}

int main(int argc, char **argv)
{
	static GSourceFuncs functions = { .prepare = prepare,
					  .dispatch = dispatch,
					  .finalize = finalize };
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	GSource *source = g_source_new(&functions, sizeof(struct source));
	struct source *s = (struct source *)source;
	struct tenf_options options;
	struct tenf_request request;
	uint32_t id;
	int status = 2;

	tenf_options_init(&options);
	tenf_request_init(&request);
	if (argc > 2)
		options.gateway = argv[2];
	request.internal_port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0);
	request.keep = true;
	if (tenf_session_new(&options, &s->session, NULL) != TENF_OK)
		return 1;
	if (tenf_session_add(s->session, &request, &id) == TENF_OK) {
		g_source_add_unix_fd(source, tenf_session_fd(s->session), G_IO_IN);
		g_source_attach(source, NULL);
		g_main_loop_run(loop);
		status = 0;
	} else {
		g_printerr("usage: %s PORT [GATEWAY]\n", argv[0]);
	}
	g_source_unref(source);
	g_main_loop_unref(loop);
	return status;
}

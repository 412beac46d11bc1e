/* SPDX-License-Identifier: MIT */
#include "applications.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FORM_LOGIN "username=user&password=pass%20word%26x"

static void add_header(struct evhttp_request *request, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static void answer_json(struct evhttp_request *request, json_t *value)
{
	char *text = json_dumps(value, 0);

	fake_answer(request, 200, text);
	free(text);
	json_decref(value);
}

static bool has_cookie(const struct application *a, struct evhttp_request *request,
		       const char *name)
{
	char cookie[64];

	snprintf(cookie, sizeof(cookie), "%s=%u", name, a->session);
	return a->open || strcmp(fake_header(request, "Cookie"), cookie) == 0;
}

static void give_cookie(const struct application *a, struct evhttp_request *request,
			const char *name)
{
	char cookie[128];

	snprintf(cookie, sizeof(cookie), "%s=%u; HttpOnly; path=/", name, a->session);
	add_header(request, "Set-Cookie", cookie);
}

static void take_port(struct application *a, const json_t *port)
{
	if (!a->stubborn && json_is_integer(port))
		a->port = a->port_last = (unsigned)json_integer_value(port);
	a->random_port = false;
}

/* ---- qBittorrent -------------------------------------------------------- */

static void set_preferences(struct application *a, const char *body)
{
	char *text = evhttp_uridecode(body + strlen("json="), 1, NULL);
	json_t *wish = json_loads(text, 0, NULL);

	assert_int_equal(strncmp(body, "json=", 5), 0);
	assert_true(json_is_false(json_object_get(wish, "random_port")));
	take_port(a, json_object_get(wish, "listen_port"));
	json_decref(wish);
	free(text);
}

static void answer_qbittorrent(struct application *a, struct evhttp_request *request,
			       const char *path, const char *body)
{
	if (strcmp(path, "/api/v2/auth/login") == 0) {
		bool good = strcmp(body, FORM_LOGIN) == 0;

		a->sign_ins++;
		if (good)
			give_cookie(a, request, "SID");
		fake_answer(request, 200, good ? "Ok." : "Fails.");
	} else if (!has_cookie(a, request, "SID")) {
		fake_answer(request, 403, "Forbidden");
	} else if (strcmp(path, "/api/v2/app/setPreferences") == 0) {
		set_preferences(a, body);
		fake_answer(request, 200, "");
	} else {
		assert_string_equal(path, "/api/v2/app/preferences");
		answer_json(request, json_pack("{si sb ss}", "listen_port", (int)a->port,
					       "random_port", (int)a->random_port, "locale", "en"));
	}
}

/* ---- Transmission ------------------------------------------------------- */

static void answer_transmission(struct application *a, struct evhttp_request *request,
				const char *path, const char *body)
{
	char session[32];
	json_t *asked;
	const char *method;

	assert_string_equal(path, "/transmission/rpc");
	snprintf(session, sizeof(session), "%u", a->session);
	if (!a->open && strcmp(fake_header(request, "Authorization"),
			       "Basic dXNlcjpwYXNzIHdvcmQmeA==") != 0) {
		fake_answer(request, 401, "Unauthorized");
		return;
	}
	if (strcmp(fake_header(request, "X-Transmission-Session-Id"), session) != 0) {
		a->sign_ins++;
		add_header(request, "X-Transmission-Session-Id", session);
		fake_answer(request, 409, "Conflict");
		return;
	}
	asked = json_loads(body, 0, NULL);
	method = json_string_value(json_object_get(asked, "method"));
	if (strcmp(method, "session-set") == 0) {
		take_port(a, json_object_get(json_object_get(asked, "arguments"), "peer-port"));
		answer_json(request, json_pack("{s{} ss}", "arguments", "result", "success"));
	} else {
		answer_json(request, json_pack("{s{si sb} ss}", "arguments", "peer-port",
					       (int)a->port, "peer-port-random-on-start",
					       (int)a->random_port, "result", "success"));
	}
	json_decref(asked);
}

/* ---- Deluge ------------------------------------------------------------- */

static json_t *deluge_error(int code, const char *text)
{
	return json_pack("{sn s{si ss} si}", "result", "error", "code", code, "message", text,
			 "id", 1);
}

static json_t *deluge_result(json_t *result)
{
	return json_pack("{so sn si}", "result", result, "error", "id", 1);
}

static json_t *deluge_core(struct application *a, const char *method, const json_t *values)
{
	const json_t *wish = json_array_get(values, 0);

	if (a->disconnected)
		return deluge_error(2, "Unknown method");
	if (strcmp(method, "core.set_config") == 0) {
		take_port(a, json_array_get(json_object_get(wish, "listen_ports"), 0));
		return deluge_result(json_null());
	}
	assert_string_equal(method, "core.get_config_values");
	return deluge_result(json_pack("{s[ii] sb}", "listen_ports", (int)a->port,
				       (int)a->port_last, "random_port", (int)a->random_port));
}

static json_t *deluge_web(struct application *a, const char *method, const json_t *values)
{
	if (strcmp(method, "web.connected") == 0)
		return deluge_result(json_boolean(!a->disconnected));
	if (strcmp(method, "web.get_hosts") == 0)
		return deluge_result(json_pack("[[ssis]]", "the-id", "127.0.0.1", 58846, "u"));
	assert_string_equal(method, "web.connect");
	assert_string_equal(json_string_value(json_array_get(values, 0)), "the-id");
	a->disconnected = false;
	return deluge_result(json_array());
}

static void answer_deluge(struct application *a, struct evhttp_request *request, const char *path,
			  const char *body)
{
	json_t *asked = json_loads(body, 0, NULL);
	const json_t *values = json_object_get(asked, "params");
	const char *method = json_string_value(json_object_get(asked, "method"));
	const char *password = json_string_value(json_array_get(values, 0));

	assert_string_equal(path, "/json");
	assert_string_equal(fake_header(request, "Content-Type"), "application/json");
	if (strcmp(method, "auth.login") == 0) {
		bool good = strcmp(password, "pass word&x") == 0;

		a->sign_ins++;
		if (good)
			give_cookie(a, request, "_session_id");
		answer_json(request, deluge_result(json_boolean(good)));
	} else if (!has_cookie(a, request, "_session_id")) {
		answer_json(request, deluge_error(1, "Not authenticated"));
	} else if (strncmp(method, "core.", 5) == 0) {
		answer_json(request, deluge_core(a, method, values));
	} else {
		answer_json(request, deluge_web(a, method, values));
	}
	json_decref(asked);
}

/* ---- Any ---------------------------------------------------------------- */

static void answer(struct fake *fake, struct evhttp_request *request, const char *path,
		   const char *body)
{
	struct application *a = fake->context;

	if (a->hostile != NULL)
		fake_answer(request, a->hostile_status, a->hostile);
	else if (a->type == CONNECTOR_QBITTORRENT)
		answer_qbittorrent(a, request, path, body);
	else if (a->type == CONNECTOR_TRANSMISSION)
		answer_transmission(a, request, path, body);
	else
		answer_deluge(a, request, path, body);
}

void application_start(struct application *application, struct event_base *base,
		       enum connector_type type, uint16_t port)
{
	application->type = type;
	application->session++;
	fake_start(&application->fake, base, port, answer, application);
}

void application_stop(struct application *application)
{
	fake_stop(&application->fake);
}

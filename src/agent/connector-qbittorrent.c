/* SPDX-License-Identifier: MIT */
/*
 * qBittorrent, Web API v2. Signing in gives a cookie; on the machine itself the
 * application may be set to ask for none, and then none is sent.
 */
#include "agent/connector-private.h"

#include <string.h>

#define FORM "application/x-www-form-urlencoded"

static void make(struct connector *c, enum connector_step step, struct connector_request *r)
{
	json_t *wish;
	char text[96];
	struct tenf_text json = tenf_text_of(text, sizeof(text));

	r->content_type = FORM;
	switch (step) {
	case CONNECTOR_READ:
		tenf_text_add(&r->url, "/api/v2/app/preferences");
		break;
	case CONNECTOR_SET:
		tenf_text_add(&r->url, "/api/v2/app/setPreferences");
		wish = json_pack("{si sb}", "listen_port", (int)c->port, "random_port", 0);
		connector_add_json(&json, wish);
		tenf_text_add(&r->body, "json=");
		connector_add_form(&r->body, text);
		break;
	case CONNECTOR_SIGN_IN:
		tenf_text_add(&r->url, "/api/v2/auth/login");
		tenf_text_add(&r->body, "username=");
		connector_add_form(&r->body, c->config.user);
		tenf_text_add(&r->body, "&password=");
		connector_add_form(&r->body, c->config.password);
		return;
	}
	if (c->session[0] != '\0') {
		tenf_text_add(&r->header, "Cookie: ");
		tenf_text_add(&r->header, c->session);
	}
}

/* With random_port on, the port it has now is another one after a restart. */
static enum connector_verdict judge_read(struct connector *c, const struct outgoing_answer *answer,
					 uint16_t *ret_port)
{
	json_t *preferences = connector_json(c, answer);
	bool known;

	if (preferences == NULL)
		return CONNECTOR_BAD;
	known = json_is_integer(json_object_get(preferences, "listen_port"));
	if (known && !json_is_true(json_object_get(preferences, "random_port")))
		*ret_port = connector_port(json_object_get(preferences, "listen_port"));
	json_decref(preferences);
	return known ? CONNECTOR_GOOD : connector_bad(c, "does not tell its listen_port");
}

static enum connector_verdict judge_sign_in(struct connector *c,
					    const struct outgoing_answer *answer)
{
	if (answer->status == 403)
		return connector_bad(c, "has banned us after wrong passwords");
	if (answer->status < 200 || answer->status > 299)
		return connector_bad(c, "answered to signing in with status %ld", answer->status);
	if (strncmp(answer->body, "Fails", 5) == 0 || !connector_take_cookie(c, answer))
		return connector_bad(c, "does not know this user and password");
	return CONNECTOR_GOOD;
}

static enum connector_verdict judge(struct connector *c, enum connector_step step,
				    const struct outgoing_answer *answer, uint16_t *ret_port)
{
	if (step == CONNECTOR_SIGN_IN)
		return judge_sign_in(c, answer);
	if (answer->status == 401 || answer->status == 403)
		return c->config.user[0] != '\0' || c->config.password[0] != '\0'
			       ? CONNECTOR_SIGN
			       : connector_bad(c, "wants a user; write User= and PasswordFile=");
	if (step == CONNECTOR_READ)
		return judge_read(c, answer, ret_port);
	if (answer->status < 200 || answer->status > 299)
		return connector_bad(c, "answered to the port with status %ld", answer->status);
	return CONNECTOR_GOOD;
}

const struct connector_kind connector_qbittorrent = { make, judge };

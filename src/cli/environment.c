/* SPDX-License-Identifier: MIT */
#include "cli/environment.h"

#include "base/names.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "TENFORWARD_"
#define OWN_COUNT 8
#define OWN_SIZE 1024 /* eight names, three addresses, a name, a time */

struct writer {
	struct environment *environment;
	struct tenf_text text;
	size_t count;
};

/* Begins a variable; what is added to the text until the next is its value. */
static struct tenf_text *begin(struct writer *w, const char *name)
{
	if (w->text.used > 0) { /* the terminator of the one before stays */
		char *next = w->text.start + w->text.used + 1;

		w->text = tenf_text_of(next, w->text.size - w->text.used - 1);
	}
	w->environment->variables[w->count++] = w->text.start;
	tenf_text_add(&w->text, PREFIX);
	tenf_text_add(&w->text, name);
	tenf_text_add_char(&w->text, '=');
	return &w->text;
}

static void add_port(struct writer *w, const char *name, uint16_t port)
{
	struct tenf_text *t = begin(w, name);

	if (port != 0)
		tenf_text_add_number(t, port);
}

static void add_time(struct writer *w, const char *name, int64_t at)
{
	struct tenf_text *t = begin(w, name);
	time_t when = (time_t)at;
	char text[32];
	struct tm utc;

	if (at > 0 && gmtime_r(&when, &utc) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
		tenf_text_add(t, text);
}

static void add_own(struct writer *w, enum tenf_event_kind kind, const struct tenf_mapping *m,
		    const char *protocol, const char *name)
{
	tenf_text_add(begin(w, "EVENT"), tenf_event_code(kind));
	tenf_text_add(begin(w, "NAME"), name != NULL ? name : "");
	tenf_text_add(begin(w, "PROTOCOL"), protocol);
	add_port(w, "INTERNAL_PORT", m->internal_port);
	add_port(w, "EXTERNAL_PORT", m->external_port);
	tenf_text_add(begin(w, "EXTERNAL_ADDRESS"), m->external_address);
	tenf_text_add(begin(w, "GATEWAY"), m->gateway);
	add_time(w, "EXPIRES_AT", m->expires_at);
}

static bool is_own(const char *variable)
{
	return strncmp(variable, PREFIX, strlen(PREFIX)) == 0;
}

enum tenf_status environment_make(enum tenf_event_kind kind, const struct tenf_mapping *mapping,
				  const char *protocol, const char *name, struct environment *ret)
{
	struct environment made = { NULL, NULL };
	struct writer w = { .environment = &made };
	size_t count = 0;

	while (environ != NULL && environ[count] != NULL)
		count++;
	made.variables = calloc(count + OWN_COUNT + 1, sizeof(*made.variables));
	made.own = calloc(1, OWN_SIZE);
	if (made.variables == NULL || made.own == NULL) {
		environment_done(&made);
		return TENF_E_MEMORY;
	}
	w.text = tenf_text_of(made.own, OWN_SIZE);
	add_own(&w, kind, mapping, protocol, name);
	for (size_t i = 0; i < count; i++) {
		if (!is_own(environ[i]))
			made.variables[w.count++] = environ[i];
	}
	*ret = made;
	return TENF_OK;
}

void environment_done(struct environment *environment)
{
	free(environment->variables);
	free(environment->own);
	*environment = (struct environment){ NULL, NULL };
}

/* SPDX-License-Identifier: MIT */
#include "control/connections.h"

#include "control/server.h"

#include <stdlib.h>
#include <sys/stat.h>

#define SLOTS (CONTROL_CONNECTIONS_MAX + CONTROL_TURNED_AWAY_MAX)
#define LISTENERS_MAX 3 /* own Unix socket, one handed in, TCP */
#define RESUME_MS 100   /* how often a paused server looks for a free slot */
/* Octets read ahead of what was answered. evhttp takes a body out only when all
 * of it is there, so it must fit. */
#define UNREAD_MAX (CONTROL_HEADERS_MAX + CONTROL_BODY_READ_MAX)

struct slot {
	bool used;
	bool turned_away;
	struct bufferevent *fresh; /* referenced until its descriptor is known */
	int fd;
	ino_t inode;
};

struct control_connections {
	struct event_base *base;
	struct event *resolve; /* runs right after the accept that made `fresh` */
	struct event *resume;
	struct evconnlistener *listeners[LISTENERS_MAX];
	size_t listener_count;
	struct slot slots[SLOTS];
};

static bool inode_of(int fd, ino_t *ret)
{
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		return false;
	*ret = status.st_ino;
	return true;
}

static bool is_live(const struct slot *s)
{
	ino_t inode;

	return s->fresh != NULL || (inode_of(s->fd, &inode) && inode == s->inode);
}

static size_t sweep(struct control_connections *c)
{
	size_t used = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &c->slots[i];

		if (s->used && !is_live(s))
			*s = (struct slot){ 0 };
		used += s->used;
	}
	return used;
}

/* evhttp has set the descriptors by now; those already closed again are gone
 * with our reference. */
static void resolve(evutil_socket_t unused, short what, void *context)
{
	struct control_connections *c = context;

	(void)unused;
	(void)what;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &c->slots[i];

		if (s->fresh == NULL)
			continue;
		s->fd = (int)bufferevent_getfd(s->fresh);
		s->used = inode_of(s->fd, &s->inode);
		bufferevent_decref(s->fresh);
		s->fresh = NULL;
	}
}

static void pause_listening(struct control_connections *c)
{
	static const struct timeval interval = { .tv_usec = RESUME_MS * 1000 };

	for (size_t i = 0; i < c->listener_count; i++)
		(void)evconnlistener_disable(c->listeners[i]);
	(void)event_add(c->resume, &interval);
}

static void resume(evutil_socket_t unused, short what, void *context)
{
	struct control_connections *c = context;

	(void)unused;
	(void)what;
	if (sweep(c) == SLOTS) {
		pause_listening(c);
		return;
	}
	for (size_t i = 0; i < c->listener_count; i++)
		(void)evconnlistener_enable(c->listeners[i]);
}

static struct slot *free_slot(struct control_connections *c)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (!c->slots[i].used)
			return &c->slots[i];
	}
	return NULL;
}

struct bufferevent *control_connections_accept(struct event_base *base, void *context)
{
	struct control_connections *c = context;
	size_t used = sweep(c);
	struct slot *s = free_slot(c);
	struct bufferevent *made = bufferevent_socket_new(base, -1, 0);

	if (made == NULL || s == NULL)
		return made;
	/* A client that sends while it is being answered does not fill memory. */
	bufferevent_setwatermark(made, EV_READ, 0, UNREAD_MAX);
	bufferevent_incref(made);
	*s = (struct slot){ .used = true, .fresh = made, .fd = -1,
			    .turned_away = used >= CONTROL_CONNECTIONS_MAX };
	event_active(c->resolve, EV_TIMEOUT, 0);
	if (used + 1 == SLOTS)
		pause_listening(c);
	return made;
}

bool control_connections_is_turned_away(const struct control_connections *c, int fd)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *s = &c->slots[i];

		if (s->used && s->fd == fd && is_live(s))
			return s->turned_away;
	}
	return false;
}

size_t control_connections_count(struct control_connections *c)
{
	return sweep(c);
}

bool control_connections_watch(struct control_connections *c, struct evconnlistener *listener)
{
	if (c->listener_count == LISTENERS_MAX)
		return false;
	c->listeners[c->listener_count++] = listener;
	return true;
}

enum tenf_status control_connections_new(struct event_base *base, struct control_connections **ret)
{
	struct control_connections *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return TENF_E_MEMORY;
	c->base = base;
	c->resolve = event_new(base, -1, 0, resolve, c);
	c->resume = evtimer_new(base, resume, c);
	if (c->resolve == NULL || c->resume == NULL) {
		control_connections_free(c);
		return TENF_E_MEMORY;
	}
	*ret = c;
	return TENF_OK;
}

void control_connections_free(struct control_connections *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		if (c->slots[i].fresh != NULL)
			bufferevent_decref(c->slots[i].fresh);
	}
	if (c->resolve != NULL)
		event_free(c->resolve);
	if (c->resume != NULL)
		event_free(c->resume);
	free(c);
}

/* SPDX-License-Identifier: MIT */
/* The clerk's side: reads what the daemon says, keeps it, runs hooks, answers questions. */
#include "gateway/clerk-private.h"

#include "gateway/rights.h"
#include "gateway/user.h"
#include "net/clock.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WHY_MAX 1024
#define LOCK_WAIT_MS 10000 /* for the process of before to end */
#define LOCK_ALIVE_MS 2000 /* for one that was still answering, and may be about to end */
#define LOCK_LOOK_MS 10
#define HOOKS_LAST_S 1        /* for what waits when the daemon has ended */
#define COUNTS_UNREAD_MAX 65536 /* octets to a daemon that does not read: no more counts */

struct desk {
	struct event_base *base;
	struct bufferevent *daemon;
	struct history *history; /* or NULL */
	struct hooks *hooks;     /* there may be none */
	bool is_ending;          /* the daemon has */
	bool is_told; /* that the history cannot be written */
	struct clerk_frame frame;
};

static void warn(const char *text)
{
	(void)fprintf(stderr, "tenforward-gatewayd: %s\n", text);
	(void)fflush(stderr);
}

/* ---- What the daemon says ------------------------------------------------- */

/* A full disk is told once, not for each event; it may have room again later. */
static void judge(struct desk *desk, bool good)
{
	if (!good && !desk->is_told)
		warn("the history cannot be written; the gateway goes on without it");
	desk->is_told = !good;
}

static bool take_notice(struct desk *desk)
{
	struct tenf_reader r = tenf_reader_of(desk->frame.payload, desk->frame.len);
	char why[NOTICE_WHY_MAX];
	struct notice n;

	if (!notice_read(&r, &n, why) || r.left > 0)
		return false;
	if (desk->history != NULL && history_wants(&n))
		judge(desk, history_note(desk->history, &n));
	hooks_tell(desk->hooks, &n);
	return true;
}

struct answering {
	struct evbuffer *out;
	uint32_t id;
	bool any;
};

static bool tell_row(void *context, const char *json)
{
	struct answering *a = context;
	uint8_t row[CLERK_FRAME_MAX];
	struct tenf_writer w = tenf_writer_of(row, sizeof(row));

	tenf_writer_u32(&w, a->id);
	tenf_writer_copy(&w, json, strlen(json));
	return !w.failed && clerk_add_frame(a->out, CLERK_ROW, row, w.used);
}

static bool take_question(struct desk *desk)
{
	struct tenf_reader r = tenf_reader_of(desk->frame.payload, desk->frame.len);
	struct answering a = { .out = bufferevent_get_output(desk->daemon) };
	struct history_query query;
	uint8_t end[5];
	struct tenf_writer w = tenf_writer_of(end, sizeof(end));
	bool good;

	if (!clerk_read_query(&r, &query, &a.id))
		return false;
	good = desk->history != NULL && history_flush(desk->history, net_wall_s()) &&
	       history_ask(desk->history, &query, tell_row, &a);
	tenf_writer_u32(&w, a.id);
	tenf_writer_u8(&w, good);
	return clerk_add_frame(a.out, CLERK_END, end, w.used);
}

static bool take_memo(struct desk *desk)
{
	struct tenf_reader r = tenf_reader_of(desk->frame.payload, desk->frame.len);
	struct memo_row row;

	if (desk->history == NULL || !memo_read(&r, &row))
		return false;
	judge(desk, history_keep(desk->history, &row));
	return true;
}

static bool take_hooks(struct desk *desk)
{
	static struct config_hook list[CONFIG_HOOKS_MAX]; /* large; one thread */
	struct tenf_reader r = tenf_reader_of(desk->frame.payload, desk->frame.len);
	size_t count;

	if (!clerk_read_hooks(&r, list, &count))
		return false;
	if (hooks_set(desk->hooks, list, count) != TENF_OK)
		warn("the hooks could not be changed: out of memory");
	return true;
}

static bool take(struct desk *desk)
{
	switch (desk->frame.kind) {
	case CLERK_NOTICE:
		return take_notice(desk);
	case CLERK_ASK:
		return take_question(desk);
	case CLERK_MEMO:
		return take_memo(desk);
	case CLERK_HOOK_LIST:
		return take_hooks(desk);
	case CLERK_ROW:
	case CLERK_END:
	case CLERK_HOOKS:
	case CLERK_READY:
		break;
	}
	return false;
}

static void on_read(struct bufferevent *daemon, void *context)
{
	struct desk *desk = context;
	int found;

	while ((found = clerk_next_frame(bufferevent_get_input(daemon), &desk->frame)) > 0) {
		if (!take(desk)) {
			found = -1;
			break;
		}
	}
	if (desk->history != NULL)
		judge(desk, history_flush(desk->history, net_wall_s()));
	if (found < 0) {
		warn("the daemon said what makes no sense; the history ends here");
		(void)event_base_loopbreak(desk->base);
	}
}

/* What is kept is kept at once, so that the next clerk need not wait for hooks. */
static void on_end(struct bufferevent *daemon, short what, void *context)
{
	const struct timeval last = { .tv_sec = HOOKS_LAST_S };
	struct desk *desk = context;

	(void)what;
	(void)bufferevent_disable(daemon, EV_READ | EV_WRITE);
	history_close(desk->history);
	desk->history = NULL;
	desk->is_ending = true;
	if (hooks_are_idle(desk->hooks) || event_base_loopexit(desk->base, &last) != 0)
		(void)event_base_loopbreak(desk->base);
}

/* ---- Hooks ---------------------------------------------------------------- */

static void on_counts(void *context)
{
	struct desk *desk = context;
	struct evbuffer *out = bufferevent_get_output(desk->daemon);
	struct hooks_counts counts;
	uint8_t octets[24];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));

	if (desk->is_ending) {
		if (hooks_are_idle(desk->hooks))
			(void)event_base_loopbreak(desk->base);
		return;
	}
	hooks_count(desk->hooks, &counts);
	clerk_write_counts(&counts, &w);
	if (evbuffer_get_length(out) < COUNTS_UNREAD_MAX)
		(void)clerk_add_frame(out, CLERK_HOOKS, octets, w.used);
}

/* ---- Life --------------------------------------------------------------- */

/* The directory of the database, for the user that we become. */
static bool make_directory(const struct gateway_config *config, struct tenf_text *why)
{
	char ignored[WHY_MAX];
	struct tenf_text no_user = tenf_text_of(ignored, sizeof(ignored));
	struct user user;

	if (mkdir(config->state, 0750) != 0) {
		if (errno == EEXIST)
			return true;
		tenf_text_add(why, "cannot make the directory ");
		tenf_text_add(why, config->state);
		tenf_text_add(why, " of State=: ");
		tenf_text_add(why, strerror(errno));
		return false;
	}
	/* A user namespace without other users has nobody to give it to, and then
	 * nobody else is become: only a user that was named has to be there. */
	if (geteuid() == 0 && user_find(config->user, &user, &no_user) &&
	    chown(config->state, user.uid, user.gid) != 0 && config->user[0] != '\0') {
		tenf_text_add(why, "cannot give the directory of State= away: ");
		tenf_text_add(why, strerror(errno));
		return false;
	}
	return true;
}

/* Started twice by mistake, and the other one lives. A socket of the service manager's
 * answers though nobody does; he starts none twice. */
static bool another_serves(const struct gateway_config *config)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(config->socket);
	bool answers;
	int fd;

	if (len == 0 || len >= sizeof(address.sun_path) || getenv("LISTEN_FDS") != NULL)
		return false;
	memcpy(address.sun_path, config->socket, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	answers = fd >= 0 &&
		  connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return answers;
}

/* After a kill the clerk of before still writes what it had heard, and then ends. */
static bool open_history(struct desk *desk, const struct gateway_config *config, int patience_ms,
			 struct tenf_text *note, struct tenf_text *why)
{
	const struct history_limits limits = { config->history_days, config->history_size };
	const size_t used = why->used;

	for (int waited_ms = 0;; waited_ms += LOCK_LOOK_MS) {
		if (history_open(config->state, &limits, &desk->history, note, why))
			return true;
		if (waited_ms >= patience_ms || strstr(why->start, HISTORY_IN_USE) == NULL)
			return false;
		why->used = used;
		why->start[used] = '\0';
		(void)poll(NULL, 0, LOCK_LOOK_MS);
	}
}

static bool open_hooks(struct desk *desk, const struct gateway_config *config,
		       struct tenf_text *why)
{
	for (size_t i = 0; i < config->hook_count; i++) {
		if (config->hooks[i].kind != CONFIG_WEBHOOK || hooks_have_web())
			continue;
		tenf_text_add(why, "this build has no webhooks; leave Webhook= out");
		return false;
	}
	if (hooks_new(desk->base, config, on_counts, desk, &desk->hooks) == TENF_OK)
		return true;
	tenf_text_add(why, "out of memory");
	return false;
}

/* What is to be said goes to `note`, a sentence a line. */
static bool open_desk(struct desk *desk, const struct gateway_config *config,
		      struct tenf_text *note, struct tenf_text *why)
{
	int patience_ms = LOCK_WAIT_MS;

	if (!open_hooks(desk, config, why))
		return false;
	if (config->state[0] == '\0')
		return rights_clerk(config->user, note, why);
	if (another_serves(config)) /* asked while there are the rights to */
		patience_ms = LOCK_ALIVE_MS;
	return make_directory(config, why) && rights_clerk(config->user, note, why) &&
	       open_history(desk, config, patience_ms, note, why);
}

static bool open_socket(struct desk *desk, int fd)
{
	desk->base = event_base_new();
	if (desk->base != NULL)
		desk->daemon = bufferevent_socket_new(desk->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (desk->daemon == NULL)
		return false;
	bufferevent_setcb(desk->daemon, on_read, NULL, on_end, desk);
	return bufferevent_enable(desk->daemon, EV_READ | EV_WRITE) == 0;
}

static bool tell_memo(void *context, const struct memo_row *row)
{
	struct desk *desk = context;
	uint8_t octets[16 + MEMO_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));

	memo_write(row, &w);
	return !w.failed && clerk_add_frame(bufferevent_get_output(desk->daemon), CLERK_MEMO,
					    octets, w.used);
}

/* The first thing the daemon hears: can the work be done, and what to know about it. */
static bool tell_ready(struct desk *desk, bool good, const struct tenf_text *text)
{
	uint8_t frame[1 + WHY_MAX];
	struct tenf_writer w = tenf_writer_of(frame, sizeof(frame));

	tenf_writer_u8(&w, good);
	tenf_writer_copy(&w, text->start, text->used);
	return clerk_add_frame(bufferevent_get_output(desk->daemon), CLERK_READY, frame, w.used);
}

int clerk_serve(int fd, const struct gateway_config *config)
{
	static struct desk desk;
	char note_text[WHY_MAX], why_text[WHY_MAX];
	struct tenf_text note = tenf_text_of(note_text, sizeof(note_text));
	struct tenf_text why = tenf_text_of(why_text, sizeof(why_text));
	bool good;

	desk = (struct desk){ .base = NULL };
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!open_socket(&desk, fd))
		return EXIT_FAILURE;
	good = open_desk(&desk, config, &note, &why);
	if (good && desk.history != NULL &&
	    !history_recall(desk.history, net_wall_s(), tell_memo, &desk))
		tenf_text_add(&note, "what was revoked, approved or denied cannot be read, and "
				     "is forgotten\n");
	if (tell_ready(&desk, good, good ? &note : &why))
		(void)event_base_dispatch(desk.base);
	hooks_free(desk.hooks);
	history_close(desk.history);
	bufferevent_free(desk.daemon);
	event_base_free(desk.base);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: MIT */
/* The daemon's side of its clerk. */
#include "gateway/clerk-private.h"
#include "gateway/memo.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_MAX_MS 1500
#define READY_MAX_S 60 /* looking through a large history on a slow disk */

struct question {
	uint32_t id; /* 0: this place is free */
	clerk_answer answer; /* NULL: nobody waits any more */
	void *context;
	struct evbuffer *rows;
};

struct clerk {
	pid_t pid;
	int fd; /* until it is attached; -1 then */
	bool keeps_history;
	struct bufferevent *far;
	uint64_t lost;
	struct hooks_counts hooks;
	uint32_t last_id;
	struct question questions[CLERK_ASKS_MAX];
	struct clerk_frame frame;
	struct memo_row *memos; /* of before, until they are recalled */
	size_t memo_count;
	size_t memo_size;
};

static void warn(const char *text)
{
	(void)fprintf(stderr, "tenforward-gatewayd: %s\n", text);
	(void)fflush(stderr);
}

/* ---- Its beginning -------------------------------------------------------- */

/* In the new process: nothing of the daemon's stays open but its errors. */
static _Noreturn void become_clerk(int fd, const struct gateway_config *config)
{
	if (dup2(fd, STDIN_FILENO) < 0)
		_exit(EXIT_FAILURE);
	(void)close(STDOUT_FILENO);
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	_exit(clerk_serve(STDIN_FILENO, config));
}

static bool fail(struct tenf_text *why, const char *what, const char *reason)
{
	tenf_text_add(why, what);
	tenf_text_add(why, reason);
	return false;
}

static bool take_memo(struct clerk *clerk)
{
	struct tenf_reader r = tenf_reader_of(clerk->frame.payload, clerk->frame.len);

	if (clerk->memo_count == clerk->memo_size) {
		size_t size = clerk->memo_size > 0 ? 2 * clerk->memo_size : 64;
		struct memo_row *grown = realloc(clerk->memos, size * sizeof(*grown));

		if (grown == NULL)
			return false;
		clerk->memos = grown;
		clerk->memo_size = size;
	}
	if (clerk->memo_count == HISTORY_MEMOS_MAX ||
	    !memo_read(&r, &clerk->memos[clerk->memo_count]))
		return false;
	clerk->memo_count++;
	return true;
}

/* The first frame that is no memo: 1, it is in clerk->frame. */
static int read_ready(struct clerk *clerk, struct evbuffer *in)
{
	struct pollfd readable = { .fd = clerk->fd, .events = POLLIN };
	int found = 0;

	while (found == 0) {
		if (poll(&readable, 1, READY_MAX_S * 1000) <= 0 ||
		    evbuffer_read(in, clerk->fd, -1) <= 0)
			return -1;
		while ((found = clerk_next_frame(in, &clerk->frame)) > 0 &&
		       clerk->frame.kind == CLERK_MEMO) {
			if (!take_memo(clerk))
				return -1;
		}
	}
	return found;
}

/* Reads what it kept, and then the frame that says whether it can work. */
static bool wait_ready(struct clerk *clerk, struct tenf_text *why)
{
	struct evbuffer *in = evbuffer_new();
	int found = in != NULL ? read_ready(clerk, in) : -1;

	if (in != NULL)
		evbuffer_free(in);
	if (found != 1 || clerk->frame.kind != CLERK_READY || clerk->frame.len < 1)
		return fail(why, "the process for history and hooks did not start", "");
	clerk->frame.payload[clerk->frame.len < CLERK_FRAME_MAX ? clerk->frame.len
								: CLERK_FRAME_MAX - 1] = '\0';
	if (clerk->frame.payload[0] == 0)
		return fail(why, (const char *)clerk->frame.payload + 1, "");
	for (char *rest = (char *)clerk->frame.payload + 1, *line;
	     (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] != '\0')
			warn(line);
	}
	return true;
}

static bool fork_clerk(struct clerk *clerk, const struct gateway_config *config,
		       struct tenf_text *why)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(why, "cannot make a socket for history and hooks: ", strerror(errno));
	(void)fflush(NULL); /* or both would say it */
	clerk->pid = fork();
	if (clerk->pid == 0)
		become_clerk(pair[1], config);
	(void)close(pair[1]);
	clerk->fd = pair[0];
	if (clerk->pid < 0)
		return fail(why, "cannot start a process for history and hooks: ", strerror(errno));
	return wait_ready(clerk, why);
}

bool clerk_start(const struct gateway_config *config, struct clerk **ret, struct tenf_text *why)
{
	struct clerk *clerk;

	*ret = NULL;
	if (config->state[0] == '\0' && config->hook_count == 0)
		return true;
	clerk = calloc(1, sizeof(*clerk));
	if (clerk == NULL)
		return fail(why, "out of memory", "");
	clerk->fd = -1;
	clerk->pid = -1;
	clerk->keeps_history = config->state[0] != '\0';
	if (!fork_clerk(clerk, config, why)) {
		clerk_stop(clerk);
		return false;
	}
	*ret = clerk;
	return true;
}

/* ---- Its answers ---------------------------------------------------------- */

static void finish(struct question *q, bool good)
{
	clerk_answer answer = q->answer;
	struct evbuffer *rows = q->rows;
	const char *text = NULL;

	q->id = 0;
	q->rows = NULL;
	if (good && evbuffer_add(rows, "]", 2) == 0) /* with the terminator */
		text = (const char *)evbuffer_pullup(rows, -1);
	if (answer != NULL)
		answer(q->context, text);
	evbuffer_free(rows);
}

static struct question *find(struct clerk *clerk, uint32_t id)
{
	for (size_t i = 0; id != 0 && i < CLERK_ASKS_MAX; i++) {
		if (clerk->questions[i].id == id)
			return &clerk->questions[i];
	}
	return NULL;
}

static bool take(struct clerk *clerk)
{
	struct tenf_reader r = tenf_reader_of(clerk->frame.payload, clerk->frame.len);
	struct question *q;

	if (clerk->frame.kind == CLERK_HOOKS)
		return clerk_read_counts(&r, &clerk->hooks);
	q = find(clerk, tenf_reader_u32(&r));
	if (r.failed || q == NULL)
		return false;
	if (clerk->frame.kind == CLERK_END) {
		finish(q, tenf_reader_u8(&r) == 1);
		return !r.failed;
	}
	if (clerk->frame.kind != CLERK_ROW || q->answer == NULL)
		return clerk->frame.kind == CLERK_ROW;
	return (evbuffer_get_length(q->rows) == 1 || evbuffer_add(q->rows, ",", 1) == 0) &&
	       evbuffer_add(q->rows, r.at, r.left) == 0;
}

/* From here on there is none; who waits hears so. */
static void give_up(struct clerk *clerk)
{
	bufferevent_free(clerk->far);
	clerk->far = NULL;
	for (size_t i = 0; i < CLERK_ASKS_MAX; i++) {
		if (clerk->questions[i].id != 0)
			finish(&clerk->questions[i], false);
	}
}

static void on_read(struct bufferevent *far, void *context)
{
	struct clerk *clerk = context;
	int found;

	while ((found = clerk_next_frame(bufferevent_get_input(far), &clerk->frame)) > 0) {
		if (!take(clerk)) {
			found = -1;
			break;
		}
	}
	if (found < 0) {
		warn(clerk->keeps_history ? "the process that keeps the history said what makes no "
					    "sense; going on without a history and hooks"
					  : "the process that runs the hooks said what makes no "
					    "sense; going on without hooks");
		give_up(clerk);
	}
}

static void on_end(struct bufferevent *far, short what, void *context)
{
	struct clerk *clerk = context;

	(void)far;
	(void)what;
	warn(clerk->keeps_history ? "the process that keeps the history has ended; going on "
				    "without a history and hooks"
				  : "the process that runs the hooks has ended; going on "
				    "without hooks");
	give_up(clerk);
}

bool clerk_attach(struct clerk *clerk, struct event_base *base)
{
	if (evutil_make_socket_nonblocking(clerk->fd) != 0)
		return false;
	clerk->far = bufferevent_socket_new(base, clerk->fd, BEV_OPT_CLOSE_ON_FREE);
	if (clerk->far == NULL)
		return false;
	clerk->fd = -1;
	bufferevent_setcb(clerk->far, on_read, NULL, on_end, clerk);
	return bufferevent_enable(clerk->far, EV_READ | EV_WRITE) == 0;
}

/* ---- What outlives us -------------------------------------------------------- */

size_t clerk_recall(struct clerk *clerk, clerk_each each, void *context)
{
	size_t left_out = 0;

	for (size_t i = 0; i < clerk->memo_count; i++) {
		struct responder_memo memo;

		if (!memo_of_row(&clerk->memos[i], &memo) || !each(context, &memo))
			left_out++;
	}
	free(clerk->memos);
	clerk->memos = NULL;
	clerk->memo_count = clerk->memo_size = 0;
	return left_out;
}

void clerk_keep(struct clerk *clerk, const struct responder_memo *memo)
{
	uint8_t octets[16 + MEMO_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct evbuffer *out;
	struct memo_row row;

	if (!clerk_is_there(clerk) || !clerk->keeps_history)
		return;
	out = bufferevent_get_output(clerk->far);
	memo_to_row(memo, &row);
	memo_write(&row, &w);
	if (w.failed || evbuffer_get_length(out) >= CLERK_UNSENT_MEMOS ||
	    !clerk_add_frame(out, CLERK_MEMO, octets, w.used))
		clerk->lost++;
}

void clerk_push(struct clerk *clerk)
{
	struct evbuffer *out;

	if (!clerk_is_there(clerk))
		return;
	out = bufferevent_get_output(clerk->far);
	(void)evbuffer_unfreeze(out, 1);
	while (evbuffer_get_length(out) > 0 &&
	       evbuffer_write(out, bufferevent_getfd(clerk->far)) > 0)
		; /* until the socket is full: it does not block */
	(void)evbuffer_freeze(out, 1);
}

/* ---- Its work --------------------------------------------------------------- */

bool clerk_keeps_history(const struct clerk *clerk)
{
	return clerk != NULL && clerk->keeps_history;
}

void clerk_count_hooks(const struct clerk *clerk, struct hooks_counts *ret)
{
	*ret = clerk != NULL ? clerk->hooks : (struct hooks_counts){ .told = 0 };
}

bool clerk_is_there(const struct clerk *clerk)
{
	return clerk != NULL && clerk->far != NULL;
}

uint64_t clerk_lost(const struct clerk *clerk)
{
	return clerk != NULL ? clerk->lost : 0;
}

static bool has_room(const struct clerk *clerk)
{
	return evbuffer_get_length(bufferevent_get_output(clerk->far)) < CLERK_UNSENT_MAX;
}

void clerk_note(struct clerk *clerk, const struct notice *n)
{
	uint8_t octets[NOTICE_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));

	if (!clerk_is_there(clerk))
		return;
	notice_write(n, &w);
	if (w.failed || !has_room(clerk) ||
	    !clerk_add_frame(bufferevent_get_output(clerk->far), CLERK_NOTICE, octets, w.used))
		clerk->lost++;
}

static bool know_web(const struct config_hook *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].kind == CONFIG_WEBHOOK && !hooks_have_web())
			return false;
	}
	return true;
}

bool clerk_set_hooks(struct clerk *clerk, const struct config_hook *list, size_t count,
		     struct tenf_text *why)
{
	uint8_t octets[CLERK_HOOKS_OCTETS];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));

	if (!know_web(list, count))
		return fail(why, "this build has no webhooks; leave Webhook= out", "");
	if (!clerk_is_there(clerk))
		return fail(why, "there is no process that could run hooks: it is started with "
				 "the gateway, for State= or a [Hook]; restart it", "");
	clerk_write_hooks(list, count, &w);
	if (w.failed || !clerk_add_frame(bufferevent_get_output(clerk->far), CLERK_HOOK_LIST,
					 octets, w.used))
		return fail(why, "out of memory", "");
	return true;
}

static struct question *free_place(struct clerk *clerk)
{
	for (size_t i = 0; i < CLERK_ASKS_MAX; i++) {
		if (clerk->questions[i].id == 0)
			return &clerk->questions[i];
	}
	return NULL;
}

enum tenf_status clerk_ask(struct clerk *clerk, const struct history_query *query,
			   clerk_answer answer, void *context, uint32_t *ret_id)
{
	uint8_t octets[64];
	struct tenf_writer w = tenf_writer_of(octets, sizeof(octets));
	struct question *q;

	if (!clerk_is_there(clerk))
		return TENF_E_NOT_FOUND;
	q = free_place(clerk);
	if (q == NULL || !has_room(clerk))
		return TENF_E_LIMIT;
	if (++clerk->last_id == 0)
		clerk->last_id = 1;
	clerk_write_query(query, clerk->last_id, &w);
	*q = (struct question){ .answer = answer, .context = context, .rows = evbuffer_new() };
	if (q->rows == NULL || evbuffer_add(q->rows, "[", 1) != 0 || w.failed ||
	    !clerk_add_frame(bufferevent_get_output(clerk->far), CLERK_ASK, octets, w.used)) {
		if (q->rows != NULL)
			evbuffer_free(q->rows);
		return TENF_E_MEMORY;
	}
	q->id = clerk->last_id;
	*ret_id = q->id;
	return TENF_OK;
}

void clerk_forget(struct clerk *clerk, uint32_t id)
{
	struct question *q = find(clerk, id);

	if (q != NULL)
		q->answer = NULL;
}

/* ---- Its end ---------------------------------------------------------------- */

/* What waits is written by hand: the loop does not turn any more. */
static void write_rest(struct clerk *clerk)
{
	struct evbuffer *out = bufferevent_get_output(clerk->far);
	struct pollfd writable = { .fd = (int)bufferevent_getfd(clerk->far), .events = POLLOUT };

	bufferevent_disable(clerk->far, EV_READ | EV_WRITE);
	(void)evbuffer_unfreeze(out, 1);
	while (evbuffer_get_length(out) > 0 && poll(&writable, 1, END_MAX_MS) > 0 &&
	       evbuffer_write(out, writable.fd) > 0)
		;
	(void)evbuffer_freeze(out, 1);
}

/* One that is still writing to a slow disk after that is left to itself. */
static void wait_for_end(pid_t pid)
{
	for (int waited = 0; waited < END_MAX_MS; waited += 10) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		(void)poll(NULL, 0, 10);
	}
}

void clerk_stop(struct clerk *clerk)
{
	if (clerk == NULL)
		return;
	if (clerk->far != NULL) {
		write_rest(clerk);
		give_up(clerk);
	}
	if (clerk->fd >= 0)
		(void)close(clerk->fd);
	if (clerk->pid > 0)
		wait_for_end(clerk->pid);
	free(clerk->memos);
	free(clerk);
}

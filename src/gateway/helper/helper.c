/* SPDX-License-Identifier: MIT */
#include "gateway/helper/helper.h"

#include "gateway/helper/forward.h"
#include "gateway/helper/helper-private.h"
#include "gateway/helper/spin.h"
#include "gateway/rights.h"
#include "net/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a change by others may go unseen while nothing is asked for. A
 * subscription to the kernel's news would tell at once, but make it write a message
 * for each element of ours as well. */
#define LOOK_MS 500

struct service {
	struct helper helper;
	int fd;
	struct netlink_transport nft;
	struct netlink_transport list;
	struct netlink_transport kill;
	uint8_t in[HELPER_MESSAGE_MAX];
	bool told_lost;
	tenf_time forward_at; /* when the chains of others were looked at */
	struct spin spin;
};

/* ---- Answers -------------------------------------------------------------------------- */

static bool send_packet(const struct service *s, const void *data, size_t len)
{
	ssize_t sent;

	do {
		sent = send(s->fd, data, len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent >= 0 && (size_t)sent == len;
}

static bool send_done(const struct service *s, uint32_t number, const struct helper_done *done)
{
	uint8_t data[HELPER_HEAD + HELPER_TEXT_MAX + 16];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	helper_write_head(&w, &(struct helper_head){ .kind = HELPER_DONE, .number = number });
	helper_write_done(&w, done);
	return send_packet(s, data, w.used);
}

static bool tell_lost(struct service *s)
{
	uint8_t data[HELPER_HEAD + 1];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));

	if (s->told_lost)
		return true;
	s->told_lost = true;
	helper_write_head(&w, &(struct helper_head){ .kind = HELPER_NEWS });
	helper_write_news(&w, HELPER_LOST);
	return send_packet(s, data, w.used);
}

/* ---- Questions -------------------------------------------------------------------------- */

static void update_forward(struct service *s, struct tenf_text *notes)
{
	forward_update(s->helper.setup.manage_forward, notes);
	/* Ours moved the generation on, but others may have, too. */
	(void)helper_look(&s->helper);
	s->helper.is_stale = false;
	s->forward_at = net_now();
}

/* Another tool may have made its chains anew, without our rules. */
static void keep_forward(struct service *s)
{
	char ignored[HELPER_TEXT_MAX];
	struct tenf_text notes = tenf_text_of(ignored, sizeof(ignored));

	if (s->helper.is_stale && s->helper.setup.manage_forward && !s->helper.lost &&
	    net_now() - s->forward_at >= LOOK_MS * TENF_MILLISECOND)
		update_forward(s, &notes);
}

static bool answer_close(struct service *s, const struct helper_head *head)
{
	struct helper_done done = { .outcome = HELPER_OK };
	struct tenf_text notes = tenf_text_of(done.text, sizeof(done.text));

	if (s->helper.setup.manage_forward)
		forward_update(false, &notes);
	done.text[0] = '\0';
	return send_done(s, head->number, &done);
}

static bool answer_setup(struct service *s, const struct helper_head *head,
			 struct tenf_reader *body)
{
	struct helper_done done = { .outcome = HELPER_REFUSED, .code = EBADMSG };
	struct tenf_text why = tenf_text_of(done.text, sizeof(done.text));
	struct helper_setup *setup = malloc(sizeof(*setup));

	if (setup != NULL && helper_read_setup(body, setup) == TENF_OK && body->left == 0) {
		done.code = 0;
		if (helper_set_up(&s->helper, setup, &done.fresh, &why)) {
			done.outcome = HELPER_OK;
			update_forward(s, &why);
		}
	}
	free(setup);
	return send_done(s, head->number, &done);
}

static bool answer_batch(struct service *s, const struct helper_head *head,
			 struct tenf_reader *body)
{
	struct helper_done done = { .text = "" };

	helper_put_changes(&s->helper, body, head->count, net_now());
	if (head->more)
		return true;
	done.outcome = helper_commit(&s->helper, &done.code);
	s->told_lost = s->helper.lost;
	return send_done(s, head->number, &done);
}

static bool answer_dump(struct service *s, const struct helper_head *head)
{
	struct helper_done done = { .outcome = HELPER_REFUSED };
	struct dump dump;
	bool good = true;

	if (s->helper.batch.changes > 0)
		return false; /* in the middle of a batch: the daemon talks nonsense */
	done.code = helper_dump(&s->helper, head->number, net_now(), &dump);
	for (size_t i = 0; done.code == 0 && good && i < dump.count; i++)
		good = send_packet(s, dump.writers[i].start, dump.writers[i].used);
	dump_done(&dump);
	return done.code == 0 ? good : send_done(s, head->number, &done);
}

static bool answer_flow(struct service *s, const struct helper_head *head,
			struct tenf_reader *body)
{
	struct helper_transport list = netlink_transport_of(&s->kill);
	struct helper_found found = { .found = false };
	uint8_t data[HELPER_HEAD + 32];
	struct tenf_writer w = tenf_writer_of(data, sizeof(data));
	struct helper_flow flow;

	if (helper_read_flow(body, &flow) == TENF_OK)
		(void)cut_find_flow(&list, &flow, &found);
	helper_write_head(&w, &(struct helper_head){ .kind = HELPER_FOUND,
						     .number = head->number });
	helper_write_found(&w, &found);
	return send_packet(s, data, w.used);
}

/* False ends the process: the daemon is gone, or talks nonsense. */
static bool answer(struct service *s, size_t len)
{
	struct tenf_reader r = tenf_reader_of(s->in, len);
	struct helper_head head;

	if (helper_read_head(&r, &head) != TENF_OK)
		return false;
	switch (head.kind) {
	case HELPER_SETUP:
		return answer_setup(s, &head, &r);
	case HELPER_BATCH:
		return answer_batch(s, &head, &r);
	case HELPER_DUMP:
		return answer_dump(s, &head);
	case HELPER_FLOW:
		return answer_flow(s, &head, &r);
	case HELPER_CLOSE:
		return answer_close(s, &head);
	case HELPER_DONE:
	case HELPER_KEPT:
	case HELPER_FOUND:
	case HELPER_NEWS:
		break;
	}
	return false;
}

/* ---- The loop ----------------------------------------------------------------------------- */

static bool receive(struct service *s)
{
	ssize_t got = recv(s->fd, s->in, sizeof(s->in), MSG_TRUNC | MSG_DONTWAIT);

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	return got > 0 && (size_t)got <= sizeof(s->in) && answer(s, (size_t)got);
}

static bool turn(struct service *s)
{
	bool is_due = cut_is_due(s->helper.cut);
	bool ready = spin_wait(&s->spin, s->fd, is_due ? 0 : LOOK_MS);

	/* A piece of the connection table after each message, however many come. */
	if (is_due)
		cut_step(s->helper.cut);
	if (ready)
		return receive(s);
	if (s->helper.is_set_up && !helper_look(&s->helper))
		return tell_lost(s);
	keep_forward(s);
	return true;
}

static bool open_sockets(struct service *s)
{
	int code = netlink_transport_open(&s->nft);

	if (code == 0)
		code = netlink_transport_open(&s->list);
	if (code == 0)
		code = netlink_transport_open(&s->kill);
	if (code != 0)
		(void)fprintf(stderr, "tenforward-gatewayd: helper: no netlink socket: %s\n",
			      strerror(code));
	return code == 0;
}

static bool open_helper(struct service *s)
{
	struct helper *h = &s->helper;
	struct helper_transport list = netlink_transport_of(&s->list);
	struct helper_transport kill = netlink_transport_of(&s->kill);

	h->nft = netlink_transport_of(&s->nft);
	h->epoch_start = TENF_NEVER;
	h->transaction = transaction_new(&h->nft, &h->features);
	h->cut = cut_new(&list, &kill);
	return h->transaction != NULL && h->cut != NULL && changes_init(&h->changes) == 0;
}

static void free_service(struct service *s)
{
	if (s == NULL)
		return;
	transaction_free(s->helper.transaction);
	cut_free(s->helper.cut);
	changes_done(&s->helper.changes);
	netlink_transport_close(&s->nft);
	netlink_transport_close(&s->list);
	netlink_transport_close(&s->kill);
	free(s);
}

static bool give_up_rights(const char *user)
{
	char notes_buffer[HELPER_TEXT_MAX];
	char why_buffer[HELPER_TEXT_MAX];
	struct tenf_text notes = tenf_text_of(notes_buffer, sizeof(notes_buffer));
	struct tenf_text why = tenf_text_of(why_buffer, sizeof(why_buffer));

	if (rights_helper(user, &notes, &why))
		return true;
	(void)fprintf(stderr, "tenforward-gatewayd: helper: %s\n", why_buffer);
	return false;
}

int helper_run(int fd, const char *user)
{
	struct service *s = calloc(1, sizeof(*s));
	bool good = s != NULL;

	/* A terminal's or a service manager's signal is for the daemon, whose end is ours. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (good) {
		s->fd = fd;
		spin_init(&s->spin);
		s->nft.fd = s->list.fd = s->kill.fd = -1;
		good = open_sockets(s) && open_helper(s) && give_up_rights(user);
	}
	while (good && turn(s))
		continue;
	free_service(s);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: MIT */
/*
 * The packet path of the kernel, by way of the privileged helper: changes become a
 * message, one for a batch where it is not very large, and the answer says what holds.
 */
#include "gateway/backend/nftables.h"

#include "gateway/helper/helper.h"
#include "gateway/helper/messages.h"
#include "gateway/helper/spin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANGE_ROOM (HELPER_CHANGE_SIZE + LEDGER_FILTERS_MAX * 19)

struct nftables_backend {
	struct backend base;
	int fd; /* to the helper; -1: it is gone */
	pid_t pid;
	uint32_t number;    /* of the last question */
	struct tenf_writer out; /* the message that is being written; its header comes last */
	uint16_t count;         /* changes in it */
	bool failed;            /* the batch cannot be handed over */
	bool is_set_up;
	bool fresh;             /* the table was not there at start */
	bool lost;              /* the packet path is to be told everything again */
	struct spin spin;
	struct helper_mapping *rejected; /* while restoring: they do not fit what is now */
	size_t rejected_count;
	size_t rejected_size;
	struct helper_change change;
	uint8_t out_data[HELPER_MESSAGE_MAX];
	uint8_t in_data[HELPER_MESSAGE_MAX];
};

static struct nftables_backend *of(struct backend *backend)
{
	return (struct nftables_backend *)backend;
}

/* ---- Messages ------------------------------------------------------------------- */

static void begin_message(struct nftables_backend *b)
{
	b->out = tenf_writer_of(b->out_data, sizeof(b->out_data));
	tenf_writer_fill(&b->out, 0, HELPER_HEAD);
	b->count = 0;
}

/* A helper that is gone cannot come back: only a new start has the rights. */
static enum tenf_status lose_helper(struct nftables_backend *b)
{
	if (b->fd >= 0)
		(void)close(b->fd);
	b->fd = -1;
	return TENF_E_SYSTEM;
}

static enum tenf_status send_message(struct nftables_backend *b, enum helper_kind kind, bool more)
{
	struct tenf_writer head = tenf_writer_of(b->out_data, HELPER_HEAD);
	ssize_t sent;

	b->number += !more;
	helper_write_head(&head, &(struct helper_head){ .kind = kind, .more = more,
							.count = b->count, .number = b->number });
	if (b->fd < 0 || b->out.failed)
		return TENF_E_SYSTEM;
	do {
		sent = send(b->fd, b->out_data, b->out.used, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)b->out.used ? TENF_OK : lose_helper(b);
}

/* News may come before an answer. */
static void take_news(struct nftables_backend *b, struct tenf_reader *body)
{
	enum helper_news news;

	if (helper_read_news(body, &news) == TENF_OK)
		b->lost |= news == HELPER_LOST;
}

/* One message; its body is a reader into the backend. TENF_E_AGAIN: none waits. */
static enum tenf_status receive_message(struct nftables_backend *b, int flags,
					struct helper_head *ret_head, struct tenf_reader *ret)
{
	ssize_t got;

	if (b->fd < 0)
		return TENF_E_SYSTEM;
	do {
		got = recv(b->fd, b->in_data, sizeof(b->in_data), MSG_TRUNC | flags);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return TENF_E_AGAIN;
	if (got <= 0 || (size_t)got > sizeof(b->in_data))
		return lose_helper(b);
	*ret = tenf_reader_of(b->in_data, (size_t)got);
	return helper_read_head(ret, ret_head) == TENF_OK ? TENF_OK : lose_helper(b);
}

/* The answer to the last question. */
static enum tenf_status receive_answer(struct nftables_backend *b, struct helper_head *ret_head,
				       struct tenf_reader *ret)
{
	enum tenf_status status;

	do {
		if (b->fd >= 0)
			(void)spin_wait(&b->spin, b->fd, -1);
		status = receive_message(b, 0, ret_head, ret);
		if (status == TENF_OK && ret_head->kind == HELPER_NEWS)
			take_news(b, ret);
	} while (status == TENF_OK && ret_head->kind == HELPER_NEWS);
	if (status == TENF_OK && ret_head->number != b->number)
		status = lose_helper(b);
	return status;
}

static enum tenf_status receive_done(struct nftables_backend *b, struct helper_done *ret)
{
	struct helper_head head;
	struct tenf_reader body;
	enum tenf_status status = receive_answer(b, &head, &body);

	if (status != TENF_OK)
		return status;
	if (head.kind != HELPER_DONE || helper_read_done(&body, ret) != TENF_OK)
		return lose_helper(b);
	return TENF_OK;
}

/* ---- Changes ---------------------------------------------------------------------- */

static void copy_mapping(const struct responder_change *change, struct helper_mapping *ret)
{
	const struct ledger_mapping *m = change->mapping;
	const struct ledger_cold *cold = m->cold;

	ret->protocol = m->protocol;
	ret->maker = m->maker;
	ret->external = change->external;
	ret->internal = (struct tenf_endpoint){ m->internal_address, m->internal_port };
	ret->remote.port = 0;
	ret->made_at = m->made_at;
	ret->ends_at = m->until;
	memcpy(ret->nonce, m->nonce, sizeof(ret->nonce));
	ret->lifetime_s = m->lifetime_s;
	ret->renewals = m->renewals;
	ret->id = m->id;
	ret->rule = m->rule;
	ret->description_len = cold != NULL ? cold->description_len : 0;
	ret->filter_count = cold != NULL ? cold->filter_count : 0;
	ret->has_asker = cold != NULL && cold->has_asker;
	if (cold == NULL)
		return;
	ret->asker = cold->asker;
	memcpy(ret->description, cold->description, cold->description_len);
	memcpy(ret->filters, cold->filters, cold->filter_count * sizeof(cold->filters[0]));
}

static void copy_peer(const struct responder_peer *peer, struct helper_mapping *ret)
{
	*ret = (struct helper_mapping){
		.protocol = (uint8_t)peer->protocol, .maker = LEDGER_BY_PCP,
		.external = peer->external, .internal = peer->internal, .remote = peer->remote,
		.made_at = peer->made_at, .ends_at = peer->ends_at,
		.lifetime_s = peer->lifetime_s, .renewals = peer->renewals, .id = peer->id,
		.rule = (int16_t)peer->rule, .asker = peer->asker,
		.has_asker = !tenf_address_equal(&peer->asker, &peer->internal.address),
	};
	memcpy(ret->nonce, peer->nonce, sizeof(ret->nonce));
}

static enum helper_change_kind kind_of(enum responder_change_kind kind)
{
	switch (kind) {
	case RESPONDER_INSTALL:
	case RESPONDER_PEER_INSTALL:
		return HELPER_INSTALL;
	case RESPONDER_RENEW:
	case RESPONDER_PEER_RENEW:
		return HELPER_RENEW;
	case RESPONDER_REMOVE:
	case RESPONDER_PEER_REMOVE:
		return HELPER_REMOVE;
	case RESPONDER_FLUSH:
		return HELPER_FLUSH;
	case RESPONDER_EPOCH:
		break;
	}
	return HELPER_EPOCH;
}

static enum tenf_status put_change(struct nftables_backend *b, const struct helper_change *change)
{
	if (b->failed)
		return TENF_E_SYSTEM;
	if (b->out.size - b->out.used < CHANGE_ROOM || b->count == HELPER_CHANGES_MAX) {
		b->failed = send_message(b, HELPER_BATCH, true) != TENF_OK;
		begin_message(b);
	}
	helper_write_change(&b->out, change);
	b->count++;
	return b->failed ? TENF_E_SYSTEM : TENF_OK;
}

static enum tenf_status stage(struct backend *backend, const struct responder_change *change)
{
	struct nftables_backend *b = of(backend);
	struct helper_change *c = &b->change;

	c->kind = kind_of(change->kind);
	c->content = change->content;
	c->cut = false;
	c->epoch_start = change->epoch_start;
	c->held_until = 0; /* not known */
	if (change->mapping != NULL) {
		/* When a daemon before made the element is not known to the moment, and is
		 * quite another time where the computer slept since. */
		if (!change->mapping->is_read_back)
			c->held_until = change->mapping->committed_until;
		c->cut = c->kind == HELPER_REMOVE && change->mapping->end != LEDGER_EXPIRED;
		copy_mapping(change, &c->mapping);
	}
	if (change->peer != NULL) {
		/* Other flows may use its endpoint, so only the administrator ends them. */
		c->cut = c->kind == HELPER_REMOVE && (change->peer->end == LEDGER_REVOKED ||
						      change->peer->end == LEDGER_DISALLOWED);
		copy_peer(change->peer, &c->mapping);
	}
	return put_change(b, c);
}

static void submit(struct backend *backend)
{
	struct nftables_backend *b = of(backend);

	b->failed = b->failed || send_message(b, HELPER_BATCH, false) != TENF_OK;
	begin_message(b);
}

/* Unsure is told as failed, and everything is installed anew at once after it. */
static enum tenf_status commit(struct backend *backend)
{
	struct nftables_backend *b = of(backend);
	struct helper_done done = { .outcome = HELPER_UNSURE };
	enum tenf_status status = b->failed ? TENF_E_SYSTEM : receive_done(b, &done);

	b->failed = false;
	backend->code = status == TENF_OK ? done.code : 0;
	if (status != TENF_OK)
		return status;
	if (done.outcome != HELPER_UNSURE)
		return done.outcome == HELPER_OK ? TENF_OK : TENF_E_SYSTEM;
	b->lost = true;
	return TENF_E_SYSTEM;
}

/* ---- What is held from before --------------------------------------------------------- */

static enum tenf_status submit_and_commit(struct nftables_backend *b)
{
	submit(&b->base);
	return commit(&b->base);
}

/* Everything goes: what is not known must not stay open. */
static enum tenf_status forget(struct nftables_backend *b)
{
	const struct responder_change flush = { .kind = RESPONDER_FLUSH };
	enum tenf_status status = stage(&b->base, &flush);

	return status == TENF_OK ? submit_and_commit(b) : status;
}

static struct responder_kept kept_of(const struct helper_mapping *m)
{
	struct responder_kept kept = {
		.protocol = (enum tenf_protocol)m->protocol, .internal = m->internal,
		.external = m->external, .maker = (enum ledger_maker)m->maker,
		.made_at = m->made_at, .ends_at = m->ends_at, .lifetime_s = m->lifetime_s,
		.renewals = m->renewals, .id = m->id, .rule = m->rule,
		.description = m->description, .description_len = m->description_len,
		.filters = m->filters, .filter_count = m->filter_count,
		.has_asker = m->has_asker, .asker = m->asker,
	};

	memcpy(kept.nonce, m->nonce, sizeof(kept.nonce));
	return kept;
}

static struct responder_peer peer_of(const struct helper_mapping *m)
{
	struct responder_peer peer = {
		.protocol = (enum tenf_protocol)m->protocol, .internal = m->internal,
		.external = m->external, .remote = m->remote, .made_at = m->made_at,
		.ends_at = m->ends_at, .lifetime_s = m->lifetime_s, .renewals = m->renewals,
		.id = m->id, .rule = m->rule,
		.asker = m->has_asker ? m->asker : m->internal.address,
	};

	memcpy(peer.nonce, m->nonce, sizeof(peer.nonce));
	return peer;
}

static enum tenf_status tell(const struct backend_keeper *keeper, const struct helper_mapping *m)
{
	struct responder_kept kept;
	struct responder_peer peer;

	if (m->remote.port != 0) {
		peer = peer_of(m);
		return keeper->peer(keeper->context, &peer);
	}
	kept = kept_of(m);
	return keeper->mapping(keeper->context, &kept);
}

static enum tenf_status reject(struct nftables_backend *b, const struct helper_mapping *m)
{
	if (b->rejected_count == b->rejected_size) {
		size_t size = b->rejected_size > 0 ? 2 * b->rejected_size : 16;
		struct helper_mapping *grown = realloc(b->rejected, size * sizeof(*grown));

		if (grown == NULL)
			return TENF_E_MEMORY;
		b->rejected = grown;
		b->rejected_size = size;
	}
	b->rejected[b->rejected_count++] = *m;
	return TENF_OK;
}

static enum tenf_status take_packet(struct nftables_backend *b, const struct helper_head *head,
				    struct tenf_reader *body, const struct backend_keeper *keeper)
{
	struct helper_mapping *m = &b->change.mapping;
	enum tenf_status status = TENF_OK;

	for (uint16_t i = 0; status == TENF_OK && i < head->count; i++) {
		status = helper_read_mapping(body, m);
		if (status == TENF_OK && tell(keeper, m) != TENF_OK)
			status = reject(b, m);
	}
	return status;
}

static enum tenf_status remove_rejected(struct nftables_backend *b)
{
	enum tenf_status status = TENF_OK;

	for (size_t i = 0; status == TENF_OK && i < b->rejected_count; i++) {
		b->change.kind = HELPER_REMOVE;
		b->change.content = false;
		b->change.cut = true;
		b->change.mapping = b->rejected[i];
		status = put_change(b, &b->change);
	}
	if (b->rejected_count > 0 && status == TENF_OK)
		status = submit_and_commit(b);
	free(b->rejected);
	b->rejected = NULL;
	b->rejected_count = b->rejected_size = 0;
	return status;
}

static enum tenf_status read_kept(struct nftables_backend *b, const struct backend_keeper *keeper,
				  tenf_time *ret_epoch_start)
{
	enum tenf_status status = send_message(b, HELPER_DUMP, false);
	struct helper_head head = { .more = true };

	begin_message(b);
	while (status == TENF_OK && head.more) {
		struct tenf_reader body;

		status = receive_answer(b, &head, &body);
		if (status == TENF_OK && head.kind != HELPER_KEPT)
			return TENF_E_SYSTEM; /* it cannot be read; `head.more` is not set */
		if (status != TENF_OK)
			break;
		*ret_epoch_start = helper_read_time(&body);
		status = take_packet(b, &head, &body, keeper);
	}
	return status == TENF_OK ? status : lose_helper(b);
}

static enum tenf_status restore(struct backend *backend, const struct backend_keeper *keeper,
				tenf_time *ret_epoch_start)
{
	struct nftables_backend *b = of(backend);
	tenf_time epoch_start = TENF_NEVER;
	enum tenf_status status;

	if (b->fresh)
		return TENF_E_NOT_FOUND;
	status = read_kept(b, keeper, &epoch_start);
	if (status == TENF_OK)
		status = remove_rejected(b);
	if (status == TENF_OK)
		*ret_epoch_start = epoch_start;
	else if (forget(b) != TENF_OK)
		status = lose_helper(b);
	return status;
}

/* ---- Flows -------------------------------------------------------------------------------- */

static bool find_flow(struct backend *backend, enum tenf_protocol protocol,
		      const struct tenf_endpoint *internal, const struct tenf_endpoint *remote,
		      struct tenf_endpoint *ret_external, uint32_t *ret_lifetime_s)
{
	struct nftables_backend *b = of(backend);
	const struct helper_flow flow = { (uint8_t)protocol, *internal, *remote };
	struct helper_found found = { .found = false };
	uint8_t staged[HELPER_HEAD + 64];
	struct tenf_writer w = tenf_writer_of(staged, sizeof(staged));
	struct helper_head head = { .kind = HELPER_FLOW, .number = ++b->number };
	struct tenf_reader body;

	/* A batch may be half written in `out`. */
	helper_write_head(&w, &head);
	helper_write_flow(&w, &flow);
	if (b->fd < 0 || send(b->fd, staged, w.used, MSG_NOSIGNAL) != (ssize_t)w.used ||
	    receive_answer(b, &head, &body) != TENF_OK || head.kind != HELPER_FOUND ||
	    helper_read_found(&body, &found) != TENF_OK || !found.found)
		return false;
	*ret_external = found.external;
	*ret_lifetime_s = found.lifetime_s;
	return true;
}

/* ---- News ---------------------------------------------------------------------------- */

static int fd_of(struct backend *backend)
{
	return of(backend)->fd;
}

static enum backend_news news(struct backend *backend)
{
	struct nftables_backend *b = of(backend);
	struct helper_head head;
	struct tenf_reader body;
	bool lost;

	while (receive_message(b, MSG_DONTWAIT, &head, &body) == TENF_OK) {
		if (head.kind == HELPER_NEWS)
			take_news(b, &body);
	}
	lost = b->lost;
	b->lost = false;
	if (b->fd < 0)
		return BACKEND_DEAD;
	return lost ? BACKEND_LOST : BACKEND_NOTHING;
}

/* ---- Life ----------------------------------------------------------------------------- */

static void close_nftables(struct backend *backend)
{
	struct nftables_backend *b = of(backend);
	struct helper_done done;

	if (b == NULL)
		return;
	begin_message(b);
	if (b->is_set_up && send_message(b, HELPER_CLOSE, false) == TENF_OK)
		(void)receive_done(b, &done);
	(void)lose_helper(b); /* it ends when nobody is left to talk to */
	if (b->pid > 0)
		(void)waitpid(b->pid, NULL, 0);
	free(b);
}

/* Nothing of the daemon's stays open in the helper but this and its standard error. */
static void become_helper(int fd, const char *user)
{
	int status;

	if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0) != 0)
		_exit(EXIT_FAILURE);
	status = helper_run(3, user);
	(void)fflush(stderr);
	_exit(status);
}

static bool start_helper(struct nftables_backend *b, const char *user, struct tenf_text *why)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		tenf_text_add(why, "no sockets for the helper: ");
		tenf_text_add(why, strerror(errno));
		return false;
	}
	(void)fflush(NULL); /* what waits there would be written twice */
	b->pid = fork();
	if (b->pid == 0)
		become_helper(pair[1], user);
	(void)close(pair[1]);
	b->fd = pair[0];
	if (b->pid < 0) {
		tenf_text_add(why, "cannot start the helper: ");
		tenf_text_add(why, strerror(errno));
	}
	return b->pid > 0;
}

/* What people should know though all is well, line by line. */
static void print_notes(char *rest)
{
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] != '\0')
			(void)fprintf(stderr, "tenforward-gatewayd: %s\n", line);
	}
}

static bool send_setup(struct nftables_backend *b, const struct helper_setup *setup,
		       bool *ret_fresh, struct tenf_text *why)
{
	struct helper_done done;

	begin_message(b);
	helper_write_setup(&b->out, setup);
	if (send_message(b, HELPER_SETUP, false) != TENF_OK || receive_done(b, &done) != TENF_OK) {
		tenf_text_add(why, "the helper that changes the packet path has ended; "
				   "Backend=nftables is started as root");
		return false;
	}
	begin_message(b);
	*ret_fresh = done.fresh;
	if (done.outcome == HELPER_OK) {
		b->is_set_up = true;
		print_notes(done.text);
		return true;
	}
	tenf_text_add(why, "the table inet tenforward cannot be made: ");
	tenf_text_add(why, done.text[0] != '\0' ? done.text : "the setup makes no sense");
	return false;
}

bool backend_nftables_set_up(struct backend *backend, const struct helper_setup *setup,
			     struct tenf_text *why)
{
	struct nftables_backend *b = of(backend);
	bool fresh;

	if (!send_setup(b, setup, &fresh, why))
		return false;
	b->lost |= fresh;
	return true;
}

static const struct backend_ops ops = {
	.name = "nftables", .filters_max = LEDGER_FILTERS_MAX, .peers = true,
	.stage = stage, .submit = submit, .commit = commit, .restore = restore,
	.flow = find_flow,
	.fd = fd_of, .news = news, .close = close_nftables,
};

bool backend_nftables_open(const struct helper_setup *setup, const char *user,
			   struct backend **ret, struct tenf_text *why)
{
	struct nftables_backend *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		tenf_text_add(why, "out of memory");
		return false;
	}
	b->base.ops = &ops;
	b->fd = -1;
	spin_init(&b->spin);
	if (!start_helper(b, user, why) || !send_setup(b, setup, &b->fresh, why)) {
		close_nftables(&b->base);
		return false;
	}
	*ret = &b->base;
	return true;
}

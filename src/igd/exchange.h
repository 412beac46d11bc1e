/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request to a gateway and its answer, by a connection of its own that
 * never blocks. The caller waits for the descriptor and calls step; an exchange
 * that is not done at its deadline has failed, however much is on its way.
 */
#ifndef TENF_IGD_EXCHANGE_H
#define TENF_IGD_EXCHANGE_H

#include "base/time.h"
#include "igd/http.h"
#include "igd/sockets.h"
#include "igd/url.h"

#define IGD_REQUEST_MAX 4096

enum igd_exchange_state {
	IGD_EXCHANGE_IDLE,
	IGD_EXCHANGE_CONNECTING,
	IGD_EXCHANGE_RECEIVING,
	IGD_EXCHANGE_DONE, /* see status */
};

struct igd_exchange {
	enum igd_exchange_state state;
	enum tenf_status status; /* when done; TENF_OK: the answer is whole */
	int fd;                  /* -1 when there is none */
	int poll_fd;             /* epoll set that `fd` is a member of */
	tenf_time deadline;
	struct igd_http answer;
	char request[IGD_REQUEST_MAX];
	size_t request_len;
	size_t sent;
};

/* `poll_fd` is an epoll set of the caller's. */
void igd_exchange_init(struct igd_exchange *x, int poll_fd);
/* Ends whatever is under way and frees the answer; the exchange is idle again. */
void igd_exchange_reset(struct igd_exchange *x);

/* A GET when `action` is NULL; else a SOAP request, with `action` in the header
 * and `body` behind it. What cannot be sent is done at once with its status. */
void igd_exchange_start(struct igd_exchange *x, const struct igd_way *way,
			const struct igd_url *url, const char *action, const char *body,
			tenf_time deadline);
/* Goes on as far as it can without waiting. Status when done: TENF_OK,
 * TENF_E_REFUSED, TENF_E_UNREACHABLE, TENF_E_AGAIN (the deadline passed),
 * TENF_E_TRUNCATED, TENF_E_MALFORMED, TENF_E_LIMIT, TENF_E_MEMORY, TENF_E_SYSTEM. */
void igd_exchange_step(struct igd_exchange *x, tenf_time now);

#endif

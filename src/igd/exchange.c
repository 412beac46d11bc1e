/* SPDX-License-Identifier: MIT */
#include "igd/exchange.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Reads of one step, so that a peer that sends and sends cannot hold it. */
#define READS_MAX 64

void igd_exchange_init(struct igd_exchange *x, int poll_fd)
{
	memset(x, 0, sizeof(*x));
	x->fd = -1;
	x->poll_fd = poll_fd;
	x->deadline = TENF_NEVER;
	igd_http_init(&x->answer);
}

static void hang_up(struct igd_exchange *x)
{
	if (x->fd >= 0)
		(void)close(x->fd); /* which takes it out of the set */
	x->fd = -1;
	x->deadline = TENF_NEVER;
}

void igd_exchange_reset(struct igd_exchange *x)
{
	hang_up(x);
	igd_http_done(&x->answer);
	x->state = IGD_EXCHANGE_IDLE;
}

static void finish(struct igd_exchange *x, enum tenf_status status)
{
	hang_up(x);
	x->state = IGD_EXCHANGE_DONE;
	x->status = status;
}

/* ---- The request -------------------------------------------------------------- */

static bool write_request(struct igd_exchange *x, const struct igd_url *url, const char *action,
			  const char *body)
{
	struct tenf_text t = tenf_text_of(x->request, sizeof(x->request));
	char host[TENF_ENDPOINT_TEXT];

	tenf_text_add(&t, action != NULL ? "POST " : "GET ");
	tenf_text_add(&t, url->path);
	tenf_text_add(&t, " HTTP/1.1\r\nHost: ");
	tenf_text_add(&t, tenf_endpoint_text(&url->at, host));
	tenf_text_add(&t, "\r\nUser-Agent: Linux UPnP/1.1 Ten Forward/" TENF_VERSION
			  "\r\nConnection: close\r\n");
	if (action != NULL) {
		tenf_text_add(&t, "Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"");
		tenf_text_add(&t, action);
		tenf_text_add(&t, "\"\r\nContent-Length: ");
		tenf_text_add_number(&t, strlen(body));
		tenf_text_add(&t, "\r\n");
	}
	tenf_text_add(&t, "\r\n");
	if (action != NULL)
		tenf_text_add(&t, body);
	x->request_len = t.used;
	return !t.cut;
}

static bool watch(struct igd_exchange *x, int how, uint32_t events)
{
	struct epoll_event event = { .events = events, .data = { .fd = x->fd } };

	return epoll_ctl(x->poll_fd, how, x->fd, &event) == 0;
}

static enum tenf_status start(struct igd_exchange *x, const struct igd_way *way,
			      const struct igd_url *url)
{
	union igd_sockaddr address;
	socklen_t len = igd_sockaddr_of(way, &url->at, &address);

	if (!tenf_address_equal(&url->at.address, &way->gateway))
		return TENF_E_ARGUMENT; /* nobody but the gateway is asked */
	x->fd = igd_socket_open(way, SOCK_STREAM);
	if (x->fd < 0)
		return igd_status_of(errno);
	if (connect(x->fd, &address.any, len) != 0 && errno != EINPROGRESS)
		return igd_status_of(errno);
	return watch(x, EPOLL_CTL_ADD, EPOLLOUT) ? TENF_OK : TENF_E_SYSTEM;
}

void igd_exchange_start(struct igd_exchange *x, const struct igd_way *way,
			const struct igd_url *url, const char *action, const char *body,
			tenf_time deadline)
{
	enum tenf_status status;

	igd_exchange_reset(x);
	x->deadline = deadline;
	x->sent = 0;
	x->state = IGD_EXCHANGE_CONNECTING;
	status = write_request(x, url, action, body) ? start(x, way, url) : TENF_E_LIMIT;
	if (status != TENF_OK)
		finish(x, status);
}

/* ---- Going on ------------------------------------------------------------------- */

static enum tenf_status send_rest(struct igd_exchange *x)
{
	while (x->sent < x->request_len) {
		ssize_t sent = send(x->fd, x->request + x->sent, x->request_len - x->sent,
				    MSG_NOSIGNAL);

		if (sent < 0 && errno != ENOTCONN)
			return igd_status_of(errno);
		if (sent < 0)
			return TENF_E_AGAIN;
		x->sent += (size_t)sent;
	}
	x->state = IGD_EXCHANGE_RECEIVING;
	return watch(x, EPOLL_CTL_MOD, EPOLLIN) ? TENF_OK : TENF_E_SYSTEM;
}

/* Devices write an answer in pieces and hold the next one back until the last is
 * acknowledged, which the kernel else does after 40 ms. */
static void acknowledge(const struct igd_exchange *x)
{
	int on = 1;

	(void)setsockopt(x->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static enum tenf_status receive(struct igd_exchange *x)
{
	char data[4096];

	acknowledge(x);
	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t got = recv(x->fd, data, sizeof(data), 0);
		enum tenf_status status;

		if (got < 0)
			return igd_status_of(errno);
		if (got == 0)
			return igd_http_close(&x->answer);
		status = igd_http_feed(&x->answer, data, (size_t)got);
		if (status != TENF_OK)
			return status;
		if (x->answer.state == IGD_HTTP_WHOLE)
			return TENF_OK;
	}
	return TENF_E_AGAIN;
}

void igd_exchange_step(struct igd_exchange *x, tenf_time now)
{
	enum tenf_status status = TENF_OK;

	if (x->state == IGD_EXCHANGE_CONNECTING)
		status = send_rest(x);
	if (x->state == IGD_EXCHANGE_RECEIVING && status == TENF_OK) {
		status = receive(x);
		if (status == TENF_OK)
			finish(x, TENF_OK);
	}
	if (x->state == IGD_EXCHANGE_IDLE || x->state == IGD_EXCHANGE_DONE)
		return;
	if (status != TENF_OK && status != TENF_E_AGAIN)
		finish(x, status);
	else if (now >= x->deadline)
		finish(x, TENF_E_AGAIN);
}

/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include "base/text.h"
#include "net/clock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define UP (3600 * TENF_SECOND) /* it has been running for an hour */

struct peer {
	pthread_t thread;
	pthread_mutex_t lock; /* around the responder */
	struct responder *responder;
	struct tenf_endpoint self;
	int fd;
	int stop[2];
	char text[64];
};

static int bind_port(uint32_t address, uint16_t *io_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(address) },
				 .sin_port = htons(*io_port) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*io_port = ntohs(a.sin_port);
	return fd;
}

static int bind_loopback(uint16_t *ret_port)
{
	*ret_port = 0;
	return bind_port(INADDR_LOOPBACK, ret_port);
}

static void write_text(char text[64], uint16_t port)
{
	struct tenf_text t = tenf_text_of(text, 64);

	tenf_text_add(&t, "127.0.0.1:");
	tenf_text_add_number(&t, port);
}

static struct responder *new_responder(const struct tenf_endpoint *self)
{
	bool loopback = tenf_address_is_loopback(&self->address);
	struct responder_link link = { .interface = 1, .address = *self };
	struct policy_rule rule = { .action = POLICY_ALLOW,
				    .external = { .at = { { 1024, 65535 } }, .count = 1 } };
	struct responder_config config;
	struct tenf_random random = net_random();
	struct responder *r = NULL;

	if (loopback)
		link.network = (struct tenf_prefix){ tenf_address_v4(0x7f000000), 104 };
	else
		link.network = (struct tenf_prefix){ tenf_address_none4, 96 };
	responder_config_init(&config);
	config.links = &link;
	config.link_count = 1;
	config.rules = &rule;
	config.rule_count = 1;
	config.external_address = tenf_address_v4(0xcb007107);
	assert_int_equal(responder_new(&config, &random, &tenf_memory_libc, net_now() - UP, &r),
			 TENF_OK);
	return r;
}

static void send_answers(struct peer *p)
{
	struct responder_change change;
	struct responder_datagram out;

	while (responder_next_change(p->responder, &change))
		;
	responder_committed(p->responder, TENF_OK, net_now());
	while (responder_next_send(p->responder, net_now(), &out)) {
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(out.to.port) };

		if (tenf_address_is_multicast(&out.to.address))
			continue; /* the tests share the real 5350 with others */
		memcpy(&to.sin_addr, out.to.address.octets + 12, 4);
		(void)!sendto(p->fd, out.data, out.len, 0, (struct sockaddr *)&to, sizeof(to));
	}
}

static void serve_one(struct peer *p)
{
	uint8_t data[RESPONDER_RECEIVE_MAX];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(p->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
			       &from_len);
	struct responder_datagram in = { .to = p->self, .interface = 1, .data = data };

	if (len < 0)
		return;
	in.len = (size_t)len;
	in.from.address = tenf_address_v4_octets(&from.sin_addr);
	in.from.port = ntohs(from.sin_port);
	(void)!responder_receive(p->responder, &in, net_now());
}

static void *serve(void *context)
{
	struct peer *p = context;
	struct pollfd fds[2] = { { .fd = p->fd, .events = POLLIN },
				 { .fd = p->stop[0], .events = POLLIN } };

	while (poll(fds, 2, -1) >= 0 && fds[1].revents == 0) {
		pthread_mutex_lock(&p->lock);
		responder_expire(p->responder, net_now());
		serve_one(p);
		send_answers(p);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

struct peer *peer_start_at(uint32_t address, uint16_t port)
{
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->self = (struct tenf_endpoint){ tenf_address_v4(address), port };
	p->fd = bind_port(address, &p->self.port);
	write_text(p->text, p->self.port);
	p->responder = new_responder(&p->self);
	assert_int_equal(pipe(p->stop), 0);
	assert_int_equal(pthread_mutex_init(&p->lock, NULL), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
	return p;
}

struct peer *peer_start(void)
{
	return peer_start_at(INADDR_LOOPBACK, 0);
}

void peer_stop(struct peer *p)
{
	assert_int_equal(write(p->stop[1], "", 1), 1);
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	pthread_mutex_destroy(&p->lock);
	responder_free(p->responder);
	close(p->stop[0]);
	close(p->stop[1]);
	close(p->fd);
	free(p);
}

const char *peer_address(const struct peer *p)
{
	return p->text;
}

void peer_quirks(struct peer *p, const struct responder_quirks *quirks)
{
	pthread_mutex_lock(&p->lock);
	responder_set_quirks(p->responder, quirks);
	pthread_mutex_unlock(&p->lock);
}

void peer_reboot(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	responder_reboot(p->responder, net_now());
	pthread_mutex_unlock(&p->lock);
}

size_t peer_count(struct peer *p)
{
	const struct ledger_mapping *m = NULL;
	size_t count = 0;

	pthread_mutex_lock(&p->lock);
	while ((m = responder_mappings(p->responder, m)) != NULL)
		count++;
	pthread_mutex_unlock(&p->lock);
	return count;
}

void peer_closed_port(char ret[64])
{
	uint16_t port;
	int fd = bind_loopback(&port);

	close(fd);
	write_text(ret, port);
}

void peer_silent_port(char ret[64], int *ret_fd)
{
	uint16_t port;

	*ret_fd = bind_loopback(&port);
	write_text(ret, port);
}

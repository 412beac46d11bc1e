/* SPDX-License-Identifier: MIT */
/* Sockets on the loopback address, and where links are found. */
#include "house.h"

#include "gateway/links.h"
#include "gateway/server.h"
#include "net/poll.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static struct tenf_endpoint loopback(unsigned last, uint16_t port)
{
	return (struct tenf_endpoint){ tenf_address_v4(0x7f000000u + last), port };
}

/* PCP-G-59: the address asked and the interface are known, the answer leaves by both */
static void a_datagram_comes_with_its_place_and_goes_back(void **state)
{
	struct tenf_endpoint here = loopback(1, 0);
	struct tenf_endpoint there = loopback(2, 0);
	struct server_in *in = server_in_new();
	struct server_out *out = server_out_new();
	const struct responder_datagram *got;
	struct responder_datagram d;
	const uint8_t data[60] = { 1, 2, 3 };
	int gateway;
	int client;

	(void)state;
	assert_int_equal(server_open(&here, &gateway, &here, NULL), TENF_OK);
	assert_int_equal(server_open(&there, &client, &there, NULL), TENF_OK);
	assert_int_not_equal(here.port, 0);
	assert_int_equal(server_receive(gateway, &here, in, &got), 0);

	d = (struct responder_datagram){ .from = there, .to = here, .data = data, .len = 60 };
	server_send(out, client, &d);
	server_send(out, client, &d);
	server_flush(out);
	assert_true(net_wait(gateway, PATIENCE_MS));
	assert_int_equal(server_receive(gateway, &here, in, &got), 2);
	assert_true(tenf_endpoint_equal(&got[1].from, &there));
	assert_true(tenf_endpoint_equal(&got[1].to, &here));
	assert_int_equal(got[1].interface, 1);
	assert_int_equal(got[1].len, 60);
	assert_memory_equal(got[1].data, data, 60);

	d = got[0];
	d.to = there;
	d.from = here;
	server_send(out, gateway, &d);
	server_flush(out);
	assert_true(net_wait(client, PATIENCE_MS));
	assert_int_equal(server_receive(client, &there, in, &got), 1);
	assert_true(tenf_endpoint_equal(&got[0].from, &here));

	(void)close(gateway);
	(void)close(client);
	server_in_free(in);
	server_out_free(out);
}

/* ---- Many at once ------------------------------------------------------ */

struct pair {
	struct tenf_endpoint here;
	struct tenf_endpoint there[2];
	int gateway;
	int clients[2];
	struct server_in *in;
	struct server_out *out;
	const struct responder_datagram *got;
	size_t got_count;
	size_t got_next;
};

static void open_pair(struct pair *p, bool v4)
{
	const struct tenf_endpoint v6 = { { { [15] = 1 } }, 0 };

	*p = (struct pair){ .here = v4 ? loopback(1, 0) : v6,
			    .there = { v4 ? loopback(2, 0) : v6, v4 ? loopback(3, 0) : v6 },
			    .in = server_in_new(), .out = server_out_new() };
	assert_int_equal(server_open(&p->here, &p->gateway, &p->here, NULL), TENF_OK);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(server_open(&p->there[i], &p->clients[i], &p->there[i], NULL),
				 TENF_OK);
}

static void close_pair(struct pair *p)
{
	(void)close(p->gateway);
	(void)close(p->clients[0]);
	(void)close(p->clients[1]);
	server_in_free(p->in);
	server_out_free(p->out);
}

/* Its number stands in it from end to end. */
static void send_numbered(struct pair *p, unsigned who, uint8_t number, size_t len)
{
	uint8_t data[PCP_MAX];
	const struct responder_datagram d = { .from = p->here, .to = p->there[who],
					      .interface = 1, .data = data, .len = len };

	memset(data, number, len);
	server_send(p->out, p->gateway, &d);
}

static void expect_numbered(struct pair *p, unsigned who, uint8_t number, size_t len)
{
	const struct responder_datagram *d;

	if (p->got_next == p->got_count) {
		assert_true(net_wait(p->clients[who], PATIENCE_MS));
		p->got_count = server_receive(p->clients[who], &p->there[who], p->in, &p->got);
		p->got_next = 0;
		assert_true(p->got_count > 0);
	}
	d = &p->got[p->got_next++];
	assert_true(tenf_endpoint_equal(&d->from, &p->here));
	assert_int_equal(d->len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(d->data[i], number);
}

/* SERVER_BATCH, and the octets of one joined message, are reached. */
static void expect_each_by_itself(bool v4)
{
	static const size_t sizes[] = { 16, 60, PCP_MAX };
	struct pair p;

	open_pair(&p, v4);
	for (size_t i = 0; i < TENF_ARRAY_SIZE(sizes); i++) {
		for (uint8_t number = 0; number < 2 * SERVER_BATCH + 2; number++)
			send_numbered(&p, 0, number, sizes[i]);
		server_flush(p.out);
		for (uint8_t number = 0; number < 2 * SERVER_BATCH + 2; number++)
			expect_numbered(&p, 0, number, sizes[i]);
	}
	assert_int_equal(server_receive(p.clients[0], &p.there[0], p.in, &p.got), 0);
	close_pair(&p);
}

static void many_answers_to_one_host_arrive_each_by_itself(void **state)
{
	(void)state;
	expect_each_by_itself(true);
}

static void over_ipv6_too(void **state)
{
	const struct tenf_endpoint v6 = { { { [15] = 1 } }, 0 };
	struct tenf_endpoint bound;
	int fd;

	(void)state;
	if (server_open(&v6, &fd, &bound, NULL) != TENF_OK) {
		print_message("# skip: no IPv6 here\n");
		skip();
	}
	(void)close(fd);
	expect_each_by_itself(false);
}

/* Who it is for and how long it is: 0 0 0 1 1 1, short and long by turns of four. */
static void answers_of_other_sizes_and_to_others_keep_their_order(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, true);
	for (uint8_t number = 0; number < 60; number++)
		send_numbered(&p, number / 3 % 2, number, number / 4 % 2 ? 24 : 16);
	server_flush(p.out);
	for (unsigned who = 0; who < 2; who++) {
		for (uint8_t number = 0; number < 60; number++) {
			if (number / 3 % 2 == who)
				expect_numbered(&p, who, number, number / 4 % 2 ? 24 : 16);
		}
		assert_int_equal(p.got_next, p.got_count);
	}
	close_pair(&p);
}

/* Without checksums the kernel takes no joined ones, as behind some tunnels. */
static void answers_that_cannot_be_joined_go_one_by_one(void **state)
{
	const int on = 1;
	struct pair p;

	(void)state;
	open_pair(&p, true);
	assert_int_equal(setsockopt(p.gateway, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
	for (uint8_t number = 0; number < 20; number++)
		send_numbered(&p, number == 10, number, 16);
	server_flush(p.out);
	for (uint8_t number = 0; number < 20; number++) {
		if (number != 10)
			expect_numbered(&p, 0, number, 16);
	}
	assert_int_equal(p.got_next, p.got_count);
	expect_numbered(&p, 1, 10, 16);
	close_pair(&p);
}

static void an_address_in_use_is_told(void **state)
{
	struct tenf_endpoint here = loopback(1, 0);
	struct net_error error = { 0 };
	int first;
	int second;

	(void)state;
	assert_int_equal(server_open(&here, &first, &here, NULL), TENF_OK);
	assert_int_not_equal(server_open(&here, &second, &here, &error), TENF_OK);
	assert_string_equal(error.call, "bind");
	(void)close(first);
}

static bool find(const struct gateway_config *config, struct links *ret, char *why, size_t size)
{
	struct tenf_text text = tenf_text_of(why, size);

	return links_find(config, ret, &text);
}

static void links_are_found_by_address_and_by_interface(void **state)
{
	static struct gateway_config config;
	char why[300];
	struct links links;
	bool seen = false;

	(void)state;
	memset(&config, 0, sizeof(config));
	assert_true(find(&config, &links, why, sizeof(why)));
	assert_int_equal(links.count, 1);
	assert_int_equal(links.at[0].interface, 1);
	assert_int_equal(links.at[0].address.port, 5351);
	assert_int_equal(links.at[0].network.length, 104);
	assert_string_equal(links.names[0], "lo");

	memcpy(config.internal.at[0], "lo", 3);
	config.internal.count = 1;
	assert_true(find(&config, &links, why, sizeof(why)));
	for (size_t i = 0; i < links.count; i++)
		seen |= tenf_address_is_v4(&links.at[i].address.address);
	assert_true(seen);

	config.listen[0] = loopback(77, 0);
	config.listen_count = 1;
	assert_true(find(&config, &links, why, sizeof(why)));
	assert_true(tenf_endpoint_equal(&links.at[0].address, &config.listen[0]));
	config.external = config.internal;
	assert_false(find(&config, &links, why, sizeof(why)));
	assert_non_null(strstr(why, "is the external one"));
}

static void the_external_address_is_said_found_or_assumed(void **state)
{
	static struct gateway_config config;
	const struct tenf_address test_net = tenf_address_v4(0xcb007101);
	const struct tenf_address local = tenf_address_v4(0x7f000001);
	struct tenf_address found;

	(void)state;
	memset(&config, 0, sizeof(config));
	found = links_external_address(&config);
	assert_true(tenf_address_equal(&found, &test_net));
	memcpy(config.external.at[0], "lo", 3);
	config.external.count = 1;
	found = links_external_address(&config);
	assert_true(tenf_address_equal(&found, &local));
	memcpy(config.external.at[0], "nosuch0", 8);
	found = links_external_address(&config);
	assert_true(tenf_address_is_none(&found));
	config.has_external_address = true;
	config.external_address = house_external;
	found = links_external_address(&config);
	assert_true(tenf_address_equal(&found, &house_external));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_comes_with_its_place_and_goes_back),
		cmocka_unit_test(many_answers_to_one_host_arrive_each_by_itself),
		cmocka_unit_test(over_ipv6_too),
		cmocka_unit_test(answers_of_other_sizes_and_to_others_keep_their_order),
		cmocka_unit_test(answers_that_cannot_be_joined_go_one_by_one),
		cmocka_unit_test(an_address_in_use_is_told),
		cmocka_unit_test(links_are_found_by_address_and_by_interface),
		cmocka_unit_test(the_external_address_is_said_found_or_assumed),
	};

	return cmocka_run_group_tests_name("gateway sockets", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct tenf_endpoint endpoint(const char *text)
{
	struct tenf_endpoint e;

	assert_true(tenf_endpoint_parse(text, 0, &e));
	return e;
}

static void endpoints_survive_the_way_there_and_back(void **state)
{
	static const char *const texts[] = { "192.0.2.1:5351", "[2001:db8::1]:5351",
					     "[fe80::1]:1", "0.0.0.0:9" };
	union net_sockaddr address;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(texts); i++) {
		struct tenf_endpoint before = endpoint(texts[i]);
		struct tenf_endpoint after;

		(void)net_sockaddr_of(&before, 0, &address);
		after = net_endpoint_of(&address);
		assert_true(tenf_endpoint_equal(&before, &after));
	}
}

static void the_kernel_gets_network_order_and_the_right_length(void **state)
{
	static const uint8_t octets[4] = { 192, 0, 2, 1 };
	struct tenf_endpoint e = endpoint("192.0.2.1:5351");
	union net_sockaddr address;

	(void)state;
	assert_int_equal(net_sockaddr_of(&e, 7, &address), sizeof(struct sockaddr_in));
	assert_int_equal(address.v4.sin_port, htons(5351));
	assert_memory_equal(&address.v4.sin_addr, octets, 4);
	e = endpoint("[::1]:1");
	assert_int_equal(net_sockaddr_of(&e, 7, &address), sizeof(struct sockaddr_in6));
}

static void the_scope_is_for_link_local_addresses_alone(void **state)
{
	struct tenf_endpoint local = endpoint("[fe80::1]:5351");
	struct tenf_endpoint global = endpoint("[2001:db8::1]:5351");
	union net_sockaddr address;

	(void)state;
	(void)net_sockaddr_of(&local, 7, &address);
	assert_int_equal(address.v6.sin6_scope_id, 7);
	(void)net_sockaddr_of(&global, 7, &address);
	assert_int_equal(address.v6.sin6_scope_id, 0);
}

static void other_families_have_no_address(void **state)
{
	struct sockaddr unix_socket = { .sa_family = AF_UNIX };
	union net_sockaddr none = { .any.sa_family = AF_UNSPEC };
	struct tenf_address a = endpoint("192.0.2.1").address;
	struct tenf_endpoint e = net_endpoint_of(&none);

	(void)state;
	assert_false(net_address_of(NULL, &a));
	assert_false(net_address_of(&unix_socket, &a));
	assert_int_equal(tenf_address_to_v4(&a), 0xc0000201);
	assert_true(tenf_address_is_none(&e.address));
	assert_int_equal(e.port, 0);
}

static void errnos_say_what_the_caller_can_do(void **state)
{
	struct net_error error = { 0 };

	(void)state;
	assert_int_equal(net_status_of(EAGAIN), TENF_E_AGAIN);
	assert_int_equal(net_status_of(ENOBUFS), TENF_E_AGAIN);
	assert_int_equal(net_status_of(ECONNREFUSED), TENF_E_REFUSED);
	assert_int_equal(net_status_of(EHOSTUNREACH), TENF_E_UNREACHABLE);
	assert_int_equal(net_status_of(ENETDOWN), TENF_E_UNREACHABLE);
	assert_int_equal(net_status_of(EPERM), TENF_E_UNREACHABLE);
	assert_int_equal(net_status_of(ENOMEM), TENF_E_MEMORY);
	assert_int_equal(net_status_of(EBADF), TENF_E_SYSTEM);
	errno = ENETUNREACH;
	assert_int_equal(net_fail(&error, "connect"), TENF_E_UNREACHABLE);
	assert_string_equal(error.call, "connect");
	assert_int_equal(error.code, ENETUNREACH);
	errno = EBADF;
	assert_int_equal(net_fail(NULL, "connect"), TENF_E_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_survive_the_way_there_and_back),
		cmocka_unit_test(the_kernel_gets_network_order_and_the_right_length),
		cmocka_unit_test(the_scope_is_for_link_local_addresses_alone),
		cmocka_unit_test(other_families_have_no_address),
		cmocka_unit_test(errnos_say_what_the_caller_can_do),
	};

	return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <string.h>

static void set_answer(void)
{
	for (size_t i = 0; i < 18; i++)
		fake.answer[i] = (uint8_t)(0x80 + i);
	fake.answer_len = 18;
}

static void request_and_answer_are_shown_in_hex_and_decoded(void **state)
{
	struct command c;

	(void)state;
	set_answer();
	c = command("raw hex '00 00'");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out,
			    "request to 192.168.1.1:5351, 2 octets\n"
			    "  00 00\n"
			    "  version: 0\n"
			    "  length: 2\n"
			    "answer after 0.8 ms, 18 octets\n"
			    "  80 81 82 83 84 85 86 87 88 89 8a 8b 8c 8d 8e 8f\n"
			    "  90 91\n"
			    "  version: 128\n"
			    "  length: 18\n");
	assert_int_equal(fake.raw_len, 2);
}

static void json_has_hex_and_fields(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	set_answer();
	c = command("raw --json natpmp-address");
	root = command_json(&c);
	assert_int_equal(c.status, 0);
	assert_string_equal(json_string_value(command_at(root, "gateway")), "192.168.1.1");
	assert_string_equal(json_string_value(command_at(root, "request.hex")), "0000");
	assert_string_equal(json_string_value(command_at(root, "answer.hex")),
			    "808182838485868788898a8b8c8d8e8f9091");
	assert_string_equal(json_string_value(command_at(root, "answer.fields.0.field")),
			    "version");
	assert_string_equal(json_string_value(command_at(root, "answer.fields.0.value")), "128");
	assert_true(json_is_null(command_at(root, "error")));
	json_decref(root);
}

static void every_part_of_a_request_can_be_said(void **state)
{
	(void)state;
	set_answer();
	assert_int_equal(command("raw pcp-peer 80:8080/udp --lifetime 0 --exact "
				 "--nonce 000102030405060708090A0B --client 10.0.0.1 "
				 "--suggest 203.0.113.9 --remote 198.51.100.7:443")
				 .status,
			 0);
	assert_int_equal(fake.raw.kind, TENF_RAW_PCP_PEER);
	assert_int_equal(fake.raw.protocol, TENF_UDP);
	assert_int_equal(fake.raw.internal_port, 8080);
	assert_int_equal(fake.raw.external_port, 80);
	assert_int_equal(fake.raw.lifetime_s, 0);
	assert_int_equal(fake.raw.remote_port, 443);
	assert_true(fake.raw.prefer_failure);
	assert_non_null(fake.raw.nonce);
	assert_non_null(fake.raw.client);
	assert_non_null(fake.raw.external_address);
}

static void silence_shows_the_request_and_is_told(void **state)
{
	struct command c;
	json_t *root;

	(void)state;
	fake.status = TENF_E_FAILED;
	fake.error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1 };
	c = command("raw pcp-announce --json");
	root = command_json(&c);
	assert_int_equal(c.status, 4);
	assert_true(json_is_null(command_at(root, "answer")));
	assert_true(json_is_null(command_at(root, "rtt_ms")));
	assert_string_equal(json_string_value(command_at(root, "error.code")), "silent");
	json_decref(root);
	fake.error.reason = TENF_REASON_NO_SERVICE;
	c = command("raw pcp-map 80");
	assert_int_equal(c.status, 5);
	assert_non_null(strstr(c.out, "request to 192.168.1.1:5351, 2 octets"));
	assert_null(strstr(c.out, "answer"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_and_answer_are_shown_in_hex_and_decoded),
		TEST(json_has_hex_and_fields),
		TEST(every_part_of_a_request_can_be_said),
		TEST(silence_shows_the_request_and_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The small parts: exit statuses, near words, moments, completion scripts. */
#include "command.h"

#include "cli/exit-status.h"
#include "base/nearest.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void every_status_and_reason_has_its_exit_status(void **state)
{
	(void)state;
	assert_int_equal(cli_exit_of_status(TENF_OK, TENF_REASON_SILENT), 0);
	assert_int_equal(cli_exit_of_status(TENF_E_ARGUMENT, TENF_REASON_NONE), 2);
	assert_int_equal(cli_exit_of_status(TENF_E_FAILED, TENF_REASON_REFUSED), 6);
	assert_int_equal(cli_exit_of_status(TENF_E_FAILED, TENF_REASON_NONE), 1);
	assert_int_equal(cli_exit_of_status(TENF_E_MEMORY, TENF_REASON_NONE), 1);
	assert_int_equal(cli_exit_of_status(TENF_E_UNREACHABLE, TENF_REASON_NONE), 3);
	assert_int_equal(cli_exit_of_status(TENF_E_REFUSED, TENF_REASON_NONE), 5);
	assert_int_equal(cli_exit_of_reason(TENF_REASON_OTHER_PORT), 9);
	assert_int_equal(CLI_EXIT_NO_DAEMON, 10);
	assert_int_equal(CLI_EXIT_CLOSED, 11);
	assert_int_equal(cli_exit_worse(4, 6), 6);
	assert_int_equal(cli_exit_worse(6, 4), 6);
}

static const char *nearest_of(const char *word)
{
	struct tenf_nearest near = tenf_nearest_to(word, strlen(word));

	tenf_nearest_try(&near, "add");
	tenf_nearest_try(&near, "remove");
	tenf_nearest_try(&near, "monitor");
	return near.best;
}

static void near_words_are_found_and_far_ones_are_not(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("ad"), "add");
	assert_string_equal(nearest_of("rmove"), "remove");
	assert_string_equal(nearest_of("removve"), "remove");
	assert_string_equal(nearest_of("moniotr"), "monitor");
	assert_null(nearest_of("open"));
	assert_null(nearest_of(""));
	assert_null(nearest_of("a-word-longer-than-every-word-that-is-known"));
}

static void expect_moment(int64_t now, int64_t at, const char *expected)
{
	char text[40];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	output_moment(&t, now, at);
	assert_string_equal(text, expected);
}

static void moments_are_as_short_as_they_are_clear(void **state)
{
	int64_t day = 86400;

	(void)state;
	expect_moment(FAKE_NOW, FAKE_NOW + 7200, "11:03");
	expect_moment(FAKE_NOW, FAKE_NOW + day, "tomorrow 09:03");
	expect_moment(FAKE_NOW, FAKE_NOW + 2 * day, "2026-11-24 09:03");
	assert_int_equal(setenv("TZ", "EST-5", 1), 0);
	tzset();
	expect_moment(FAKE_NOW, FAKE_NOW, "14:03");
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
}

static void what_mappings_are_called(void **state)
{
	char text[80];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	(void)state;
	output_forward(&t, 0, 51413, TENF_BOTH);
	tenf_text_add(&t, " ");
	output_forward(&t, 80, 8080, TENF_TCP);
	tenf_text_add(&t, " ");
	output_forward(&t, 80, 80, TENF_UDP);
	tenf_text_add(&t, " ");
	output_endpoint(&t, "2001:db8::1", 80, "udp");
	assert_string_equal(text, "any:51413/both 80:8080/tcp 80/udp [2001:db8::1]:80/udp");
}

static void widths_are_counted_in_letters(void **state)
{
	(void)state;
	assert_int_equal(output_width("→ €"), 3);
	assert_int_equal(output_width(""), 0);
}

static void long_sentences_are_wrapped_behind_a_sentence_or_a_word(void **state)
{
	char *text = NULL;
	size_t len;
	struct cli cli = { .out = open_memstream(&text, &len) };

	(void)state;
	assert_non_null(cli.out);
	output_wrapped(&cli, cli.out, OUTPUT_PLAIN, 2,
		       "No answer from 192.168.1.1 within 5 s. The router may have port mapping "
		       "switched off, or a firewall drops the answers that come from it.");
	output_wrapped(&cli, cli.out, OUTPUT_PLAIN, 0, "short.\nand shorter");
	output_wrapped(&cli, cli.out, OUTPUT_PLAIN, 0,
		       "1234567890123456789012345678901234567890123456789012345678901234567890"
		       "12345678901234567890123456789012345678901234567890");
	fclose(cli.out);
	assert_string_equal(
		text, "No answer from 192.168.1.1 within 5 s.\n"
		      "  The router may have port mapping switched off, or a firewall drops the "
		      "answers that come from it.\n"
		      "short.\nand shorter\n"
		      "1234567890123456789012345678901234567890123456789012345678901234567890"
		      "123456789012345678901234567890\n"
		      "12345678901234567890\n");
	free(text);
}

static void only_a_terminal_is_coloured(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	assert_false(output_is_colored(file));
	fclose(file);
}

static void colour_follows_its_stream_and_is_taken_back(void **state)
{
	char *text = NULL;
	size_t len;
	struct cli cli = { .out = open_memstream(&text, &len), .color_out = true };

	(void)state;
	assert_non_null(cli.out);
	output_text(&cli, cli.out, OUTPUT_GREEN, "held");
	output_text(&cli, cli.out, OUTPUT_PLAIN, " plain");
	cli.color_out = false;
	output_text(&cli, cli.out, OUTPUT_RED, " none");
	fclose(cli.out);
	assert_string_equal(text, "\033[32mheld\033[0m plain none");
	free(text);
}

static void completion_knows_every_verb_and_its_options(void **state)
{
	static const char *const shells[] = { "completion bash", "completion zsh",
					      "completion fish" };
	static const char *const known[] = { "discover", "remove",    "on-change", "port-file",
					     "natpmp",	 "interface", "pcp-peer",  "lifetime" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct command c = command(shells[i]);

		assert_int_equal(c.status, 0);
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
			if (strstr(c.out, known[k]) == NULL)
				fail_msg("%s: no %s", shells[i], known[k]);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_status_and_reason_has_its_exit_status),
		TEST(near_words_are_found_and_far_ones_are_not),
		TEST(moments_are_as_short_as_they_are_clear),
		TEST(what_mappings_are_called),
		TEST(widths_are_counted_in_letters),
		TEST(long_sentences_are_wrapped_behind_a_sentence_or_a_word),
		TEST(only_a_terminal_is_coloured),
		TEST(colour_follows_its_stream_and_is_taken_back),
		TEST(completion_knows_every_verb_and_its_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

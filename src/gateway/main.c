/* SPDX-License-Identifier: MIT */
/* tenforward-gatewayd: the command line. */
#include "gateway/config.h"
#include "gateway/daemon.h"
#include "gateway/rights.h"
#include "service/service.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/tenforward/gateway.conf"
#define WHY_MAX 1024

enum { EXIT_USAGE = 2 };

struct arguments {
	const char *config;
	bool check;
	int ready_fd; /* -1: none */
};

static void print_help(void)
{
	(void)printf(
		"Usage: tenforward-gatewayd [--config FILE] [--check-config] [--ready-fd N]\n"
		"\n"
		"Serves NAT-PMP and PCP: hosts ask for open ports, the rules of FILE decide.\n"
		"\n"
		"  --config FILE   the configuration, " DEFAULT_CONFIG " by default\n"
		"  --check-config  says what is wrong with it, or that nothing is, and ends\n"
		"  --ready-fd N    writes the lines about listening to descriptor N when ready\n"
		"  --help          this text\n"
		"  --version       the version\n"
		"\n"
		"Example: a gateway to test programs with, no root needed\n"
		"  printf '[Gateway]\\nBackend=memory\\nListen=127.0.0.1:5351\\n"
		"[Rule]\\nAction=allow\\n' > test.conf\n"
		"  tenforward-gatewayd --config test.conf\n"
		"\n"
		"See tenforward-gatewayd(8) and tenforward-gateway.conf(5).\n");
}

static bool parse_fd(const char *text, int *ret)
{
	uint64_t fd;

	if (!tenf_text_number(text, strlen(text), 65535, &fd))
		return false;
	*ret = (int)fd;
	return true;
}

/* Does --help and --version itself. False with the exit status. */
static bool parse_arguments(int argc, char **argv, struct arguments *ret, int *ret_status)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret = (struct arguments){ .config = DEFAULT_CONFIG, .ready_fd = -1 };
	*ret_status = EXIT_USAGE;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret->config = optarg;
			break;
		case 'k':
			ret->check = true;
			break;
		case 'r':
			if (!parse_fd(optarg, &ret->ready_fd)) {
				(void)fprintf(stderr, "tenforward-gatewayd: --ready-fd takes the "
						      "number of an open descriptor, such as 3\n");
				return false;
			}
			break;
		case 'h':
			print_help();
			*ret_status = EXIT_SUCCESS;
			return false;
		case 'V':
			(void)printf("tenforward-gatewayd " TENF_VERSION "\n");
			*ret_status = EXIT_SUCCESS;
			return false;
		default:
			(void)fprintf(stderr, "Try: tenforward-gatewayd --help\n");
			return false;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "tenforward-gatewayd: \"%s\" is not an option; the file goes "
				      "behind --config\n", argv[optind]);
		return false;
	}
	return true;
}

static void warn(const char *text)
{
	(void)fprintf(stderr, "tenforward-gatewayd: %s\n", text);
}

static void print_notes(const struct gateway_config *config)
{
	if (config->rule_count == 0)
		warn("there is no [Rule], so every request for a port is refused");
	if (config->backend == CONFIG_NFTABLES && config->state[0] == '\0')
		warn("there is no State=, so a restart forgets what was revoked, approved and "
		     "denied; State=/var/lib/tenforward keeps it");
}

/* What could not be given up is told, line by line. */
static bool give_up_rights(const struct gateway_config *config)
{
	char notes_buffer[WHY_MAX];
	char buffer[WHY_MAX];
	struct tenf_text notes = tenf_text_of(notes_buffer, sizeof(notes_buffer));
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));
	bool good = rights_daemon(config->user, &notes, &why);
	char *rest = notes_buffer;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] != '\0')
			warn(line);
	}
	if (!good)
		warn(buffer);
	return good;
}

static void tell_ready(const struct daemon *d, int ready_fd)
{
	for (size_t i = 0; i < daemon_link_count(d); i++) {
		char line[WHY_MAX];
		struct tenf_text text = tenf_text_of(line, sizeof(line));

		daemon_describe(d, i, &text);
		(void)fprintf(stderr, "%s\n", line);
		if (ready_fd >= 0)
			(void)dprintf(ready_fd, "%s\n", line);
	}
	if (daemon_link_count(d) == 0)
		warn("Protocols=none: nothing is served");
	(void)fflush(stderr);
	if (ready_fd >= 0)
		(void)close(ready_fd);
}

static int serve(const struct gateway_config *config, int ready_fd)
{
	char buffer[WHY_MAX];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));
	struct daemon *d;
	bool good;

	if (!daemon_new(config, &d, &why)) {
		warn(buffer);
		return EXIT_FAILURE;
	}
	good = give_up_rights(config);
	if (good) {
		tell_ready(d, ready_fd);
		service_status("serving");
		service_tell(SERVICE_READY);
		good = daemon_run(d);
		service_tell(SERVICE_STOPPING);
	}
	daemon_free(d);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static char stderr_buffer[1 << 16];
	char buffer[WHY_MAX];
	struct tenf_text why = tenf_text_of(buffer, sizeof(buffer));
	struct gateway_config *config;
	struct arguments arguments;
	int status;

	if (!parse_arguments(argc, argv, &arguments, &status))
		return status;
	config = calloc(1, sizeof(*config));
	if (config == NULL || !config_read(arguments.config, config, &why)) {
		warn(config == NULL ? "out of memory" : buffer);
		free(config);
		return EXIT_FAILURE;
	}
	/* A burst of decisions is one write. */
	(void)setvbuf(stderr, stderr_buffer, _IOFBF, sizeof(stderr_buffer));
	print_notes(config);
	if (arguments.check)
		(void)printf("%s: nothing is wrong\n", arguments.config);
	(void)signal(SIGPIPE, SIG_IGN); /* who is written to may be gone: clerk, log */
	status = arguments.check ? EXIT_SUCCESS : serve(config, arguments.ready_fd);
	free(config);
	return status;
}

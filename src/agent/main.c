/* SPDX-License-Identifier: MIT */
#include "agent/daemon.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
	"Usage: tenforwardd [--config FILE] [--check-config] [--ready-fd N]\n"
	"\n"
	"Holds declared port mappings for ever and tells applications when they change.\n"
	"\n"
	"  --config FILE   the configuration; /etc/tenforward/agent.conf for root, else\n"
	"                  ~/.config/tenforward/agent.conf; none is needed when the\n"
	"                  environment configures (TENFORWARD_FORWARD=8080/tcp)\n"
	"  --check-config  says what is wrong with it, or that nothing is, and ends\n"
	"  --ready-fd N    writes a line to descriptor N when it serves\n"
	"  --help          this text\n"
	"  --version       the version\n"
	"\n"
	"Example: one port, without a file\n"
	"  TENFORWARD_FORWARD=any:51413/both tenforwardd\n"
	"\n"
	"See tenforwardd(8) and tenforward-agent.conf(5).\n";

static int usage(const char *problem, const char *value)
{
	fprintf(stderr, "tenforwardd: %s \"%s\"; see: tenforwardd --help\n", problem, value);
	return 2;
}

static int check_config(const char *path)
{
	struct agent_config config;
	struct config_mistake mistake;
	char text[CONFIG_MISTAKE_SIZE];

	if (!config_read(path, &config, &mistake)) {
		config_mistake_text(&mistake, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		return 2;
	}
	printf("%s is right; mappings: %zu, hooks: %zu, connectors: %zu\n",
	       path != NULL ? path : "the environment", config.mapping_count, config.hook_count,
	       config.connector_count);
	config_done(&config);
	return 0;
}

int main(int argc, char **argv)
{
	static char default_path[PATH_MAX];
	struct daemon_options options = { .ready_fd = -1 };
	bool check = false;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		uint64_t number;

		if (strcmp(argv[i], "--help") == 0) {
			fputs(usage_text, stdout);
			return 0;
		} else if (strcmp(argv[i], "--version") == 0) {
			printf("tenforwardd %s\n", tenf_version());
			return 0;
		} else if (strcmp(argv[i], "--check-config") == 0) {
			check = true;
		} else if (strcmp(argv[i], "--config") == 0 && value != NULL) {
			options.config = argv[++i];
		} else if (strcmp(argv[i], "--ready-fd") == 0 && value != NULL) {
			if (!tenf_text_number(value, strlen(value), 1023, &number))
				return usage("not a descriptor:", value);
			options.ready_fd = (int)number;
			i++;
		} else {
			return usage("unknown or incomplete option", argv[i]);
		}
	}
	if (options.config == NULL) {
		config_default_path(default_path, sizeof(default_path));
		if (access(default_path, F_OK) == 0)
			options.config = default_path;
	}
	return check ? check_config(options.config) : daemon_run(&options);
}

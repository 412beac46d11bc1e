/* SPDX-License-Identifier: MIT */
/* Opens one port for two hours, in one call: open-port PORT [GATEWAY] */
#include <tenforward/tenforward.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct tenf_options options;
	struct tenf_request request;
	struct tenf_mapping mapping;
	struct tenf_error error;

	tenf_options_init(&options);
	tenf_request_init(&request);
	if (argc > 2)
		options.gateway = argv[2];
	request.internal_port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0);
	request.external_port = request.internal_port;
	if (tenf_open_port(&options, &request, &mapping, &error) != TENF_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	printf("%s:%u\n", mapping.external_address, mapping.external_port);
	return 0;
}

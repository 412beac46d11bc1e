/* SPDX-License-Identifier: MIT */
#include "host/host.h"

#include "host/ask.h"
#include "host/firewall.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int read_network(struct host_network *network)
{
	static const uint16_t questions[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE };
	int error = 0;

	for (size_t i = 0; error == 0 && i < TENF_ARRAY_SIZE(questions); i++)
		error = host_ask_network(questions[i], network);
	return error;
}

static int read_sockets(struct host_sockets *sockets)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int error = 0;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(families); i++) {
		if (error == 0)
			error = host_ask_sockets(families[i], TENF_TCP, sockets);
		if (error == 0)
			error = host_ask_sockets(families[i], TENF_UDP, sockets);
	}
	return error;
}

struct host *host_new(bool programs, bool firewall)
{
	struct host *host = calloc(1, sizeof(*host));

	if (host == NULL)
		return NULL;
	host->network_error = read_network(&host->network);
	host->sockets_error = read_sockets(&host->sockets);
	if (programs)
		host->unknown_programs = host_programs_find(&host->sockets);
	if (firewall)
		host->ruleset = host_firewall_read(host->firewall_error,
						   sizeof(host->firewall_error));
	return host;
}

void host_done(struct host *host)
{
	if (host == NULL)
		return;
	host_sockets_done(&host->sockets);
	json_decref(host->ruleset);
	free(host);
}

enum host_verdict host_firewall_judge(const struct host *host, const struct host_packet *packet,
				      struct tenf_text *because)
{
	if (host->ruleset != NULL)
		return host_rules_judge(host->ruleset, packet, because);
	if (because != NULL)
		tenf_text_add(because, host->firewall_error);
	return HOST_UNREADABLE;
}

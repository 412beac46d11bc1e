/* SPDX-License-Identifier: MIT */
#include "agent/firewall.h"

#include "agent/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#ifdef TENF_HAVE_NFTABLES
#include <nftables/libnftables.h>
#endif
#ifdef TENF_HAVE_SYSTEMD
#include <systemd/sd-bus.h>
#endif

static const char *protocol_of(const struct tenf_mapping *m)
{
	return m->protocol == TENF_UDP ? "udp" : "tcp";
}

static int64_t left_s(const struct tenf_mapping *m, int64_t now)
{
	return m->expires_at > now ? m->expires_at - now : 1;
}

/* A renewed element is deleted and added in one transaction: kernels before
 * 6.12 do not change the time-out of one that is there. */
bool firewall_command(const char *set, const struct tenf_mapping *m, bool open, int64_t now,
		      char *ret, size_t size)
{
	const char *protocol = protocol_of(m);
	int len;

	if (open)
		len = snprintf(ret, size,
			       "add element %s { %s . %u timeout 1s }\n"
			       "delete element %s { %s . %u }\n"
			       "add element %s { %s . %u timeout %llds }\n",
			       set, protocol, m->internal_port, set, protocol, m->internal_port,
			       set, protocol, m->internal_port, (long long)left_s(m, now));
	else
		len = snprintf(ret, size, "delete element %s { %s . %u }\n", set, protocol,
			       m->internal_port);
	return len > 0 && (size_t)len < size;
}

#ifdef TENF_HAVE_NFTABLES
static void follow_nftables(const char *set, const struct tenf_mapping *m, bool open)
{
	char command[1024];
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (nft == NULL || !firewall_command(set, m, open, time(NULL), command, sizeof(command))) {
		log_warning("nftables: out of memory");
	} else {
		nft_ctx_buffer_error(nft);
		nft_ctx_buffer_output(nft);
		/* An element that is gone by its own time needs no closing. */
		if (nft_run_cmd_from_buffer(nft, command) != 0 && open)
			log_warning("nftables: port %u/%s could not be opened in set %s; is the "
				   "set there, and may the agent change it?",
				   m->internal_port, protocol_of(m), set);
	}
	if (nft != NULL)
		nft_ctx_free(nft);
}
#else
static void follow_nftables(const char *set, const struct tenf_mapping *m, bool open)
{
	(void)set;
	if (open)
		log_warning("port %u/%s stays closed: this build has no support for nftables",
			   m->internal_port, protocol_of(m));
}
#endif

#ifdef TENF_HAVE_SYSTEMD
static void follow_firewalld(const struct tenf_mapping *m, bool open)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *bus = NULL;
	char port[8];
	int status = sd_bus_open_system(&bus);

	snprintf(port, sizeof(port), "%u", m->internal_port);
	if (status >= 0 && open)
		status = sd_bus_call_method(bus, "org.fedoraproject.FirewallD1",
					    "/org/fedoraproject/FirewallD1",
					    "org.fedoraproject.FirewallD1.zone", "addPort", &error,
					    NULL, "sssi", "", port, protocol_of(m),
					    (int)left_s(m, time(NULL)));
	else if (status >= 0)
		status = sd_bus_call_method(bus, "org.fedoraproject.FirewallD1",
					    "/org/fedoraproject/FirewallD1",
					    "org.fedoraproject.FirewallD1.zone", "removePort",
					    &error, NULL, "sss", "", port, protocol_of(m));
	if (status < 0 && open)
		log_warning("firewalld: port %s/%s could not be opened: %s", port,
			   protocol_of(m),
			   error.message != NULL ? error.message : strerror(-status));
	sd_bus_error_free(&error);
	sd_bus_unref(bus);
}
#else
static void follow_firewalld(const struct tenf_mapping *m, bool open)
{
	if (open)
		log_warning("port %u/%s stays closed: this build has no support for firewalld",
			   m->internal_port, protocol_of(m));
}
#endif

/* Whether this event opens or closes; false when it does neither. */
static bool concerns(const struct tenf_event *event, bool *ret_open)
{
	switch (event->kind) {
	case TENF_EVENT_MAPPED:
	case TENF_EVENT_CHANGED:
	case TENF_EVENT_RENEWED:
		*ret_open = true;
		return true;
	case TENF_EVENT_LOST:
	case TENF_EVENT_REMOVED:
		*ret_open = false;
		return event->before.expires_at != 0;
	case TENF_EVENT_REFUSED:
	case TENF_EVENT_GATEWAY:
	case TENF_EVENT_GATEWAY_RESTART:
	case TENF_EVENT_ADDRESS:
		break;
	}
	return false;
}

void firewall_follow(enum agent_firewall firewall, const char *set, const struct agent_item *item,
		     const struct tenf_event *event)
{
	bool open;

	if (!item->record.wish.open_firewall || !concerns(event, &open))
		return;
	switch (firewall) {
	case FIREWALL_NONE:
		break;
	case FIREWALL_NFTABLES:
		follow_nftables(set, &event->mapping, open);
		break;
	case FIREWALL_FIREWALLD:
		follow_firewalld(&event->mapping, open);
		break;
	}
}

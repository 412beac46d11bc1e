/* SPDX-License-Identifier: MIT */
#include "agent/firewall.h"

#include "agent/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#ifdef TENF_HAVE_NFTABLES
#include <nftables/libnftables.h>
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

static void follow_firewalld(struct firewall *f, const struct tenf_mapping *m, bool open)
{
	int64_t left = left_s(m, time(NULL));

	if (f->firewalld == NULL &&
	    firewalld_new(f->base, f->forgot, f->context, &f->firewalld) != TENF_OK)
		return;
	firewalld_set(f->firewalld, m->internal_port, protocol_of(m),
		      !open		  ? 0
		      : left > UINT32_MAX ? UINT32_MAX
					  : (uint32_t)left);
}

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

void firewall_init(struct firewall *firewall, struct event_base *base,
		   const struct agent_config *config, firewalld_forgot_fn forgot, void *context)
{
	*firewall = (struct firewall){ .base = base, .config = config, .forgot = forgot,
				       .context = context };
}

void firewall_done(struct firewall *firewall)
{
	firewalld_free(firewall->firewalld);
	firewall->firewalld = NULL;
}

void firewall_follow(struct firewall *firewall, const struct agent_item *item,
		     const struct tenf_event *event)
{
	bool open;

	if (!item->record.wish.open_firewall || !concerns(event, &open))
		return;
	switch (firewall->config->firewall) {
	case FIREWALL_NONE:
		break;
	case FIREWALL_NFTABLES:
		follow_nftables(firewall->config->firewall_set, &event->mapping, open);
		break;
	case FIREWALL_FIREWALLD:
		follow_firewalld(firewall, &event->mapping, open);
		break;
	}
}

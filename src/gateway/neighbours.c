/* SPDX-License-Identifier: MIT */
#include "gateway/neighbours.h"

#include "base/text.h"
#ifdef HAVE_NETLINK
#include "net/rtnl.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct place {
	struct tenf_address address;
	unsigned interface; /* 0: free */
	bool known;
	uint8_t mac[NEIGHBOURS_MAC];
	tenf_time until;
};

struct neighbours {
	neighbours_ask ask;
	void *context;
#ifdef HAVE_NETLINK
	struct net_rtnl rtnl;
#endif
	bool has_socket;
	struct place places[NEIGHBOURS_MAX];
};

/* ---- The kernel ------------------------------------------------------- */

#ifdef HAVE_NETLINK

/* States in which the address has been seen to be right, or nothing speaks against it. */
#define GOOD_STATES (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

struct answer {
	bool known;
	uint8_t mac[NEIGHBOURS_MAC];
};

static void read_answer(const struct nlmsghdr *message, void *context)
{
	struct answer *answer = context;
	const struct ndmsg *header = net_rtnl_header(message, sizeof(*header));
	struct net_rtnl_attributes attributes = net_rtnl_attributes_of(message, sizeof(*header));
	struct net_rtnl_attribute attr;

	if (header == NULL || message->nlmsg_type != RTM_NEWNEIGH ||
	    (header->ndm_state & GOOD_STATES) == 0)
		return;
	while (net_rtnl_next(&attributes, &attr)) {
		if (attr.type != NDA_LLADDR || attr.len != NEIGHBOURS_MAC)
			continue;
		memcpy(answer->mac, attr.data, NEIGHBOURS_MAC);
		answer->known = true;
	}
}

static bool ask_kernel(void *context, unsigned interface, const struct tenf_address *address,
		       uint8_t ret[NEIGHBOURS_MAC])
{
	struct neighbours *n = context;
	size_t len = tenf_address_is_v4(address) ? 4 : 16;
	struct answer answer = { .known = false };
	union net_rtnl_request request;
	struct ndmsg *header;

	if (!n->has_socket)
		return false;
	header = net_rtnl_begin(&request, RTM_GETNEIGH, sizeof(*header));
	header->ndm_family = len == 4 ? AF_INET : AF_INET6;
	header->ndm_ifindex = (int)interface;
	net_rtnl_put(&request, NDA_DST, address->octets + 16 - len, len);
	if (net_rtnl_get(&n->rtnl, &request, read_answer, &answer) != 0 || !answer.known)
		return false;
	memcpy(ret, answer.mac, NEIGHBOURS_MAC);
	return true;
}

#else

static bool ask_kernel(void *context, unsigned interface, const struct tenf_address *address,
		       uint8_t ret[NEIGHBOURS_MAC])
{
	(void)context;
	(void)interface;
	(void)address;
	(void)ret;
	return false;
}

#endif

/* ---- Remembering ------------------------------------------------------ */

enum tenf_status neighbours_new(neighbours_ask ask, void *context, struct neighbours **ret)
{
	struct neighbours *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return TENF_E_MEMORY;
	n->ask = ask != NULL ? ask : ask_kernel;
	n->context = ask != NULL ? context : n;
#ifdef HAVE_NETLINK
	n->has_socket = ask == NULL && net_rtnl_open(NULL, &n->rtnl) == 0;
#endif
	*ret = n;
	return TENF_OK;
}

void neighbours_free(struct neighbours *n)
{
	if (n == NULL)
		return;
#ifdef HAVE_NETLINK
	if (n->has_socket)
		net_rtnl_close(&n->rtnl);
#endif
	free(n);
}

static struct place *place_of(struct neighbours *n, unsigned interface,
			      const struct tenf_address *address)
{
	uint32_t hash = interface;

	for (size_t i = 0; i < sizeof(address->octets); i++)
		hash = (hash ^ address->octets[i]) * 16777619u;
	return &n->places[(hash ^ hash >> 16) % NEIGHBOURS_MAX];
}

bool neighbours_find(struct neighbours *n, unsigned interface, const struct tenf_address *address,
		     tenf_time now, uint8_t ret[NEIGHBOURS_MAC])
{
	struct place *p = place_of(n, interface, address);

	if (p->interface != interface || !tenf_address_equal(&p->address, address) ||
	    now >= p->until) {
		*p = (struct place){ .address = *address, .interface = interface };
		p->known = n->ask(n->context, interface, address, p->mac);
		p->until = now + (p->known ? NEIGHBOURS_KEEP : NEIGHBOURS_KEEP_UNKNOWN);
	}
	if (p->known)
		memcpy(ret, p->mac, NEIGHBOURS_MAC);
	return p->known;
}

/* ---- Text ------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool neighbours_parse(const char *text, uint8_t ret[NEIGHBOURS_MAC])
{
	uint8_t mac[NEIGHBOURS_MAC];

	if (strlen(text) != NEIGHBOURS_TEXT - 1 || (text[2] != ':' && text[2] != '-'))
		return false;
	for (size_t i = 0; i < NEIGHBOURS_MAC; i++) {
		int high = digit(text[3 * i]);
		int low = digit(text[3 * i + 1]);
		bool last = i + 1 == NEIGHBOURS_MAC;

		if (high < 0 || low < 0 || (!last && text[3 * i + 2] != text[2]))
			return false;
		mac[i] = (uint8_t)(high * 16 + low);
	}
	memcpy(ret, mac, sizeof(mac));
	return true;
}

char *neighbours_text(const uint8_t mac[NEIGHBOURS_MAC], char *buffer)
{
	struct tenf_text t = tenf_text_of(buffer, NEIGHBOURS_TEXT);

	for (size_t i = 0; i < NEIGHBOURS_MAC; i++) {
		if (i > 0)
			tenf_text_add_char(&t, ':');
		tenf_text_add_hex(&t, &mac[i], 1);
	}
	return buffer;
}

/* SPDX-License-Identifier: MIT */
#include "packets.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

static void append(struct packet *p, const void *data, size_t len)
{
	assert_true(p->len + len + 4 <= PACKET_MAX);
	if (len > 0)
		memcpy(p->data + p->len, data, len);
	p->len += len;
	while (p->len % 4 != 0)
		p->data[p->len++] = 0;
}

static void close_message(struct packet *p)
{
	uint32_t len = (uint32_t)(p->len - p->message);

	memcpy(p->data + p->message, &len, sizeof(len));
}

void packet_begin(struct packet *p, uint16_t type, const void *header, size_t size)
{
	struct nlmsghdr h = { .nlmsg_type = type };

	p->message = p->len;
	append(p, &h, sizeof(h));
	append(p, header, size);
	close_message(p);
}

void packet_attribute(struct packet *p, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_type = type, .nla_len = (uint16_t)(sizeof(a) + len) };

	append(p, &a, sizeof(a));
	append(p, data, len);
	close_message(p);
}

void packet_done(struct packet *p, int error)
{
	int code = -error;

	packet_begin(p, error != 0 ? NLMSG_ERROR : NLMSG_DONE, &code, sizeof(code));
}

static void try_exact(const uint8_t *data, size_t len,
		      void (*parse)(const uint8_t *data, size_t len))
{
	uint8_t *exact = malloc(len > 0 ? len : 1);

	assert_non_null(exact);
	memcpy(exact, data, len);
	parse(exact, len);
	free(exact);
}

void packet_every_cut(const struct packet *p, void (*parse)(const uint8_t *data, size_t len))
{
	for (size_t len = 0; len <= p->len; len++)
		try_exact(p->data, len, parse);
}

void packet_every_lie(const struct packet *p, void (*parse)(const uint8_t *data, size_t len))
{
	static const uint8_t lies[] = { 0, 1, 0x7f, 0xff };
	struct packet lying = *p;

	for (size_t at = 0; at < p->len; at++) {
		for (size_t i = 0; i < sizeof(lies); i++) {
			lying.data[at] = lies[i];
			try_exact(lying.data, lying.len, parse);
		}
		lying.data[at] = p->data[at];
	}
}

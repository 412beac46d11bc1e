/* SPDX-License-Identifier: MIT */
#include "net/rtnl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills a dump message up to what the reader offered before, at
 * most 32 KiB; half of it keeps our stack small. */
#define BUFFER_SIZE 16384

#define HEADER_SIZE sizeof(struct nlmsghdr)

int net_rtnl_open(const struct net_opener *opener, struct net_rtnl *ret)
{
	int fd = net_open(opener, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int on = 1;

	if (fd < 0)
		return errno;
	/* Filters in a dump's header are obeyed only with this (Linux 4.20);
	 * without it all is told, and the readers filter anyway. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	*ret = (struct net_rtnl){ .fd = fd };
	return 0;
}

void net_rtnl_close(struct net_rtnl *rtnl)
{
	(void)close(rtnl->fd);
}

/* ---- asking ------------------------------------------------------------------- */

void *net_rtnl_begin(union net_rtnl_request *request, uint16_t type, size_t size)
{
	memset(request, 0, HEADER_SIZE + net_rtnl_align(size));
	request->header.nlmsg_type = type;
	request->header.nlmsg_len = (uint32_t)(HEADER_SIZE + net_rtnl_align(size));
	return request->room + HEADER_SIZE;
}

void net_rtnl_put(union net_rtnl_request *request, uint16_t type, const void *data, size_t len)
{
	struct nlattr attribute = { .nla_type = type,
				    .nla_len = (uint16_t)(sizeof(attribute) + len) };
	char *at = request->room + request->header.nlmsg_len;

	memcpy(at, &attribute, sizeof(attribute));
	memset(at + sizeof(attribute), 0, net_rtnl_align(len));
	memcpy(at + sizeof(attribute), data, len);
	request->header.nlmsg_len += (uint32_t)(sizeof(attribute) + net_rtnl_align(len));
}

static int send_request(struct net_rtnl *rtnl, struct nlmsghdr *header, uint16_t flags)
{
	ssize_t sent;

	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = ++rtnl->sequence;
	do {
		sent = send(rtnl->fd, header, header->nlmsg_len, 0);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? errno : 0;
}

static int receive(struct net_rtnl *rtnl, void *buffer, size_t size, size_t *ret_len)
{
	ssize_t got;

	do {
		got = recvfrom(rtnl->fd, buffer, size, MSG_TRUNC, NULL, NULL);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	if (got == 0 || (size_t)got > size)
		return EMSGSIZE;
	*ret_len = (size_t)got;
	return 0;
}

/* The error number in NLMSG_ERROR, and in NLMSG_DONE where a dump failed late. */
static int error_of(const struct nlmsghdr *message)
{
	const int *code = net_rtnl_header(message, sizeof(*code));

	return code != NULL && *code < 0 ? -*code : 0;
}

struct answer {
	bool complete;
	bool interrupted;
	int error;
};

static void read_messages(const struct net_rtnl *rtnl, struct net_rtnl_messages messages, bool dump,
			  net_rtnl_each each, void *context, struct answer *answer)
{
	const struct nlmsghdr *message;

	while (!answer->complete && (message = net_rtnl_next_message(&messages)) != NULL) {
		if (message->nlmsg_seq != rtnl->sequence)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			answer->interrupted = true;
		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
			answer->error = error_of(message);
			answer->complete = true;
		} else if (message->nlmsg_type >= NLMSG_MIN_TYPE) {
			each(message, context);
			answer->complete = !dump;
		}
	}
}

static int ask(struct net_rtnl *rtnl, struct nlmsghdr *header, bool dump, net_rtnl_each each,
	       void *context)
{
	_Alignas(struct nlmsghdr) char buffer[BUFFER_SIZE];
	struct net_rtnl_messages messages = { .at = buffer };
	struct answer answer = { 0 };
	int code = send_request(rtnl, header, dump ? NLM_F_DUMP : 0);

	while (code == 0 && !answer.complete) {
		code = receive(rtnl, buffer, sizeof(buffer), &messages.left);
		if (code == 0)
			read_messages(rtnl, messages, dump, each, context, &answer);
	}
	if (code != 0)
		return code;
	if (answer.error != 0)
		return answer.error;
	return answer.interrupted ? EINTR : 0;
}

int net_rtnl_get(struct net_rtnl *rtnl, union net_rtnl_request *request, net_rtnl_each each,
		 void *context)
{
	return ask(rtnl, &request->header, false, each, context);
}

int net_rtnl_dump(struct net_rtnl *rtnl, union net_rtnl_request *request, net_rtnl_each each,
		  void *context)
{
	return ask(rtnl, &request->header, true, each, context);
}

/* ---- answers ------------------------------------------------------------------ */

/* The last one may lack its padding. */
static size_t step_of(size_t len, size_t left)
{
	size_t step = net_rtnl_align(len);

	return step < left ? step : left;
}

const struct nlmsghdr *net_rtnl_next_message(struct net_rtnl_messages *messages)
{
	const struct nlmsghdr *message = (const void *)messages->at;
	size_t step;

	if (messages->left < HEADER_SIZE || message->nlmsg_len < HEADER_SIZE ||
	    message->nlmsg_len > messages->left)
		return NULL;
	step = step_of(message->nlmsg_len, messages->left);
	messages->at += step;
	messages->left -= step;
	return message;
}

const void *net_rtnl_header(const struct nlmsghdr *message, size_t size)
{
	return message->nlmsg_len - HEADER_SIZE < size ? NULL : message + 1;
}

struct net_rtnl_attributes net_rtnl_attributes_of(const struct nlmsghdr *message, size_t size)
{
	const char *payload = (const char *)message + HEADER_SIZE;
	size_t len = message->nlmsg_len - HEADER_SIZE;
	size_t skip = net_rtnl_align(size);

	if (len < skip)
		return (struct net_rtnl_attributes){ .at = payload };
	return (struct net_rtnl_attributes){ .at = payload + skip, .left = len - skip };
}

bool net_rtnl_next(struct net_rtnl_attributes *attributes, struct net_rtnl_attribute *ret)
{
	const struct nlattr *attribute = (const void *)attributes->at;
	size_t step;

	if (attributes->left < sizeof(*attribute) || attribute->nla_len < sizeof(*attribute) ||
	    attribute->nla_len > attributes->left)
		return false;
	ret->type = (uint16_t)(attribute->nla_type & (unsigned)NLA_TYPE_MASK);
	ret->data = attribute + 1;
	ret->len = attribute->nla_len - sizeof(*attribute);
	step = step_of(attribute->nla_len, attributes->left);
	attributes->at += step;
	attributes->left -= step;
	return true;
}

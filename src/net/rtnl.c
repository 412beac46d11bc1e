/* SPDX-License-Identifier: MIT */
#include "net/rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills a dump message up to what the reader offered before, at
 * most 32 KiB; half of it keeps our stack small. */
#define BUFFER_SIZE 16384

int net_rtnl_open(struct net_rtnl *ret)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
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

void *net_rtnl_begin(union net_rtnl_request *request, uint16_t type, size_t size)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(request->room);

	header->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(header, size);
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

static int receive(struct net_rtnl *rtnl, void *buffer, size_t size, int *ret_len)
{
	ssize_t got;

	do {
		got = recv(rtnl->fd, buffer, size, MSG_TRUNC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	if (got == 0 || (size_t)got > size)
		return EMSGSIZE;
	*ret_len = (int)got;
	return 0;
}

/* The error number in NLMSG_ERROR, and in NLMSG_DONE where a dump failed late. */
static int error_of(const struct nlmsghdr *message)
{
	const int *code = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*code))
		return 0;
	return *code < 0 ? -*code : 0;
}

struct answer {
	bool complete;
	bool interrupted;
	int error;
};

static void read_messages(const struct net_rtnl *rtnl, const char *buffer, int len, bool dump,
			  net_rtnl_each each, void *context, struct answer *answer)
{
	const struct nlmsghdr *message = (const void *)buffer;

	for (; mnl_nlmsg_ok(message, len) && !answer->complete;
	     message = mnl_nlmsg_next(message, &len)) {
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
	struct answer answer = { 0 };
	int code = send_request(rtnl, header, dump ? NLM_F_DUMP : 0);
	int len = 0;

	while (code == 0 && !answer.complete) {
		code = receive(rtnl, buffer, sizeof(buffer), &len);
		if (code == 0)
			read_messages(rtnl, buffer, len, dump, each, context, &answer);
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

struct net_rtnl_attributes net_rtnl_attributes_of(const struct nlmsghdr *message, size_t size)
{
	const char *payload = mnl_nlmsg_get_payload(message);
	size_t len = mnl_nlmsg_get_payload_len(message);
	size_t skip = net_rtnl_align(size);

	if (len < skip)
		return (struct net_rtnl_attributes){ .at = payload };
	return (struct net_rtnl_attributes){ .at = payload + skip, .left = len - skip };
}

const struct nlattr *net_rtnl_next(struct net_rtnl_attributes *attributes)
{
	const struct nlattr *attribute = (const void *)attributes->at;
	size_t step;

	if (attributes->left < sizeof(*attribute) || attribute->nla_len < sizeof(*attribute) ||
	    attribute->nla_len > attributes->left)
		return NULL;
	step = net_rtnl_align(attribute->nla_len);
	if (step > attributes->left)
		step = attributes->left;
	attributes->at += step;
	attributes->left -= step;
	return attribute;
}

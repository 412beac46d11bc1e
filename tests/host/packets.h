/* SPDX-License-Identifier: MIT */
/* Netlink answers as the kernel would write them, made octet by octet. */
#ifndef TENF_TESTS_HOST_PACKETS_H
#define TENF_TESTS_HOST_PACKETS_H

#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PACKET_MAX 4096

struct packet {
	uint8_t data[PACKET_MAX];
	size_t len;
	size_t message; /* where the open message begins */
};

void packet_begin(struct packet *p, uint16_t type, const void *header, size_t size);
void packet_attribute(struct packet *p, uint16_t type, const void *data, size_t len);
void packet_done(struct packet *p, int error);

/* Calls `parse` with every beginning of the packet, each in memory of its exact
 * size, so that a step too far is seen by a sanitizer or by the guard behind. */
void packet_every_cut(const struct packet *p, void (*parse)(const uint8_t *data, size_t len));
/* And with each octet in turn set to 0, 1, 0x7f and 0xff. */
void packet_every_lie(const struct packet *p, void (*parse)(const uint8_t *data, size_t len));

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The binding request of STUN (RFC 8489), which asks a server on the internet by
 * what address it sees us, and its answer. Octets alone: who sends them waits,
 * repeats, and checks who answered.
 */
#ifndef TENF_HOST_STUN_H
#define TENF_HOST_STUN_H

#include "base/address.h"

#include <stddef.h>

#define STUN_PORT 3478         /* RFC 8489 §18.6 */
#define STUN_ID_SIZE 12        /* transaction identifier, §5 */
#define STUN_REQUEST_SIZE 20   /* a header alone */
#define STUN_ANSWER_MAX 1500

/* A binding request without attributes. */
void stun_write_request(const uint8_t id[STUN_ID_SIZE], uint8_t ret[STUN_REQUEST_SIZE]);

/* The address in the success response to the request with this id.
 * TENF_E_NOT_FOUND for what is not its answer; TENF_E_FAILED for an error
 * response; TENF_E_TRUNCATED, TENF_E_MALFORMED. */
TENF_CHECKED enum tenf_status stun_read_answer(const uint8_t id[STUN_ID_SIZE],
					       const uint8_t *data, size_t len,
					       struct tenf_endpoint *ret);

#endif

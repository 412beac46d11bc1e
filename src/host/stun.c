/* SPDX-License-Identifier: MIT */
#include "host/stun.h"

#include "base/bytes.h"

#include <string.h>

/* RFC 8489 §5, §14 */
#define MAGIC 0x2112a442u
#define BINDING_REQUEST 0x0001
#define BINDING_SUCCESS 0x0101
#define BINDING_ERROR 0x0111
#define MAPPED_ADDRESS 0x0001
#define XOR_MAPPED_ADDRESS 0x0020
#define FAMILY_V4 0x01
#define FAMILY_V6 0x02

void stun_write_request(const uint8_t id[STUN_ID_SIZE], uint8_t ret[STUN_REQUEST_SIZE])
{
	struct tenf_writer w = tenf_writer_of(ret, STUN_REQUEST_SIZE);

	tenf_writer_u16(&w, BINDING_REQUEST);
	tenf_writer_u16(&w, 0); /* no attributes */
	tenf_writer_u32(&w, MAGIC);
	tenf_writer_copy(&w, id, STUN_ID_SIZE);
}

/* §14.2: hidden from gateways that rewrite addresses wherever they see one; the
 * key is the cookie followed by the transaction. Of MAPPED-ADDRESS it is zero. */
static enum tenf_status read_endpoint(struct tenf_reader value, const uint8_t key[16],
				      struct tenf_endpoint *ret)
{
	uint8_t octets[16] = { 0 };
	uint8_t family;
	uint16_t port;
	size_t len;

	tenf_reader_skip(&value, 1);
	family = tenf_reader_u8(&value);
	port = tenf_reader_u16(&value);
	len = family == FAMILY_V4 ? 4 : 16;
	if (value.failed)
		return TENF_E_TRUNCATED;
	if ((family != FAMILY_V4 && family != FAMILY_V6) || value.left != len)
		return TENF_E_MALFORMED;
	tenf_reader_copy(&value, octets, len);
	for (size_t i = 0; i < len; i++)
		octets[i] ^= key[i];
	ret->port = port ^ (uint16_t)(key[0] << 8 | key[1]);
	if (family == FAMILY_V4)
		ret->address = tenf_address_v4_octets(octets);
	else
		memcpy(ret->address.octets, octets, sizeof(octets));
	return TENF_OK;
}

static enum tenf_status read_attributes(struct tenf_reader r, const uint8_t key[16],
					struct tenf_endpoint *ret)
{
	static const uint8_t no_key[16];
	enum tenf_status status = TENF_E_MALFORMED;

	while (r.left > 0) {
		uint16_t type = tenf_reader_u16(&r);
		uint16_t len = tenf_reader_u16(&r);
		struct tenf_reader value = tenf_reader_sub(&r, len);
		size_t padding = (4u - len % 4u) % 4u;

		tenf_reader_skip(&r, padding < r.left ? padding : r.left);
		if (r.failed)
			return TENF_E_TRUNCATED;
		if (type == XOR_MAPPED_ADDRESS)
			return read_endpoint(value, key, ret);
		/* What servers before RFC 5389 send; the hidden one is better. */
		if (type == MAPPED_ADDRESS)
			status = read_endpoint(value, no_key, ret);
	}
	return status;
}

enum tenf_status stun_read_answer(const uint8_t id[STUN_ID_SIZE], const uint8_t *data, size_t len,
				  struct tenf_endpoint *ret)
{
	struct tenf_reader r = tenf_reader_of(data, len), key_reader = r;
	struct tenf_endpoint endpoint;
	uint8_t seen[STUN_ID_SIZE], key[16];
	uint16_t type = tenf_reader_u16(&r);
	uint16_t length = tenf_reader_u16(&r);
	uint32_t magic = tenf_reader_u32(&r);
	enum tenf_status status;

	tenf_reader_copy(&r, seen, sizeof(seen));
	if (r.failed)
		return TENF_E_TRUNCATED;
	if (magic != MAGIC || memcmp(seen, id, sizeof(seen)) != 0 ||
	    (type != BINDING_SUCCESS && type != BINDING_ERROR))
		return TENF_E_NOT_FOUND;
	if (length > r.left)
		return TENF_E_TRUNCATED;
	if (type == BINDING_ERROR)
		return TENF_E_FAILED;
	tenf_reader_skip(&key_reader, 4);
	tenf_reader_copy(&key_reader, key, sizeof(key));
	status = read_attributes(tenf_reader_sub(&r, length), key, &endpoint);
	if (status == TENF_OK)
		*ret = endpoint;
	return status;
}

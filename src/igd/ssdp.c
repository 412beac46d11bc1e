/* SPDX-License-Identifier: MIT */
#include "igd/ssdp.h"

#include <string.h>
#include <strings.h>

#define LOCATION "LOCATION:"

struct tenf_address igd_ssdp_group(bool ipv6)
{
	static const struct tenf_address link = { { 0xff, 0x02, [15] = 0x0c } };

	return ipv6 ? link : tenf_address_v4(0xeffffffa); /* 239.255.255.250 */
}

/* MX is the most a device may wait: one second, the least there is. */
void igd_ssdp_write(bool ipv6, bool any_device, struct tenf_text *t)
{
	tenf_text_add(t, "M-SEARCH * HTTP/1.1\r\nHOST: ");
	tenf_text_add(t, ipv6 ? "[FF02::C]:1900" : "239.255.255.250:1900");
	tenf_text_add(t, "\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ");
	tenf_text_add(t, any_device ? "upnp:rootdevice"
				    : "urn:schemas-upnp-org:device:InternetGatewayDevice:1");
	tenf_text_add(t, "\r\n\r\n");
}

static bool is_answer(const char *data, size_t len)
{
	static const char ok[] = "HTTP/1.1 200";

	return len >= strlen(ok) && memcmp(data, ok, strlen(ok)) == 0;
}

/* From the line at `line`, without blanks around. */
static bool read_location(const char *line, size_t len, struct igd_url *ret)
{
	size_t name = strlen(LOCATION);

	if (len < name || strncasecmp(line, LOCATION, name) != 0)
		return false;
	line += name;
	len -= name;
	while (len > 0 && (line[0] == ' ' || line[0] == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\r'))
		len--;
	return igd_url_parse(line, len, ret);
}

bool igd_ssdp_read(const char *data, size_t len, struct igd_url *ret)
{
	if (!is_answer(data, len) || len > IGD_SSDP_MAX)
		return false;
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t line = end != NULL ? (size_t)(end - data) : len;

		if (read_location(data, line, ret))
			return true;
		if (end == NULL)
			return false;
		data += line + 1;
		len -= line + 1;
	}
	return false;
}

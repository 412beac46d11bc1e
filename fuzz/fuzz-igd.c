/* SPDX-License-Identifier: MIT */
/*
 * What a UPnP device may send: any octets as an answer to a search, as HTTP in two
 * packets, and its body as a description, an answer to an action and a listing.
 * The first octet says which and where the packets are cut.
 */
#include "fuzz.h"
#include "igd/description.h"
#include "igd/http.h"
#include "igd/listing.h"
#include "igd/ssdp.h"

#include <stdlib.h>
#include <string.h>

static const struct igd_url from = {
	.at = { { { [10] = 0xff, [11] = 0xff, 192, 168, 1, 1 } }, 5000 }, .path = "/rootDesc.xml"
};

static void check_search(const char *data, size_t size)
{
	struct igd_url url, again;
	char text[IGD_URL_TEXT];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	if (!igd_ssdp_read(data, size, &url))
		return;
	igd_url_write(&url, &t);
	FUZZ_CHECK(!t.cut);
	FUZZ_CHECK(igd_url_parse(text, strlen(text), &again));
	FUZZ_CHECK(tenf_endpoint_equal(&url.at, &again.at) && strcmp(url.path, again.path) == 0);
}

static void check_description(const char *xml, size_t len)
{
	struct igd_device device, again;
	char text[IGD_HINT];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	if (igd_description_read(xml, len, &from, &device) != TENF_OK)
		return;
	igd_hint_write(&device, &t);
	FUZZ_CHECK(!t.cut);
	FUZZ_CHECK(igd_hint_read(text, &from.at.address, &again));
	FUZZ_CHECK(again.wan.version == device.wan.version);
	FUZZ_CHECK(strcmp(again.pinholes.control.path, device.pinholes.control.path) == 0);
}

static void check_entry(const struct igd_entry *e)
{
	char clean[IGD_DESCRIPTION];

	FUZZ_CHECK(e->external_port != 0 && e->internal_port != 0);
	FUZZ_CHECK(e->protocol == TENF_TCP || e->protocol == TENF_UDP);
	for (const char *at = e->description; *at != '\0'; at++)
		FUZZ_CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
	/* What is clean stays as it is, but for what still looks like an entity. */
	if (strchr(e->description, '&') == NULL) {
		igd_text_clean(e->description, clean, sizeof(clean));
		FUZZ_CHECK(strcmp(clean, e->description) == 0);
	}
}

static void check_answer(const char *body, size_t len)
{
	struct igd_listing listing = { .count = 0 };
	struct igd_values values;
	size_t seen = 0;
	int error = -1;

	(void)!igd_soap_judge(body, len, 200, "GetListOfPortMappings", &error);
	FUZZ_CHECK(error >= -1 && error <= 9999);
	if (igd_values_read(body, len, &values) != TENF_OK)
		return;
	if (igd_values_listing(&values) != NULL)
		(void)!igd_listing_read(&listing, igd_values_listing(&values), &seen);
	igd_values_done(&values);
	(void)!igd_listing_read(&listing, body, &seen);
	FUZZ_CHECK(listing.count <= IGD_ENTRIES_MAX);
	for (size_t i = 0; i < listing.count; i++)
		check_entry(&listing.entries[i]);
	igd_listing_done(&listing);
}

static void check_http(const char *data, size_t size, size_t cut)
{
	struct igd_http whole, parts;
	enum tenf_status one, two;

	igd_http_init(&whole);
	igd_http_init(&parts);
	one = igd_http_feed(&whole, data, size);
	two = igd_http_feed(&parts, data, cut);
	if (two == TENF_OK)
		two = igd_http_feed(&parts, data + cut, size - cut);
	FUZZ_CHECK(one == two);
	FUZZ_CHECK(whole.len <= IGD_BODY_MAX && whole.len == parts.len);
	if (one == TENF_OK && igd_http_close(&whole) == TENF_OK && whole.len > 0) {
		check_description(whole.body, whole.len);
		check_answer(whole.body, whole.len);
	}
	igd_http_done(&whole);
	igd_http_done(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size); /* the body as it is received: a zero behind it */
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] % 3 == 0)
		check_search(text, size - 1);
	else if (data[0] % 3 == 1)
		check_http(text, size - 1, size > 1 ? data[0] % (size - 1) : 0);
	else {
		check_description(text, size - 1);
		check_answer(text, size - 1);
	}
	free(text);
	return 0;
}

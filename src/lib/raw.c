/* SPDX-License-Identifier: MIT */
/* For testers: one request as it is, one answer as it is. */
#include "lib/convert.h"
#include "lib/explain.h"
#include "net/clock.h"
#include "net/poll.h"
#include "net/udp.h"
#include "wire/natpmp.h"
#include "wire/pcp-option.h"

#include <string.h>
#include <unistd.h>

void tenf_raw_init(struct tenf_raw *raw)
{
	*raw = (struct tenf_raw){
		.size = sizeof(*raw),
		.protocol = TENF_TCP,
		.lifetime_s = TENF_DEFAULT_LIFETIME_S,
	};
}

/* The first candidate with a socket to it. */
static enum tenf_status open_first(const struct settings *settings, struct route *ret, int *ret_fd,
				   struct tenf_error *reterr)
{
	struct route routes[ROUTES_MAX];
	struct net_error cause = { 0 };
	size_t count = 0;
	enum tenf_status status = route_find(settings, routes, ROUTES_MAX, &count, &cause);
	struct explain_case nobody = { .interface = settings->interface,
				       .reason = TENF_REASON_NO_GATEWAY,
				       .result = -1 };

	if (status != TENF_OK)
		return explain_system(reterr, status, "Cannot read the routes", &cause);
	for (size_t i = 0; i < count; i++) {
		if (route_open(settings, &routes[i], ret_fd, &cause) == TENF_OK) {
			*ret = routes[i];
			return TENF_OK;
		}
	}
	if (count > 0)
		return explain_system(reterr, TENF_E_UNREACHABLE, "Cannot reach the gateway",
				      &cause);
	if (reterr != NULL)
		explain_reason(reterr, &nobody);
	return TENF_E_FAILED;
}

static enum tenf_status no_answer(const struct settings *settings, const struct route *route,
				  enum tenf_reason reason, struct tenf_error *reterr)
{
	struct explain_case c = {
		.gateway = &route->gateway,
		.interface = settings->interface,
		.reason = reason,
		.result = -1,
		.asked = settings->methods,
		.timeout_ms = settings->timeout_ms,
	};

	if (reterr != NULL)
		explain_reason(reterr, &c);
	return TENF_E_FAILED;
}

/* What came from the gateway but is not the answer to this (RFC 6887 §8.3, §11.4,
 * §12.4). What is not PCP, or about its version, cannot be told and is shown. */
static bool is_stray(const uint8_t *request, size_t len, const uint8_t *data, size_t got)
{
	struct pcp_request q;
	struct pcp_answer a;
	enum pcp_result result;

	if (pcp_parse_request(request, len, &q, &result) != PCP_PARSED ||
	    pcp_decode_answer(data, got, &a) != TENF_OK || a.result == PCP_UNSUPP_VERSION)
		return false;
	if (a.opcode != q.opcode)
		return true;
	if (q.opcode == PCP_ANNOUNCE)
		return false;
	return a.map.protocol != q.map.protocol || a.map.internal_port != q.map.internal_port ||
	       memcmp(a.map.nonce, q.map.nonce, sizeof(q.map.nonce)) != 0 ||
	       (q.opcode == PCP_PEER &&
		(a.remote.port != q.remote.port ||
		 !tenf_address_equal(&a.remote.address, &q.remote.address)));
}

static enum tenf_status send_and_wait(const struct settings *settings, const struct route *route,
				      int fd, const uint8_t *request, size_t len, uint8_t *answer,
				      size_t *ret_len, int64_t *ret_rtt_us,
				      struct tenf_error *reterr)
{
	tenf_time started = net_now();
	tenf_time end = started + settings->timeout_ms * TENF_MILLISECOND;
	struct tenf_endpoint from;
	unsigned ifindex;
	size_t got;
	size_t stray = 0;
	enum tenf_status status = net_udp_send(fd, request, len);

	if (status != TENF_OK && status != TENF_E_REFUSED)
		return explain_system(reterr, status, "Cannot send to the gateway", NULL);
	for (tenf_time now = started; now < end; now = net_now()) {
		(void)net_wait(fd, (int)((end - now + TENF_MILLISECOND - 1) / TENF_MILLISECOND));
		status = net_udp_receive(fd, answer, *ret_len, &got, &from, &ifindex);
		if (status == TENF_E_REFUSED)
			return no_answer(settings, route, TENF_REASON_NO_SERVICE, reterr);
		if (status == TENF_OK)
			stray = got < *ret_len ? got : *ret_len;
		if (status == TENF_OK && !is_stray(request, len, answer, stray)) {
			if (ret_rtt_us != NULL)
				*ret_rtt_us = net_now() - started;
			*ret_len = stray;
			return TENF_OK;
		}
	}
	if (stray == 0)
		return no_answer(settings, route, TENF_REASON_SILENT, reterr);
	*ret_len = stray;
	return no_answer(settings, route, TENF_REASON_MALFORMED, reterr);
}

enum tenf_status tenf_raw_exchange(const struct tenf_options *options, const uint8_t *request,
				   size_t len, uint8_t *answer, size_t *ret_len,
				   int64_t *ret_rtt_us, struct tenf_gateway *ret_gateway,
				   struct tenf_error *reterr)
{
	struct settings settings;
	struct convert_scene scene = { .settings = &settings };
	struct route route;
	int fd;
	enum tenf_status status = settings_read(options, &settings, reterr);

	if (status != TENF_OK)
		return status;
	status = open_first(&settings, &route, &fd, reterr);
	if (status != TENF_OK)
		return status;
	scene.route = &route;
	if (ret_gateway != NULL)
		convert_gateway(&scene, NULL, TENF_REASON_NONE, ret_gateway);
	status = send_and_wait(&settings, &route, fd, request, len, answer, ret_len, ret_rtt_us,
			       reterr);
	close(fd);
	return status;
}

/* ---- Building ---------------------------------------------------------------- */

static bool parse_optional(const char *text, struct tenf_address *io)
{
	return text == NULL || tenf_address_parse(text, io);
}

static void write_natpmp(const struct tenf_raw *raw, struct tenf_writer *w)
{
	struct natpmp_request request = {
		.opcode = raw->kind == TENF_RAW_NATPMP_MAP ? natpmp_opcode_of(raw->protocol) :
							     (uint8_t)NATPMP_ADDRESS,
		.internal_port = raw->internal_port,
		.external_port = raw->external_port,
		.lifetime_s = raw->lifetime_s,
	};

	natpmp_write_request(w, &request);
}

static enum tenf_status write_pcp(const struct tenf_raw *raw, const struct tenf_address *client,
				  struct tenf_writer *w)
{
	struct tenf_random random = net_random();
	struct tenf_address third_party;
	struct pcp_request request = {
		.client = *client,
		.lifetime_s = raw->kind == TENF_RAW_PCP_ANNOUNCE ? 0 : raw->lifetime_s,
		.opcode = raw->kind == TENF_RAW_PCP_ANNOUNCE ? PCP_ANNOUNCE :
			  raw->kind == TENF_RAW_PCP_PEER     ? PCP_PEER :
							       PCP_MAP,
		.map = { .protocol = (uint8_t)raw->protocol,
			 .internal_port = raw->internal_port,
			 .external_port = raw->external_port,
			 .external_address = tenf_address_zero_of(client) },
		.remote = { .port = raw->remote_port, .address = tenf_address_zero_of(client) },
	};

	if (raw->nonce != NULL)
		memcpy(request.map.nonce, raw->nonce, sizeof(request.map.nonce));
	else
		tenf_random_fill(&random, request.map.nonce, sizeof(request.map.nonce));
	if (!parse_optional(raw->external_address, &request.map.external_address) ||
	    !parse_optional(raw->remote_address, &request.remote.address) ||
	    !parse_optional(raw->third_party, &third_party))
		return TENF_E_ARGUMENT;
	pcp_write_request(w, &request);
	if (raw->third_party != NULL)
		pcp_write_third_party(w, &third_party);
	if (raw->prefer_failure)
		pcp_write_prefer_failure(w);
	if (raw->description != NULL)
		pcp_write_description(w, (const uint8_t *)raw->description,
				      strlen(raw->description));
	return TENF_OK;
}

/* The PCP header carries our address as the gateway will see it. */
static enum tenf_status client_address(const struct tenf_options *options, const char *wanted,
				       struct tenf_address *ret, struct tenf_error *reterr)
{
	struct settings settings;
	struct route route;
	enum tenf_status status;
	int fd;

	if (wanted != NULL)
		return tenf_address_parse(wanted, ret) ?
			       TENF_OK :
			       explain_argument(reterr, "\"", wanted, "\" is not an address");
	status = settings_read(options, &settings, reterr);
	if (status == TENF_OK)
		status = open_first(&settings, &route, &fd, reterr);
	if (status != TENF_OK)
		return status;
	close(fd);
	*ret = route.source;
	return TENF_OK;
}

enum tenf_status tenf_raw_build(const struct tenf_options *options, const struct tenf_raw *raw,
				uint8_t *data, size_t *ret_len, struct tenf_error *reterr)
{
	struct tenf_writer w = tenf_writer_of(data, *ret_len);
	struct tenf_address client;
	struct tenf_raw r;
	enum tenf_status status = TENF_OK;

	tenf_raw_init(&r);
	memcpy(&r, raw, raw->size < sizeof(r) ? raw->size : sizeof(r));
	if (r.protocol == TENF_BOTH)
		return explain_argument(reterr, "a packet carries one protocol: tcp or udp", "",
					"");
	if (r.kind == TENF_RAW_NATPMP_ADDRESS || r.kind == TENF_RAW_NATPMP_MAP) {
		write_natpmp(&r, &w);
	} else {
		status = client_address(options, r.client, &client, reterr);
		if (status != TENF_OK)
			return status;
		if (write_pcp(&r, &client, &w) != TENF_OK)
			return explain_argument(reterr, "an address of the request is not one: ",
						"", "write 192.0.2.1 or 2001:db8::1");
	}
	if (w.failed)
		return explain_argument(reterr, "the request is longer than a packet may be", "",
					"");
	*ret_len = w.used;
	return TENF_OK;
}

/* SPDX-License-Identifier: MIT */
#include "fake-lib.h"

#include "base/names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct fake fake;

struct tenf_session {
	int fd;
	struct tenf_mapping mappings[FAKE_SEEN];
	size_t count;
	struct tenf_event events[FAKE_SEEN];
	size_t first, last;
	size_t step;
	bool keep;
	char outer[TENF_ADDRESS_SIZE]; /* asked at a router it was told, by NAT-PMP; "": no */
	bool stuck; /* the step at hand waits for something else than time */
};

struct tenf_discovery {
	bool done;
};

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

void fake_reset(void)
{
	static const struct fake none;
	struct tenf_gateway *g = &fake.gateway;

	fake = none;
	fake.now = FAKE_NOW;
	copy(g->address, sizeof(g->address), "192.168.1.1");
	copy(g->interface, sizeof(g->interface), "eth0");
	copy(g->source, sizeof(g->source), "192.168.1.20");
	copy(g->external_address, sizeof(g->external_address), "203.0.113.7");
	g->port = TENF_DEFAULT_PORT;
	g->spoken_count = 2;
	g->spoken[0] = (struct tenf_spoken){ TENF_METHOD_PCP, 2 };
	g->spoken[1] = (struct tenf_spoken){ TENF_METHOD_NATPMP, 0 };
	g->address_class = TENF_ADDRESS_PUBLIC;
	g->epoch_s = 259200;
	g->up_since = FAKE_NOW - 259200;
	g->rtt_us = 812;
	g->error.result = -1;
	fake.found[0] = *g;
	fake.found_count = 1;
}

void tenf_options_init(struct tenf_options *options)
{
	*options = (struct tenf_options){ .size = sizeof(*options),
					  .timeout_ms = TENF_DEFAULT_TIMEOUT_MS };
}

void tenf_request_init(struct tenf_request *request)
{
	*request = (struct tenf_request){ .size = sizeof(*request),
					  .lifetime_s = TENF_DEFAULT_LIFETIME_S };
}

static enum tenf_status see(const struct tenf_options *options, struct tenf_error *reterr)
{
	fake.calls++;
	fake.options = *options;
	copy(fake.gateway_asked, sizeof(fake.gateway_asked), options->gateway);
	copy(fake.source_asked, sizeof(fake.source_asked), options->source);
	if (fake.status != TENF_OK && reterr != NULL)
		*reterr = fake.error;
	return fake.status;
}

enum tenf_status tenf_session_new(const struct tenf_options *options, struct tenf_session **ret,
				  struct tenf_error *reterr)
{
	enum tenf_status status = see(options, reterr);

	if (status != TENF_OK)
		return status;
	*ret = calloc(1, sizeof(**ret));
	if (*ret == NULL)
		return TENF_E_MEMORY;
	if (options->gateway != NULL && options->methods == TENF_METHOD_NATPMP)
		copy((*ret)->outer, sizeof((*ret)->outer), options->gateway);
	(*ret)->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return TENF_OK;
}

void tenf_session_free(struct tenf_session *session)
{
	if (session == NULL)
		return;
	fake.freed++;
	close(session->fd);
	free(session);
}

int tenf_session_fd(const struct tenf_session *session)
{
	return session->fd;
}

int tenf_session_timeout_ms(const struct tenf_session *session)
{
	if (session->first < session->last)
		return 0;
	if (session->step < FAKE_STEPS && fake.steps[session->step] != NULL && !session->stuck)
		return 0;
	return -1;
}

enum tenf_status tenf_session_process(struct tenf_session *session)
{
	if (session->first < session->last)
		return TENF_OK; /* nothing new before the old is fetched */
	if (session->step >= FAKE_STEPS || fake.steps[session->step] == NULL)
		return TENF_OK;
	session->stuck = !fake.steps[session->step](session);
	if (!session->stuck)
		session->step++;
	return TENF_OK;
}

bool tenf_session_next_event(struct tenf_session *session, struct tenf_event *ret)
{
	if (session->first == session->last)
		return false;
	*ret = session->events[session->first++ % FAKE_SEEN];
	return true;
}

static struct tenf_event *push(struct tenf_session *session, enum tenf_event_kind kind)
{
	struct tenf_event *event = &session->events[session->last++ % FAKE_SEEN];

	*event = (struct tenf_event){ .kind = kind, .at = fake.now };
	return event;
}

void fake_lose(struct tenf_mapping *mapping)
{
	mapping->state = TENF_STATE_LOST;
	mapping->error = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1 };
}

void fake_come_back(struct tenf_mapping *mapping)
{
	mapping->state = TENF_STATE_MAPPED;
	mapping->error = (struct tenf_error){ .result = -1 };
}

void fake_event(struct tenf_session *session, size_t index, enum tenf_event_kind kind,
		void (*change)(struct tenf_mapping *))
{
	struct tenf_mapping *m = &session->mappings[index];
	struct tenf_event *event = push(session, kind);

	event->before = *m;
	if (change != NULL)
		change(m);
	event->mapping = *m;
}

void fake_gateway_event(struct tenf_session *session, enum tenf_event_kind kind)
{
	push(session, kind)->gateway = fake.gateway;
}

static const struct fake_port *find_port(uint16_t internal_port)
{
	const struct fake_port *all = NULL;

	for (size_t i = 0; i < FAKE_PORTS; i++) {
		if (fake.ports[i].internal_port == internal_port)
			return &fake.ports[i];
		if (fake.ports[i].internal_port == 0 && all == NULL)
			all = &fake.ports[i];
	}
	return all;
}

static void grant(const struct tenf_request *request, const struct fake_port *port,
		  struct tenf_mapping *m)
{
	m->state = TENF_STATE_MAPPED;
	m->method = fake.gateway.spoken[0].method;
	m->external_port = port->external_port != 0 ? port->external_port
			   : request->external_port != 0 ? request->external_port
							  : 40112;
	m->lifetime_s = port->lifetime_s != 0 ? port->lifetime_s : request->lifetime_s;
	m->expires_at = fake.now + m->lifetime_s;
	m->renews_at = request->keep ? fake.now + m->lifetime_s / 2 : 0;
	copy(m->external_address, sizeof(m->external_address),
	     port->external_address != NULL ? port->external_address
					    : fake.gateway.external_address);
}

static void refuse(const struct fake_port *port, struct tenf_mapping *m)
{
	m->state = port->reason == TENF_REASON_SILENT ? TENF_STATE_LOST : TENF_STATE_REFUSED;
	m->error.reason = port->reason;
	m->error.result = port->result != 0 ? port->result : -1;
	copy(m->error.text, sizeof(m->error.text), port->text);
}

static uint32_t answer(struct tenf_session *session, const struct tenf_request *request,
		       enum tenf_protocol protocol)
{
	const struct fake_port *port = find_port(request->internal_port);
	struct tenf_mapping *m = &session->mappings[session->count++];
	struct tenf_event *event;

	m->id = (uint32_t)session->count;
	m->protocol = protocol;
	m->internal_port = request->internal_port;
	m->requested_external_port = request->external_port;
	m->gateway_port = fake.gateway.port;
	m->error.result = -1;
	copy(m->internal_address, sizeof(m->internal_address),
	     request->internal_address != NULL ? request->internal_address : fake.gateway.source);
	copy(m->gateway, sizeof(m->gateway), fake.gateway.address);
	memset(m->nonce, (int)m->id, sizeof(m->nonce));
	if (request->nonce != NULL)
		memcpy(m->nonce, request->nonce, sizeof(m->nonce));
	if (port->reason == TENF_REASON_NONE && request->filter_count > 0)
		m->filtering = port->unfiltered ? TENF_FILTERING_MISSING : TENF_FILTERING_ECHOED;
	if (port->reason == TENF_REASON_NONE)
		grant(request, port, m);
	else
		refuse(port, m);
	if (session->outer[0] != '\0') {
		copy(m->gateway, sizeof(m->gateway), session->outer);
		m->method = m->state == TENF_STATE_MAPPED ? TENF_METHOD_NATPMP : TENF_METHOD_NONE;
	}
	event = push(session, port->reason == TENF_REASON_NONE     ? TENF_EVENT_MAPPED
			      : port->reason == TENF_REASON_SILENT ? TENF_EVENT_LOST
								   : TENF_EVENT_REFUSED);
	event->mapping = *m;
	return m->id;
}

enum tenf_status tenf_session_add(struct tenf_session *session, const struct tenf_request *request,
				  uint32_t *ret_id)
{
	struct fake_request *seen = &fake.requests[fake.request_count++];
	uint32_t id;

	seen->request = *request;
	seen->has_nonce = request->nonce != NULL;
	if (request->nonce != NULL)
		memcpy(seen->nonce, request->nonce, sizeof(seen->nonce));
	copy(seen->internal_address, sizeof(seen->internal_address), request->internal_address);
	copy(seen->external_address, sizeof(seen->external_address), request->external_address);
	copy(seen->description, sizeof(seen->description), request->description);
	for (size_t i = 0; i < request->filter_count; i++) {
		seen->filters[i] = request->filters[i];
		copy(seen->filter_addresses[i], TENF_ADDRESS_SIZE, request->filters[i].address);
	}
	id = answer(session, request,
		    request->protocol == TENF_BOTH ? TENF_TCP : request->protocol);
	if (request->protocol == TENF_BOTH) {
		uint32_t second = answer(session, request, TENF_UDP);

		session->mappings[id - 1].pair = second;
		session->mappings[second - 1].pair = id;
	}
	*ret_id = id;
	return TENF_OK;
}

static void end(struct tenf_session *session, struct tenf_mapping *m)
{
	struct tenf_event *event;
	bool obeys = fake.removal_by != TENF_METHOD_NONE && m->method == fake.removal_by;
	enum tenf_reason reason = obeys ? TENF_REASON_NONE : fake.removal;

	if (reason == TENF_REASON_SILENT)
		return;
	event = push(session, TENF_EVENT_REMOVED);
	event->before = *m;
	m->state = TENF_STATE_REMOVED;
	m->error = (struct tenf_error){ .reason = reason, .result = -1 };
	event->mapping = *m;
}

enum tenf_status tenf_session_remove(struct tenf_session *session, uint32_t id)
{
	end(session, &session->mappings[id - 1]);
	return TENF_OK;
}

void tenf_session_remove_all(struct tenf_session *session)
{
	for (size_t i = 0; i < session->count; i++)
		end(session, &session->mappings[i]);
}

enum tenf_status tenf_session_release(struct tenf_session *session,
				      const struct tenf_mapping *lease, uint32_t *ret_id)
{
	struct tenf_mapping *m = &session->mappings[session->count++];

	fake.released[fake.released_count++] = *lease;
	*m = *lease;
	m->id = (uint32_t)session->count;
	*ret_id = m->id;
	end(session, m);
	return TENF_OK;
}

bool tenf_session_mapping(const struct tenf_session *session, uint32_t id,
			  struct tenf_mapping *ret)
{
	if (id == 0 || id > session->count)
		return false;
	*ret = session->mappings[id - 1];
	return true;
}

size_t tenf_session_count(const struct tenf_session *session)
{
	return session->count;
}

uint32_t tenf_session_id_at(const struct tenf_session *session, size_t index)
{
	return session->mappings[index].id;
}

void tenf_session_gateway(const struct tenf_session *session, struct tenf_gateway *ret)
{
	(void)session;
	*ret = fake.gateway;
}

void tenf_session_counters(const struct tenf_session *session, struct tenf_counters *ret)
{
	(void)session;
	*ret = (struct tenf_counters){
		.size = ret->size, .sent = 3, .received = 2, .dropped_foreign = 1
	};
}

enum tenf_status tenf_discovery_new(const struct tenf_options *options, bool only_best,
				    struct tenf_discovery **ret, struct tenf_error *reterr)
{
	enum tenf_status status = see(options, reterr);

	(void)only_best;
	if (status != TENF_OK)
		return status;
	*ret = calloc(1, sizeof(**ret));
	return *ret != NULL ? TENF_OK : TENF_E_MEMORY;
}

void tenf_discovery_free(struct tenf_discovery *discovery)
{
	free(discovery);
}

int tenf_discovery_fd(const struct tenf_discovery *discovery)
{
	(void)discovery;
	return -1;
}

int tenf_discovery_timeout_ms(const struct tenf_discovery *discovery)
{
	(void)discovery;
	return 0;
}

enum tenf_status tenf_discovery_process(struct tenf_discovery *discovery)
{
	discovery->done = true;
	return TENF_OK;
}

bool tenf_discovery_done(const struct tenf_discovery *discovery)
{
	return discovery->done;
}

size_t tenf_discovery_count(const struct tenf_discovery *discovery)
{
	(void)discovery;
	return fake.found_count;
}

void tenf_discovery_gateway(const struct tenf_discovery *discovery, size_t index,
			    struct tenf_gateway *ret)
{
	(void)discovery;
	*ret = fake.found[index];
}

enum tenf_status tenf_find_gateway(const struct tenf_options *options, struct tenf_gateway *ret,
				   struct tenf_error *reterr)
{
	*ret = fake.gateway;
	return see(options, reterr);
}

void tenf_raw_init(struct tenf_raw *raw)
{
	*raw = (struct tenf_raw){ .size = sizeof(*raw), .lifetime_s = TENF_DEFAULT_LIFETIME_S };
}

enum tenf_status tenf_raw_build(const struct tenf_options *options, const struct tenf_raw *raw,
				uint8_t *data, size_t *ret_len, struct tenf_error *reterr)
{
	(void)options;
	(void)reterr;
	fake.raw = *raw;
	if (fake.exchange != NULL) {
		memset(data, 0, 60);
		data[0] = 2;
		data[1] = 1;
		memcpy(data + 4, &(uint32_t){ htonl(raw->lifetime_s) }, 4);
		memcpy(data + 24, raw->nonce, TENF_NONCE_SIZE);
		data[36] = (uint8_t)raw->protocol;
		memcpy(data + 40, &(uint16_t){ htons(raw->internal_port) }, 2);
		*ret_len = 60;
		return TENF_OK;
	}
	data[0] = raw->kind >= TENF_RAW_PCP_ANNOUNCE ? 2 : 0;
	data[1] = (uint8_t)raw->kind;
	*ret_len = 2;
	return TENF_OK;
}

enum tenf_status tenf_raw_exchange(const struct tenf_options *options, const uint8_t *request,
				   size_t len, uint8_t *answer_data, size_t *ret_len,
				   int64_t *ret_rtt_us, struct tenf_gateway *ret_gateway,
				   struct tenf_error *reterr)
{
	enum tenf_status status = see(options, reterr);

	fake.raw_len = len < sizeof(fake.raw_sent) ? len : sizeof(fake.raw_sent);
	memcpy(fake.raw_sent, request, fake.raw_len);
	if (ret_gateway != NULL)
		*ret_gateway = fake.gateway;
	if (status != TENF_OK)
		return status;
	if (ret_rtt_us != NULL)
		*ret_rtt_us = fake.gateway.rtt_us;
	if (fake.exchange != NULL) {
		*ret_len = fake.exchange(request, answer_data);
		if (*ret_len == 0)
			*reterr = (struct tenf_error){ .reason = TENF_REASON_SILENT, .result = -1 };
		return *ret_len > 0 ? TENF_OK : TENF_E_FAILED;
	}
	memcpy(answer_data, fake.answer, fake.answer_len);
	*ret_len = fake.answer_len;
	return TENF_OK;
}

void tenf_packet_describe(const uint8_t *data, size_t len, char *text, size_t size)
{
	snprintf(text, size, "version: %d\nlength: %zu\n", len > 0 ? data[0] : -1, len);
}

const char *tenf_version(void)
{
	return "0.0.1";
}

const char *tenf_status_text(enum tenf_status status)
{
	return tenf_status_name(status);
}

/* ---- UPnP: nothing is remembered, nothing is listed ------------------------------- */

bool tenf_session_igd_hint(const struct tenf_session *session, char ret[TENF_IGD_HINT_SIZE])
{
	(void)session;
	ret[0] = '\0';
	return false;
}

bool tenf_discovery_igd_hint(const struct tenf_discovery *discovery, size_t index,
			     char ret[TENF_IGD_HINT_SIZE])
{
	(void)discovery, (void)index;
	ret[0] = '\0';
	return false;
}

struct tenf_listing {
	int nothing;
};

enum tenf_status tenf_listing_new(const struct tenf_options *options, struct tenf_listing **ret,
				  struct tenf_error *reterr)
{
	static struct tenf_listing listing;

	fake.options = *options;
	fake.calls++;
	if (fake.listing_status != TENF_OK) {
		*reterr = fake.error;
		return fake.listing_status;
	}
	*ret = &listing;
	return TENF_OK;
}

void tenf_listing_free(struct tenf_listing *listing)
{
	if (listing != NULL)
		fake.freed++;
}

bool tenf_listing_is_cut(const struct tenf_listing *listing)
{
	(void)listing;
	return fake.listing_is_cut;
}

bool tenf_listing_mapping(const struct tenf_listing *listing, size_t index,
			  struct tenf_mapping *ret, char ret_description[TENF_DESCRIPTION_SIZE])
{
	(void)listing;
	if (index >= fake.listed_count)
		return false;
	*ret = fake.listed[index];
	memcpy(ret_description, fake.listed_as[index], TENF_DESCRIPTION_SIZE);
	return true;
}

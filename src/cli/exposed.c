/* SPDX-License-Identifier: MIT */
#include "cli/exposed.h"

#include "base/forward.h"
#include "cli/output.h"
#include "cli/report.h"
#include "control/shapes.h"

#include <stdlib.h>
#include <string.h>

/* Below this number an UDP socket waits for somebody; from here on most are a
 * client's own end, which the kernel chose (ip_local_port_range). */
#define EPHEMERAL_FROM 32768

static enum tenf_status grow(struct exposed_list *list, const struct exposed *exposed)
{
	size_t size = list->size > 0 ? 2 * list->size : 16;
	struct exposed *items;

	if (list->count == list->size) {
		items = reallocarray(list->items, size, sizeof(*items));
		if (items == NULL)
			return TENF_E_MEMORY;
		list->items = items;
		list->size = size;
	}
	list->items[list->count++] = *exposed;
	return TENF_OK;
}

static enum host_verdict judge(const struct host *host, const struct tenf_mapping *m,
			       const struct tenf_address *address, uint32_t interface)
{
	const struct host_link *link = host_network_link(&host->network, interface);
	struct host_packet packet = { .protocol = m->protocol,
				      .port = m->internal_port,
				      .is_v6 = !tenf_address_is_v4(address),
				      .interface = link != NULL ? link->name : "",
				      .address = *address };

	return host_firewall_judge(host, &packet, NULL);
}

static bool is_open(const struct opened *opened)
{
	enum tenf_state state = opened->mapping.state;

	return state == TENF_STATE_MAPPED || state == TENF_STATE_RENEWING;
}

static enum tenf_status join_opened(const struct opened *opened, const struct host *host,
				    struct exposed_list *ret)
{
	const struct tenf_mapping *m = &opened->mapping;
	struct exposed exposed = { .opened = opened, .firewall = HOST_UNREADABLE };
	const struct host_address *ours = NULL;
	struct tenf_address address;

	if (tenf_address_parse(m->internal_address, &address))
		ours = host_network_address(&host->network, &address);
	if (ours != NULL) {
		exposed.is_ours = true;
		exposed.listener = host_sockets_find(&host->sockets, m->protocol, &address,
						     m->internal_port);
		exposed.firewall = judge(host, m, &address, ours->interface);
	}
	return grow(ret, &exposed);
}

/* ---- Without translation -------------------------------------------------------- */

/* Heard on the own link alone, or a client's end. */
static bool is_for_the_world(const struct host_socket *socket)
{
	static const uint16_t local[] = { 67, 68, 546, 547, 1900, 3702, 5350, 5353, 5355 };

	if (!host_socket_is_outward(socket))
		return false;
	if (socket->protocol == TENF_UDP && socket->port >= EPHEMERAL_FROM)
		return false;
	for (size_t i = 0; socket->protocol == TENF_UDP && i < TENF_ARRAY_SIZE(local); i++) {
		if (socket->port == local[i])
			return false;
	}
	return true;
}

/* The lasting ones before those that change by themselves. */
static const struct host_address *global_of(const struct host *host,
					    const struct host_socket *socket, bool v4)
{
	const struct host_address *found = NULL;

	for (size_t i = 0; i < host->network.address_count; i++) {
		const struct host_address *a = &host->network.addresses[i];

		if (host_address_is_global(a) && tenf_address_is_v4(&a->address) == v4 &&
		    host_socket_hears(socket, socket->protocol, &a->address, socket->port) &&
		    (found == NULL || (found->is_temporary && !a->is_temporary)))
			found = a;
	}
	return found;
}

static bool make_direct(const struct host *host, const struct host_socket *socket, bool v4,
			struct opened *ret_opened, struct exposed *ret)
{
	const struct host_address *a = global_of(host, socket, v4);
	struct tenf_mapping *m = &ret_opened->mapping;

	if (a == NULL)
		return false;
	*ret_opened = (struct opened){ .sources = OPENED_DIRECT };
	m->protocol = socket->protocol;
	m->state = TENF_STATE_MAPPED;
	m->error.result = -1;
	m->internal_port = m->external_port = socket->port;
	(void)tenf_address_text(&a->address, m->internal_address);
	(void)tenf_address_text(&a->address, m->external_address);
	*ret = (struct exposed){ .opened = ret_opened, .listener = socket, .is_ours = true };
	ret->firewall = judge(host, m, &a->address, a->interface);
	return ret->firewall != HOST_KEEPS_OUT;
}

/* Several sockets on one port (a server's workers) are one exposure; so is what a
 * pinhole that we know of leads to. */
static bool is_known(const struct exposed_list *list, const struct opened *opened)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct tenf_mapping *a = &list->items[i].opened->mapping;
		const struct tenf_mapping *b = &opened->mapping;

		if (a->protocol == b->protocol && a->external_port == b->external_port &&
		    strcmp(a->external_address, b->external_address) == 0 &&
		    strcmp(a->internal_address, b->internal_address) == 0)
			return true;
	}
	return false;
}

static enum tenf_status join_direct(const struct host *host, struct exposed_list *ret)
{
	struct exposed exposed;
	size_t used = 0;

	ret->direct = calloc(2 * host->sockets.count + 1, sizeof(*ret->direct));
	if (ret->direct == NULL)
		return TENF_E_MEMORY;
	for (size_t i = 0; i < 2 * host->sockets.count; i++) {
		const struct host_socket *socket = &host->sockets.items[i / 2];

		if (!is_for_the_world(socket) ||
		    !make_direct(host, socket, i % 2 == 1, &ret->direct[used], &exposed) ||
		    is_known(ret, &ret->direct[used]))
			continue;
		used++;
		if (grow(ret, &exposed) != TENF_OK)
			return TENF_E_MEMORY;
	}
	return TENF_OK;
}

enum tenf_status exposed_join(const struct opened_list *opened, const struct host *host,
			      struct exposed_list *ret)
{
	enum tenf_status status = TENF_OK;

	*ret = (struct exposed_list){ NULL };
	for (size_t i = 0; status == TENF_OK && i < opened->count; i++) {
		if (is_open(&opened->items[i]))
			status = join_opened(&opened->items[i], host, ret);
	}
	return status == TENF_OK ? join_direct(host, ret) : status;
}

void exposed_done(struct exposed_list *list)
{
	free(list->items);
	free(list->direct);
	*list = (struct exposed_list){ NULL };
}

/* ---- Telling ------------------------------------------------------------------ */

void exposed_listener_text(struct tenf_text *t, const struct exposed *exposed)
{
	const struct host_program *program;
	const char *where;

	if (!exposed->is_ours || exposed->listener == NULL) {
		tenf_text_add(t, exposed->is_ours ? "nobody listens" : "another computer");
		return;
	}
	program = &exposed->listener->program;
	where = program->container[0] != '\0' ? program->container : program->unit;
	tenf_text_add(t, program->name[0] != '\0' ? program->name : "a program of another user");
	if (where[0] == '\0')
		return;
	tenf_text_add(t, " (");
	tenf_text_add(t, where);
	tenf_text_add(t, ")");
}

void exposed_place_text(struct tenf_text *t, const struct exposed *exposed)
{
	const struct tenf_mapping *m = &exposed->opened->mapping;

	if (exposed->opened->sources == OPENED_DIRECT) {
		output_endpoint(t, m->external_address, m->external_port,
				tenf_protocol_name(m->protocol));
		return;
	}
	if (m->external_port != 0) {
		report_mapping(t, m, tenf_protocol_name(m->protocol));
		return;
	}
	tenf_text_add(t, "some port → "); /* found by a probe, which tells no more */
	output_endpoint(t, m->internal_address, m->internal_port, tenf_protocol_name(m->protocol));
}

static json_t *listener_shape(const struct host_socket *listener)
{
	const struct host_program *program;

	if (listener == NULL)
		return json_null();
	program = &listener->program;
	return json_pack("{so so so so}", "pid", shape_some(program->pid), "program",
			 shape_text(program->name), "unit", shape_text(program->unit),
			 "container", shape_text(program->container));
}

static const char *verdict_code(enum host_verdict verdict)
{
	switch (verdict) {
	case HOST_LETS_IN:
		return "open";
	case HOST_KEEPS_OUT:
		return "closed";
	case HOST_UNSURE:
		return "unsure";
	case HOST_UNREADABLE:
		return NULL;
	}
	return NULL;
}

json_t *exposed_shape(const struct exposed *exposed)
{
	json_t *shape = opened_shape(exposed->opened);

	if (shape == NULL ||
	    json_object_set_new(shape, "listener", listener_shape(exposed->listener)) != 0 ||
	    json_object_set_new(shape, "firewall", shape_text(verdict_code(exposed->firewall)))) {
		json_decref(shape);
		return NULL;
	}
	return shape;
}

/* SPDX-License-Identifier: MIT */
#include "cli/findings.h"

#include "base/forward.h"
#include "base/names.h"
#include "cli/output.h"
#include "cli/services.h"
#include "control/shapes.h"

#include <stdlib.h>
#include <string.h>

/* A finding to be filled; NULL when memory is out. */
static struct finding *add(struct findings *findings, enum severity severity, const char *code,
			   const struct exposed *exposed)
{
	size_t size = findings->size > 0 ? 2 * findings->size : 8;
	struct finding *items;

	if (findings->count == findings->size) {
		items = reallocarray(findings->items, size, sizeof(*items));
		if (items == NULL)
			return NULL;
		findings->items = items;
		findings->size = size;
	}
	items = &findings->items[findings->count++];
	*items = (struct finding){ .severity = severity, .code = code, .exposed = exposed };
	return items;
}

/* "203.0.113.7:22/tcp → 192.168.1.20:22: " begins what is said of a port. */
static struct tenf_text text_of(struct finding *finding)
{
	struct tenf_text t = tenf_text_of(finding->text, sizeof(finding->text));

	if (finding->exposed == NULL)
		return t;
	exposed_place_text(&t, finding->exposed);
	tenf_text_add(&t, ": ");
	return t;
}

static void advise(struct finding *finding, const char *advice)
{
	struct tenf_text t = tenf_text_of(finding->advice, sizeof(finding->advice));

	tenf_text_add(&t, advice);
}

/* How to close it, for what is ours to close. */
static void advise_removal(struct finding *finding, const char *before)
{
	const struct opened *opened = finding->exposed->opened;
	struct tenf_text t = tenf_text_of(finding->advice, sizeof(finding->advice));

	tenf_text_add(&t, before);
	if ((opened->sources & (OPENED_AGENT | OPENED_LEASE)) != 0 && opened->id[0] != '\0') {
		tenf_text_add(&t, "Close it with: tenforward remove ");
		tenf_text_add(&t, opened->id);
	} else {
		tenf_text_add(&t, "Another program opened it; close it there, or in the router.");
	}
}

/* ---- Each finding --------------------------------------------------------------- */

static bool judge_service(struct findings *findings, const struct exposed *e)
{
	const char *program = e->listener != NULL ? e->listener->program.name : "";
	const struct tenf_mapping *m = &e->opened->mapping;
	const struct service *service = service_find(program, m->protocol, m->internal_port);
	bool is_direct = e->opened->sources == OPENED_DIRECT;
	struct finding *finding;
	enum severity severity;
	struct tenf_text t;

	if (service == NULL || (e->is_ours && e->listener == NULL))
		return true;
	severity = service->severity;
	if (e->firewall == HOST_KEEPS_OUT)
		severity = SEVERITY_LOW;
	else if (is_direct && severity > SEVERITY_MEDIUM)
		severity = SEVERITY_MEDIUM; /* the router may filter, which is not seen here */
	finding = add(findings, severity, "sensitive-service", e);
	if (finding == NULL)
		return false;
	t = text_of(finding);
	tenf_text_add(&t, service->what);
	tenf_text_add(&t, is_direct ? " needs no gateway to be open to the world" :
				      " is open to the world");
	if (e->firewall == HOST_KEEPS_OUT)
		tenf_text_add(&t, ", and only this computer's firewall keeps it closed");
	else if (is_direct)
		tenf_text_add(&t, ", unless the router filters");
	if (program[0] != '\0') {
		tenf_text_add(&t, " (");
		exposed_listener_text(&t, e);
		tenf_text_add(&t, ")");
	}
	tenf_text_add(&t, ".");
	advise(finding, service->advice);
	return true;
}

static bool judge_listener(struct findings *findings, const struct exposed *e)
{
	struct finding *finding;
	struct tenf_text t;

	if (!e->is_ours || e->listener != NULL)
		return true;
	finding = add(findings, SEVERITY_LOW, "nobody-listens", e);
	if (finding == NULL)
		return false;
	t = text_of(finding);
	tenf_text_add(&t, "nobody listens there. Whatever starts on this port next is open to "
			  "the world at once.");
	advise_removal(finding, "");
	return true;
}

static bool judge_host(struct findings *findings, const struct exposed *e)
{
	struct finding *finding;
	struct tenf_text t;

	/* What we made for another host is known, and what a gateway of ours allowed. */
	if (e->is_ours ||
	    (e->opened->sources & (OPENED_AGENT | OPENED_LEASE | OPENED_GATEWAY)) != 0)
		return true;
	finding = add(findings, SEVERITY_LOW, "foreign-host", e);
	if (finding == NULL)
		return false;
	t = text_of(finding);
	tenf_text_add(&t, "it leads to another computer, ");
	tenf_text_add(&t, e->opened->mapping.internal_address);
	tenf_text_add(&t, ", which is not this one.");
	advise(finding, "Is that computer yours, and is it meant to be open?");
	return true;
}

static bool judge_lease(struct findings *findings, const struct exposed *e)
{
	struct finding *finding;
	struct tenf_text t;

	if (!e->opened->is_endless)
		return true;
	finding = add(findings, SEVERITY_LOW, "endless-lease", e);
	if (finding == NULL)
		return false;
	t = text_of(finding);
	tenf_text_add(&t, "it never ends by itself: it stays open after the program and the "
			  "computer are gone.");
	advise_removal(finding, "");
	return true;
}

static bool same_inside(const struct exposed *a, const struct exposed *b)
{
	const struct tenf_mapping *m = &a->opened->mapping, *n = &b->opened->mapping;

	return m->internal_port == n->internal_port && m->protocol == n->protocol &&
	       ((a->opened->sources | b->opened->sources) & OPENED_DIRECT) == 0 &&
	       strcmp(m->internal_address, n->internal_address) == 0;
}

/* Told once, with the last of them. */
static bool judge_others(struct findings *findings, const struct exposed_list *list, size_t at)
{
	const struct exposed *e = &list->items[at];
	struct finding *finding;
	struct tenf_text t;
	size_t others = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (i == at || !same_inside(e, &list->items[i]))
			continue;
		if (i > at)
			return true;
		others++;
	}
	if (others == 0)
		return true;
	finding = add(findings, SEVERITY_LOW, "several-mappings", e);
	if (finding == NULL)
		return false;
	t = text_of(finding);
	tenf_text_add_number(&t, others);
	tenf_text_add(&t, others == 1 ? " other port leads" : " other ports lead");
	tenf_text_add(&t, " to the same place.");
	advise_removal(finding, "One is enough. ");
	return true;
}

static bool speaks(const struct tenf_gateway *g, unsigned methods)
{
	for (size_t i = 0; i < g->spoken_count; i++) {
		if ((g->spoken[i].method & methods) != 0)
			return true;
	}
	return false;
}

static bool judge_gateway(struct findings *findings, const struct findings_scene *scene)
{
	const struct tenf_gateway *g = scene->gateway;
	struct finding *finding;
	struct tenf_text t;

	if (g == NULL)
		return true;
	if (speaks(g, TENF_METHOD_IGD) && speaks(g, TENF_METHOD_PCP | TENF_METHOD_NATPMP)) {
		finding = add(findings, SEVERITY_LOW, "upnp-answers", NULL);
		if (finding == NULL)
			return false;
		t = text_of(finding);
		tenf_text_add(&t, "UPnP answers at ");
		tenf_text_add(&t, g->address);
		tenf_text_add(&t, ", where PCP or NAT-PMP would do: any program can read and close "
				  "what others opened, and open ports that never end.");
		advise(finding, "Switch UPnP off in the router and leave NAT-PMP or PCP on.");
	}
	if (!scene->answers_outside)
		return true;
	finding = add(findings, SEVERITY_HIGH, "gateway-answers-outside", NULL);
	if (finding == NULL)
		return false;
	t = text_of(finding);
	tenf_text_add(&t, "The gateway takes orders at its outside address, ");
	tenf_text_add(&t, g->external_address);
	tenf_text_add(&t, ", where strangers could open ports; it should answer inside alone "
			  "(RFC 6886 §3.2).");
	advise(finding, "Update the router. Whether it answers strangers too can be seen from "
			"outside alone.");
	return true;
}

/* ---- All of them ---------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct finding *left = a, *right = b;

	if (left->severity != right->severity)
		return (int)right->severity - (int)left->severity;
	if (left->exposed == NULL || right->exposed == NULL)
		return (left->exposed == NULL) - (right->exposed == NULL);
	return (left->exposed > right->exposed) - (left->exposed < right->exposed);
}

enum tenf_status findings_judge(const struct findings_scene *scene, struct findings *ret)
{
	const struct exposed_list *list = scene->exposed;
	bool ok = true;

	*ret = (struct findings){ NULL };
	for (size_t i = 0; ok && i < list->count; i++) {
		const struct exposed *e = &list->items[i];

		ok = judge_service(ret, e) && judge_listener(ret, e) && judge_host(ret, e) &&
		     judge_lease(ret, e) && judge_others(ret, list, i);
	}
	ok = ok && judge_gateway(ret, scene);
	if (ret->count > 0)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare);
	return ok ? TENF_OK : TENF_E_MEMORY;
}

void findings_done(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){ NULL };
}

json_t *finding_shape(const struct finding *finding)
{
	return json_pack("{ss ss so so so}", "severity", severity_code(finding->severity), "code",
			 finding->code, "text", shape_text(finding->text), "advice",
			 shape_text(finding->advice), "mapping",
			 finding->exposed != NULL ? opened_shape(finding->exposed->opened) :
						    json_null());
}

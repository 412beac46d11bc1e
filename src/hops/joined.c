/* SPDX-License-Identifier: MIT */
#include "hops/joined.h"

#include "base/address.h"
#include "base/names.h"
#include "base/text.h"

#include <string.h>

bool hop_is_held(const struct tenf_mapping *mapping)
{
	return mapping->state == TENF_STATE_MAPPED || mapping->state == TENF_STATE_RENEWING;
}

bool hop_is_needed(const struct tenf_mapping *inner)
{
	struct tenf_address outside;

	return hop_is_held(inner) && tenf_address_parse(inner->external_address, &outside) &&
	       tenf_address_is_v4(&outside) &&
	       tenf_address_classify(&outside) == TENF_ADDRESS_PRIVATE;
}

bool hop_fits(const struct hop *hop)
{
	return hop->id != 0 && hop->outer.internal_port == hop->inner.external_port;
}

/* ---- Asking ----------------------------------------------------------------------- */

void hop_request(const struct hop *hop, struct tenf_request *ret)
{
	const struct tenf_mapping *m = &hop->inner;

	tenf_request_init(ret);
	ret->protocol = m->protocol;
	ret->internal_port = m->external_port;
	ret->external_port = m->requested_external_port != 0 ? m->requested_external_port :
							       m->external_port;
	ret->keep = true;
}

void hop_asked(struct hop *hop, uint32_t id)
{
	hop->id = id;
	hop->outer = (struct tenf_mapping){ .state = TENF_STATE_ASKING,
					    .protocol = hop->inner.protocol,
					    .internal_port = hop->inner.external_port,
					    .error.result = -1 };
}

void hop_failed(struct hop *hop, enum tenf_reason reason, const char *why)
{
	struct tenf_text t = tenf_text_of(hop->outer.error.text, sizeof(hop->outer.error.text));

	hop->outer.state = TENF_STATE_LOST;
	hop->outer.error.reason = reason;
	hop->outer.error.result = -1;
	tenf_text_add(&t, why);
}

void hop_dropped(struct hop *hop)
{
	hop->id = 0;
	hop->outer.state = TENF_STATE_LOST;
}

/* ---- Both as one ------------------------------------------------------------------- */

/* Whatever else it may speak: PCP takes the translation on the way for an error. */
const char *hop_reason(const struct tenf_error *error)
{
	if (error->reason == TENF_REASON_NO_SERVICE)
		return "It does not speak NAT-PMP, by which alone it can be asked from behind "
		       "another router.";
	return error->text[0] != '\0' ? error->text : tenf_reason_code(error->reason);
}

static void blame_outer(struct tenf_error *ret, const struct tenf_error *error)
{
	struct tenf_text t = tenf_text_of(ret->text, sizeof(ret->text));

	*ret = *error;
	tenf_text_add(&t, "The outer router: ");
	tenf_text_add(&t, hop_reason(error));
}

/* The mapping ends when its first hop does. */
static void take_outside(struct tenf_mapping *m, const struct tenf_mapping *outer)
{
	memcpy(m->external_address, outer->external_address, sizeof(m->external_address));
	m->external_port = outer->external_port;
	if (outer->expires_at != 0 && outer->expires_at < m->expires_at) {
		m->expires_at = outer->expires_at;
		m->lifetime_s = outer->lifetime_s;
		m->renews_at = outer->renews_at;
	}
}

struct tenf_mapping hop_joined(const struct hop *hop)
{
	const struct tenf_mapping *outer = &hop->outer;
	struct tenf_mapping m = hop->inner;
	bool needed = hop_is_needed(&hop->inner);

	if (needed && hop_is_held(outer)) {
		take_outside(&m, outer);
		return m;
	}
	if (!needed && hop_is_held(&m))
		return m;
	memcpy(m.external_address, hop->told.external_address, sizeof(m.external_address));
	m.external_port = hop->told.external_port;
	m.expires_at = 0;
	if (needed)
		m.state = outer->state;
	if ((needed || (hop->id != 0 && m.error.reason == TENF_REASON_NONE)) &&
	    outer->error.reason != TENF_REASON_NONE)
		blame_outer(&m.error, &outer->error);
	return m;
}

static bool same_outside(const struct tenf_mapping *a, const struct tenf_mapping *b)
{
	return a->external_port == b->external_port &&
	       strcmp(a->external_address, b->external_address) == 0;
}

/* What is told of it; 0: nothing. */
static enum tenf_event_kind news(const struct hop *hop, const struct tenf_mapping *now,
				 enum tenf_event_kind cause)
{
	const struct tenf_mapping *told = &hop->told;
	bool gone = hop->inner.state == TENF_STATE_REMOVED;
	bool outer_gone = hop->outer.state == TENF_STATE_REMOVED;

	if (gone || outer_gone)
		return gone && (hop->id == 0 || outer_gone) && told->state != TENF_STATE_REMOVED
			       ? TENF_EVENT_REMOVED
			       : 0;
	if (hop_is_held(now)) {
		if (told->id == 0 || !hop_is_held(told))
			return TENF_EVENT_MAPPED;
		if (!same_outside(now, told))
			return TENF_EVENT_CHANGED;
		/* It ends later when both do. */
		return cause == TENF_EVENT_RENEWED && now->expires_at > told->expires_at
			       ? TENF_EVENT_RENEWED
			       : 0;
	}
	if (now->state == TENF_STATE_ASKING)
		return 0;
	if (told->id != 0 && told->state == now->state && told->error.reason == now->error.reason)
		return 0;
	return now->state == TENF_STATE_REFUSED ? TENF_EVENT_REFUSED : TENF_EVENT_LOST;
}

bool hop_compose(struct hop *hop, const struct tenf_event *cause, struct tenf_event *ret)
{
	struct tenf_mapping now = hop_joined(hop);
	enum tenf_event_kind kind = news(hop, &now, cause->kind);

	if (kind == 0)
		return false;
	*ret = (struct tenf_event){
		.kind = kind, .at = cause->at, .mapping = now, .before = hop->told
	};
	hop->told = now;
	return true;
}

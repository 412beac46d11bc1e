/* SPDX-License-Identifier: MIT */
/*
 * GET /v1/mappings. Sixty thousand mappings take seconds to write down, in which
 * requests of hosts must not wait: a copy is taken at once, and written down
 * in slices between the turns of the loop (control/list.h).
 */
#include "gateway/api.h"

#include "control/list.h"
#include "gateway/api-shapes.h"

#include <stdlib.h>
#include <string.h>

/* One mapping as it was, with its description alone of what lies elsewhere. */
struct copy {
	struct ledger_mapping mapping;
	struct ledger_cold *cold;
};

struct snapshot {
	struct daemon *daemon;
	struct copy *copies;
	size_t count;
	struct responder_peer *peers; /* behind them in the list */
	size_t peer_count;
};

static void free_snapshot(void *context)
{
	struct snapshot *s = context;

	for (size_t i = 0; i < s->count; i++)
		free(s->copies[i].cold);
	free(s->copies);
	free(s->peers);
	free(s);
}

static bool take(struct copy *ret, const struct ledger_mapping *m)
{
	ret->mapping = *m;
	ret->cold = NULL;
	if (m->cold == NULL || (m->cold->description_len == 0 && !m->cold->has_asker))
		return true;
	ret->cold = calloc(1, sizeof(*ret->cold));
	if (ret->cold == NULL)
		return false;
	ret->cold->has_asker = m->cold->has_asker;
	ret->cold->asker = m->cold->asker;
	ret->cold->description_len = m->cold->description_len;
	memcpy(ret->cold->description, m->cold->description, m->cold->description_len);
	return true;
}

static bool take_peers(struct snapshot *s)
{
	const struct responder *r = s->daemon->responder;
	const struct responder_peer *peer = NULL;

	s->peers = calloc(PEERS_MAX, sizeof(*s->peers));
	if (s->peers == NULL)
		return false;
	while (s->peer_count < PEERS_MAX && (peer = responder_peers(r, peer)) != NULL)
		s->peers[s->peer_count++] = *peer;
	return true;
}

static bool take_all(struct snapshot *s)
{
	const struct responder *r = s->daemon->responder;
	const struct ledger_mapping *m = NULL;
	size_t room = responder_mapping_count(r);

	s->copies = calloc(room + 1, sizeof(*s->copies));
	if (s->copies == NULL)
		return false;
	while (s->count < room && (m = responder_mappings(r, m)) != NULL) {
		if (!take(&s->copies[s->count], m))
			return false;
		s->count++;
	}
	return take_peers(s);
}

static json_t *item(void *context, size_t index)
{
	const struct snapshot *s = context;
	struct ledger_mapping m;

	if (index >= s->count)
		return api_peer(s->daemon, &s->peers[index - s->count]);
	m = s->copies[index].mapping;
	m.cold = s->copies[index].cold;
	return api_mapping(s->daemon, &m);
}

void api_get_mappings(struct control_request *request, void *context)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		control_answer_json(request, 500, NULL);
		return;
	}
	s->daemon = context;
	if (!take_all(s)) {
		free_snapshot(s);
		control_answer_json(request, 500, NULL);
		return;
	}
	control_list_serve(request, &(struct control_list){ .key = "mappings", .item = item,
							     .count = s->count + s->peer_count,
							     .free_context = free_snapshot,
							     .context = s });
}

/* SPDX-License-Identifier: MIT */
/*
 * The whole client engine for one gateway at a time: the keeper that wants
 * mappings, tied to the client that asks. Still no socket, clock or chance of
 * its own: this is what the simulator runs for years and what the library binds
 * to sockets.
 *
 *   engine_set_gateway → [ engine_next_send* → (network) → engine_receive
 *       engine_expire at engine_deadline → engine_next_event* ]*
 *
 * Every call that takes `now` may be followed by datagrams to send and events
 * to take; `now` never goes back.
 */
#ifndef TENF_KEEPER_ENGINE_H
#define TENF_KEEPER_ENGINE_H

#include "core/client.h"
#include "keeper/keeper.h"
#include "keeper/upnp.h"

struct engine_config {
	unsigned methods;      /* enum tenf_method, or-ed */
	bool forced;           /* NAT-PMP also where the own address is not RFC 1918 */
	bool watch;            /* ask who is there and for the address, again and again */
	tenf_duration verdict; /* without an answer for this long: SILENT */
};

struct engine {
	struct engine_config config;
	struct tenf_random random;
	struct keeper keeper;
	struct client client; /* meaningless without a gateway */
	bool has_gateway;
	struct inquiry watch;
	tenf_time watch_at;
	bool watch_heard; /* since this gateway was set */
	enum tenf_reason gateway_reason; /* the watch's last word */
	struct tenf_address address_told;
	bool gateway_news;
	bool restart_news;
#if TENF_WITH_IGD
	struct upnp upnp;
#endif
};

struct engine_event {
	enum tenf_event_kind kind;
	struct keeper_view mapping; /* for news of a mapping */
	struct keeper_view before;  /* before.id 0: there was nothing */
	struct tenf_address address_before; /* TENF_EVENT_ADDRESS */
};

void engine_init(struct engine *engine, const struct engine_config *config,
		 const struct tenf_random *random, const struct tenf_memory *memory);
void engine_done(struct engine *engine);

/* A gateway, and the own address towards it; or none any more (both NULL). The
 * same gateway again means: links or routes changed, make sure. */
void engine_set_gateway(struct engine *engine, const struct tenf_endpoint *gateway,
			const struct tenf_address *source, tenf_time now);

TENF_CHECKED enum tenf_status engine_add(struct engine *engine, const struct keeper_wish *wish,
					 bool both, tenf_time now, uint32_t *ret_id);
TENF_CHECKED enum tenf_status engine_release(struct engine *engine,
					     const struct keeper_wish *wish, tenf_time now,
					     uint32_t *ret_id);
TENF_CHECKED enum tenf_status engine_remove(struct engine *engine, uint32_t id, tenf_time now);

/* From the gateway's socket; from the multicast listener; ICMP port unreachable. */
void engine_receive(struct engine *engine, const struct tenf_endpoint *from, const uint8_t *data,
		    size_t len, tenf_time now);
void engine_announced(struct engine *engine, const struct tenf_endpoint *from,
		      const uint8_t *data, size_t len, tenf_time now);
void engine_unreachable(struct engine *engine, tenf_time now);

void engine_expire(struct engine *engine, tenf_time now);
tenf_time engine_deadline(const struct engine *engine);

/* The next datagram to the gateway; false when none is due. */
bool engine_next_send(struct engine *engine, tenf_time now, struct tenf_writer *w);
#if TENF_WITH_IGD
/* The next question for the one who speaks UPnP, who takes one at a time; false
 * when there is none. */
bool engine_next_upnp(struct engine *engine, tenf_time now, struct upnp_question *ret);
/* What came of it. `version` is that of the device, 0 when none was found; the
 * address in the answer is zero when it was not told. */
void engine_upnp_answered(struct engine *engine, const struct upnp_question *question,
			  const struct core_answer *answer, unsigned version, tenf_time now);
#endif

bool engine_next_event(struct engine *engine, tenf_time now, struct engine_event *ret);

#endif

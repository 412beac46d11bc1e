/* SPDX-License-Identifier: MIT */
#include "gateway/statics.h"

#include "gateway/responder-govern.h"

static bool is_there(const struct responder *r, enum tenf_protocol protocol,
		     const struct tenf_endpoint *internal, uint16_t external_port)
{
	const struct ledger_mapping *m = responder_find_internal(r, protocol, internal);

	return m != NULL && m->maker == LEDGER_STATIC && m->external_port == external_port;
}

static bool add(struct responder *r, enum tenf_protocol protocol,
		const struct tenf_endpoint *internal, uint16_t external_port, tenf_time now)
{
	return is_there(r, protocol, internal, external_port) ||
	       responder_add_static(r, protocol, internal, external_port, now) == TENF_OK;
}

static bool is_of(enum tenf_protocol all, enum tenf_protocol one)
{
	return all == TENF_BOTH || all == one;
}

static void complain(const char *path, const struct config_static *s, uint16_t port,
		     struct tenf_text *why)
{
	char text[TENF_ADDRESS_TEXT];

	tenf_text_add(why, path);
	tenf_text_add_char(why, ':');
	tenf_text_add_number(why, s->line);
	tenf_text_add(why, ": port ");
	tenf_text_add_number(why, port);
	tenf_text_add(why, " cannot lead to ");
	tenf_text_add(why, tenf_address_text(&s->host, text));
	tenf_text_add(why, ": the port, or that of the host, is taken, or the table is full; "
			   "give each port to one host, or raise MaxMappings=");
}

bool statics_add(struct responder *r, const struct gateway_config *config, tenf_time now,
		 struct tenf_text *why)
{
	bool good = true;

	for (size_t i = 0; i < config->static_count; i++) {
		const struct config_static *s = &config->statics[i];

		for (unsigned k = 0; k < tenf_forward_count(&s->forward); k++) {
			struct tenf_endpoint internal = {
				s->host, (uint16_t)(s->forward.internal_first + k)
			};
			uint16_t external = (uint16_t)(s->forward.external_first + k);

			if ((is_of(s->forward.protocol, TENF_TCP) &&
			     !add(r, TENF_TCP, &internal, external, now)) ||
			    (is_of(s->forward.protocol, TENF_UDP) &&
			     !add(r, TENF_UDP, &internal, external, now))) {
				if (good)
					complain(config->path, s, external, why);
				good = false;
			}
		}
	}
	return good;
}

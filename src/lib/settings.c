/* SPDX-License-Identifier: MIT */
#include "lib/settings.h"

#include "lib/explain.h"
#include "net/gateways.h"

#include <string.h>

#define ALL_METHODS \
	((unsigned)TENF_METHOD_PCP | TENF_METHOD_NATPMP | (TENF_WITH_IGD ? TENF_METHOD_IGD : 0))

void tenf_options_init(struct tenf_options *options)
{
	*options = (struct tenf_options){
		.size = sizeof(*options),
		.timeout_ms = TENF_DEFAULT_TIMEOUT_MS,
		.announcements = true,
	};
}

/* A caller built against an older header knows a shorter struct. */
static void copy_known(const struct tenf_options *options, struct tenf_options *ret)
{
	size_t size = options->size < sizeof(*ret) ? options->size : sizeof(*ret);

	tenf_options_init(ret);
	memcpy(ret, options, size);
}

static enum tenf_status read_interface(const char *name, bool wait, struct settings *s,
				       struct tenf_error *reterr)
{
	size_t len = name != NULL ? strlen(name) : 0;

	if (name == NULL)
		return TENF_OK;
	if (len >= sizeof(s->interface) ||
	    (!wait && net_interface_index(&s->opener, name) == 0))
		return explain_argument(reterr, "there is no network interface \"", name,
					"\"; see: ip link");
	memcpy(s->interface, name, len + 1);
	return TENF_OK;
}

static enum tenf_status read_addresses(const struct tenf_options *o, struct settings *s,
				       struct tenf_error *reterr)
{
	if (o->gateway != NULL) {
		s->has_gateway = true;
		if (!tenf_endpoint_parse(o->gateway, TENF_DEFAULT_PORT, &s->gateway) ||
		    tenf_address_is_none(&s->gateway.address) ||
		    tenf_address_is_multicast(&s->gateway.address))
			return explain_argument(reterr, "\"", o->gateway,
						"\" is not a gateway; write 192.0.2.1, "
						"192.0.2.1:5351 or [2001:db8::1]:5351");
	}
	if (o->source != NULL) {
		s->has_source = true;
		if (!tenf_address_parse(o->source, &s->source))
			return explain_argument(reterr, "\"", o->source,
						"\" is not an address of this computer");
		if (s->has_gateway &&
		    tenf_address_is_v4(&s->source) != tenf_address_is_v4(&s->gateway.address))
			return explain_argument(reterr, "the source \"", o->source,
						"\" is not of the gateway's address family");
	}
	return TENF_OK;
}

enum tenf_status settings_read(const struct tenf_options *options, struct settings *ret,
			       struct tenf_error *reterr)
{
	struct tenf_options o;
	struct settings s = { 0 };
	enum tenf_status status;

	if (options != NULL)
		copy_known(options, &o);
	else
		tenf_options_init(&o);
	s.methods = o.methods != 0 ? o.methods & ALL_METHODS : ALL_METHODS;
	if (o.open_socket != NULL) /* UPnP's library makes its own, in our namespace */
		s.methods &= ~(unsigned)TENF_METHOD_IGD;
	if (s.methods == 0)
		return explain_argument(reterr, "this build speaks PCP and NAT-PMP, not UPnP", "",
					"");
	s.timeout_ms = o.timeout_ms > 0 ? o.timeout_ms : TENF_DEFAULT_TIMEOUT_MS;
	s.asked_ms = o.asked_ms;
	s.announcements = o.announcements;
	s.watch = o.watch;
	s.anycast = o.anycast;
#if TENF_WITH_IGD
	if (o.igd_hints != NULL && strlen(o.igd_hints) < sizeof(s.igd_hints))
		memcpy(s.igd_hints, o.igd_hints, strlen(o.igd_hints) + 1);
#endif
	s.opener = (struct net_opener){ o.open_socket, o.open_context };
	status = read_interface(o.interface, o.wait_interface, &s, reterr);
	if (status == TENF_OK)
		status = read_addresses(&o, &s, reterr);
	if (status == TENF_OK)
		*ret = s;
	return status;
}

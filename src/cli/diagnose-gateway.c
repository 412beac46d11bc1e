/* SPDX-License-Identifier: MIT */
/* The steps at the gateway: is it there, does it open ports, what is its address on
 * the internet, and does it want to. */
#include "cli/diagnose.h"

#include "base/forward.h"
#include "base/names.h"
#include "cli/output.h"
#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#define OUTER_TIMEOUT_MS 1500
#define ANNOUNCE_PORT 5350 /* RFC 6886 §3.2.1 */

/* Any port will do: that it is refused proves as much as that it is open. */
static bool is_alive(const struct diagnosis *d)
{
	static const uint16_t ports[] = { 80, 53 };
	struct tenf_endpoint at;

	if (!tenf_address_parse(d->gateway.address, &at.address))
		return false;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(ports); i++) {
		enum host_reach reach;

		at.port = ports[i];
		reach = host_reach_tcp(&at, OUTER_TIMEOUT_MS);
		if (reach == HOST_OPEN || reach == HOST_REFUSED)
			return true;
	}
	return false;
}

static void no_gateway(struct diagnosis *d)
{
	struct step *step = steps_bad(&d->steps, "gateway", FOUND_NO_GATEWAY);

	step->exit = CLI_EXIT_NO_GATEWAY;
	step_text(step->seen, "no gateway was found: no route leads to one");
	step_text(step->because, "there is no router to open them");
	step_text(step->advice, "connect to the router, or name it with --gateway");
}

void diagnose_gateway(struct diagnosis *d)
{
	const struct tenf_gateway *g = &d->gateway;
	char text[STEP_TEXT / 2];
	struct tenf_text t = tenf_text_of(text, sizeof(text));
	struct step *step;

	if (g->address[0] == '\0' || d->gateway_error.reason == TENF_REASON_NO_GATEWAY) {
		no_gateway(d);
		return;
	}
	if (d->gateway_status == TENF_OK) {
		step = steps_add(&d->steps, "gateway", STEP_OK);
		report_methods(&t, g);
		if (g->rtt_us >= 0) {
			tenf_text_add(&t, " in ");
			report_milliseconds(&t, g->rtt_us);
		}
		step_text(step->seen, "%s answers %s", g->address, text);
		return;
	}
	if (d->gateway_error.reason != TENF_REASON_SILENT || is_alive(d)) {
		step = steps_add(&d->steps, "gateway", STEP_OK);
		step_text(step->seen, "%s is there", g->address);
		return;
	}
	step = steps_bad(&d->steps, "gateway", FOUND_GATEWAY_GONE);
	step->exit = CLI_EXIT_SILENT;
	step_text(step->seen, "%s does not answer at all", g->address);
	step_text(step->because, "the router at %s does not answer", g->address);
	step_text(step->advice, "is it switched on, and the right one? See: tenforward discover");
}

/* ---- service -------------------------------------------------------------------- */

static void bad_service(struct diagnosis *d)
{
	struct step *step = steps_bad(&d->steps, "service", FOUND_NO_SERVICE);
	const char *address = d->gateway.address;

	step->exit = cli_exit_of_reason(d->gateway_error.reason);
	if (d->gateway_error.reason == TENF_REASON_SILENT) {
		step->found = FOUND_SERVICE_SILENT;
		step_text(step->seen, "%s ignores requests for ports (PCP, NAT-PMP)", address);
	} else {
		step_text(step->seen, "%s", report_reason(&d->gateway_error));
	}
	step_text(step->because, "the router opens no ports on request");
	step_text(step->advice, "switch on UPnP, NAT-PMP or PCP in the router's settings, often "
		  "under \"port forwarding\"; or forward the port there by hand");
}

/* Restarts are then noticed with the next renewal, not at once. */
static void judge_announcements(struct diagnosis *d)
{
	const struct host_socket *holder;
	struct step *step;

	if (host_can_share_port(ANNOUNCE_PORT))
		return;
	holder = host_sockets_find(&d->host->sockets, TENF_UDP, NULL, ANNOUNCE_PORT);
	step = steps_bad(&d->steps, "service", FOUND_RESTARTS_UNHEARD);
	step->is_hint = true;
	step_text(step->seen, "port %d/udp is taken by %s", ANNOUNCE_PORT,
		  holder != NULL && holder->program.name[0] != '\0' ? holder->program.name :
								      "another program");
	step_text(step->means, "that the router restarted is noticed late: its announcements "
		  "cannot be heard");
	step_text(step->because, "announcements of the router cannot be heard");
	step_text(step->advice, "end that program, or let it share the port");
}

void diagnose_service(struct diagnosis *d)
{
	const struct tenf_gateway *g = &d->gateway;
	char text[STEP_TEXT / 2];
	struct tenf_text t = tenf_text_of(text, sizeof(text));
	struct step *step;

	if (steps_is(&d->steps, "gateway", STEP_BAD))
		return;
	if (d->gateway_status != TENF_OK) {
		bad_service(d);
		return;
	}
	for (size_t i = 0; i < g->spoken_count; i++) {
		tenf_text_add(&t, i > 0 ? ", " : "");
		tenf_text_add(&t, tenf_method_title(g->spoken[i].method));
		tenf_text_add(&t, " version ");
		tenf_text_add_number(&t, g->spoken[i].version);
	}
	step = steps_add(&d->steps, "service", STEP_OK);
	step_text(step->seen, "it opens ports on request: %s", text);
	judge_announcements(d);
}

/* ---- address -------------------------------------------------------------------- */

/* The router behind the router, found as the second step of the way out. */
static bool find_outer(const struct diagnosis *d, struct tenf_gateway *ret)
{
	struct tenf_options ask = d->cli->global.ask;
	char text[TENF_ADDRESS_TEXT];
	struct tenf_error error;
	struct tenf_address hop;

	if (!host_hop(2, OUTER_TIMEOUT_MS, &hop))
		return false;
	ask.gateway = tenf_address_text(&hop, text);
	ask.interface = NULL;
	if (ask.timeout_ms > OUTER_TIMEOUT_MS)
		ask.timeout_ms = OUTER_TIMEOUT_MS;
	*ret = (struct tenf_gateway){ .epoch_s = -1 };
	if (tenf_find_gateway(&ask, ret, &error) != TENF_OK)
		ret->spoken_count = 0;
	(void)snprintf(ret->address, sizeof(ret->address), "%s", text);
	return true;
}

/* What --through asks by. */
static bool speaks_natpmp(const struct tenf_gateway *gateway)
{
	for (size_t i = 0; i < gateway->spoken_count; i++) {
		if (gateway->spoken[i].method == TENF_METHOD_NATPMP)
			return true;
	}
	return false;
}

static void double_nat(struct diagnosis *d, struct step *step)
{
	struct tenf_gateway outer;
	char text[STEP_TEXT / 2];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	step->found = FOUND_DOUBLE_NAT;
	step_text(step->seen, "%s is a private address: the router is behind another router "
		  "(double NAT)", d->gateway.external_address);
	step_text(step->because, "the router is behind another router, which lets nobody in");
	step_text(step->advice, "switch the outer box to bridge mode, or forward the port there to "
		  "%s", d->gateway.external_address);
	if (!find_outer(d, &outer))
		return;
	if (outer.spoken_count == 0) {
		step_text(step->means, "the outer router is %s; it opens no ports on request",
			  outer.address);
		return;
	}
	report_methods(&t, &outer);
	step_text(step->means, "the outer router is %s, and answers %s%s%s", outer.address, text,
		  outer.external_address[0] != '\0' ? "; its outside is " : "",
		  outer.external_address);
	if (d->subject != NULL && speaks_natpmp(&outer))
		step_text(step->advice, "open it at both routers: tenforward add %u/%s --through",
			  d->subject->internal_port, tenf_protocol_name(d->subject->protocol));
}

static void carrier_nat(struct diagnosis *d, struct step *step)
{
	step->found = FOUND_CARRIER_NAT;
	step_text(step->seen, "%s is shared by customers of the provider (carrier NAT)",
		  d->gateway.external_address);
	step_text(step->because, "the provider shares one address among customers and lets nobody "
		  "in");
	step_text(step->advice, "ask the provider for a public address, use IPv6, or a VPN that "
		  "forwards ports");
}

static void judge_class(struct diagnosis *d)
{
	const struct tenf_gateway *g = &d->gateway;
	bool is_told = g->external_address[0] != '\0';
	struct step *step = steps_bad(&d->steps, "address", FOUND_NO_OUTSIDE_ADDRESS);

	step->exit = CLI_EXIT_NO_NETWORK;
	if (d->held != NULL && d->held->through[0] != '\0' &&
	    output_class_of(d->held->mapping.external_address) == TENF_ADDRESS_PUBLIC) {
		step->outcome = STEP_OK;
		step_text(step->seen, "%s, of the second router (%s), is a public address",
			  d->held->mapping.external_address, d->held->through);
		return;
	}
	if (diagnose_is_pinhole(d) &&
	    output_class_of(d->held->mapping.internal_address) == TENF_ADDRESS_PUBLIC) {
		step->outcome = STEP_OK;
		step_text(step->seen, "%s is a public address, of this computer itself (IPv6)",
			  d->held->mapping.internal_address);
		return;
	}
	switch (g->address_class) {
	case TENF_ADDRESS_PUBLIC:
		step->outcome = STEP_OK;
		step_text(step->seen, "%s is a public address", g->external_address);
		return;
	case TENF_ADDRESS_PRIVATE:
		double_nat(d, step);
		return;
	case TENF_ADDRESS_CARRIER:
		carrier_nat(d, step);
		return;
	case TENF_ADDRESS_NONE:
		break;
	}
	for (size_t i = 0; !is_told && i < g->spoken_count; i++)
		is_told = g->spoken[i].method != TENF_METHOD_PCP;
	if (!is_told) { /* PCP tells it with a mapping alone */
		step->outcome = STEP_UNKNOWN;
		step_text(step->seen, "not known: this router tells it with a mapping");
		return;
	}
	step_text(step->seen, "the router has no address on the internet");
	step_text(step->because, "the router itself is not connected to the internet");
	step_text(step->advice, "look at the router's own line: modem, cable, provider");
}

static void compare_with(struct diagnosis *d, const char *seen)
{
	const char *told = d->held != NULL && d->held->mapping.external_address[0] != '\0' ?
				   d->held->mapping.external_address :
				   d->gateway.external_address;
	struct step *step;

	if (told[0] == '\0' || strcmp(told, seen) == 0) {
		step = steps_add(&d->steps, "address", STEP_OK);
		step_text(step->seen, "the internet sees this network as %s", seen);
		return;
	}
	step = steps_bad(&d->steps, "address", FOUND_SEEN_ELSEWHERE);
	step->exit = CLI_EXIT_NO_NETWORK;
	step_text(step->seen, "the router says its address is %s, but the internet sees %s", told,
		  seen);
	step_text(step->means, "there is another NAT on the way, or traffic leaves by a VPN");
	step_text(step->because, "the internet sees %s, not the address of the router", seen);
	step_text(step->advice, "see the steps route and address above; tell your friend no other "
		  "address than the one that is open");
}

/* Only where the user names a server: nobody else is told that we are here. */
static void judge_stun(struct diagnosis *d)
{
	const char *server = d->cli->arguments.value[CLI_STUN];
	char text[TENF_ADDRESS_TEXT];
	struct tenf_endpoint seen;
	enum tenf_status status;

	if (d->stun == NULL)
		return;
	status = host_stun(d->stun, d->cli->global.ask.timeout_ms, &seen);
	if (status == TENF_OK) {
		compare_with(d, tenf_address_text(&seen.address, text));
		return;
	}
	step_text(steps_add(&d->steps, "address", STEP_UNKNOWN)->seen,
		  "the STUN server %s %s", server,
		  status == TENF_E_AGAIN       ? "does not answer" :
		  status == TENF_E_UNREACHABLE ? "cannot be reached" :
						 "gives no answer that makes sense");
}

void diagnose_address(struct diagnosis *d)
{
	struct tenf_address held;

	if (d->gateway_status == TENF_OK) {
		/* A mapping tells it where the gateway did not. */
		if (d->gateway.external_address[0] == '\0' && d->held != NULL &&
		    tenf_address_parse(d->held->mapping.external_address, &held)) {
			(void)snprintf(d->gateway.external_address,
				       sizeof(d->gateway.external_address), "%s",
				       d->held->mapping.external_address);
			d->gateway.address_class = tenf_address_classify(&held);
		}
		judge_class(d);
	}
	judge_stun(d);
}

/* ---- policy --------------------------------------------------------------------- */

/* What was wished for and not given; false where that was not for the router to decide. */
static bool judge_refusal(struct diagnosis *d, const struct tenf_mapping *m)
{
	enum tenf_reason reason = m->error.reason;
	bool refused = reason == TENF_REASON_REFUSED, full = reason == TENF_REASON_RESOURCES;
	struct step *step;

	if (m->external_port != 0 || (!refused && !full && reason != TENF_REASON_OTHER_PORT))
		return false;
	step = steps_bad(&d->steps, "policy", refused ? FOUND_REFUSED :
					      full    ? FOUND_NO_ROOM :
							FOUND_PORT_NOT_GIVEN);
	step->exit = cli_exit_of_reason(reason);
	step_text(step->seen, "%s", report_reason(&m->error));
	if (refused) {
		step_text(step->because, "the router refuses this port");
		step_text(step->advice, "allow it in the router's settings, or ask for another "
			  "port: tenforward add any:%u", d->subject->internal_port);
	} else if (full) {
		step_text(step->because, "the router has no room for one more port");
		step_text(step->advice, "close one that nobody needs: tenforward list");
	} else {
		step_text(step->because, "the router does not give the port that is insisted on");
		step_text(step->advice, "close what has it, or let it be another one: leave out "
			  "--exact (Exact=)");
	}
	return true;
}

/* Somebody else has the port, as the router's list tells. */
static const struct opened *taken_by(const struct diagnosis *d, uint16_t port)
{
	for (size_t i = 0; i < d->sources.list.count; i++) {
		const struct opened *one = &d->sources.list.items[i];

		if (one != d->held && one->mapping.protocol == d->subject->protocol &&
		    one->mapping.external_port == port &&
		    (one->sources & (OPENED_ROUTER | OPENED_GATEWAY)) != 0)
			return one;
	}
	return NULL;
}

static void other_port(struct diagnosis *d, uint16_t wished, uint16_t given)
{
	const struct opened *other = taken_by(d, wished);
	struct step *step = steps_bad(&d->steps, "policy", FOUND_OTHER_PORT);

	step->is_hint = true;
	step_text(step->seen, "the router gave port %u instead of %u", given, wished);
	if (other != NULL)
		step_text(step->means, "%u is taken by %s%s%s", wished,
			  other->mapping.internal_address, other->router[0] != '\0' ? ": " : "",
			  other->router);
	else
		step_text(step->means, "%u is taken by another device, or not allowed", wished);
	step_text(step->because, "it is port %u outside, not %u", given, wished);
	step_text(step->advice, "tell your friend port %u, or close the other one first", given);
}

/* Nothing is held yet, and what would be wished for is gone. */
static bool judge_taken(struct diagnosis *d)
{
	const struct subject *s = d->subject;
	uint16_t wished = s->external_port != 0 ? s->external_port : s->internal_port;
	const struct opened *other = taken_by(d, wished);
	struct step *step;

	if (other == NULL)
		return false;
	step = steps_bad(&d->steps, "policy", FOUND_PORT_TAKEN);
	step->is_hint = true;
	step_text(step->seen, "port %u of the router is taken by %s%s%s", wished,
		  other->mapping.internal_address, other->router[0] != '\0' ? ": " : "",
		  other->router);
	step_text(step->because, "its port outside will not be %u", wished);
	step_text(step->advice, "ask for another one: tenforward add any:%u", s->internal_port);
	return true;
}

void diagnose_policy(struct diagnosis *d)
{
	const struct tenf_mapping *m = d->held != NULL ? &d->held->mapping : NULL;

	if (d->gateway_status != TENF_OK)
		return;
	if (m != NULL && judge_refusal(d, m))
		return;
	if (m != NULL && m->external_port != 0 && m->requested_external_port != 0 &&
		 m->external_port != m->requested_external_port)
		other_port(d, m->requested_external_port, m->external_port);
	else if (m != NULL && m->external_port != 0)
		step_text(steps_add(&d->steps, "policy", STEP_OK)->seen,
			  "the router allowed it, when it was opened");
	else if (m == NULL && !judge_taken(d))
		step_text(steps_add(&d->steps, "policy", STEP_UNKNOWN)->seen,
			  "not tried, since nothing is opened here without being asked; "
			  "see: tenforward add %s", d->subject->text);
}

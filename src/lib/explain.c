/* SPDX-License-Identifier: MIT */
#include "lib/explain.h"

#include "base/names.h"
#include "base/text.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#if TENF_WITH_IGD
#include "igd/igd.h"
#endif

#include <string.h>

static void add_gateway(struct tenf_text *t, const struct tenf_endpoint *gateway)
{
	char buffer[TENF_ENDPOINT_TEXT];

	if (gateway->port == TENF_DEFAULT_PORT)
		tenf_text_add(t, tenf_address_text(&gateway->address, buffer));
	else
		tenf_text_add(t, tenf_endpoint_text(gateway, buffer));
}

#if TENF_WITH_IGD

static void add_methods(struct tenf_text *t, unsigned asked)
{
	static const enum tenf_method all[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP,
						TENF_METHOD_IGD };

	for (size_t i = 0; i < TENF_ARRAY_SIZE(all); i++) {
		unsigned later = asked & ~((unsigned)all[i] * 2 - 1);
		bool first = (asked & ((unsigned)all[i] - 1)) == 0;

		if ((asked & all[i]) == 0)
			continue;
		if (!first)
			tenf_text_add(t, later != 0 ? ", " : " and ");
		tenf_text_add(t, tenf_method_title(all[i]));
	}
}

static void add_closed(struct tenf_text *t, const struct explain_case *c)
{
	if (c->asked == TENF_METHOD_IGD) {
		tenf_text_add(t, "no UPnP gateway answers there");
		return;
	}
	tenf_text_add(t, "port ");
	tenf_text_add_number(t, c->gateway->port);
	tenf_text_add(t, " is closed");
	if ((c->asked & TENF_METHOD_IGD) != 0)
		tenf_text_add(t, ", and no UPnP gateway answers");
}

static void add_result_name(struct tenf_text *t, const struct explain_case *c)
{
	if (c->method == TENF_METHOD_IGD)
		tenf_text_add(t, igd_error_name(c->result));
	else
		tenf_text_add(t, c->method == TENF_METHOD_PCP ?
					 pcp_result_name((uint8_t)c->result) :
					 natpmp_result_name((uint16_t)c->result));
	tenf_text_add(t, ", ");
	tenf_text_add(t, tenf_method_title(c->method));
	tenf_text_add(t, c->method == TENF_METHOD_IGD ? " error " : " result ");
}

#else

static void add_methods(struct tenf_text *t, unsigned asked)
{
	bool both = (asked & TENF_METHOD_PCP) != 0 && (asked & TENF_METHOD_NATPMP) != 0;

	if (both)
		tenf_text_add(t, "PCP and NAT-PMP");
	else
		tenf_text_add(t, asked & TENF_METHOD_PCP ? "PCP" : "NAT-PMP");
}

static void add_closed(struct tenf_text *t, const struct explain_case *c)
{
	tenf_text_add(t, "port ");
	tenf_text_add_number(t, c->gateway->port);
	tenf_text_add(t, " is closed");
}

static void add_result_name(struct tenf_text *t, const struct explain_case *c)
{
	tenf_text_add(t, c->method == TENF_METHOD_PCP ? pcp_result_name((uint8_t)c->result) :
							natpmp_result_name((uint16_t)c->result));
	tenf_text_add(t, ", ");
	tenf_text_add(t, tenf_method_title(c->method));
	tenf_text_add(t, " result ");
}

#endif

static void add_seconds(struct tenf_text *t, uint32_t timeout_ms)
{
	tenf_text_add_number(t, timeout_ms / 1000);
	if (timeout_ms % 1000 >= 100) {
		tenf_text_add_char(t, '.');
		tenf_text_add_number(t, timeout_ms % 1000 / 100);
	}
	tenf_text_add(t, " s");
}

static void add_result(struct tenf_text *t, const struct explain_case *c)
{
	if (c->result < 0)
		return;
	tenf_text_add(t, " (");
	add_result_name(t, c);
	tenf_text_add_number(t, (uint64_t)c->result);
	tenf_text_add(t, ")");
}

static void explain_silent(struct tenf_text *t, const struct explain_case *c)
{
	tenf_text_add(t, "No answer from ");
	add_gateway(t, c->gateway);
	tenf_text_add(t, " within ");
	add_seconds(t, c->timeout_ms);
	tenf_text_add(t, " (asked by ");
	add_methods(t, c->asked);
	tenf_text_add(t, "). The router may have port mapping switched off, or a firewall "
			 "drops the answers.");
}

static void explain_no_gateway(struct tenf_text *t, const struct explain_case *c)
{
	char source[TENF_ADDRESS_TEXT];

	if (c->source != NULL) {
		tenf_text_add(t, c->named != NULL ? "The gateway cannot be asked from "
						  : "There is no gateway to ask from ");
		tenf_text_add(t, tenf_address_text(c->source, source));
		tenf_text_add(t, ": it is no address of this computer, or no route leads on from "
				 "it. See: ip address; ip route");
		return;
	}
	if (c->named != NULL) {
		add_gateway(t, c->named);
		tenf_text_add(t, " cannot be reached: no route leads there. Connect to its "
				 "network; see: ip route");
		return;
	}
	tenf_text_add(t, "There is no gateway");
	if (c->interface[0] != '\0') {
		tenf_text_add(t, " on ");
		tenf_text_add(t, c->interface);
	}
	tenf_text_add(t, ": no default route was found. Connect to a network, or name a gateway "
			 "with --gateway.");
}

static void explain_no_service(struct tenf_text *t, const struct explain_case *c)
{
	add_gateway(t, c->gateway);
	if (c->result >= 0) {
		tenf_text_add(t, " answers, but speaks no version in common with us");
		add_result(t, c);
		tenf_text_add(t, ".");
		return;
	}
	tenf_text_add(t, " does not offer port mapping: ");
	add_closed(t, c);
	tenf_text_add(t, ". Switch on NAT-PMP, PCP or UPnP in the router.");
}

static const char *refusal(const struct explain_case *c)
{
	if (c->method == TENF_METHOD_PCP && c->result == PCP_ADDRESS_MISMATCH)
		return " was asked from another address: a second NAT is in between (double NAT)";
	if (c->method == TENF_METHOD_PCP && c->result == PCP_UNSUPP_OPTION)
		return " lacks an option that --for, --exact or --filter needs";
	if (c->method == TENF_METHOD_PCP && c->result == PCP_UNSUPP_PROTOCOL)
		return " does not map this protocol";
	if (c->method == TENF_METHOD_PCP && c->result == PCP_MALFORMED_REQUEST)
		return " did not understand the request";
	if (c->method == TENF_METHOD_PCP)
		return " refused: its rules do not allow it, or another program holds the port";
	return " refused: its rules do not allow it, or it does not map ports";
}

static bool is_forbidden(const struct explain_case *c)
{
	if (c->reason != TENF_REASON_REFUSED)
		return false;
#if TENF_WITH_IGD
	if (c->method == TENF_METHOD_IGD)
		return c->result == IGD_ERROR_NOT_AUTHORIZED;
#endif
	return c->method == TENF_METHOD_PCP ? c->result == PCP_NOT_AUTHORIZED
					    : c->result == NATPMP_NOT_AUTHORIZED;
}

void explain_reason(struct tenf_error *ret, const struct explain_case *c)
{
	struct tenf_text t;

	*ret = (struct tenf_error){
		.status = c->reason == TENF_REASON_NONE ? TENF_OK : TENF_E_FAILED,
		.reason = c->reason,
		.result = c->result,
	};
	t = tenf_text_of(ret->text, sizeof(ret->text));
	if (c->reason != TENF_REASON_NONE && c->gateway == NULL) {
		explain_no_gateway(&t, c);
		return;
	}
	switch (c->reason) {
	case TENF_REASON_NONE:
		return;
	case TENF_REASON_NO_GATEWAY:
		explain_no_gateway(&t, c);
		return;
	case TENF_REASON_SILENT:
		explain_silent(&t, c);
		return;
	case TENF_REASON_NO_SERVICE:
		explain_no_service(&t, c);
		return;
	case TENF_REASON_REFUSED:
		add_gateway(&t, c->gateway);
		tenf_text_add(&t, refusal(c));
		break;
	case TENF_REASON_RESOURCES:
		add_gateway(&t, c->gateway);
		tenf_text_add(&t, " has no port left for this computer, or its quota is used up");
		break;
	case TENF_REASON_NO_NETWORK:
		add_gateway(&t, c->gateway);
		tenf_text_add(&t, " has no external address; is its internet connection up?");
		break;
	case TENF_REASON_OTHER_PORT:
		add_gateway(&t, c->gateway);
		tenf_text_add(&t, " cannot give this port: another device has it, it is not "
				  "allowed, or the port inside has another one");
		break;
	case TENF_REASON_MALFORMED:
		add_gateway(&t, c->gateway);
		tenf_text_add(&t, " gave an answer that makes no sense");
		break;
	case TENF_REASON_SYSTEM:
		tenf_text_add(&t, "Something failed on this computer");
		break;
	}
	add_result(&t, c);
	tenf_text_add(&t, ".");
	if (is_forbidden(c))
		tenf_text_add(&t, " Try another port, or see the rules of the router.");
}

enum tenf_status explain_argument(struct tenf_error *reterr, const char *before,
				  const char *value, const char *after)
{
	struct tenf_text t;

	if (reterr == NULL)
		return TENF_E_ARGUMENT;
	*reterr = (struct tenf_error){ .status = TENF_E_ARGUMENT,
				       .reason = TENF_REASON_SYSTEM,
				       .result = -1 };
	t = tenf_text_of(reterr->text, sizeof(reterr->text));
	tenf_text_add(&t, before);
	tenf_text_add(&t, value);
	tenf_text_add(&t, after);
	return TENF_E_ARGUMENT;
}

enum tenf_status explain_system(struct tenf_error *reterr, enum tenf_status status,
				const char *what, const struct net_error *cause)
{
	struct tenf_text t;

	if (reterr == NULL)
		return status;
	*reterr = (struct tenf_error){ .status = status,
				       .reason = TENF_REASON_SYSTEM,
				       .result = -1,
				       .system_error = cause != NULL ? cause->code : 0 };
	t = tenf_text_of(reterr->text, sizeof(reterr->text));
	tenf_text_add(&t, what);
	if (cause != NULL && cause->call != NULL) {
		tenf_text_add(&t, ": ");
		tenf_text_add(&t, cause->call);
		tenf_text_add(&t, ": ");
		tenf_text_add(&t, strerror(cause->code)); /* thread-local in every libc used */
	}
	return status;
}

void explain_nothing(struct tenf_error *ret)
{
	*ret = (struct tenf_error){ .result = -1 };
}

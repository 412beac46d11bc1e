/* SPDX-License-Identifier: MIT */
/*
 * The words every part of Ten Forward uses: protocols, methods, states,
 * events, reasons and our own status codes. Values only; nothing here needs
 * the library. Names follow RFC 6886 and RFC 6887.
 */
#ifndef TENFORWARD_TYPES_H
#define TENFORWARD_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call of ours came to. Zero is success. A gateway's refusal is not a
 * status: it is data, see enum tenf_reason. */
enum tenf_status {
	TENF_OK = 0,
	TENF_E_MEMORY,    /* an allocation failed; nothing changed */
	TENF_E_ARGUMENT,  /* the caller's value makes no sense; nothing changed */
	TENF_E_LIMIT,     /* a named limit would be passed; nothing changed */
	TENF_E_NOT_FOUND, /* no such mapping, interface, address … */
	TENF_E_TRUNCATED, /* bytes ended before the figure in the RFC does */
	TENF_E_MALFORMED, /* bytes break a rule of the RFC */
	TENF_E_AGAIN,     /* nothing there now; come back when the fd is ready */
	TENF_E_REFUSED,   /* ICMP port unreachable: nobody listens there */
	TENF_E_UNREACHABLE, /* no route, interface down, no such address */
	TENF_E_SYSTEM,    /* the operating system said no; see struct tenf_error */
	TENF_E_FAILED,    /* the gateway did not do it; see the reason */
};

/* Why a gateway did not do what was asked. The names in tenf_reason_name()
 * are the `error.code` of every JSON output. */
enum tenf_reason {
	TENF_REASON_NONE = 0,
	TENF_REASON_NO_GATEWAY, /* no route, no candidate */
	TENF_REASON_SILENT,     /* no answer in time */
	TENF_REASON_NO_SERVICE, /* port unreachable, or no version in common */
	TENF_REASON_REFUSED,    /* policy of the gateway */
	TENF_REASON_RESOURCES,  /* out of ports or memory, or over quota */
	TENF_REASON_NO_NETWORK, /* the gateway has no external address */
	TENF_REASON_OTHER_PORT, /* granted, but not the port insisted on */
	TENF_REASON_MALFORMED,  /* the gateway's answer makes no sense */
	TENF_REASON_SYSTEM,     /* something on this side failed */
};

enum tenf_protocol {
	TENF_TCP = 6,   /* IANA protocol numbers */
	TENF_UDP = 17,
	TENF_BOTH = 256, /* a pair with equal external ports */
};

/* Best first. */
enum tenf_method {
	TENF_METHOD_NONE = 0,
	TENF_METHOD_PCP = 1,    /* RFC 6887 */
	TENF_METHOD_NATPMP = 2, /* RFC 6886 */
	TENF_METHOD_IGD = 4,    /* UPnP Internet Gateway Device */
};

enum tenf_state {
	TENF_STATE_ASKING,   /* asked for, no answer yet */
	TENF_STATE_MAPPED,   /* held */
	TENF_STATE_RENEWING, /* held, a renewal is under way */
	TENF_STATE_LOST,     /* was held, the lease ended or the gateway forgot */
	TENF_STATE_REFUSED,  /* the gateway said no; asked again after its hold */
	TENF_STATE_REMOVED,  /* given up by us */
};

enum tenf_event_kind {
	TENF_EVENT_GATEWAY = 1,     /* another gateway, or none */
	TENF_EVENT_GATEWAY_RESTART, /* the epoch says it lost its state */
	TENF_EVENT_ADDRESS,         /* external address learned or changed */
	TENF_EVENT_MAPPED,
	TENF_EVENT_CHANGED,         /* other external port or address */
	TENF_EVENT_RENEWED,
	TENF_EVENT_LOST,
	TENF_EVENT_REFUSED,
	TENF_EVENT_REMOVED,
};

/* Whether only the peers asked for may come in (PCP FILTER, RFC 6887 §13.3). */
enum tenf_filtering {
	TENF_FILTERING_NONE,    /* not asked for, or nothing is held */
	TENF_FILTERING_ECHOED,  /* the gateway says so */
	TENF_FILTERING_MISSING, /* the gateway did not confirm it: open to everybody */
};

/* What an external address is good for. */
enum tenf_address_class {
	TENF_ADDRESS_NONE,    /* unknown or absent */
	TENF_ADDRESS_PUBLIC,
	TENF_ADDRESS_PRIVATE, /* RFC 1918, link-local, unique-local: double NAT */
	TENF_ADDRESS_CARRIER, /* 100.64.0.0/10, RFC 6598: carrier-grade NAT */
};

#ifdef __cplusplus
}
#endif
#endif

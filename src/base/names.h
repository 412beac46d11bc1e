/* SPDX-License-Identifier: MIT */
/* The names of types.h as they stand in JSON, in options and in messages. */
#ifndef TENF_BASE_NAMES_H
#define TENF_BASE_NAMES_H

#include <tenforward/types.h>

const char *tenf_status_name(enum tenf_status status);     /* "out of memory" … */
const char *tenf_reason_code(enum tenf_reason reason);     /* "no-gateway" … */
const char *tenf_method_code(enum tenf_method method);     /* "pcp", "natpmp", "igd" */
const char *tenf_method_title(enum tenf_method method);    /* "PCP", "NAT-PMP", "UPnP" */
const char *tenf_state_code(enum tenf_state state);        /* "mapped" … */
const char *tenf_event_code(enum tenf_event_kind kind);    /* "gateway-restart" … */
const char *tenf_class_code(enum tenf_address_class kind); /* "public" … */

#endif

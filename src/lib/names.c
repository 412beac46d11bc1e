/* SPDX-License-Identifier: MIT */
#include "base/names.h"

#include <tenforward/tenforward.h>

const char *tenf_version(void)
{
	return TENF_VERSION;
}

const char *tenf_status_text(enum tenf_status status)
{
	return tenf_status_name(status);
}

const char *tenf_reason_name(enum tenf_reason reason)
{
	return tenf_reason_code(reason);
}

const char *tenf_method_name(enum tenf_method method)
{
	return tenf_method_code(method);
}

const char *tenf_state_name(enum tenf_state state)
{
	return tenf_state_code(state);
}

const char *tenf_event_name(enum tenf_event_kind kind)
{
	return tenf_event_code(kind);
}

const char *tenf_address_class_name(enum tenf_address_class address_class)
{
	return tenf_class_code(address_class);
}

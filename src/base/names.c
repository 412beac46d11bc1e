/* SPDX-License-Identifier: MIT */
#include "base/names.h"

const char *tenf_status_name(enum tenf_status status)
{
	switch (status) {
	case TENF_OK:
		return "done";
	case TENF_E_MEMORY:
		return "out of memory";
	case TENF_E_ARGUMENT:
		return "invalid argument";
	case TENF_E_LIMIT:
		return "limit reached";
	case TENF_E_NOT_FOUND:
		return "not found";
	case TENF_E_TRUNCATED:
		return "packet too short";
	case TENF_E_MALFORMED:
		return "packet malformed";
	case TENF_E_AGAIN:
		return "nothing there yet";
	case TENF_E_REFUSED:
		return "port unreachable";
	case TENF_E_UNREACHABLE:
		return "network unreachable";
	case TENF_E_SYSTEM:
		return "system error";
	case TENF_E_FAILED:
		return "the gateway did not do it";
	}
	return "unknown status";
}

const char *tenf_reason_code(enum tenf_reason reason)
{
	switch (reason) {
	case TENF_REASON_NONE:
		return "none";
	case TENF_REASON_NO_GATEWAY:
		return "no-gateway";
	case TENF_REASON_SILENT:
		return "silent";
	case TENF_REASON_NO_SERVICE:
		return "no-service";
	case TENF_REASON_REFUSED:
		return "refused";
	case TENF_REASON_RESOURCES:
		return "resources";
	case TENF_REASON_NO_NETWORK:
		return "no-network";
	case TENF_REASON_OTHER_PORT:
		return "other-port";
	case TENF_REASON_MALFORMED:
		return "malformed";
	case TENF_REASON_SYSTEM:
		return "system";
	}
	return "unknown";
}

const char *tenf_method_code(enum tenf_method method)
{
	switch (method) {
	case TENF_METHOD_NONE:
		return "none";
	case TENF_METHOD_PCP:
		return "pcp";
	case TENF_METHOD_NATPMP:
		return "natpmp";
	case TENF_METHOD_IGD:
		return "igd";
	}
	return "unknown";
}

const char *tenf_method_title(enum tenf_method method)
{
	switch (method) {
	case TENF_METHOD_NONE:
		return "nothing";
	case TENF_METHOD_PCP:
		return "PCP";
	case TENF_METHOD_NATPMP:
		return "NAT-PMP";
	case TENF_METHOD_IGD:
		return "UPnP";
	}
	return "unknown";
}

const char *tenf_state_code(enum tenf_state state)
{
	switch (state) {
	case TENF_STATE_ASKING:
		return "asking";
	case TENF_STATE_MAPPED:
		return "mapped";
	case TENF_STATE_RENEWING:
		return "renewing";
	case TENF_STATE_LOST:
		return "lost";
	case TENF_STATE_REFUSED:
		return "refused";
	case TENF_STATE_REMOVED:
		return "removed";
	}
	return "unknown";
}

const char *tenf_event_code(enum tenf_event_kind kind)
{
	switch (kind) {
	case TENF_EVENT_GATEWAY:
		return "gateway";
	case TENF_EVENT_GATEWAY_RESTART:
		return "gateway-restart";
	case TENF_EVENT_ADDRESS:
		return "address";
	case TENF_EVENT_MAPPED:
		return "mapped";
	case TENF_EVENT_CHANGED:
		return "changed";
	case TENF_EVENT_RENEWED:
		return "renewed";
	case TENF_EVENT_LOST:
		return "lost";
	case TENF_EVENT_REFUSED:
		return "refused";
	case TENF_EVENT_REMOVED:
		return "removed";
	}
	return "unknown";
}

const char *tenf_class_code(enum tenf_address_class kind)
{
	switch (kind) {
	case TENF_ADDRESS_NONE:
		return "none";
	case TENF_ADDRESS_PUBLIC:
		return "public";
	case TENF_ADDRESS_PRIVATE:
		return "private";
	case TENF_ADDRESS_CARRIER:
		return "carrier";
	}
	return "unknown";
}

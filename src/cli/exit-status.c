/* SPDX-License-Identifier: MIT */
#include "cli/exit-status.h"

int cli_exit_of_reason(enum tenf_reason reason)
{
	switch (reason) {
	case TENF_REASON_NONE:
		return CLI_EXIT_DONE;
	case TENF_REASON_NO_GATEWAY:
		return CLI_EXIT_NO_GATEWAY;
	case TENF_REASON_SILENT:
		return CLI_EXIT_SILENT;
	case TENF_REASON_NO_SERVICE:
		return CLI_EXIT_NO_SERVICE;
	case TENF_REASON_REFUSED:
		return CLI_EXIT_REFUSED;
	case TENF_REASON_RESOURCES:
		return CLI_EXIT_RESOURCES;
	case TENF_REASON_NO_NETWORK:
		return CLI_EXIT_NO_NETWORK;
	case TENF_REASON_OTHER_PORT:
		return CLI_EXIT_OTHER_PORT;
	case TENF_REASON_MALFORMED:
	case TENF_REASON_SYSTEM:
		return CLI_EXIT_FAILURE;
	}
	return CLI_EXIT_FAILURE;
}

int cli_exit_of_status(enum tenf_status status, enum tenf_reason reason)
{
	switch (status) {
	case TENF_OK:
		return CLI_EXIT_DONE;
	case TENF_E_ARGUMENT:
		return CLI_EXIT_USAGE;
	case TENF_E_FAILED:
		return reason == TENF_REASON_NONE ? CLI_EXIT_FAILURE : cli_exit_of_reason(reason);
	case TENF_E_REFUSED:
		return CLI_EXIT_NO_SERVICE;
	case TENF_E_UNREACHABLE:
		return CLI_EXIT_NO_GATEWAY;
	case TENF_E_MEMORY:
	case TENF_E_LIMIT:
	case TENF_E_NOT_FOUND:
	case TENF_E_TRUNCATED:
	case TENF_E_MALFORMED:
	case TENF_E_AGAIN:
	case TENF_E_SYSTEM:
		return CLI_EXIT_FAILURE;
	}
	return CLI_EXIT_FAILURE;
}

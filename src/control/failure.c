/* SPDX-License-Identifier: MIT */
/* What an error of ours is in HTTP. */
#include "control/request.h"

#include "base/names.h"

static int http_of_reason(enum tenf_reason reason)
{
	switch (reason) {
	case TENF_REASON_REFUSED:
		return 403;
	case TENF_REASON_OTHER_PORT:
		return 409;
	case TENF_REASON_NO_SERVICE:
	case TENF_REASON_MALFORMED:
		return 502;
	case TENF_REASON_NO_GATEWAY:
	case TENF_REASON_NO_NETWORK:
	case TENF_REASON_RESOURCES:
		return 503;
	case TENF_REASON_SILENT:
		return 504;
	case TENF_REASON_NONE:
	case TENF_REASON_SYSTEM:
		break;
	}
	return 500;
}

static int http_of_status(enum tenf_status status, const char **ret_code)
{
	switch (status) {
	case TENF_E_ARGUMENT:
		*ret_code = "argument";
		return 400;
	case TENF_E_TRUNCATED:
	case TENF_E_MALFORMED:
		*ret_code = "bad-request";
		return 400;
	case TENF_E_NOT_FOUND:
		*ret_code = "not-found";
		return 404;
	case TENF_E_LIMIT:
		*ret_code = "limit";
		return 429;
	case TENF_E_AGAIN:
		*ret_code = "busy";
		return 503;
	case TENF_OK:
	case TENF_E_MEMORY:
	case TENF_E_REFUSED:
	case TENF_E_UNREACHABLE:
	case TENF_E_SYSTEM:
	case TENF_E_FAILED:
		break;
	}
	*ret_code = "system";
	return 500;
}

void control_answer_failure(struct control_request *request, const struct tenf_error *error)
{
	const char *text = error->text[0] != '\0' ? error->text : tenf_status_name(error->status);
	const char *code;
	int status;

	/* "system" says less than the status does. */
	if (error->reason != TENF_REASON_NONE && error->reason != TENF_REASON_SYSTEM) {
		control_answer_error(request, http_of_reason(error->reason),
				     tenf_reason_code(error->reason), text);
		return;
	}
	status = http_of_status(error->status, &code);
	control_answer_error(request, status, code, text);
}

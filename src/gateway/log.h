/* SPDX-License-Identifier: MIT */
/* One decision as one line for people: who, what, which rule, result. */
#ifndef TENF_GATEWAY_LOG_H
#define TENF_GATEWAY_LOG_H

#include "base/text.h"
#include "gateway/responder.h"

#define LOG_LINE_MAX 400

/* `rule_name` is that of the rule that decided; "" when it has none. */
void log_record(const struct responder_record *record, const char *rule_name,
		struct tenf_text *ret);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One line on standard error for what people should know. Under systemd with
 * its priority in front, as sd-daemon(3) has it. Control characters of others
 * are replaced: a line stays a line.
 */
#ifndef TENF_AGENT_LOG_H
#define TENF_AGENT_LOG_H

#include "base/attributes.h"

void log_note(const char *format, ...) TENF_PRINTF(1, 2);
void log_warning(const char *format, ...) TENF_PRINTF(1, 2);

#endif

/* SPDX-License-Identifier: MIT */
/* How bad a finding is, the worst last, so that they can be compared. */
#ifndef TENF_CLI_SEVERITY_H
#define TENF_CLI_SEVERITY_H

#include <stdbool.h>

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };

/* "info", "low", "medium", "high" */
const char *severity_code(enum severity severity);
bool severity_parse(const char *text, enum severity *ret);

#endif

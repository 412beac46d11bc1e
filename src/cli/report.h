/* SPDX-License-Identifier: MIT */
/*
 * Sentences that several verbs share: one mapping as a line, what failed and
 * why, what was given instead of what was asked for, and what a gateway is.
 */
#ifndef TENF_CLI_REPORT_H
#define TENF_CLI_REPORT_H

#include "base/text.h"
#include "cli/batch.h"

#define REPORT_LINE 400

/* "203.0.113.7:80/tcp → 192.168.1.20:8080"; `protocol` may be "tcp+udp". */
void report_mapping(struct tenf_text *t, const struct tenf_mapping *m, const char *protocol);
/* "until 15:04 (2 h)" */
void report_lease(struct tenf_text *t, int64_t now, const struct tenf_mapping *m);
/* "   filtered", "   unfiltered", or nothing where no filter was asked for. */
void report_filtering(struct tenf_text *t, const struct tenf_mapping *m);
/* For --verbose: packets sent, taken, and dropped with the reason. */
void report_counters(struct cli *cli, const struct tenf_session *session);
/* "0.8 ms", "120 ms" */
void report_milliseconds(struct tenf_text *t, int64_t us);
/* "PCP and NAT-PMP" */
void report_methods(struct tenf_text *t, const struct tenf_gateway *g);
/* "192.168.1.1 on eth0 · PCP and NAT-PMP · answers in 0.8 ms · up 3 days" */
void report_gateway(struct tenf_text *t, int64_t now, const struct tenf_gateway *g);
/* The lines "Gateway   …" and, when it answered, "Outside   …". */
void report_gateway_lines(struct cli *cli, const struct tenf_gateway *g);

/* The sentence of an error, or of its reason when the library gave none. */
const char *report_reason(const struct tenf_error *error);
/* Every half that is not held, on the error stream; equal reasons once. */
void report_failures(struct cli *cli, const struct batch *batch);
/* Other port, shorter lease, an address the internet cannot reach, no filter. */
void report_differences(struct cli *cli, const struct batch *batch);

#endif

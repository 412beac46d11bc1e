/* SPDX-License-Identifier: MIT */
/*
 * Values of configuration keys: text to what it means. Each is false for text
 * that is not such a value, and leaves its output untouched then; the sentence that says
 * what would be right is in the table of keys (config.c).
 */
#ifndef TENF_GATEWAY_CONFIG_VALUES_H
#define TENF_GATEWAY_CONFIG_VALUES_H

#include "base/time.h"
#include "gateway/config.h"

bool config_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
bool config_yes_no(const char *text, bool *ret);
/* "30%", "0.5%", "yes", "no": parts of FAULTS_ALL. */
bool config_chance(const char *text, unsigned *ret);
/* "200ms", "90s", "2h" or seconds. */
bool config_duration(const char *text, tenf_duration *ret);
/* A duration, or two with a "-" between them. */
bool config_durations(const char *text, tenf_duration *ret_min, tenf_duration *ret_max);
/* "80", "1024-65535" or several with commas or blanks; "dangerous" stands for the
 * ports that should never be reachable from the internet. */
bool config_ports(const char *text, struct policy_ports *ret);
/* An IPv4 address or prefix: its addresses are added to `list`, each once. False
 * also when they are more than `max`. */
bool config_pool(const char *text, struct tenf_address *list, size_t max, size_t *count);
bool config_protocol(const char *text, enum tenf_protocol *ret);
/* One or more names with blanks between; they are added. */
bool config_interfaces(const char *text, struct config_interfaces *ret);
/* "natpmp", "pcp", both with a comma, or "none". */
bool config_protocols(const char *text, bool *ret_natpmp, bool *ret_pcp);
/* "192.168.1.1", "192.168.1.1:5351", "[fd00::1]:5351": an address of one host.
 * Port 0 is any that is free. */
bool config_listen(const char *text, struct tenf_endpoint *ret);

/* The events of this name ("mapped", "closed"), enum config_on; 0: there is none. */
unsigned config_event(const char *word);

/* The next word of a list with commas or blanks between; false at the end. */
bool config_next_word(const char **text, char *ret, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The mappings of [Static]: from ports of the configuration to the table of
 * the responder, which then hands them to the packet path like any other.
 */
#ifndef TENF_GATEWAY_STATICS_H
#define TENF_GATEWAY_STATICS_H

#include "gateway/config.h"

/* Adds what is not there already: a restart finds them in the packet path.
 * They are part of the next batch. False with "FILE:LINE: what is wrong" in `why`
 * when a port is taken, of the first such; the others are added. */
bool statics_add(struct responder *r, const struct gateway_config *config, tenf_time now,
		 struct tenf_text *why);

#endif

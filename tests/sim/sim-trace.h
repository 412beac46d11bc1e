/* SPDX-License-Identifier: MIT */
/* What happens in a world, in lines for people: printed when world->trace is set. */
#ifndef TENF_SIM_TRACE_H
#define TENF_SIM_TRACE_H

#include "sim-world.h"

#define SIM_TIME_TEXT 32

void sim_trace(const struct sim_world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void sim_trace_packet(const struct sim_world *world, const char *what,
		      const struct sim_packet *packet);
void sim_trace_event(const struct sim_world *world, const struct sim_host *host,
		     const struct engine_event *event);
/* "3d 04:05:06.789"; returns the buffer. */
const char *sim_time_text(tenf_time at, char buffer[SIM_TIME_TEXT]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One action each: fills in its arguments from the job, and starts the exchange.
 * The stage says what is being asked; the answer is job.c's and list.c's.
 */
#ifndef TENF_IGD_ASK_H
#define TENF_IGD_ASK_H

#include "igd/igd-private.h"

#define ASK_MANY 1000 /* entries asked for in one answer */

/* GetExternalIPAddress, beside whatever else happens. */
void ask_address(struct igd *igd, tenf_time now);
/* STAGE_MAP: AddPortMapping; STAGE_MAP_ANY: AddAnyPortMapping. */
void ask_map(struct igd *igd, enum igd_stage stage, tenf_time now);
/* STAGE_FREE, STAGE_LOOK: GetSpecificPortMappingEntry; STAGE_UNMAP: DeletePortMapping. */
void ask_about(struct igd *igd, enum igd_stage stage, tenf_time now);
/* AddPinhole, to open it or to learn its number. */
void ask_pinhole(struct igd *igd, enum igd_stage stage, tenf_time now);
void ask_pinhole_delete(struct igd *igd, tenf_time now);
/* The lease a pinhole is asked for. */
uint32_t ask_pinhole_lease_s(const struct igd *igd);
/* GetListOfPortMappings and GetGenericPortMappingEntry. */
void ask_many(struct igd *igd, tenf_time now);
void ask_one(struct igd *igd, tenf_time now);

/* Whose mapping it is, and the lease that is asked for, 0 for one without end. */
const struct tenf_address *ask_client(const struct igd *igd);
uint32_t ask_lease_s(const struct igd *igd);

/* What a UPnP error means to the one who asked (job.c). */
enum tenf_reason job_reason_of(int error);
/* Answers while listing (list.c). */
void list_many_answered(struct igd *igd, int error, tenf_time now);
void list_one_answered(struct igd *igd, int error, tenf_time now);

#endif

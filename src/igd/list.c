/* SPDX-License-Identifier: MIT */
/* The two ways to list: many entries in one answer, and one after the other. */
#include "igd/ask.h"

static void end_protocol(struct igd *igd, tenf_time now)
{
	igd->list_from = 0;
	if (igd->list_udp) {
		igd_finish(igd, TENF_REASON_NONE, -1);
		return;
	}
	igd->list_udp = true;
	ask_many(igd, now);
}

/* A full answer may have more behind it: go on after its last port. */
void list_many_answered(struct igd *igd, int error, tenf_time now)
{
	const char *xml;
	struct igd_values values;
	size_t seen = 0;
	size_t before = igd->listing.count;
	enum tenf_status status = TENF_OK;

	if (error == IGD_ERROR_NOT_FOUND || error == IGD_ERROR_NO_SUCH_ENTRY) {
		end_protocol(igd, now);
		return;
	}
	if (error >= 0) { /* not known, or not allowed: entry by entry */
		igd->list_from = 0;
		ask_one(igd, now);
		return;
	}
	if (igd_values_read(igd->work.answer.body, igd->work.answer.len, &values) == TENF_OK) {
		xml = igd_values_listing(&values);
		if (xml != NULL)
			status = igd_listing_read(&igd->listing, xml, &seen);
		igd_values_done(&values);
	}
	if (status != TENF_OK || seen < ASK_MANY || igd->listing.count == before) {
		if (status == TENF_E_LIMIT)
			igd_finish(igd, TENF_REASON_NONE, -1);
		else
			end_protocol(igd, now);
		return;
	}
	igd->list_from = igd->listing.entries[igd->listing.count - 1].external_port + 1u;
	if (igd->list_from > UINT16_MAX)
		end_protocol(igd, now);
	else
		ask_many(igd, now);
}

void list_one_answered(struct igd *igd, int error, tenf_time now)
{
	struct igd_values values;
	struct igd_entry entry;

	if (error >= 0) { /* the end has several codes, whatever the standard says */
		bool end = igd->list_from > 0 || error == IGD_ERROR_END_OF_LIST ||
			   error == IGD_ERROR_NO_SUCH_ENTRY;

		igd_finish(igd, end ? TENF_REASON_NONE : job_reason_of(error), end ? -1 : error);
		return;
	}
	if (igd_values_read(igd->work.answer.body, igd->work.answer.len, &values) == TENF_OK) {
		if (igd_entry_read(&values, &entry) != TENF_OK)
			igd->listing.dropped++;
		else
			(void)!igd_listing_add(&igd->listing, &entry);
		igd_values_done(&values);
	}
	igd->list_from++;
	if (igd->list_from < IGD_ENTRIES_MAX) {
		ask_one(igd, now);
		return;
	}
	igd->listing.cut = true;
	igd_finish(igd, TENF_REASON_NONE, -1);
}

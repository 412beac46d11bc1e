/* SPDX-License-Identifier: MIT */
/*
 * From JSON shapes back to the structs of the library, for clients of the control
 * API. Unknown keys are ignored, a missing key is as good as null; a value of the
 * wrong type, out of range, or a word that is none is TENF_E_MALFORMED, and `why`
 * (may be NULL) gets one sentence that names the key. `ret` is untouched then.
 */
#ifndef TENF_CONTROL_SHAPES_READ_H
#define TENF_CONTROL_SHAPES_READ_H

#include "base/attributes.h"
#include "base/text.h"

#include <jansson.h>
#include <tenforward/tenforward.h>

#define SHAPE_ID_SIZE 32     /* with terminator */
#define SHAPE_NAME_SIZE 256
#define SHAPE_SOURCE_SIZE 16

/* The label of a mapping as it was read; "" for null. */
struct shape_tag {
	char id[SHAPE_ID_SIZE];
	char name[SHAPE_NAME_SIZE];
	char source[SHAPE_SOURCE_SIZE];
	char delivery[SHAPE_SOURCE_SIZE]; /* its state */
	char through[TENF_ADDRESS_SIZE];
};

/* `ret->id` is the number in "m12", 0 when the id has another form. `ret_tag`
 * may be NULL. */
TENF_CHECKED enum tenf_status shape_read_mapping(const json_t *shape, struct tenf_mapping *ret,
						 struct shape_tag *ret_tag, struct tenf_text *why);
TENF_CHECKED enum tenf_status shape_read_gateway(const json_t *shape, struct tenf_gateway *ret,
						 struct tenf_text *why);
/* TENF_E_NOT_FOUND for a well-formed event of a kind this version does not
 * know ("pending" of a gateway): skip it. `ret->before.id` is 0 when there was
 * nothing before, and only then. */
TENF_CHECKED enum tenf_status shape_read_event(const json_t *shape, struct tenf_event *ret,
					       struct shape_tag *ret_tag, struct tenf_text *why);

/* Of {"error": {"code", "text"}}: the text, or `otherwise` when there is none. */
const char *shape_read_failure(const json_t *shape, const char *otherwise);

/* "2026-11-22T07:00:00Z" alone, no other form of ISO 8601. */
TENF_CHECKED bool shape_read_time(const char *text, int64_t *ret);

#endif

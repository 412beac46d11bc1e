/* SPDX-License-Identifier: MIT */
#include "control/sse.h"

#include <stdlib.h>
#include <string.h>

void sse_init(struct sse *sse)
{
	*sse = (struct sse){ 0 };
}

void sse_done(struct sse *sse)
{
	free(sse->data);
	*sse = (struct sse){ 0 };
}

/* Room for `len` more and a terminator. */
static enum tenf_status make_room(struct sse *sse, size_t len)
{
	size_t waiting = sse->len - sse->used;
	size_t size = 1024;
	char *grown;

	if (len > SSE_WAITING_MAX - waiting)
		return TENF_E_LIMIT;
	if (sse->used > 0) {
		memmove(sse->data, sse->data + sse->used, waiting);
		sse->len = waiting;
		sse->used = 0;
	}
	if (waiting + len < sse->size)
		return TENF_OK;
	while (size <= waiting + len)
		size *= 2;
	grown = realloc(sse->data, size);
	if (grown == NULL)
		return TENF_E_MEMORY;
	sse->data = grown;
	sse->size = size;
	return TENF_OK;
}

enum tenf_status sse_feed(struct sse *sse, const char *data, size_t len)
{
	enum tenf_status status = make_room(sse, len);

	if (status != TENF_OK)
		return status;
	for (size_t i = 0; i < len; i++) {
		/* CR LF is a line break too, and NUL would end a string early. */
		if (data[i] != '\r' && data[i] != '\0')
			sse->data[sse->len++] = data[i];
	}
	return TENF_OK;
}

/* The value of "field: value", NULL when the line is of another field. */
static char *value_of(char *line, const char *field)
{
	size_t len = strlen(field);

	if (strncmp(line, field, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + (line[len + 1] == ' ' ? 2 : 1);
}

/* Several data lines are one text with line breaks; they are moved together in
 * place, since the text they stand in is longer. */
static void add_data(char **data, char *value)
{
	if (*data == NULL) {
		*data = value;
	} else {
		char *end = *data + strlen(*data);

		*end++ = '\n';
		memmove(end, value, strlen(value) + 1);
	}
}

static void read_line(struct sse *sse, char *line, struct sse_event *event, char **data)
{
	char *value = value_of(line, "data");

	if (value != NULL) {
		add_data(data, value);
		return;
	}
	value = value_of(line, "event");
	if (value != NULL) {
		event->event = value;
		return;
	}
	value = value_of(line, "id");
	if (value != NULL && strlen(value) < sizeof(sse->id))
		memcpy(sse->id, value, strlen(value) + 1);
}

/* One block, up to the empty line at `end`. */
static bool read_block(struct sse *sse, char *at, char *end, struct sse_event *ret)
{
	struct sse_event event = { .event = "message" };
	char *data = NULL;

	while (at < end) {
		char *stop = memchr(at, '\n', (size_t)(end - at));
		char *next;

		if (stop == NULL)
			stop = end;
		next = stop + 1;
		*stop = '\0';
		read_line(sse, at, &event, &data);
		at = next;
	}
	event.data = data;
	if (data != NULL)
		*ret = event;
	return data != NULL;
}

bool sse_next(struct sse *sse, struct sse_event *ret)
{
	while (sse->used < sse->len) {
		char *at = sse->data + sse->used;
		size_t waiting = sse->len - sse->used;
		char *end = at[0] == '\n' ? at : memmem(at, waiting, "\n\n", 2);

		if (end == NULL)
			return false;
		sse->used += (size_t)(end - at) + (at[0] == '\n' ? 1 : 2);
		if (read_block(sse, at, end, ret))
			return true;
	}
	return false;
}

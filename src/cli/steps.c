/* SPDX-License-Identifier: MIT */
#include "cli/steps.h"

#include "cli/mask.h"
#include "cli/output.h"
#include "control/shapes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INDENT 20

/* For scripts; in the manual. */
static const char *const codes[] = {
	[FOUND_NO_INTERFACE] = "no-interface",
	[FOUND_INTERFACE_OFF] = "interface-off",
	[FOUND_NOT_CONNECTED] = "not-connected",
	[FOUND_NO_ADDRESS] = "no-address",
	[FOUND_NO_ROUTE] = "no-route",
	[FOUND_WRONG_WAY] = "wrong-way",
	[FOUND_NO_GATEWAY] = "no-gateway",
	[FOUND_GATEWAY_GONE] = "gateway-gone",
	[FOUND_NO_SERVICE] = "no-service",
	[FOUND_SERVICE_SILENT] = "service-silent",
	[FOUND_RESTARTS_UNHEARD] = "restarts-unheard",
	[FOUND_DOUBLE_NAT] = "double-nat",
	[FOUND_CARRIER_NAT] = "carrier-nat",
	[FOUND_NO_OUTSIDE_ADDRESS] = "no-outside-address",
	[FOUND_SEEN_ELSEWHERE] = "seen-elsewhere",
	[FOUND_CLOCK_BEHIND] = "clock-behind",
	[FOUND_CLOCK_SET_BACK] = "clock-set-back",
	[FOUND_REFUSED] = "refused",
	[FOUND_NO_ROOM] = "no-room",
	[FOUND_PORT_NOT_GIVEN] = "port-not-given",
	[FOUND_OTHER_PORT] = "other-port",
	[FOUND_PORT_TAKEN] = "port-taken",
	[FOUND_NOBODY_LISTENS] = "nobody-listens",
	[FOUND_LISTENS_HERE_ALONE] = "listens-here-alone",
	[FOUND_KEPT_OUT] = "kept-out",
	[FOUND_NOT_OPENED] = "not-opened",
	[FOUND_NOT_GRANTED] = "not-granted",
	[FOUND_FORGOTTEN] = "forgotten",
	[FOUND_MISSING_IN_LIST] = "missing-in-list",
	[FOUND_NOT_REOPENED] = "not-reopened",
	[FOUND_REFUSED_OUTSIDE] = "refused-outside",
	[FOUND_SILENT_OUTSIDE] = "silent-outside",
};

struct step *steps_add(struct steps *steps, const char *name, enum step_outcome outcome)
{
	struct step *step;

	if (steps->count < STEPS_MAX)
		steps->count++;
	step = &steps->items[steps->count - 1];
	*step = (struct step){ .name = name, .outcome = outcome, .exit = CLI_EXIT_CLOSED };
	return step;
}

struct step *steps_bad(struct steps *steps, const char *name, enum step_found found)
{
	struct step *step = steps_add(steps, name, STEP_BAD);

	step->found = found;
	return step;
}

const struct step *steps_find(const struct steps *steps, const char *name)
{
	const struct step *found = NULL;

	for (size_t i = 0; i < steps->count; i++) {
		if (strcmp(steps->items[i].name, name) == 0)
			found = &steps->items[i];
	}
	return found;
}

bool steps_is(const struct steps *steps, const char *name, enum step_outcome outcome)
{
	const struct step *step = steps_find(steps, name);

	return step != NULL && step->outcome == outcome;
}

const struct step *steps_worst(const struct steps *steps)
{
	const struct step *hint = NULL;

	for (size_t i = 0; i < steps->count; i++) {
		const struct step *step = &steps->items[i];

		if (step->is_past)
			continue;
		if (step->outcome == STEP_BAD && !step->is_hint)
			return step;
		if (step->outcome == STEP_BAD && hint == NULL)
			hint = step;
	}
	return hint;
}

void step_text(char text[STEP_TEXT], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, STEP_TEXT, format, args);
	va_end(args);
}

void steps_mask(struct steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		struct step *step = &steps->items[i];

		mask_addresses(step->seen, sizeof(step->seen));
		mask_addresses(step->means, sizeof(step->means));
		mask_addresses(step->advice, sizeof(step->advice));
		mask_addresses(step->because, sizeof(step->because));
	}
	mask_addresses(steps->verdict, sizeof(steps->verdict));
}

/* ---- For people ----------------------------------------------------------------- */

static const char *word_of(const struct step *step)
{
	switch (step->outcome) {
	case STEP_OK:
		return "ok";
	case STEP_BAD:
		return step->is_past ? "was" : step->is_hint ? "note" : "bad";
	case STEP_UNKNOWN:
		return "—";
	}
	return "—";
}

static enum output_color color_of(const struct step *step)
{
	if (step->outcome == STEP_OK)
		return OUTPUT_GREEN;
	if (step->outcome == STEP_UNKNOWN)
		return OUTPUT_PLAIN;
	return step->is_hint || step->is_past ? OUTPUT_YELLOW : OUTPUT_RED;
}

static void pad(struct tenf_text *t, const char *text, size_t width)
{
	tenf_text_add(t, text);
	for (size_t w = output_width(text); w < width; w++)
		tenf_text_add_char(t, ' ');
}

static void print_line(struct cli *cli, enum output_color color, const char *text)
{
	char line[STEP_TEXT + 2 * INDENT];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	pad(&t, "", INDENT);
	tenf_text_add(&t, text);
	output_wrapped(cli, cli->out, color, INDENT, line);
}

static void print_step(struct cli *cli, size_t number, const struct step *step)
{
	char line[STEP_TEXT + 2 * INDENT], lead[24];
	struct tenf_text t = tenf_text_of(line, sizeof(line));

	(void)snprintf(lead, sizeof(lead), "%2zu ", number);
	tenf_text_add(&t, lead);
	pad(&t, step->name, 11);
	pad(&t, word_of(step), 6);
	tenf_text_add(&t, step->seen);
	output_wrapped(cli, cli->out, color_of(step), INDENT, line);
	if (step->means[0] != '\0')
		print_line(cli, OUTPUT_PLAIN, step->means);
	if (step->advice[0] == '\0')
		return;
	t = tenf_text_of(line, sizeof(line));
	pad(&t, "", INDENT - 6);
	pad(&t, "→", 6);
	tenf_text_add(&t, step->advice);
	output_wrapped(cli, cli->out, OUTPUT_PLAIN, INDENT, line);
}

void steps_print(struct cli *cli, const struct steps *steps)
{
	for (size_t i = 0; i < steps->count; i++)
		print_step(cli, i + 1, &steps->items[i]);
	output_wrapped(cli, cli->out, OUTPUT_PLAIN, 0, steps->verdict);
}

/* ---- For scripts ---------------------------------------------------------------- */

static json_t *outcome_shape(enum step_outcome outcome)
{
	if (outcome == STEP_UNKNOWN)
		return json_null();
	return json_boolean(outcome == STEP_OK);
}

/* A step may turn out better than it began. */
static const char *code_of(const struct step *step)
{
	return step->outcome == STEP_BAD ? codes[step->found] : NULL;
}

json_t *steps_shape(const struct steps *steps)
{
	json_t *list = json_array();

	for (size_t i = 0; i < steps->count; i++) {
		const struct step *step = &steps->items[i];

		(void)shape_append(&list, json_pack("{ss so so so so so}", "name", step->name,
						    "ok", outcome_shape(step->outcome), "code",
						    shape_text(code_of(step)), "seen",
						    shape_text(step->seen), "means",
						    shape_text(step->means), "advice",
						    shape_text(step->advice)));
	}
	return json_pack("{so so}", "steps", list, "verdict", shape_text(steps->verdict));
}

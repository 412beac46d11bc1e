/* SPDX-License-Identifier: MIT */
/*
 * The steps of check and doctor: each says what was seen, what it means and what to
 * do, and together they come to a verdict. Printed for people and as JSON.
 */
#ifndef TENF_CLI_STEPS_H
#define TENF_CLI_STEPS_H

#include "base/text.h"
#include "cli/json.h"

#define STEPS_MAX 24
#define STEP_TEXT 400

enum step_outcome {
	STEP_UNKNOWN, /* not tried, or nothing can be said */
	STEP_OK,
	STEP_BAD,
};

struct step {
	const char *name; /* "listener" */
	enum step_outcome outcome;
	bool is_hint;     /* bad, and yet not what keeps the world out */
	bool is_past;     /* healed since: told, and no longer so */
	int exit;         /* what a bad one comes to, enum cli_exit */
	char seen[STEP_TEXT];
	char means[STEP_TEXT];   /* "" when what was seen says it */
	char advice[STEP_TEXT];  /* "" for none */
	char because[STEP_TEXT]; /* of the verdict: "nothing listens on 80/tcp here" */
};

struct steps {
	struct step items[STEPS_MAX];
	size_t count;
	char verdict[STEP_TEXT + 80];
};

/* A new step, empty; the last one again when there are too many. */
struct step *steps_add(struct steps *steps, const char *name, enum step_outcome outcome);
/* The last of this name; NULL when there is none. */
const struct step *steps_find(const struct steps *steps, const char *name);
bool steps_is(const struct steps *steps, const char *name, enum step_outcome outcome);
/* The first bad one that is no hint, else the first hint; NULL when all is well. */
const struct step *steps_worst(const struct steps *steps);

/* One of the texts of a step. */
void step_text(char text[STEP_TEXT], const char *format, ...) TENF_PRINTF(2, 3);

/* Replaces the addresses of the internet in every text by "x.x.x.x" and the like, so
 * that a report can be shown to strangers. */
void steps_mask(struct steps *steps);

void steps_print(struct cli *cli, const struct steps *steps);
json_t *steps_shape(const struct steps *steps);

#endif

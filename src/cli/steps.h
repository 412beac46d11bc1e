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

/* Each thing that can be wrong, of check and of doctor. tests/checks/findings.py wants to
 * see every one provoked in tests/netns. */
enum step_found {
	FOUND_NOTHING,
	FOUND_NO_INTERFACE,       /* no interface but the loopback */
	FOUND_INTERFACE_OFF,      /* the interface is switched off */
	FOUND_NOT_CONNECTED,      /* no cable, no wireless network */
	FOUND_NO_ADDRESS,         /* the interface has no address */
	FOUND_NO_ROUTE,           /* no default route */
	FOUND_WRONG_WAY,          /* answers leave by another way than requests come */
	FOUND_NO_GATEWAY,         /* no gateway was found */
	FOUND_GATEWAY_GONE,       /* the gateway answers nothing at all */
	FOUND_NO_SERVICE,         /* the gateway opens no ports on request */
	FOUND_SERVICE_SILENT,     /* the same, without a word */
	FOUND_RESTARTS_UNHEARD,   /* port 5350 is taken: announcements are not heard */
	FOUND_DOUBLE_NAT,         /* the gateway's address is a private one */
	FOUND_CARRIER_NAT,        /* the gateway's address is shared among customers */
	FOUND_NO_OUTSIDE_ADDRESS, /* the gateway has no address */
	FOUND_SEEN_ELSEWHERE,     /* the internet sees another address */
	FOUND_CLOCK_BEHIND,       /* the clock is years behind */
	FOUND_CLOCK_SET_BACK,     /* the clock was set back after a lease was recorded */
	FOUND_REFUSED,            /* the gateway's policy says no */
	FOUND_NO_ROOM,            /* the gateway's quota or memory is used up */
	FOUND_PORT_NOT_GIVEN,     /* the exact port was insisted on, and another offered */
	FOUND_OTHER_PORT,         /* another port was given than wished */
	FOUND_PORT_TAKEN,         /* the port one would wish for is another's */
	FOUND_NOBODY_LISTENS,     /* no program waits */
	FOUND_LISTENS_HERE_ALONE, /* one does, on an address only this computer reaches */
	FOUND_KEPT_OUT,           /* the firewall of this computer drops it */
	FOUND_NOT_OPENED,         /* no mapping is known */
	FOUND_NOT_GRANTED,        /* the agent asks for one, and has none */
	FOUND_FORGOTTEN,          /* the gateway restarted since */
	FOUND_MISSING_IN_LIST,    /* the gateway's own list lacks it */
	FOUND_NOT_REOPENED,       /* healing failed */
	FOUND_REFUSED_OUTSIDE,    /* refused, asked from outside */
	FOUND_SILENT_OUTSIDE,     /* no answer, asked from outside */
};

struct step {
	const char *name; /* "listener" */
	enum step_found found; /* of a bad one */
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
/* A new one that is bad. */
struct step *steps_bad(struct steps *steps, const char *name, enum step_found found);
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

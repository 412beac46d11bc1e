/* SPDX-License-Identifier: MIT */
/* check: is this port really open? From the program that listens to a connection from
 * outside, each step says what it proved. */
#include "cli/heal.h"
#include "cli/verbs.h"

#include "control/shapes.h"

static void look_from_outside(struct diagnosis *d)
{
	diagnose_hairpin(d);
	diagnose_outside(d);
}

static int heal_and_look(struct diagnosis *d)
{
	int status = heal(d);

	if (status == CLI_EXIT_DONE && steps_is(&d->steps, "mapping", STEP_OK))
		look_from_outside(d);
	return status;
}

/* A status of our own failures; what was found is in the verdict. */
static int look(struct diagnosis *d)
{
	diagnose_listener(d);
	diagnose_firewall(d);
	diagnose_mapping(d);
	diagnose_address(d);
	look_from_outside(d);
	if (d->cli->arguments.value[CLI_HEAL] == NULL || !heal_is_needed(d))
		return CLI_EXIT_DONE;
	return heal_and_look(d);
}

/* Whatever keeps it closed, it is closed. */
static int verdict(struct diagnosis *d)
{
	return diagnose_verdict(d) == CLI_EXIT_DONE ? CLI_EXIT_DONE : CLI_EXIT_CLOSED;
}

static int check_one(struct cli *cli, const struct subject *subject, json_t **list)
{
	struct diagnosis d;
	int status = diagnose_begin(cli, subject, &d);

	if (status == CLI_EXIT_DONE)
		status = look(&d);
	if (status == CLI_EXIT_DONE) {
		status = verdict(&d);
		if (cli->global.json)
			(void)shape_append(list, steps_shape(&d.steps));
		else
			steps_print(cli, &d.steps);
	}
	diagnose_done(&d);
	return status;
}

int verb_check(struct cli *cli)
{
	struct subject subjects[2];
	json_t *list = json_array();
	size_t count = 0;
	int worst = diagnose_subjects(cli, subjects, &count);

	for (size_t i = 0; i < count; i++)
		worst = cli_exit_worse(worst, check_one(cli, &subjects[i], &list));
	if (cli->global.json && json_array_size(list) == 1)
		(void)json_print(cli, json_incref(json_array_get(list, 0)));
	else if (cli->global.json && json_array_size(list) > 1)
		(void)json_print(cli, json_wrap("checks", json_incref(list)));
	json_decref(list);
	return worst;
}

/* SPDX-License-Identifier: MIT */
/*
 * Looking from outside: another computer tries to connect to us, over ssh to a host
 * the user names, or a check service the user names does. Nothing is installed
 * there, and nobody is asked who was not named.
 */
#ifndef TENF_CLI_OUTSIDE_H
#define TENF_CLI_OUTSIDE_H

#include "base/text.h"
#include "cli/cli.h"

enum outside {
	OUTSIDE_OPEN,
	OUTSIDE_REFUSED, /* something said no */
	OUTSIDE_SILENT,  /* no word */
	OUTSIDE_FAILED,  /* could not be tried; `why` says why */
};

/* What is tried: an address and a port, both as text, so that they stand in a
 * command and a URL as they are. */
struct outside_target {
	const char *address;
	uint16_t port;
	enum tenf_protocol protocol;
};

/* By `ssh HOST`, with a one-liner that needs bash or nc there. */
enum outside outside_by_ssh(struct cli *cli, const char *host,
			    const struct outside_target *target, struct tenf_text *why);
/* GET of the URL with {address}, {port} and {protocol} filled in; the answer is
 * JSON with "open": true or false, or the word open or closed. */
enum outside outside_by_url(struct cli *cli, const char *url,
			    const struct outside_target *target, struct tenf_text *why);

/* The command for the far shell; false when it does not fit. Pure. */
bool outside_command(const struct outside_target *target, char *ret, size_t size);
/* What the far shell printed. Pure. */
enum outside outside_read_shell(const char *text, struct tenf_text *why);
/* What a check service answered. Pure. */
enum outside outside_read_answer(const char *text, struct tenf_text *why);
/* The URL filled in; false when it does not fit or is none. Pure. */
bool outside_url(const char *url, const struct outside_target *target, char *ret, size_t size);

#endif

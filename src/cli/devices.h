/* SPDX-License-Identifier: MIT */
/*
 * UPnP devices this command found before, one for each network, so that the next
 * call is not a search: a network is the address of its gateway, the
 * interface, and the gateway's hardware address where the kernel knows it. A
 * small file beside the record of leases. It is worth nothing but time: what
 * cannot be read is as if it were not there, and the library tries a device before it
 * believes in it. In a build without UPnP nothing is read or written.
 */
#ifndef TENF_CLI_DEVICES_H
#define TENF_CLI_DEVICES_H

#include "cli/cli.h"

#include <limits.h>

#define DEVICES_MAX 32 /* networks; the one used longest ago goes first */

/* Options that know the devices of the networks this host is in now. Points into itself. */
struct devices {
	struct tenf_options options;
	char hints[TENF_IGD_HINTS_SIZE];
};

/* Where the file is, beside the record of leases; false when there is no place for it. */
bool devices_path(char ret[PATH_MAX]);

/* `ret->options` are the command's, with hints where there are some. */
void devices_options(const struct cli *cli, struct devices *ret);

/* Remembers what was found at the gateway of a session, at each of a discovery. */
void devices_keep_session(const struct cli *cli, const struct tenf_session *session);
void devices_keep_discovery(const struct cli *cli, const struct tenf_discovery *discovery);

/* The text of the file with this device in it, first; the caller frees it, NULL
 * when memory is out or nothing changes. `before` is the text so far. */
char *devices_merge(const char *before, const char *network, const char *hint);
/* The hints of a file's text whose network is one of those now. */
void devices_choose(const char *text, const char *neighbours, char *ret, size_t size);
/* "192.168.1.1 eth0 52:54:00:12:34:56", from the text of /proc/net/arp; the last
 * word is "-" when it is not known. */
void devices_network(const char *neighbours, const char *gateway, const char *interface,
		     char *ret, size_t size);

#endif

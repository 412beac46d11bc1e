/* SPDX-License-Identifier: MIT */
#include "cli/lease-watch.h"

#include "files/whole-file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Looking again once a day keeps the time-out in range. */
#define LOOK_MAX_S 86400

/* The folder is watched, not the file: a new one may be put in its place. */
static int watch_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	if (slash == NULL || whole_file_folders(path) != TENF_OK)
		return -1;
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd >= 0 && inotify_add_watch(fd, folder, IN_MODIFY | IN_MOVED_TO | IN_DELETE) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool lease_watch_start(struct cli *cli, struct lease_watch *ret)
{
	*ret = (struct lease_watch){ .fd = -1 };
	leases_read(cli, &ret->known);
	if (ret->known.path == NULL) {
		cli_detail(cli, "There is no record of leases; only the gateway is watched.");
		return true;
	}
	ret->fd = watch_folder(ret->known.path);
	if (ret->fd < 0)
		cli_error(cli, "cannot watch %s: %s; only the gateway is watched", ret->known.path,
			  strerror(errno));
	return ret->fd >= 0;
}

static struct tenf_event make_event(struct cli *cli, enum tenf_event_kind kind,
				    const struct lease *lease, const struct lease *before)
{
	struct tenf_event event = { .kind = kind, .at = cli->now(), .mapping = lease->mapping };

	if (before != NULL) {
		event.before = before->mapping;
		event.before.id = (uint32_t)before->number; /* says that there is one */
	}
	return event;
}

static bool was_changed(const struct tenf_mapping *a, const struct tenf_mapping *b)
{
	return a->external_port != b->external_port ||
	       strcmp(a->external_address, b->external_address) != 0;
}

static void tell_present(struct cli *cli, const struct lease *lease, const struct lease *before,
			 lease_watch_told *told, void *context)
{
	struct tenf_event event;

	if (before == NULL)
		event = make_event(cli, TENF_EVENT_MAPPED, lease, NULL);
	else if (was_changed(&lease->mapping, &before->mapping))
		event = make_event(cli, TENF_EVENT_CHANGED, lease, before);
	else if (lease->mapping.expires_at > before->mapping.expires_at)
		event = make_event(cli, TENF_EVENT_RENEWED, lease, before);
	else
		return;
	told(context, &event, lease);
}

/* A lease that is gone before its end was removed; else its time was over. */
static void tell_gone(struct cli *cli, const struct lease *lease, lease_watch_told *told,
		      void *context)
{
	bool ended = lease->mapping.expires_at <= cli->now();
	struct tenf_event event = make_event(
		cli, ended ? TENF_EVENT_LOST : TENF_EVENT_REMOVED, lease, lease);

	event.mapping.state = ended ? TENF_STATE_LOST : TENF_STATE_REMOVED;
	told(context, &event, lease);
}

static void drain(int fd)
{
	char buffer[4096];

	while (fd >= 0 && read(fd, buffer, sizeof(buffer)) > 0)
		continue;
}

void lease_watch_look(struct cli *cli, struct lease_watch *watch, lease_watch_told *told,
		      void *context)
{
	struct leases now;

	drain(watch->fd);
	leases_read(cli, &now);
	for (size_t i = 0; i < watch->known.count; i++) {
		if (leases_find(&now, watch->known.items[i].number) == NULL)
			tell_gone(cli, &watch->known.items[i], told, context);
	}
	for (size_t i = 0; i < now.count; i++)
		tell_present(cli, &now.items[i], leases_find(&watch->known, now.items[i].number),
			     told, context);
	leases_done(&watch->known);
	watch->known = now;
}

int lease_watch_timeout_ms(const struct cli *cli, const struct lease_watch *watch)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < watch->known.count; i++) {
		if (watch->known.items[i].mapping.expires_at < next)
			next = watch->known.items[i].mapping.expires_at;
	}
	if (next == INT64_MAX)
		return -1;
	next -= cli->now();
	if (next > LOOK_MAX_S)
		next = LOOK_MAX_S;
	return next > 0 ? (int)next * 1000 : 0;
}

void lease_watch_done(struct lease_watch *watch)
{
	leases_done(&watch->known);
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

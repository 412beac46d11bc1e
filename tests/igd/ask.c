/* SPDX-License-Identifier: MIT */
/*
 * One job for the room, by a program of its own, so that its time and memory
 * can be measured from outside:
 *
 *     igd-ask GATEWAY SOURCE HINT DEADLINE-MS JOB...
 *
 * HINT is "-" for none. JOB: find [hasty] | list | add PROTO INTERNAL EXTERNAL LIFETIME
 * [exact] [renew] [DESCRIPTION] | delete PROTO INTERNAL EXTERNAL. Prints "key value" lines.
 */
#include "igd/igd.h"

#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static tenf_time now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (tenf_time)t.tv_sec * TENF_SECOND + t.tv_nsec / 1000;
}

static void print_hint(const struct igd *igd)
{
	char text[IGD_HINT];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	if (igd_hint(igd, &t))
		printf("hint %s\n", text);
}

static void print_entries(const struct igd_listing *listing)
{
	char address[TENF_ADDRESS_TEXT];

	printf("entries %zu\ndropped %zu\ncut %d\n", listing->count, listing->dropped,
	       listing->cut);
	for (size_t i = 0; i < listing->count; i++) {
		const struct igd_entry *e = &listing->entries[i];

		printf("entry %s %u %s:%u %u %d %s\n", e->protocol == TENF_TCP ? "tcp" : "udp",
		       e->external_port, tenf_address_text(&e->internal, address),
		       e->internal_port, e->lease_s, e->enabled, e->description);
	}
}

static void print_result(const struct igd *igd, const struct igd_result *r)
{
	char address[TENF_ADDRESS_TEXT];

	printf("reason %d\nerror %d\nport %u\nlifetime %u\nversion %u\naddress %s\n", r->reason,
	       r->error, r->external_port, r->lifetime_s, r->version,
	       tenf_address_text(&r->external_address, address));
	printf("presence %d\n", igd_presence(igd));
	print_hint(igd);
	if (r->what == IGD_LIST)
		print_entries(igd_listing(igd));
}

static bool read_job(int argc, char **argv, struct igd_job *job)
{
	bool add = argc >= 5 && strcmp(argv[0], "add") == 0;
	bool take = argc >= 4 && strcmp(argv[0], "delete") == 0;

	job->what = add ? IGD_ADD : take ? IGD_DELETE : strcmp(argv[0], "list") == 0 ? IGD_LIST
										     : IGD_FIND;
	if (!add && !take) {
		job->patient = argc == 1 || strcmp(argv[1], "hasty") != 0;
		return argc <= 2;
	}
	job->protocol = strcmp(argv[1], "udp") == 0 ? TENF_UDP : TENF_TCP;
	job->internal_port = (uint16_t)atoi(argv[2]);
	job->external_port = (uint16_t)atoi(argv[3]);
	job->lifetime_s = add ? (uint32_t)atoi(argv[4]) : 0;
	job->fresh = true;
	for (int i = 5; i < argc; i++) {
		if (strcmp(argv[i], "exact") == 0)
			job->exact = true;
		else if (strcmp(argv[i], "renew") == 0)
			job->fresh = false;
		else
			(void)snprintf(job->description, sizeof(job->description), "%s", argv[i]);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct igd_way way = { .ifindex = 0 };
	struct igd_job job = { .token = 7, .patient = true };
	struct igd_result result;
	struct tenf_seeded seeded;
	struct tenf_random random = tenf_seeded_random(&seeded);
	struct igd *igd;

	tenf_seeded_init(&seeded, 1);
	if (argc < 6 || !tenf_address_parse(argv[1], &way.gateway) ||
	    !tenf_address_parse(argv[2], &way.source) || !read_job(argc - 5, argv + 5, &job))
		return 2;
	way.ifindex = tenf_address_is_loopback(&way.source) ? if_nametoindex("lo") : 0;
	if (igd_new(&way, strcmp(argv[3], "-") == 0 ? NULL : argv[3], &random, &igd) != TENF_OK)
		return 1;
	job.deadline = now() + atoi(argv[4]) * TENF_MILLISECOND;
	igd_start(igd, &job, now());
	while (!igd_take(igd, &result)) {
		struct pollfd fd = { .fd = igd_fd(igd), .events = POLLIN };
		tenf_duration left = igd_deadline(igd) - now();

		(void)poll(&fd, 1, left > 0 ? (int)(left / 1000 + 1) : 0);
		igd_step(igd, now());
	}
	print_result(igd, &result);
	igd_free(igd);
	return 0;
}

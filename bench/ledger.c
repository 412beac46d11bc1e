/* SPDX-License-Identifier: MIT */
/*
 * The thinking part alone, without sockets and a kernel: a million mappings of
 * 20,000 hosts over 16 external addresses, made by NAT-PMP, then all renewed.
 *
 *   bench-ledger [MAPPINGS]      prints "mappings made_per_s renewed_per_s octets",
 *                                the octets of memory that one mapping takes
 */
#include "gateway/responder.h"
#include "wire/pcp.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOSTS 20000
#define EXTERNALS 16
#define FIRST_PORT 1024

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What a daemon does in a turn, with a backend that always can. */
static size_t turn(struct responder *r, tenf_time now)
{
	struct responder_change change;
	struct responder_datagram answer;
	struct responder_record record;
	size_t granted = 0;

	while (responder_next_change(r, &change))
		;
	responder_committed(r, TENF_OK, now);
	while (responder_next_send(r, now, &answer))
		granted += answer.len == 16 && answer.data[3] == 0;
	while (responder_next_record(r, &record))
		;
	return granted;
}

static void write_request(uint8_t octets[12], unsigned port)
{
	const uint8_t request[12] = { 0, 1, 0, 0, (uint8_t)(port >> 8), (uint8_t)port, 0, 0,
				      0, 1, 0x51, 0x80 };

	memcpy(octets, request, sizeof(request));
}

static size_t ask_all(struct responder *r, const struct responder_link *link, unsigned mappings,
		      tenf_time now)
{
	size_t granted = 0;

	for (unsigned i = 0; i < mappings; i++) {
		uint8_t octets[12];
		struct responder_datagram d = {
			.from = { tenf_address_v4(0x0a000100 + i % HOSTS), 5350 },
			.to = link->address, .interface = link->interface,
			.data = octets, .len = sizeof(octets),
		};

		write_request(octets, FIRST_PORT + i / HOSTS);
		while (responder_receive(r, &d, now) == TENF_E_AGAIN)
			granted += turn(r, now);
	}
	return granted + turn(r, now);
}

static struct responder *open_responder(const struct responder_link *link, unsigned mappings,
					const struct tenf_random *random)
{
	struct tenf_address externals[EXTERNALS];
	const struct policy_rule rule = { .action = POLICY_ALLOW };
	struct responder_config config;
	struct responder *r;

	for (unsigned i = 0; i < EXTERNALS; i++)
		externals[i] = tenf_address_v4(0xcb007110 + i);
	responder_config_init(&config);
	config.links = link;
	config.link_count = 1;
	config.rules = &rule;
	config.rule_count = 1;
	config.externals = externals;
	config.external_count = EXTERNALS;
	config.mappings_max = mappings;
	return responder_new(&config, random, &tenf_memory_libc, 0, &r) == TENF_OK ? r : NULL;
}

static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

int main(int argc, char **argv)
{
	unsigned mappings = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
	struct responder_link link = { .interface = 1,
				       .address = { tenf_address_v4(0x0a000001), PCP_PORT },
				       .network = { tenf_address_v4(0x0a000000), 104 } };
	struct tenf_seeded seeded;
	struct tenf_random random;
	struct responder *r;
	size_t empty, full, made, renewed;
	double start, middle, end;

	tenf_seeded_init(&seeded, 1);
	random = tenf_seeded_random(&seeded);
	r = open_responder(&link, mappings, &random);
	if (r == NULL)
		return 1;
	empty = in_use();
	start = seconds();
	made = ask_all(r, &link, mappings, 1);
	middle = seconds();
	full = in_use();
	renewed = ask_all(r, &link, mappings, 60 * TENF_SECOND);
	end = seconds();
	(void)printf("%zu %.0f %.0f %.1f\n", made, (double)made / (middle - start),
		     (double)renewed / (end - middle), (double)(full - empty) / (double)made);
	responder_free(r);
	return made < mappings || renewed < mappings;
}

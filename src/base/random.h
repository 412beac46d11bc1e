/* SPDX-License-Identifier: MIT */
/*
 * Chance as an argument. The edge hands in the kernel's generator, because
 * nonces must be unguessable (RFC 6887 §11.2); tests and the simulator hand in
 * a seeded one, so that every run can be repeated.
 */
#ifndef TENF_BASE_RANDOM_H
#define TENF_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct tenf_random {
	void (*fill)(void *context, void *data, size_t len);
	void *context;
};

/* xoshiro256**, for tests and simulation only: its future can be guessed. */
struct tenf_seeded {
	uint64_t state[4];
};

void tenf_seeded_init(struct tenf_seeded *seeded, uint64_t seed);
struct tenf_random tenf_seeded_random(struct tenf_seeded *seeded);

void tenf_random_fill(const struct tenf_random *random, void *data, size_t len);

/* Uniform in [0, bound), without modulo bias; 0 when bound is 0. */
uint64_t tenf_random_below(const struct tenf_random *random, uint64_t bound);

#endif

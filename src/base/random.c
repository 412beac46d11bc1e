/* SPDX-License-Identifier: MIT */
#include "base/random.h"

static uint64_t rotate_left(uint64_t x, unsigned by)
{
	return (x << by) | (x >> (64 - by));
}

static uint64_t seeded_next(struct tenf_seeded *s)
{
	uint64_t result = rotate_left(s->state[1] * 5, 7) * 9;
	uint64_t t = s->state[1] << 17;

	s->state[2] ^= s->state[0];
	s->state[3] ^= s->state[1];
	s->state[1] ^= s->state[2];
	s->state[0] ^= s->state[3];
	s->state[2] ^= t;
	s->state[3] = rotate_left(s->state[3], 45);
	return result;
}

/* Words go out lowest octet first on every machine: a seed of a report must
 * mean the same run everywhere. */
static void seeded_fill(void *context, void *data, size_t len)
{
	uint8_t *at = data;
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++) {
		word = i % 8 == 0 ? seeded_next(context) : word >> 8;
		at[i] = (uint8_t)word;
	}
}

/* The state is filled by splitmix64, so that close seeds give far streams. */
void tenf_seeded_init(struct tenf_seeded *seeded, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		seeded->state[i] = z ^ (z >> 31);
	}
}

struct tenf_random tenf_seeded_random(struct tenf_seeded *seeded)
{
	return (struct tenf_random){ .fill = seeded_fill, .context = seeded };
}

void tenf_random_fill(const struct tenf_random *random, void *data, size_t len)
{
	random->fill(random->context, data, len);
}

static uint64_t random_word(const struct tenf_random *random)
{
	uint8_t octets[8];
	uint64_t word = 0;

	tenf_random_fill(random, octets, sizeof(octets));
	for (size_t i = sizeof(octets); i > 0; i--)
		word = word << 8 | octets[i - 1];
	return word;
}

uint64_t tenf_random_below(const struct tenf_random *random, uint64_t bound)
{
	uint64_t value;
	uint64_t limit;

	if (bound == 0)
		return 0;
	limit = UINT64_MAX - UINT64_MAX % bound;
	do {
		value = random_word(random);
	} while (value >= limit);
	return value % bound;
}

/* SPDX-License-Identifier: MIT */
/*
 * Builds the text format of Prometheus. A family is begun once, with its help
 * and its type, and its samples follow. Every name gets the prefix tenforward_.
 * The first thing that is wrong (a name that is none, a counter not called
 * …_total, a family begun twice, a sample before any, no memory) makes the
 * whole text fail, so that one look at the end is enough.
 */
#ifndef TENF_CONTROL_METRICS_H
#define TENF_CONTROL_METRICS_H

#include "base/attributes.h"

#include <tenforward/types.h>

#define CONTROL_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_type {
	METRICS_COUNTER,
	METRICS_GAUGE,
	METRICS_HISTOGRAM,
};

struct metrics_label {
	const char *name;
	const char *value; /* any UTF-8; escaped here */
};

struct metrics;

/* NULL when memory is out. Freed with metrics_free(). */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* `name` without the prefix. */
void metrics_family(struct metrics *m, const char *name, enum metrics_type type, const char *help);
/* A sample of the family begun last. */
void metrics_sample(struct metrics *m, const struct metrics_label *labels, size_t count,
		    double value);

/* A family with one sample without labels. */
void metrics_one(struct metrics *m, const char *name, enum metrics_type type, const char *help,
		 double value);

/* A family of its own with one histogram: counts[i] values were at most
 * bounds[i] and above the bound before; counts[count] were above all. */
void metrics_histogram(struct metrics *m, const char *name, const char *help,
		       const double *bounds, const uint64_t *counts, size_t count, double sum);

/* The whole text, which belongs to `m`; TENF_E_ARGUMENT or TENF_E_MEMORY when
 * something was wrong. */
TENF_CHECKED enum tenf_status metrics_text(struct metrics *m, const char **ret);

#endif

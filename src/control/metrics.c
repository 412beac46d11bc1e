/* SPDX-License-Identifier: MIT */
#include "control/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "tenforward_"
#define FAMILIES_MAX 128 /* of one text */
#define NAME_SIZE 64     /* without the prefix, with terminator */

struct metrics {
	FILE *out; /* writes to `text` */
	char *text;
	size_t len;
	bool is_wrong;
	size_t count;
	char names[FAMILIES_MAX][NAME_SIZE];
};

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->out = open_memstream(&m->text, &m->len);
	if (m->out == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	if (m->out != NULL)
		(void)fclose(m->out);
	free(m->text);
	free(m);
}

static bool is_name(const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' && strlen(name) < NAME_SIZE &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool ends_with_total(const char *name)
{
	static const char total[] = "_total";
	size_t len = strlen(name);

	return len >= sizeof(total) && strcmp(name + len - (sizeof(total) - 1), total) == 0;
}

static bool is_known(const struct metrics *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++) {
		if (strcmp(m->names[i], name) == 0)
			return true;
	}
	return false;
}

/* Backslash and line break are escaped everywhere, quotes in labels alone. */
static void write_escaped(FILE *out, const char *text, bool quotes)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\\\", out);
		else if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' && quotes)
			fputs("\\\"", out);
		else
			putc(*text, out);
	}
}

void metrics_family(struct metrics *m, const char *name, enum metrics_type type, const char *help)
{
	static const char *const types[] = { [METRICS_COUNTER] = "counter",
					     [METRICS_GAUGE] = "gauge",
					     [METRICS_HISTOGRAM] = "histogram" };
	bool is_counter = type == METRICS_COUNTER;

	if (m->count == FAMILIES_MAX || !is_name(name) || is_known(m, name) ||
	    is_counter != ends_with_total(name))
		m->is_wrong = true;
	if (m->is_wrong)
		return;
	memcpy(m->names[m->count++], name, strlen(name) + 1);
	fprintf(m->out, "# HELP " PREFIX "%s ", name);
	write_escaped(m->out, help, false);
	fprintf(m->out, "\n# TYPE " PREFIX "%s %s\n", name, types[type]);
}

static void write_labels(struct metrics *m, const struct metrics_label *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_name(labels[i].name)) {
			m->is_wrong = true;
			return;
		}
		fprintf(m->out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
		write_escaped(m->out, labels[i].value, true);
		putc('"', m->out);
	}
	if (count > 0)
		putc('}', m->out);
}

/* Whole numbers in full: a counter of packets must not end in zeros. */
static void write_number(FILE *out, double value)
{
	if (isnan(value))
		fputs("NaN", out);
	else if (isinf(value))
		fputs(value > 0 ? "+Inf" : "-Inf", out);
	else if (value == floor(value) && fabs(value) < 9007199254740992.0)
		fprintf(out, "%.0f", value);
	else
		fprintf(out, "%.9g", value);
}

/* A sample of the family begun last, or of the part of it with this ending. */
static void write_sample(struct metrics *m, const char *ending, const struct metrics_label *labels,
			 size_t count, double value)
{
	if (m->count == 0)
		m->is_wrong = true;
	if (m->is_wrong)
		return;
	fprintf(m->out, PREFIX "%s%s", m->names[m->count - 1], ending);
	write_labels(m, labels, count);
	putc(' ', m->out);
	write_number(m->out, value);
	putc('\n', m->out);
}

void metrics_sample(struct metrics *m, const struct metrics_label *labels, size_t count,
		    double value)
{
	write_sample(m, "", labels, count, value);
}

void metrics_histogram(struct metrics *m, const char *name, const char *help,
		       const double *bounds, const uint64_t *counts, size_t count, double sum)
{
	uint64_t total = 0;

	metrics_family(m, name, METRICS_HISTOGRAM, help);
	for (size_t i = 0; i <= count; i++) {
		char bound[32] = "+Inf";
		struct metrics_label label = { "le", bound };

		if (i < count)
			(void)snprintf(bound, sizeof(bound), "%.9g", bounds[i]);
		total += counts[i];
		write_sample(m, "_bucket", &label, 1, (double)total);
	}
	write_sample(m, "_sum", NULL, 0, sum);
	write_sample(m, "_count", NULL, 0, (double)total);
}

void metrics_one(struct metrics *m, const char *name, enum metrics_type type, const char *help,
		 double value)
{
	metrics_family(m, name, type, help);
	metrics_sample(m, NULL, 0, value);
}

enum tenf_status metrics_text(struct metrics *m, const char **ret)
{
	if (m->is_wrong)
		return TENF_E_ARGUMENT;
	if (fflush(m->out) != 0 || ferror(m->out) || m->text == NULL)
		return TENF_E_MEMORY;
	*ret = m->text;
	return TENF_OK;
}

/* SPDX-License-Identifier: MIT */
#include "gateway/journal.h"

#include "base/forward.h"
#include "wire/natpmp.h"
#include "wire/pcp.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX "TENFORWARD_"

int journal_open(const char *stream, int fd)
{
	char own[64];
	struct stat info;

	if (stream == NULL || fstat(fd, &info) != 0)
		return -1;
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)info.st_dev,
		       (uintmax_t)info.st_ino);
	if (strcmp(own, stream) != 0)
		return -1;
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ---- Fields ------------------------------------------------------------- */

/* A line of its own, whatever is in the value. */
static void add(struct tenf_text *t, const char *name, const char *value)
{
	size_t start;

	tenf_text_add(t, name);
	tenf_text_add_char(t, '=');
	start = t->used;
	tenf_text_add(t, value);
	for (size_t i = start; i < t->used; i++) {
		if (t->start[i] == '\n')
			t->start[i] = ' ';
	}
	tenf_text_add_char(t, '\n');
}

static void add_number(struct tenf_text *t, const char *name, uint64_t value)
{
	tenf_text_add(t, name);
	tenf_text_add_char(t, '=');
	tenf_text_add_number(t, value);
	tenf_text_add_char(t, '\n');
}

static void add_address(struct tenf_text *t, const char *name, const struct tenf_address *address)
{
	char text[TENF_ADDRESS_TEXT];

	if (!tenf_address_is_none(address))
		add(t, name, tenf_address_text(address, text));
}

static void add_port(struct tenf_text *t, const char *name, uint16_t port)
{
	if (port != 0)
		add_number(t, name, port);
}

static const char *verdict_name(enum responder_verdict verdict)
{
	switch (verdict) {
	case RESPONDER_GRANTED:
		return "granted";
	case RESPONDER_RENEWED:
		return "renewed";
	case RESPONDER_REMOVED:
		return "removed";
	case RESPONDER_REFUSED:
		return "refused";
	case RESPONDER_ANSWERED:
		return "answered";
	case RESPONDER_EXPIRED:
		return "expired";
	case RESPONDER_RESTARTED:
		return "restarted";
	case RESPONDER_PENDING:
		return "pending";
	case RESPONDER_REVOKED:
		break;
	}
	return "revoked";
}

/* What the administrator should see among much else is a notice; the rest is information. */
static const char *priority_of(enum responder_verdict verdict)
{
	return verdict == RESPONDER_REFUSED || verdict == RESPONDER_PENDING ||
			       verdict == RESPONDER_REVOKED || verdict == RESPONDER_RESTARTED
		       ? "5"
		       : "6";
}

static void add_request(struct tenf_text *t, const struct responder_record *record)
{
	bool natpmp = record->version == NATPMP_VERSION;

	add(t, PREFIX "METHOD", natpmp ? "natpmp" : "pcp");
	add(t, PREFIX "RESULT", natpmp ? natpmp_result_name(record->result)
				       : pcp_result_name(record->result));
	add_address(t, PREFIX "CLIENT", &record->client);
	if (record->protocol == TENF_TCP || record->protocol == TENF_UDP)
		add(t, PREFIX "PROTOCOL", tenf_protocol_name(record->protocol));
	add_address(t, PREFIX "INTERNAL_ADDRESS", &record->internal.address);
	add_port(t, PREFIX "INTERNAL_PORT", record->internal.port);
	add_port(t, PREFIX "EXTERNAL_PORT", record->external.port);
	if (record->lifetime_s != 0)
		add_number(t, PREFIX "LIFETIME", record->lifetime_s);
}

static void add_rule(struct tenf_text *t, const struct responder_record *record, const char *name)
{
	if (record->rule == POLICY_NO_RULE)
		return;
	add_number(t, PREFIX "RULE_NUMBER", (uint64_t)record->rule + 1);
	if (name[0] != '\0')
		add(t, PREFIX "RULE", name);
	else
		add_number(t, PREFIX "RULE", (uint64_t)record->rule + 1);
}

/* ---- The whole ------------------------------------------------------------ */

bool journal_send(int fd, const char *path, const char *line,
		  const struct responder_record *record, const char *rule_name)
{
	char entry[JOURNAL_ENTRY_MAX];
	struct tenf_text t = tenf_text_of(entry, sizeof(entry));
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct tenf_text place = tenf_text_of(to.sun_path, sizeof(to.sun_path));

	tenf_text_add(&place, path);
	add(&t, "MESSAGE", line);
	add(&t, "PRIORITY", priority_of(record->verdict));
	add(&t, "SYSLOG_IDENTIFIER", "tenforward-gatewayd");
	add(&t, PREFIX "EVENT", verdict_name(record->verdict));
	if (record->verdict != RESPONDER_RESTARTED)
		add_request(&t, record);
	add_address(&t, PREFIX "EXTERNAL_ADDRESS", &record->external.address);
	add_rule(&t, record, rule_name);
	return !t.cut && !place.cut &&
	       sendto(fd, entry, t.used, MSG_NOSIGNAL | MSG_DONTWAIT,
		      (const struct sockaddr *)&to, sizeof(to)) == (ssize_t)t.used;
}

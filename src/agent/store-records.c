/* SPDX-License-Identifier: MIT */
#include "agent/store-private.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool bind_text(sqlite3_stmt *s, int at, const char *text)
{
	return sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT) == SQLITE_OK;
}

static bool bind_number(sqlite3_stmt *s, int at, int64_t number)
{
	return sqlite3_bind_int64(s, at, number) == SQLITE_OK;
}

/* ---- Writing ------------------------------------------------------------ */

static bool put_record(struct store *store, const struct record *record)
{
	sqlite3_stmt *s = store_statement(store, STORE_PUT_RECORD);
	const struct record_wish *w = &record->wish;

	return bind_number(s, 1, (int64_t)record->number) &&
	       bind_number(s, 2, (int64_t)record->origin) && bind_text(s, 3, w->name) &&
	       bind_number(s, 4, (int64_t)w->protocol) && bind_number(s, 5, w->internal_port) &&
	       bind_number(s, 6, w->external_port) && bind_number(s, 7, w->lifetime_s) &&
	       bind_number(s, 8, w->exact) && bind_number(s, 9, w->persist) &&
	       bind_number(s, 10, w->follow) && bind_number(s, 11, w->open_firewall) &&
	       bind_text(s, 12, w->internal_address) && bind_text(s, 13, w->place.interface) &&
	       bind_text(s, 14, w->place.gateway) && bind_number(s, 15, w->place.methods) &&
	       bind_number(s, 16, record->followed_port) &&
	       bind_text(s, 17, w->place.namespace) && bind_number(s, 18, w->through) &&
	       store_run(store, STORE_PUT_RECORD);
}

static bool put_lease(struct store *store, uint64_t number, int half,
		      const struct record_lease *lease)
{
	sqlite3_stmt *s = store_statement(store, STORE_PUT_LEASE);

	return bind_number(s, 1, (int64_t)number) && bind_number(s, 2, half) &&
	       bind_number(s, 3, lease->external_port) &&
	       sqlite3_bind_blob(s, 4, lease->nonce, TENF_NONCE_SIZE, SQLITE_TRANSIENT) ==
		       SQLITE_OK &&
	       bind_number(s, 5, lease->expires_at) && store_run(store, STORE_PUT_LEASE);
}

static bool put_hop(struct store *store, uint64_t number, int half, const struct record_hop *hop)
{
	sqlite3_stmt *s = store_statement(store, STORE_PUT_HOP);
	char gateway[TENF_ADDRESS_TEXT];

	return tenf_address_is_none(&hop->gateway) ||
	       (bind_number(s, 1, (int64_t)number) && bind_number(s, 2, half) &&
		bind_text(s, 3, tenf_address_text(&hop->gateway, gateway)) &&
		bind_number(s, 4, hop->internal_port) && bind_number(s, 5, hop->external_port) &&
		bind_number(s, 6, hop->expires_at) && store_run(store, STORE_PUT_HOP));
}

static bool drop(struct store *store, enum store_statement which, uint64_t number)
{
	return bind_number(store_statement(store, which), 1, (int64_t)number) &&
	       store_run(store, which);
}

enum tenf_status store_put(struct store *store, const struct record *record)
{
	bool good;

	if (record->number == 0 || record->number >= INT64_MAX)
		return TENF_E_ARGUMENT;
	good = database_begin(store->db) && drop(store, STORE_DROP_LEASES, record->number) &&
	       put_record(store, record) && drop(store, STORE_RAISE, record->number);
	if (record->wish.through)
		good = good && drop(store, STORE_DROP_HOPS, record->number);
	for (int half = 0; half < 2; half++)
		good = good && put_lease(store, record->number, half, &record->lease[half]) &&
		       put_hop(store, record->number, half, &record->hop[half]);
	return database_end(store->db, good);
}

enum tenf_status store_drop(struct store *store, uint64_t number)
{
	int changed;
	bool good = database_begin(store->db) && drop(store, STORE_DROP_LEASES, number) &&
		    drop(store, STORE_DROP_HOPS, number) && drop(store, STORE_DROP_RECORD, number);
	enum tenf_status status;

	changed = database_changes(store->db);
	status = database_end(store->db, good);
	return status == TENF_OK && changed == 0 ? TENF_E_NOT_FOUND : status;
}

enum tenf_status store_next_number(struct store *store, uint64_t *ret)
{
	sqlite3_stmt *s = store_statement(store, STORE_NEXT);
	int64_t number = 0;
	bool good = database_begin(store->db) && sqlite3_step(s) == SQLITE_ROW;
	enum tenf_status status;

	if (good)
		number = sqlite3_column_int64(s, 0);
	good = good && sqlite3_step(s) == SQLITE_DONE && number > 0;
	sqlite3_reset(s);
	status = database_end(store->db, good);
	if (status == TENF_OK)
		*ret = (uint64_t)number;
	return status;
}

/* ---- Reading ------------------------------------------------------------ */

/* What follows is what we wrote; a file that somebody edited must not crash us. */
static void copy_text(sqlite3_stmt *s, int column, char *ret, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, column);
	struct tenf_text t = tenf_text_of(ret, size);

	for (; text != NULL && *text != '\0'; text++)
		tenf_text_add_char(&t, (char)*text);
}

static uint16_t port_at(sqlite3_stmt *s, int column)
{
	int64_t port = sqlite3_column_int64(s, column);

	return port >= 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

static bool read_protocol(int64_t number, enum tenf_protocol *ret)
{
	if (number != TENF_TCP && number != TENF_UDP && number != TENF_BOTH)
		return false;
	*ret = (enum tenf_protocol)number;
	return true;
}

static bool read_record(sqlite3_stmt *s, struct record *ret)
{
	struct record r = { .number = (uint64_t)sqlite3_column_int64(s, 0),
			    .hop = { { .gateway = tenf_address_none4 },
				     { .gateway = tenf_address_none4 } } };
	struct record_wish *w = &r.wish;

	r.origin = sqlite3_column_int64(s, 1) == RECORD_RUNTIME ? RECORD_RUNTIME : RECORD_DECLARED;
	copy_text(s, 2, w->name, sizeof(w->name));
	w->internal_port = port_at(s, 4);
	w->external_port = port_at(s, 5);
	w->lifetime_s = (uint32_t)sqlite3_column_int64(s, 6);
	w->exact = sqlite3_column_int(s, 7) != 0;
	w->persist = sqlite3_column_int(s, 8) != 0;
	w->follow = sqlite3_column_int(s, 9) != 0;
	w->open_firewall = sqlite3_column_int(s, 10) != 0;
	copy_text(s, 11, w->internal_address, sizeof(w->internal_address));
	copy_text(s, 12, w->place.interface, sizeof(w->place.interface));
	copy_text(s, 13, w->place.gateway, sizeof(w->place.gateway));
	w->place.methods = (unsigned)sqlite3_column_int(s, 14);
	r.followed_port = port_at(s, 15);
	copy_text(s, 16, w->place.namespace, sizeof(w->place.namespace));
	w->through = sqlite3_column_int(s, 17) != 0;
	if (!read_protocol(sqlite3_column_int64(s, 3), &w->protocol) || w->internal_port == 0 ||
	    w->lifetime_s == 0)
		return false;
	*ret = r;
	return true;
}

static bool load_records(struct store *store, struct record *records, size_t max,
			 size_t *ret_count)
{
	sqlite3_stmt *s = store_statement(store, STORE_LOAD_RECORDS);
	size_t count = 0;
	int code;

	while ((code = sqlite3_step(s)) == SQLITE_ROW && count < max)
		count += read_record(s, &records[count]);
	sqlite3_reset(s);
	*ret_count = count;
	return code == SQLITE_DONE || count == max;
}

static void read_lease(sqlite3_stmt *s, struct record_lease *lease)
{
	const void *nonce = sqlite3_column_blob(s, 3);

	lease->external_port = port_at(s, 2);
	if (nonce != NULL && sqlite3_column_bytes(s, 3) == TENF_NONCE_SIZE)
		memcpy(lease->nonce, nonce, TENF_NONCE_SIZE);
	else
		lease->external_port = 0; /* without it the lease is not ours to renew */
	lease->expires_at = sqlite3_column_int64(s, 4);
}

static void read_hop(sqlite3_stmt *s, struct record_hop *hop)
{
	struct record_hop read = { .internal_port = port_at(s, 3), .external_port = port_at(s, 4),
				   .expires_at = sqlite3_column_int64(s, 5) };
	char text[TENF_ADDRESS_TEXT];

	copy_text(s, 2, text, sizeof(text));
	if (tenf_address_parse(text, &read.gateway) && read.internal_port != 0)
		*hop = read;
}

static void read_half(sqlite3_stmt *s, enum store_statement which, struct record *record, int half)
{
	if (which == STORE_LOAD_LEASES)
		read_lease(s, &record->lease[half]);
	else
		read_hop(s, &record->hop[half]);
}

/* Both are in the order of numbers, so one walk along them is enough. */
static bool load_halves(struct store *store, enum store_statement which, struct record *records,
			size_t count)
{
	sqlite3_stmt *s = store_statement(store, which);
	size_t at = 0;
	int code;

	while ((code = sqlite3_step(s)) == SQLITE_ROW) {
		uint64_t number = (uint64_t)sqlite3_column_int64(s, 0);
		int half = sqlite3_column_int(s, 1);

		while (at < count && records[at].number < number)
			at++;
		if (at < count && records[at].number == number && (half == 0 || half == 1))
			read_half(s, which, &records[at], half);
	}
	sqlite3_reset(s);
	return code == SQLITE_DONE;
}

enum tenf_status store_load(struct store *store, struct record **ret, size_t *ret_count)
{
	sqlite3_stmt *s = store_statement(store, STORE_COUNT);
	struct record *records;
	size_t size, count;

	if (sqlite3_step(s) != SQLITE_ROW) {
		sqlite3_reset(s);
		return TENF_E_SYSTEM;
	}
	size = (size_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	size = size < AGENT_RECORDS_MAX ? size : AGENT_RECORDS_MAX;
	records = calloc(size + 1, sizeof(*records));
	if (records == NULL)
		return TENF_E_MEMORY;
	if (!load_records(store, records, size, &count) ||
	    !load_halves(store, STORE_LOAD_LEASES, records, count) ||
	    !load_halves(store, STORE_LOAD_HOPS, records, count)) {
		free(records);
		return TENF_E_SYSTEM;
	}
	*ret = records;
	*ret_count = count;
	return TENF_OK;
}

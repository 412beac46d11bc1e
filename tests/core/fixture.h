/* SPDX-License-Identifier: MIT */
/*
 * A client of core, driven by hand in virtual time: records what is sent and
 * when, and lets a fake gateway answer when a test has one. Every packet sent is
 * checked for what holds of all of them.
 */
#ifndef TENF_TESTS_CORE_FIXTURE_H
#define TENF_TESTS_CORE_FIXTURE_H

#include "core/client.h"
#include "gateway.h"
#include "vectors.h"

#define FIXTURE_SENT_MAX 512
#define FIXTURE_GATEWAY "192.168.1.1:5351"
#define FIXTURE_SOURCE "192.168.1.20"
#define FIXTURE_BOTH (TENF_METHOD_PCP | TENF_METHOD_NATPMP)

struct sent {
	tenf_time at;
	size_t len;
	uint8_t data[PCP_MAX];
};

struct fixture {
	struct client client;
	struct tenf_seeded seeded;
	tenf_time now;
	struct tenf_endpoint gateway;
	struct tenf_address source;
	struct fake_gateway *answers; /* NULL: nobody answers */
	tenf_duration rtt;
	struct sent sent[FIXTURE_SENT_MAX];
	size_t sent_count;
	struct pcp_answer update; /* of the last CLIENT_UPDATE */
};

/* Numeric addresses that are known to be right. */
struct tenf_endpoint endpoint_of(const char *text);
struct tenf_address address_of(const char *text);

/* Caller frees with free(). Both protocols, the addresses of the golden packets. */
struct fixture *fixture_new(void);
void fixture_restart(struct fixture *f, const char *gateway, const char *source, unsigned methods,
		     bool forced);

/* One new client a test. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Fills in a question: 7200 s, any address, NAT-PMP raced, 5 s to a verdict. */
void question_discover(struct fixture *f, struct inquiry *inquiry);
void question_map(struct fixture *f, struct inquiry *inquiry, enum tenf_protocol protocol,
		  uint16_t internal_port, uint16_t external_port);
void question_unmap(struct fixture *f, struct inquiry *inquiry, enum tenf_protocol protocol,
		    uint16_t internal_port);
/* The one that a golden request asks; with its nonce, lifetime and options. */
void question_golden(struct fixture *f, struct inquiry *inquiry, const struct vector *request);

/* Asks and sends what is due. */
void fixture_ask(struct fixture *f, struct inquiry *inquiry);
/* Sends what is due now; a fake gateway answers after `rtt`. */
void fixture_flush(struct fixture *f);
/* Lets time pass up to `until`, sending all that falls due. */
void fixture_run(struct fixture *f, tenf_time until);

enum client_receipt fixture_receive(struct fixture *f, const uint8_t *data, size_t len);
enum client_receipt fixture_receive_from(struct fixture *f, const char *from, const uint8_t *data,
					 size_t len);
enum client_receipt fixture_golden(struct fixture *f, const char *name);
/* Hand-made answers. */
enum client_receipt answer_address(struct fixture *f, uint16_t result, uint32_t epoch_s,
				   const char *external);
enum client_receipt answer_map(struct fixture *f, enum tenf_protocol protocol,
			       uint16_t internal_port, uint16_t external_port, uint32_t lifetime_s,
			       uint16_t result, uint32_t epoch_s);
/* An answer to `inquiry` by PCP. */
enum client_receipt answer_pcp(struct fixture *f, const struct inquiry *inquiry, uint8_t result,
			       uint16_t external_port, uint32_t lifetime_s, uint32_t epoch_s);

/* What was sent. */
bool sent_is_pcp(const struct sent *sent);
bool sent_is_address_request(const struct sent *sent);
bool sent_is_natpmp_map(const struct sent *sent);
size_t sent_count(const struct fixture *f, bool (*is)(const struct sent *sent));
/* The n-th of a kind (from 0); fails the test when there are not so many. */
const struct sent *sent_nth(const struct fixture *f, bool (*is)(const struct sent *sent),
			    size_t n);
struct pcp_request sent_pcp(const struct sent *sent);
struct natpmp_request sent_natpmp(const struct sent *sent);
void sent_equals_golden(const struct sent *sent, const char *name);

/* Takes the next answered inquiry: it must be this one. */
void fixture_expect(struct fixture *f, struct inquiry *inquiry, enum tenf_reason reason);
void fixture_expect_none(struct fixture *f);

#endif

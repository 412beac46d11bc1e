/* SPDX-License-Identifier: MIT */
#include "core/epoch.h"

#define SLACK_S 2 /* both rules forgive two seconds */

static void store(struct epoch *epoch, uint32_t server_s, tenf_time now)
{
	*epoch = (struct epoch){ .known = true, .server_s = server_s, .at = now };
}

static int64_t elapsed_s(const struct epoch *epoch, tenf_time now)
{
	return (now - epoch->at) / TENF_SECOND;
}

/* RFC 6886 §3.6: looks backwards only; the gateway's clock may run 1/8 slow. */
bool epoch_check_natpmp(struct epoch *epoch, uint32_t server_s, tenf_time now)
{
	int64_t expected_s = epoch->server_s + elapsed_s(epoch, now) * 7 / 8;
	bool valid = !epoch->known || (int64_t)server_s + SLACK_S >= expected_s;

	store(epoch, server_s, now);
	return valid;
}

/* RFC 6887 §8.5: both clocks may differ by 1/16, and a jump ahead is an anomaly
 * too. One second back is allowed; it counts as no step at all, because the
 * unsigned difference of the RFC would wrap. */
bool epoch_check_pcp(struct epoch *epoch, uint32_t server_s, tenf_time now)
{
	int64_t client = elapsed_s(epoch, now);
	int64_t server = (int64_t)server_s - epoch->server_s;
	bool valid;

	if (server < -1) {
		valid = false;
	} else {
		if (server < 0)
			server = 0;
		valid = client + SLACK_S >= server - server / 16 &&
			server + SLACK_S >= client - client / 16;
	}
	valid = valid || !epoch->known;
	store(epoch, server_s, now);
	return valid;
}

/* SPDX-License-Identifier: MIT */
#include "igd/ask.h"

#define LEASE_MAX_S 604800u  /* WANIPConnection:2 §2.3.16: a week */
#define PINHOLE_MAX_S 86400u /* WANIPv6FirewallControl:1 §2.3.7: a day */
#define MANY_TEXT "1000"     /* entries asked for in one answer */

#define NAME "Ten Forward" /* a mapping without a description is refused by some */

static void ask_service(struct igd *igd, struct igd_exchange *x, const struct igd_service *service,
			const char *action, const struct igd_argument *arguments, size_t count,
			tenf_time now)
{
	char body[IGD_BODY];
	char header[IGD_TYPE + 40];
	struct tenf_text t = tenf_text_of(body, sizeof(body));
	struct tenf_text h = tenf_text_of(header, sizeof(header));

	igd_soap_write(&t, service->type, action, arguments, count);
	tenf_text_add(&h, service->type);
	tenf_text_add_char(&h, '#');
	tenf_text_add(&h, action);
	igd_exchange_start(x, &igd->way, &service->control, header, body,
			   tenf_time_min(igd->job_end, now + IGD_EXCHANGE_MAX));
}

static void ask(struct igd *igd, enum igd_stage stage, const char *action,
		const struct igd_argument *arguments, size_t count, tenf_time now)
{
	bool pinhole = stage == STAGE_PINHOLE || stage == STAGE_PINHOLE_NUMBER ||
		       stage == STAGE_PINHOLE_DELETE;

	igd->stage = stage;
	igd->work_from = now;
	ask_service(igd, &igd->work, pinhole ? &igd->device.pinholes : &igd->device.wan, action,
		    arguments, count, now);
}

static const char *number(char text[24], uint64_t n)
{
	struct tenf_text t = tenf_text_of(text, 24);

	tenf_text_add_number(&t, n);
	return text;
}

static const char *protocol_name(const struct igd *igd)
{
	return igd->job.protocol == TENF_UDP ? "UDP" : "TCP";
}

const struct tenf_address *ask_client(const struct igd *igd)
{
	return igd->job.for_other ? &igd->job.other : &igd->way.source;
}

static const char *description_of(const struct igd *igd)
{
	return igd->job.description[0] != '\0' ? igd->job.description : NAME;
}

void ask_address(struct igd *igd, tenf_time now)
{
	if (igd->device.wan.version == 0)
		return;
	igd->side_from = now;
	ask_service(igd, &igd->side, &igd->device.wan, "GetExternalIPAddress", NULL, 0, now);
}

uint32_t ask_lease_s(const struct igd *igd)
{
	uint32_t lease = igd->job.lifetime_s;

	if (igd->permanent)
		return 0;
	if (igd->device.wan.version >= 2 && lease > LEASE_MAX_S)
		lease = LEASE_MAX_S;
	return lease;
}

/* AddPortMapping, and AddAnyPortMapping, whose arguments are the same. */
void ask_map(struct igd *igd, enum igd_stage stage, tenf_time now)
{
	char external[24], internal[24], lease[24], client[TENF_ADDRESS_TEXT];
	struct igd_argument arguments[] = {
		{ "NewRemoteHost", "" },
		{ "NewExternalPort", number(external, igd->port) },
		{ "NewProtocol", protocol_name(igd) },
		{ "NewInternalPort", number(internal, igd->job.internal_port) },
		{ "NewInternalClient", tenf_address_text(ask_client(igd), client) },
		{ "NewEnabled", "1" },
		{ "NewPortMappingDescription", description_of(igd) },
		{ "NewLeaseDuration", number(lease, ask_lease_s(igd)) },
	};

	ask(igd, stage, stage == STAGE_MAP ? "AddPortMapping" : "AddAnyPortMapping", arguments,
	    TENF_ARRAY_SIZE(arguments), now);
}

void ask_about(struct igd *igd, enum igd_stage stage, tenf_time now)
{
	char external[24];
	struct igd_argument arguments[] = {
		{ "NewRemoteHost", "" },
		{ "NewExternalPort", number(external, igd->port) },
		{ "NewProtocol", protocol_name(igd) },
	};

	ask(igd, stage,
	    stage == STAGE_UNMAP ? "DeletePortMapping" : "GetSpecificPortMappingEntry", arguments,
	    TENF_ARRAY_SIZE(arguments), now);
}

uint32_t ask_pinhole_lease_s(const struct igd *igd)
{
	uint32_t lease = igd->job.lifetime_s;

	if (lease == 0) /* it is about to be deleted */
		return 1;
	return lease < PINHOLE_MAX_S ? lease : PINHOLE_MAX_S;
}

void ask_pinhole(struct igd *igd, enum igd_stage stage, tenf_time now)
{
	char internal[24], protocol[24], lease[24], client[TENF_ADDRESS_TEXT];
	struct igd_argument arguments[] = {
		{ "RemoteHost", "" },
		{ "RemotePort", "0" },
		{ "InternalClient", tenf_address_text(ask_client(igd), client) },
		{ "InternalPort", number(internal, igd->job.internal_port) },
		{ "Protocol", number(protocol, (uint64_t)igd->job.protocol) },
		{ "LeaseTime", number(lease, ask_pinhole_lease_s(igd)) },
	};

	ask(igd, stage, "AddPinhole", arguments, TENF_ARRAY_SIZE(arguments), now);
}

void ask_pinhole_delete(struct igd *igd, tenf_time now)
{
	struct igd_argument argument = { "UniqueID", igd->pinhole };

	ask(igd, STAGE_PINHOLE_DELETE, "DeletePinhole", &argument, 1, now);
}

void ask_many(struct igd *igd, tenf_time now)
{
	char from[24];
	struct igd_argument arguments[] = {
		{ "NewStartPort", number(from, igd->list_from) },
		{ "NewEndPort", "65535" },
		{ "NewProtocol", igd->list_udp ? "UDP" : "TCP" },
		{ "NewManage", "1" },
		{ "NewNumberOfPorts", MANY_TEXT },
	};

	ask(igd, STAGE_LIST_MANY, "GetListOfPortMappings", arguments, TENF_ARRAY_SIZE(arguments),
	    now);
}

void ask_one(struct igd *igd, tenf_time now)
{
	char index[24];
	struct igd_argument argument = { "NewPortMappingIndex", number(index, igd->list_from) };

	ask(igd, STAGE_LIST_ONE, "GetGenericPortMappingEntry", &argument, 1, now);
}

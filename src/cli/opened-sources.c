/* SPDX-License-Identifier: MIT */
#include "cli/opened-sources.h"

#include "cli/leases.h"
#include "cli/through.h"

#include <string.h>

static void copy(char *ret, size_t size, const char *text)
{
	struct tenf_text t = tenf_text_of(ret, size);

	tenf_text_add(&t, text);
}

/* Only what is open, or what an earlier run of ours left behind. */
static enum tenf_status add_agent(struct opened_list *list, const struct agent_mapping *one)
{
	struct opened opened = { .mapping = one->mapping,
				 .sources = OPENED_AGENT,
				 .is_kept = true,
				 .shape = one->shape };

	copy(opened.id, sizeof(opened.id), one->tag.id);
	copy(opened.name, sizeof(opened.name), one->tag.name);
	copy(opened.told, sizeof(opened.told), one->tag.delivery);
	copy(opened.through, sizeof(opened.through), one->tag.through);
	return opened_add(list, &opened);
}

/* Behind two routers the outside is that of the second. */
static void go_through(struct opened *opened, const struct lease *hop)
{
	struct tenf_mapping *m = &opened->mapping;

	copy(opened->through, sizeof(opened->through), hop->mapping.gateway);
	copy(m->external_address, sizeof(m->external_address), hop->mapping.external_address);
	m->external_port = hop->mapping.external_port;
	if (hop->mapping.expires_at < m->expires_at)
		m->expires_at = hop->mapping.expires_at;
}

static enum tenf_status add_lease(struct opened_list *list, const struct lease *lease,
				  const struct lease *hop)
{
	struct opened opened = { .mapping = lease->mapping,
				 .sources = OPENED_LEASE,
				 .is_kept = lease_is_kept(lease) };
	struct tenf_text t = tenf_text_of(opened.id, sizeof(opened.id));

	tenf_text_add_char(&t, 'm');
	tenf_text_add_number(&t, lease->number);
	copy(opened.name, sizeof(opened.name), lease->name);
	if (hop != NULL)
		go_through(&opened, hop);
	return opened_add(list, &opened);
}

static enum tenf_status add_all(struct opened_sources *sources, const struct leases *leases)
{
	enum tenf_status status = TENF_OK;

	for (size_t i = 0; status == TENF_OK && i < sources->agent.count; i++)
		status = add_agent(&sources->list, &sources->agent.items[i]);
	for (size_t i = 0; status == TENF_OK && i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];

		if (!through_is_hop(leases, lease))
			status = add_lease(&sources->list, lease, through_hop(leases, lease));
	}
	return status;
}

int opened_sources_read(struct cli *cli, struct opened_sources *ret)
{
	struct remote *remote = NULL;
	enum tenf_status added;
	struct leases leases;
	int status;

	*ret = (struct opened_sources){ .list = { NULL } };
	status = agent_find(cli, &remote);
	if (status != CLI_EXIT_DONE)
		return status;
	if (remote != NULL)
		status = agent_get_mappings(cli, remote, &ret->agent);
	remote_close(remote);
	leases_read(cli, &leases);
	added = add_all(ret, &leases);
	leases_done(&leases);
	ret->is_read = added == TENF_OK;
	return added == TENF_OK ? status : cli_failed(cli, added, NULL);
}

void opened_sources_done(struct opened_sources *sources)
{
	opened_done(&sources->list);
	agent_mappings_done(&sources->agent);
}

/* SPDX-License-Identifier: MIT */
#include "cli/opened-router.h"

#include "cli/devices.h"
#include "cli/report.h"

#include <string.h>

#if TENF_WITH_IGD

/* miniupnpd names what other protocols made after them: "NAT-PMP 4000 tcp". */
static enum tenf_method method_of(const char *description)
{
	if (strncmp(description, "NAT-PMP ", 8) == 0)
		return TENF_METHOD_NATPMP;
	if (strncmp(description, "PCP ", 4) == 0)
		return TENF_METHOD_PCP;
	return TENF_METHOD_IGD;
}

/* What the router has switched off is not open. */
static enum tenf_status add_all(struct opened_list *list, const struct tenf_listing *listing)
{
	struct opened opened = { .sources = OPENED_ROUTER };
	enum tenf_status status = TENF_OK;

	for (size_t i = 0; status == TENF_OK &&
			   tenf_listing_mapping(listing, i, &opened.mapping, opened.router);
	     i++) {
		if (opened.mapping.state != TENF_STATE_MAPPED)
			continue;
		opened.mapping.method = method_of(opened.router);
		opened.is_endless = opened.mapping.expires_at == 0;
		status = opened_add(list, &opened);
	}
	return status;
}

static int tell_failure(struct cli *cli, const struct opened_sources *sources,
			enum tenf_status status, const struct tenf_error *error)
{
	if (sources->has_ledger && status == TENF_E_FAILED) {
		cli_note(cli, "The router's own list is left out: %s",
			 error->reason == TENF_REASON_NO_SERVICE ?
				 "UPnP alone has one, and it does not answer there." :
				 report_reason(error));
		return CLI_EXIT_DONE;
	}
	if (status != TENF_E_FAILED || error->reason != TENF_REASON_NO_SERVICE)
		return cli_failed(cli, status, error);
	cli_error(cli, "the gateway lists nothing: UPnP alone has a list, and does not answer "
		       "there");
	cli_note(cli, "See what this host opened with: tenforward list --probe");
	return cli_exit_of_reason(error->reason);
}

static enum tenf_status read_list(const struct cli *cli, struct tenf_listing **ret,
				  struct tenf_error *reterr)
{
	struct devices known;

	devices_options(cli, &known);
	return tenf_listing_new(&known.options, ret, reterr);
}

void opened_router_try(struct cli *cli, const struct tenf_gateway *gateway,
		       struct opened_sources *sources)
{
	struct tenf_listing *listing = NULL;
	bool speaks = false;

	for (size_t i = 0; i < gateway->spoken_count; i++)
		speaks = speaks || gateway->spoken[i].method == TENF_METHOD_IGD;
	if (!speaks || read_list(cli, &listing, NULL) != TENF_OK)
		return;
	sources->router_was_asked = add_all(&sources->list, listing) == TENF_OK &&
				    !tenf_listing_is_cut(listing);
	tenf_listing_free(listing);
}

int opened_router_add(struct cli *cli, struct opened_sources *sources)
{
	struct tenf_error error = { .result = -1 };
	struct tenf_listing *listing = NULL;
	enum tenf_status status = read_list(cli, &listing, &error);

	if (status != TENF_OK)
		return tell_failure(cli, sources, status, &error);
	status = add_all(&sources->list, listing);
	sources->router_was_asked = status == TENF_OK;
	if (tenf_listing_is_cut(listing))
		cli_error(cli, "the gateway has more mappings than it told in time; try "
			       "again with a longer --timeout");
	tenf_listing_free(listing);
	return status == TENF_OK ? CLI_EXIT_DONE : cli_failed(cli, status, NULL);
}

#else

void opened_router_try(struct cli *cli, const struct tenf_gateway *gateway,
		       struct opened_sources *sources)
{
	(void)cli, (void)gateway, (void)sources;
}

int opened_router_add(struct cli *cli, struct opened_sources *sources)
{
	if (sources->has_ledger)
		return CLI_EXIT_DONE;
	cli_error(cli, "this build does not speak UPnP, which alone has a list");
	cli_note(cli, "See what this host opened with: tenforward list --probe");
	return CLI_EXIT_NO_SERVICE;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "host/firewall.h"

#include <stdio.h>
#include <string.h>

#ifdef TENF_HAVE_NFTABLES
#include <dlfcn.h>
#include <nftables/libnftables.h>

#define LIBRARY "libnftables.so.1"

struct library {
	void *handle;
	struct nft_ctx *(*new)(uint32_t flags);
	void (*free)(struct nft_ctx *nft);
	void (*set_output)(struct nft_ctx *nft, unsigned flags);
	int (*buffer_output)(struct nft_ctx *nft);
	int (*buffer_error)(struct nft_ctx *nft);
	const char *(*output)(struct nft_ctx *nft);
	int (*run)(struct nft_ctx *nft, const char *command);
};

/* A symbol of the library; the assignment through void ** is what POSIX wants. */
static bool find(void *handle, const char *name, void **ret)
{
	*ret = dlsym(handle, name);
	return *ret != NULL;
}

static bool load(struct library *ret)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	*ret = (struct library){ .handle = handle };
	return handle != NULL && find(handle, "nft_ctx_new", (void **)&ret->new) &&
	       find(handle, "nft_ctx_free", (void **)&ret->free) &&
	       find(handle, "nft_ctx_output_set_flags", (void **)&ret->set_output) &&
	       find(handle, "nft_ctx_buffer_output", (void **)&ret->buffer_output) &&
	       find(handle, "nft_ctx_buffer_error", (void **)&ret->buffer_error) &&
	       find(handle, "nft_ctx_get_output_buffer", (void **)&ret->output) &&
	       find(handle, "nft_run_cmd_from_buffer", (void **)&ret->run);
}

static json_t *parse(const char *text, char *why, size_t why_size)
{
	size_t len = text != NULL ? strlen(text) : 0;
	json_t *ruleset = len <= HOST_RULESET_MAX ? json_loadb(text, len, 0, NULL) : NULL;

	if (ruleset == NULL)
		(void)snprintf(why, why_size, "nftables printed what cannot be understood");
	return ruleset;
}

static json_t *list(const struct library *library, struct nft_ctx *nft, char *why,
		    size_t why_size)
{
	library->set_output(nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_PROTO);
	if (library->buffer_output(nft) != 0 || library->buffer_error(nft) != 0) {
		(void)snprintf(why, why_size, "out of memory");
		return NULL;
	}
	if (library->run(nft, "list ruleset") != 0) {
		(void)snprintf(why, why_size, "only root may read its rules");
		return NULL;
	}
	return parse(library->output(nft), why, why_size);
}

json_t *host_firewall_read(char *why, size_t why_size)
{
	struct library library;
	struct nft_ctx *nft = NULL;
	json_t *ruleset = NULL;

	if (!load(&library)) {
		(void)snprintf(why, why_size, "%s is not installed", LIBRARY);
	} else {
		nft = library.new(NFT_CTX_DEFAULT);
		if (nft == NULL)
			(void)snprintf(why, why_size, "out of memory");
		else
			ruleset = list(&library, nft, why, why_size);
	}
	if (nft != NULL)
		library.free(nft);
	if (library.handle != NULL)
		dlclose(library.handle);
	return ruleset;
}
#else
json_t *host_firewall_read(char *why, size_t why_size)
{
	(void)snprintf(why, why_size, "this build has no support for nftables");
	return NULL;
}
#endif

/* SPDX-License-Identifier: MIT */
#include "agent/config-values.h"

#include "hooks/news.h"
#include "base/address.h"
#include "base/names.h"

#include <string.h>
#include <strings.h>

#define WORD_MAX 64

bool config_next_word(const char **text, char *ret, size_t size)
{
	const char *at = *text + strspn(*text, ", \t");
	size_t len = strcspn(at, ", \t");

	if (len == 0 || len >= size)
		return false;
	memcpy(ret, at, len);
	ret[len] = '\0';
	*text = at + len;
	return true;
}

/* Only separators are left. */
static bool is_at_end(const char *text)
{
	return text[strspn(text, ", \t")] == '\0';
}

bool config_yes_no(const char *text, bool *ret)
{
	bool yes = strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0 ||
		   strcmp(text, "1") == 0;

	if (!yes && strcasecmp(text, "no") != 0 && strcasecmp(text, "false") != 0 &&
	    strcmp(text, "0") != 0)
		return false;
	*ret = yes;
	return true;
}

bool config_copy(const char *text, char *ret, size_t size)
{
	size_t len = strlen(text);

	if (len == 0 || len >= size)
		return false;
	memcpy(ret, text, len + 1);
	return true;
}

bool config_path(const char *text, char *ret, size_t size)
{
	return text[0] == '/' && config_copy(text, ret, size);
}

bool config_name(const char *text, char *ret, size_t size)
{
	return strpbrk(text, ", \t\"{}/") == NULL && config_copy(text, ret, size);
}

bool config_interface(const char *text, char *ret)
{
	return strpbrk(text, "/ \t") == NULL && config_copy(text, ret, TENF_INTERFACE_SIZE);
}

bool config_namespace(const char *text, char *ret)
{
	bool named = strchr(text, '/') == NULL && text[0] != '.';

	return (named || text[0] == '/') && strpbrk(text, " \t") == NULL &&
	       config_copy(text, ret, AGENT_NAMESPACE);
}

static bool is_one_host(const struct tenf_address *a)
{
	return !tenf_address_is_none(a) && !tenf_address_is_multicast(a);
}

bool config_gateway(const char *text, char *ret)
{
	struct tenf_endpoint endpoint;

	if (!tenf_endpoint_parse(text, TENF_DEFAULT_PORT, &endpoint) ||
	    !is_one_host(&endpoint.address) || endpoint.port == 0)
		return false;
	if (endpoint.port == TENF_DEFAULT_PORT)
		tenf_address_text(&endpoint.address, ret);
	else
		tenf_endpoint_text(&endpoint, ret);
	return true;
}

bool config_methods(const char *text, unsigned *ret)
{
	static const enum tenf_method all[] = { TENF_METHOD_PCP, TENF_METHOD_NATPMP,
						TENF_METHOD_IGD };
	unsigned methods = 0;
	char word[WORD_MAX];

	if (strcasecmp(text, "auto") == 0) {
		*ret = 0;
		return true;
	}
	while (config_next_word(&text, word, sizeof(word))) {
		unsigned before = methods;

		for (size_t i = 0; i < TENF_ARRAY_SIZE(all); i++) {
			if (strcasecmp(word, tenf_method_code(all[i])) == 0)
				methods |= (unsigned)all[i];
		}
		if (methods == before)
			return false;
	}
	if (!is_at_end(text) || methods == 0)
		return false;
	*ret = methods;
	return true;
}

_Static_assert(AGENT_HOST >= TENF_ADDRESS_TEXT, "the text of an address must fit");

bool config_host(const char *text, char *ret)
{
	struct tenf_address address;

	if (!tenf_address_parse(text, &address) || !is_one_host(&address))
		return false;
	tenf_address_text(&address, ret);
	return true;
}

bool config_listen(const char *text, char *ret, size_t size)
{
	struct tenf_endpoint endpoint;
	char written[TENF_ENDPOINT_TEXT];

	if (!tenf_endpoint_parse(text, 0, &endpoint) || endpoint.port == 0 ||
	    tenf_address_is_multicast(&endpoint.address))
		return false;
	return config_copy(tenf_endpoint_text(&endpoint, written), ret, size);
}

static bool event_of(const char *word, enum tenf_event_kind *ret)
{
	for (unsigned kind = TENF_EVENT_GATEWAY; kind <= TENF_EVENT_REMOVED; kind++) {
		if (strcasecmp(word, tenf_event_code((enum tenf_event_kind)kind)) == 0) {
			*ret = (enum tenf_event_kind)kind;
			return true;
		}
	}
	return false;
}

bool config_events(const char *text, unsigned *ret)
{
	enum tenf_event_kind kind;
	unsigned events = 0;
	char word[WORD_MAX];

	if (strcasecmp(text, "all") == 0) {
		*ret = 0;
		return true;
	}
	while (config_next_word(&text, word, sizeof(word))) {
		if (!event_of(word, &kind))
			return false;
		events |= 1u << kind;
	}
	if (!is_at_end(text) || events == 0)
		return false;
	*ret = events;
	return true;
}

static const char *host_of(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

bool config_url(const char *text, char *ret, size_t size)
{
	const char *host = host_of(text);

	return host != NULL && strcspn(host, "/?#") > 0 && strpbrk(text, " \t\"<>\\") == NULL &&
	       config_copy(text, ret, size);
}

bool config_url_has_secret(const char *text)
{
	const char *host = host_of(text);

	return host != NULL && memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

bool config_format(const char *text, char *ret, size_t size)
{
	return news_format_is_good(text) && config_copy(text, ret, size);
}

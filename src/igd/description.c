/* SPDX-License-Identifier: MIT */
#include "igd/description.h"

#include "base/text.h"
#include "igd/soap.h"

#include <string.h>

#define SERVICES "urn:schemas-upnp-org:service:"
#define VERSION_MAX 9 /* a higher one would be no version we have heard of */

/* The version behind a type of ours, 0 for any other text. */
static unsigned version_of(const char *type, const char *name)
{
	size_t prefix = strlen(SERVICES);
	size_t len = strlen(name);
	uint64_t version;

	if (strncmp(type, SERVICES, prefix) != 0 || strncmp(type + prefix, name, len) != 0 ||
	    type[prefix + len] != ':' || strlen(type) >= IGD_TYPE)
		return 0;
	type += prefix + len + 1;
	if (!tenf_text_number(type, strlen(type), VERSION_MAX, &version))
		return 0;
	return (unsigned)version;
}

static unsigned wan_version(const char *type)
{
	unsigned version = version_of(type, "WANIPConnection");

	return version != 0 ? version : version_of(type, "WANPPPConnection");
}

static bool was_cut(const char *text)
{
	return strlen(text) >= IGD_VALUE_CUT;
}

/* Into the place for its kind. What makes no sense is no service. */
static void read_service(const char *type, const char *control, const struct igd_url *base,
			 struct igd_device *device)
{
	struct igd_service service = { .version = wan_version(type) };
	struct igd_service *place = service.version != 0 ? &device->wan : &device->pinholes;
	struct tenf_text t = tenf_text_of(service.type, sizeof(service.type));

	if (service.version == 0)
		service.version = version_of(type, "WANIPv6FirewallControl");
	if (service.version == 0 || was_cut(control) ||
	    !igd_url_join(base, control, &service.control))
		return;
	tenf_text_add(&t, type);
	*place = service;
}

/* From the last service to the first, which is the one that counts. In each the type
 * stands before the control. */
static void read_services(const struct igd_values *values, const struct igd_url *base,
			  struct igd_device *device)
{
	const char *name, *value, *control = "";
	const void *at = NULL;

	while (igd_values_next(values, &at, &name, &value)) {
		if (strcmp(name, "controlURL") == 0) {
			control = value;
		} else if (strcmp(name, "serviceType") == 0) {
			read_service(value, control, base, device);
			control = "";
		}
	}
}

static bool is_on(const struct igd_service *service, const struct tenf_address *gateway)
{
	return service->version == 0 ||
	       tenf_address_equal(&service->control.at.address, gateway);
}

enum tenf_status igd_description_read(const char *xml, size_t len, const struct igd_url *from,
				      struct igd_device *ret)
{
	struct igd_device device = { .wan = { .version = 0 } };
	struct igd_url base = *from;
	struct igd_values values;
	const char *named;
	enum tenf_status status = igd_values_read(xml, len, &values);

	if (status != TENF_OK)
		return status;
	named = igd_values_get(&values, "URLBase");
	if (named != NULL && (was_cut(named) || !igd_url_parse(named, strlen(named), &base)))
		base = *from;
	read_services(&values, &base, &device);
	igd_values_done(&values);
	if (device.wan.version == 0 && device.pinholes.version == 0)
		return TENF_E_NOT_FOUND;
	if (!is_on(&device.wan, &from->at.address) || !is_on(&device.pinholes, &from->at.address))
		return TENF_E_REFUSED;
	*ret = device;
	return TENF_OK;
}

/* ---- Hints -------------------------------------------------------------------- */

static void write_service(const struct igd_service *service, struct tenf_text *t)
{
	if (service->version == 0) {
		tenf_text_add(t, "- -");
		return;
	}
	tenf_text_add(t, service->type);
	tenf_text_add_char(t, ' ');
	igd_url_write(&service->control, t);
}

void igd_hint_write(const struct igd_device *device, struct tenf_text *t)
{
	write_service(&device->wan, t);
	tenf_text_add_char(t, ' ');
	write_service(&device->pinholes, t);
}

/* The next word of `*text`, which moves behind it; false at the end. */
static bool next_word(const char **text, const char **ret, size_t *ret_len)
{
	size_t len = strcspn(*text, " ");

	if (len == 0)
		return false;
	*ret = *text;
	*ret_len = len;
	*text += len + ((*text)[len] == ' ');
	return true;
}

static bool read_hinted(const char **text, struct igd_service *ret)
{
	struct igd_service service = { .version = 0 };
	struct tenf_text t = tenf_text_of(service.type, sizeof(service.type));
	const char *type, *url;
	size_t type_len, url_len;

	if (!next_word(text, &type, &type_len) || !next_word(text, &url, &url_len))
		return false;
	if (type_len == 1 && type[0] == '-') {
		*ret = (struct igd_service){ .version = 0 };
		return true;
	}
	for (size_t i = 0; i < type_len; i++)
		tenf_text_add_char(&t, type[i]);
	if (t.cut || !igd_url_parse(url, url_len, &service.control))
		return false;
	service.version = wan_version(service.type);
	if (service.version == 0)
		service.version = version_of(service.type, "WANIPv6FirewallControl");
	*ret = service;
	return service.version != 0;
}

bool igd_hint_read(const char *text, const struct tenf_address *gateway, struct igd_device *ret)
{
	struct igd_device device;

	if (!read_hinted(&text, &device.wan) || !read_hinted(&text, &device.pinholes) ||
	    text[0] != '\0')
		return false;
	if (device.wan.version != 0 && wan_version(device.wan.type) == 0)
		return false;
	if (device.pinholes.version != 0 && wan_version(device.pinholes.type) != 0)
		return false;
	if ((device.wan.version == 0 && device.pinholes.version == 0) ||
	    !is_on(&device.wan, gateway) || !is_on(&device.pinholes, gateway))
		return false;
	*ret = device;
	return true;
}

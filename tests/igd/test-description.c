/* SPDX-License-Identifier: MIT */
#include "igd/description.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define WAN "urn:schemas-upnp-org:service:WANIPConnection:"
#define PPP "urn:schemas-upnp-org:service:WANPPPConnection:"
#define PINHOLES "urn:schemas-upnp-org:service:WANIPv6FirewallControl:"

#define SERVICE(type, control)                                                           \
	"<service><serviceType>" type "</serviceType><serviceId>x</serviceId>"           \
	"<controlURL>" control "</controlURL><eventSubURL>/e</eventSubURL>"              \
	"<SCPDURL>/s</SCPDURL></service>"
#define DEVICE(inside)                                                                   \
	"<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">" inside   \
	"</root>"
#define SERVICES(inside) "<device><serviceList>" inside "</serviceList></device>"

static const struct igd_url from = {
	.at = { { { [10] = 0xff, [11] = 0xff, 192, 168, 1, 1 } }, 5000 }, .path = "/rootDesc.xml"
};

static enum tenf_status read_xml(const char *xml, struct igd_device *ret)
{
	return igd_description_read(xml, strlen(xml), &from, ret);
}

static void the_services_of_a_gateway_are_found(void **state)
{
	struct igd_device device;

	(void)state;
	assert_int_equal(read_xml(DEVICE(SERVICES(SERVICE(WAN "2", "/ctl/IPConn")
						  SERVICE(PINHOLES "1", "/ctl/IP6FCtl"))),
				  &device), TENF_OK);
	assert_int_equal(device.wan.version, 2);
	assert_string_equal(device.wan.type, WAN "2");
	assert_string_equal(device.wan.control.path, "/ctl/IPConn");
	assert_int_equal(device.wan.control.at.port, 5000);
	assert_int_equal(device.pinholes.version, 1);
	assert_int_equal(read_xml(DEVICE(SERVICES(SERVICE(PPP "1", "ctl"))), &device), TENF_OK);
	assert_string_equal(device.wan.type, PPP "1");
	assert_int_equal(device.pinholes.version, 0);
}

static void the_base_named_in_the_description_counts(void **state)
{
	struct igd_device device;

	(void)state;
	assert_int_equal(read_xml(DEVICE("<URLBase>http://192.168.1.1:80/</URLBase>"
					 SERVICES(SERVICE(WAN "1", "/x"))), &device), TENF_OK);
	assert_int_equal(device.wan.control.at.port, 80);
}

static void a_control_on_another_host_is_refused(void **state)
{
	struct igd_device device;

	(void)state;
	assert_int_equal(read_xml(DEVICE(SERVICES(SERVICE(WAN "1", "http://192.0.2.1/x"))),
				  &device), TENF_E_REFUSED);
	assert_int_equal(read_xml(DEVICE("<URLBase>http://192.0.2.1/</URLBase>"
					 SERVICES(SERVICE(WAN "1", "/x"))), &device),
			 TENF_E_REFUSED);
	assert_int_equal(read_xml(DEVICE(SERVICES(SERVICE(WAN "1", "/x")
						  SERVICE(PINHOLES "1", "http://192.0.2.1/"))),
				  &device), TENF_E_REFUSED);
}

static void what_is_no_gateway_is_not_found(void **state)
{
	static const char *const wrong[] = {
		"", "<", "no xml", DEVICE(""),
		DEVICE(SERVICES(SERVICE("urn:schemas-upnp-org:service:ContentDirectory:1", "/x"))),
		DEVICE(SERVICES(SERVICE(WAN, "/x"))),
		DEVICE(SERVICES(SERVICE(WAN "1 evil", "/x"))),
		DEVICE(SERVICES(SERVICE(WAN "-1", "/x"))),
		DEVICE(SERVICES(SERVICE(WAN "1", ""))),
		DEVICE(SERVICES(SERVICE(WAN "1", "http://router.example/x"))),
		DEVICE(SERVICES(SERVICE(WAN "1", "http://192.168.1.1:-5/x"))),
	};
	struct igd_device device;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_int_equal(read_xml(wrong[i], &device), TENF_E_NOT_FOUND);
}

static void a_control_that_the_parser_cut_is_none(void **state)
{
	char xml[1024];
	struct tenf_text t = tenf_text_of(xml, sizeof(xml));
	struct igd_device device;

	(void)state;
	tenf_text_add(&t, "<root><device><serviceList><service><serviceType>" WAN
			  "1</serviceType><controlURL>/");
	for (unsigned i = 0; i < 200; i++)
		tenf_text_add_char(&t, 'a');
	tenf_text_add(&t, "</controlURL></service></serviceList></device></root>");
	assert_false(t.cut);
	assert_int_equal(read_xml(xml, &device), TENF_E_NOT_FOUND);
}

static void a_hint_says_the_same_again(void **state)
{
	struct igd_device device, again;
	char text[IGD_HINT];
	struct tenf_text t = tenf_text_of(text, sizeof(text));

	(void)state;
	assert_int_equal(read_xml(DEVICE(SERVICES(SERVICE(WAN "2", "/ctl/IPConn"))), &device),
			 TENF_OK);
	igd_hint_write(&device, &t);
	assert_string_equal(text, WAN "2 http://192.168.1.1:5000/ctl/IPConn - -");
	assert_true(igd_hint_read(text, &from.at.address, &again));
	assert_int_equal(again.wan.version, 2);
	assert_string_equal(again.wan.type, device.wan.type);
	assert_string_equal(again.wan.control.path, device.wan.control.path);
}

static void a_hint_is_trusted_no_more_than_a_description(void **state)
{
	static const char *const wrong[] = {
		"", "- - - -", WAN "1", WAN "1 http://192.168.1.1:5000/x",
		WAN "1 http://192.0.2.1/x - -", "- - " WAN "1 http://192.168.1.1/x",
		PINHOLES "1 http://192.168.1.1/x - -", "x http://192.168.1.1/x - -",
		WAN "1 /x - -", WAN "1 http://192.168.1.1/x - - more",
		WAN "1  http://192.168.1.1/x - -",
	};
	struct igd_device device;

	(void)state;
	for (size_t i = 0; i < TENF_ARRAY_SIZE(wrong); i++)
		assert_false(igd_hint_read(wrong[i], &from.at.address, &device));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_services_of_a_gateway_are_found),
		cmocka_unit_test(the_base_named_in_the_description_counts),
		cmocka_unit_test(a_control_on_another_host_is_refused),
		cmocka_unit_test(what_is_no_gateway_is_not_found),
		cmocka_unit_test(a_control_that_the_parser_cut_is_none),
		cmocka_unit_test(a_hint_says_the_same_again),
		cmocka_unit_test(a_hint_is_trusted_no_more_than_a_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

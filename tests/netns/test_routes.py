#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which gateway is asked where there are several ways out.

    test_routes.py COMMAND DAEMON"""
import socket
import sys

import kernel
from cases import case, expect, expect_in, run
from home import CLIENT, INSIDE, OUTSIDE, Home

PATHS = sys.argv[1:3]
ANNOUNCE, MAP = 0, 1
VPN_INSIDE, VPN_CLIENT, VPN_OUTSIDE = "10.8.0.1", "10.8.0.2", "11.8.0.1"


def home_with_second(opened):
    """The client has a second interface, and a gateway behind it."""
    home = Home(opened, PATHS)
    home.gatewayd()
    vpn = home.host("vpn")
    kernel.link(home.client, "vpn0", f"{VPN_CLIENT}/24", vpn, "in0", f"{VPN_INSIDE}/24")
    home.gatewayd(f"ExternalAddress={VPN_OUTSIDE}", host=vpn, internal="in0")
    return home


def home_with_tunnel(opened, client_address, server_address):
    home = Home(opened, PATHS)
    home.gatewayd()
    vpn = home.host("vpn")
    opened.enter_context(kernel.Tunnel(home.client, "tun0", client_address,
                                       vpn, "tun0", server_address))
    vpn.ip("route replace 10.8.0.0/24 dev tun0")
    home.gatewayd(f"ExternalAddress={VPN_OUTSIDE}", host=vpn, internal="tun0")
    return home


def used(home, *options):
    """(gateway, interface, source, outside) of the gateway in use."""
    gateways = home.command.json(*options, "status")["gateways"]
    expect(len(gateways), 1, "gateways")
    return tuple(gateways[0][key]
                 for key in ("address", "interface", "source", "external_address"))


def found(home, *options):
    return sorted(g["address"] for g in home.command.json(*options, "discover")["gateways"]
                  if g["methods"])


def mapped_at(home, *options):
    made = home.command.json(*options, "add", "4080:8080")["mappings"]
    home.command("remove", "--all")
    return [(m["gateway"], m["internal_address"], m["external_address"]) for m in made]


AT_HOME = (INSIDE, "eth0", CLIENT, OUTSIDE)
AT_VPN = (VPN_INSIDE, "vpn0", VPN_CLIENT, VPN_OUTSIDE)


def choose(home):
    """Each way to choose, whatever the routes prefer."""
    for choices, expected in (
            ((("--interface", "eth0"), ("--source", CLIENT), ("--gateway", INSIDE)), AT_HOME),
            ((("--interface", "vpn0"), ("--source", VPN_CLIENT), ("--gateway", VPN_INSIDE)),
             AT_VPN)):
        for choice in choices:
            expect(used(home, *choice), expected, f"status {choice}")
            expect(found(home, *choice), [expected[0]], f"discover {choice}")
            expect(mapped_at(home, *choice), [(expected[0], expected[2], expected[3])],
                   f"add {choice}")


@case("of two gateways the one of the better route is used, and any can be chosen")
def two_gateways(opened):
    home = home_with_second(opened)
    home.client.ip(f"route add default via {VPN_INSIDE} metric 500")
    expect(used(home), AT_HOME, "status")
    expect(found(home), sorted([INSIDE, VPN_INSIDE]), "discover")
    choose(home)


@case("the default route of a VPN in a table of its own is the way out")
def other_table(opened):
    home = home_with_second(opened)
    home.client.ip(f"route add default via {VPN_INSIDE} table 51820",
                   "rule add not fwmark 51820 table 51820",
                   "rule add table main suppress_prefixlength 0")
    expect(used(home), AT_VPN, "status")
    expect(found(home), sorted([INSIDE, VPN_INSIDE]), "discover")
    choose(home)


@case("behind a point-to-point link without a next hop the first address is asked")
def tunnel(opened):
    home = home_with_tunnel(opened, f"{VPN_CLIENT}/24", f"{VPN_INSIDE}/24")
    home.client.ip("route add default dev tun0 table 51820",
                   "rule add not fwmark 51820 table 51820",
                   "rule add table main suppress_prefixlength 0")
    expected = (VPN_INSIDE, "tun0", VPN_CLIENT, VPN_OUTSIDE)
    expect(used(home), expected, "status")
    expect(used(home, "--interface", "eth0"), AT_HOME, "status at home")
    expect(found(home), sorted([INSIDE, VPN_INSIDE]), "discover")


@case("the first address is asked when the link has no network but its own address")
def tunnel_of_one_address(opened):
    home = home_with_tunnel(opened, f"{VPN_CLIENT}/32", f"{VPN_INSIDE}/24")
    home.client.ip("route replace default dev tun0")
    expect(used(home), (VPN_INSIDE, "tun0", VPN_CLIENT, VPN_OUTSIDE), "status")


def opcodes_to(tunnel, address):
    """PCP opcodes of the requests that left for this address, in their order."""
    wanted = socket.inet_aton(address)
    return [packet[29] for packet in tunnel.sent
            if packet[0] == 0x45 and packet[9] == socket.IPPROTO_UDP and packet[16:20] == wanted
            and packet[28] == 2]


@case("a guess that is silent gives way to the anycast address when that may be asked")
def anycast(opened):
    home = Home(opened, PATHS)
    vpn = home.host("vpn")
    tunnel = opened.enter_context(kernel.Tunnel(home.client, "tun0", "192.0.0.100/32",
                                                vpn, "tun0", "192.0.0.9/24"))
    home.gatewayd(f"ExternalAddress={VPN_OUTSIDE}", host=vpn, internal="tun0")
    home.client.ip("route replace default dev tun0")
    # PCP alone is spoken from an address that is not private, and ANNOUNCE tells no address.
    at_anycast = ("192.0.0.9", "tun0", "192.0.0.100", None)

    silent = home.command("--timeout", "1", "add", "4080:8080", status=4)
    expect_in("No answer from 192.0.0.1 ", silent.err, "talk")
    expect(used(home, "--anycast"), at_anycast, "status")
    expect(found(home, "--anycast"), ["192.0.0.9"], "discover")
    tunnel.sent.clear()
    expect(mapped_at(home, "--anycast"), [("192.0.0.9", "192.0.0.100", VPN_OUTSIDE)], "add")
    expect(set(opcodes_to(tunnel, "192.0.0.1")), {ANNOUNCE}, "asked of the silent guess")
    asked = opcodes_to(tunnel, "192.0.0.9")
    expect(asked[0], ANNOUNCE, "the first question to the anycast address")
    expect_in(MAP, asked, "questions to the anycast address")

    home.command("--anycast", "add", "4080:8080")
    again = home.command.json("--anycast", "add", "4080:8080")["mappings"]
    expect([m["external_port"] for m in again], [4080], "the recorded lease, asked for again")
    named = home.command("--anycast", "--gateway", "192.0.0.1", "--timeout", "1", "add", "8081",
                         status=4)
    expect_in("No answer from 192.0.0.1 ", named.err, "talk about the one that was named")


@case("what cannot be chosen is said, with the exit status of usage or of no gateway")
def wrong_choice(opened):
    home = home_with_second(opened)
    expect_in("nosuch0", home.command("--interface", "nosuch0", "status", status=2).err, "talk")
    home.command("--interface", "lo", "status", status=3)
    home.command("--interface", "vpn0", "status", status=3)  # no route leads out there


kernel.enter()
run("".join(sys.argv[3:4]))

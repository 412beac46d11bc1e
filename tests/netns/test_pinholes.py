#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""IPv6, where nothing is translated and a firewall at the gateway keeps the world out:
holes in it by UPnP (WANIPv6FirewallControl) and by PCP, in Debian's miniupnpd, with
connections that really come from outside.

    test_pinholes.py COMMAND DAEMON [ONLY]"""
import signal
import socket
import sys

import kernel
from cases import case, expect, expect_in, run
from diagnosis import examine, found, listen, step_of
from home import Home
from programs import PATIENCE_S, finish

PATHS = sys.argv[1:3]
CLIENT, LAN, WAN, FAR = "2a00:77::2", "2a00:77::1", "2a00:113::1", "2a00:113::2"
NEXT_HOP = "fe80::1"
PORT = 8080
GATEWAY = ("--gateway", LAN, "--method", "igd")


def home6(opened, next_hop=LAN, upnp=True):
    """A home with IPv6 beside IPv4: (home, miniupnpd)"""
    home = Home(opened, PATHS)
    for host in (home.client, home.gateway, home.internet):
        host.sysctl("net.ipv6.conf.all.disable_ipv6", "0")
        host.sysctl("net.ipv6.conf.all.accept_dad", "0")
    for host, name, address in ((home.client, "eth0", CLIENT), (home.gateway, "lan0", LAN),
                                (home.gateway, "wan0", WAN), (home.internet, "eth0", FAR)):
        host.ip(f"address add {address}/64 dev {name} nodad")
    if next_hop == NEXT_HOP:
        home.gateway.ip(f"address add {NEXT_HOP}/64 dev lan0 nodad")
    home.gateway.sysctl("net.ipv6.conf.all.forwarding", "1")
    home.client.ip(f"route add default via {next_hop} dev eth0")
    home.internet.ip(f"route add 2a00:77::/64 via {WAN}")
    return home, home.miniupnpd(upnp=upnp, more="ext_ifname6=wan0\n")


def is_open(home, port, patience_s=0.5):
    """The firewall drops what it does not let in."""
    with home.internet:
        caller = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    with caller:
        caller.settimeout(patience_s)
        try:
            caller.connect((CLIENT, port))
        except OSError:
            return False
        return True


def rules(home):
    """How many holes there are in the gateway's firewall."""
    listed = finish(["nft", "list", "chain", "inet", "filter", "miniupnpd"], inside=home.gateway)
    expect(listed.status, 0, listed.err)
    return listed.out.count("th dport")


@case("a pinhole by UPnP opens one port to the world, is renewed, named and closed")
def by_upnp(opened):
    home, daemon = home6(opened)
    listen(home, "nginx", PORT, 8081)
    expect(is_open(home, PORT), False, "before")
    made = home.command.json(*GATEWAY, "add", str(PORT), "--name", "web")["mappings"][0]
    expect((made["method"], made["external_address"], made["external_port"]),
           ("igd", CLIENT, PORT), "made")
    daemon.wait_text("SOAPAction: urn:schemas-upnp-org:service:WANIPv6FirewallControl:1#AddPinhole")
    expect((is_open(home, PORT, PATIENCE_S), is_open(home, 8081)), (True, False), "while it is there")
    seen = len(daemon.lines)
    home.command(*GATEWAY, "add", str(PORT), "--name", "web")
    daemon.wait_text("Updating it", seen)
    expect(rules(home), 1, "renewed and not made twice")
    for words in (("list",), (*GATEWAY, "list", "--all")):
        listed = home.command.json(*words)["mappings"]
        expect([(m["name"], m["external_address"], m["source"]) for m in listed],
               [("web", CLIENT, "lease")], words)
    exposed = [e for e in home.command.json("exposure")["exposed"]
               if (e["external_port"], e["protocol"]) == (PORT, "tcp")]
    expect([(e["name"], e["listener"]["program"], e["firewall"]) for e in exposed],
           [("web", "nginx", "open")], "exposed")
    home.command("remove", listed[0]["id"])
    daemon.wait_text("removed")
    expect((is_open(home, PORT), rules(home)), (False, 0), "after it was removed")
    expect(home.command.json("list")["mappings"], [], "listed after it was removed")


@case("keep holds a pinhole beyond its lease, and closes it at the end")
def kept(opened):
    home, daemon = home6(opened)
    listen(home, "nginx", PORT)
    keeper = opened.enter_context(home.command.start(
        *GATEWAY, "--json", "keep", str(PORT), "--lifetime", "4s"))
    keeper.wait_event("mapped")
    _, at = keeper.wait_event("renewed")
    _, at = keeper.wait_event("renewed", at + 1)
    keeper.wait_event("renewed", at + 1)
    expect((is_open(home, PORT, PATIENCE_S), rules(home)), (True, 1), "while it is kept")
    expect(keeper.end(signal.SIGTERM), 0, keeper.transcript())
    daemon.wait_text("removed")
    expect((is_open(home, PORT), rules(home)), (False, 0), "after the end")


@case("doctor takes a pinhole for what it is: no router lists those")
def doctor(opened):
    home, _ = home6(opened)
    listen(home, "nginx", PORT)
    home.command(*GATEWAY, "add", str(PORT))
    steps, told = examine(home, f"{PORT}/tcp")
    expect((found(told), steps["mapping"], "hairpin" in steps), ([], True, False), told)
    expect_in("no router lists", step_of(told, "mapping")["means"], "means")
    expect_in(f"{CLIENT} is a public address", step_of(told, "address")["seen"], "address")


@case("a pinhole below port 1024 is refused by miniupnpd, and that is told")
def refused(opened):
    home, _ = home6(opened)
    told = home.command(*GATEWAY, "add", "80", status=6)
    expect_in("refused", told.err, "text")
    expect(rules(home), 0, "holes")


@case("behind a next hop that is link-local, PCP opens a port of an address the world reaches")
def link_local(opened):
    home, _ = home6(opened, next_hop=NEXT_HOP, upnp=False)
    listen(home, "nginx", PORT)
    for words in (("--source", CLIENT), ("--gateway", NEXT_HOP, "-i", "eth0")):
        expect(is_open(home, PORT), False, "before")
        made = home.command.json(*words, "add", str(PORT))["mappings"][0]
        expect((made["method"], made["gateway"], made["external_address"], made["external_port"]),
               ("pcp", NEXT_HOP, CLIENT, PORT), words)
        expect(is_open(home, PORT, PATIENCE_S), True, "while it is there")
        home.command("remove", home.command.json("list")["mappings"][0]["id"])
        expect((is_open(home, PORT), rules(home)), (False, 0), "after it was removed")
    gateways = {g["address"]: g for g in home.command.json("discover")["gateways"]}
    expect(gateways[NEXT_HOP]["source"], CLIENT, "the source that is asked from")


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[3:4]))

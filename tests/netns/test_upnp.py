#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""UPnP: the command against Debian's miniupnpd, beside upnpc, with packets that
really arrive.

    test_upnp.py COMMAND DAEMON"""
import os
import shutil
import signal
import socket
import sys
import time

import kernel
from cases import Skip, case, expect, expect_in, run
from home import CLIENT, INSIDE, OUTSIDE, Home
from programs import finish

PATHS = sys.argv[1:3]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


def home_with(opened, **services):
    home = Home(opened, PATHS)
    home.miniupnpd(upnp=True, **services)
    return home


def remembered(home):
    with open(f"{home.top}/state-client/tenforward/upnp", encoding="utf-8") as file:
        return file.read().splitlines()


def upnpc(home, *words):
    if shutil.which("upnpc") is None:
        raise Skip("upnpc is not installed")
    result = finish(["upnpc", *words], inside=home.client)
    if result.status != 0:
        raise AssertionError(f"upnpc {' '.join(words)}: {result.out}{result.err}")
    return result.out


@case("discover and status know a gateway that speaks UPnP alone")
def knows_the_gateway(opened):
    home = home_with(opened, natpmp=False)
    for verb in ("discover", "status"):
        for method in ("igd", "auto"):
            found = home.command.json("--method", method, verb)["gateways"]
            expect(len(found), 1, "gateways")
            expect(found[0]["methods"], [{"name": "igd", "version": 2}], f"{verb} {method}")
            expect(found[0]["external_address"], OUTSIDE, "outside")
            expect(found[0]["error"], None, "error")


@case("all three methods of a gateway are found together")
def knows_all(opened):
    home = home_with(opened)
    methods = home.command.json("discover")["gateways"][0]["methods"]
    expect([m["name"] for m in methods], ["pcp", "natpmp", "igd"], "methods")


@case("a port opened by UPnP carries data, is remembered, and closed when removed")
def opens_and_closes(opened):
    home = home_with(opened, natpmp=False)
    home.echo(8080)
    for protocol, kinds in (("tcp", [TCP]), ("udp", [UDP]), ("both", [TCP, UDP])):
        wish = f"4080:8080/{protocol}"
        made = home.command.json("--method", "igd", "add", wish, "--name", "<web> & more")
        for mapping in made["mappings"]:
            expect(mapping["method"], "igd", "method")
            expect(mapping["external_port"], 4080, "external port")
            expect(mapping["external_address"], OUTSIDE, "outside")
            expect(mapping["internal_address"], CLIENT, "inside")
        for kind in kinds:
            home.expect_open(kind, 4080)
        lines = remembered(home)
        expect(len(lines), 1, "remembered devices")
        expect_in(f"{INSIDE} eth0 ", lines[0], "remembered")
        home.command("remove", wish)
        for kind in kinds:
            home.expect_closed(kind, 4080)


@case("where PCP and NAT-PMP do not answer, auto comes to UPnP within a second or two")
def falls_back(opened):
    home = home_with(opened, natpmp=False)
    home.echo(8080)
    start = time.monotonic()
    made = home.command.json("add", "4080:8080")["mappings"][0]
    took = time.monotonic() - start
    expect(made["method"], "igd", "method")
    home.expect_open(TCP, 4080)
    if took > 4:
        raise AssertionError(f"took {took} s")
    home.command("remove", "--all")
    home.expect_closed(TCP, 4080)


@case("where PCP answers, auto asks UPnP for nothing")
def prefers_pcp(opened):
    home = home_with(opened)
    expect(home.command.json("add", "4080:8080")["mappings"][0]["method"], "pcp", "method")
    expect(os.path.exists(f"{home.top}/state-client/tenforward/upnp"), False, "remembered")


@case("a device that moved to another port is found again")
def moved(opened):
    home = Home(opened, PATHS)
    daemon = home.miniupnpd(upnp=True, natpmp=False)
    home.command("--method", "igd", "add", "4080:8080")
    before = remembered(home)
    daemon.end()
    home.miniupnpd(upnp=True, natpmp=False)
    made = home.command.json("--method", "igd", "add", "4081:8081")["mappings"][0]
    expect(made["state"], "mapped", "state")
    if remembered(home) == before:
        raise AssertionError(f"still {before}")


@case("a port of another program is not taken over, and --exact says so")
def leaves_others_alone(opened):
    home = home_with(opened, natpmp=False)
    upnpc(home, "-e", "game", "-a", CLIENT, "9000", "4080", "tcp", "600")
    made = home.command.json("add", "4080:8080")["mappings"][0]
    if made["external_port"] in (4080, 0):
        raise AssertionError(f"got port {made['external_port']}")
    refused = home.command.json("add", "4080:8081", "--exact", status=9)["mappings"][0]
    expect(refused["error"]["code"], "other-port", "code")
    expect_in(f"4080->{CLIENT}:9000", upnpc(home, "-l"), "the other program's mapping")


@case("list --all shows what upnpc, natpmpc and we opened, each once")
def lists_all(opened):
    home = home_with(opened)
    upnpc(home, "-e", "Transmission", "-a", CLIENT, "51413", "51413", "tcp", "600")
    if shutil.which("natpmpc") is None:
        raise Skip("natpmpc is not installed")
    finish(["natpmpc", "-g", INSIDE, "-a", "4000", "4000", "tcp", "600"], inside=home.client)
    home.command("--method", "igd", "add", "4080:8080", "--name", "web")
    home.command("--method", "natpmp", "add", "27015/udp", "--name", "game")
    home.command("--method", "pcp", "add", "4443:8443", "--name", "shop")
    rows = {(m["external_port"], m["protocol"]): m
            for m in home.command.json("list", "--all")["mappings"]}
    expect(len(rows), 5, "rows")
    for key, name, source, sources in (
            ((51413, "tcp"), None, "igd", ["igd"]), ((4000, "tcp"), None, "igd", ["igd"]),
            ((4080, "tcp"), "web", "lease", ["lease", "igd"]),
            ((27015, "udp"), "game", "lease", ["lease", "igd"]),
            ((4443, "tcp"), "shop", "lease", ["lease", "igd"])):
        expect(rows[key]["name"], name, f"name of {key}")
        expect(rows[key]["source"], source, f"source of {key}")
        expect(rows[key]["sources"], sources, f"sources of {key}")
    expect(rows[51413, "tcp"]["description"], "Transmission", "description")
    expect(rows[4000, "tcp"]["description"], "NAT-PMP 4000 tcp", "description")
    expect(rows[4000, "tcp"]["method"], "natpmp", "method")
    text = home.command("list", "--all").out
    expect_in("router's list (\"Transmission\")", text, "table")


@case("a gateway that speaks PCP and NAT-PMP alone has no list, and that is told")
def lists_nothing(opened):
    home = Home(opened, PATHS)
    home.miniupnpd()
    home.command("add", "4080:8080", "--name", "web")
    result = home.command("list", "--all", status=5)
    expect_in("web", result.out, "the record")
    expect_in("UPnP alone has a list", result.err, "reason")


@case("keep holds a mapping by UPnP and gives it up at the end")
def keeps(opened):
    home = home_with(opened, natpmp=False)
    home.echo(8080)
    keeper = opened.enter_context(home.command.start("keep", "4080:8080", "--json",
                                                     "--method", "igd"))
    event, _ = keeper.wait_event("mapped")
    expect(event["mapping"]["method"], "igd", "method")
    home.expect_open(TCP, 4080)
    expect(keeper.end(signal.SIGTERM), 0, "exit status")
    home.expect_closed(TCP, 4080)


@case("without UPnP at the gateway the verdict comes in time and says so")
def nobody(opened):
    home = Home(opened, PATHS)
    home.translate()
    result = home.command("--method", "igd", "add", "8080", status=5)
    expect_in("no UPnP gateway answers", result.err, "text")
    start = time.monotonic()
    home.command("add", "8080", status=5)
    took = time.monotonic() - start
    if took > 1.5:
        raise AssertionError(f"the window of the search held up a verdict for {took} s")


kernel.enter("nft")
run()

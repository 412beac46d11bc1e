#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command against Debian's miniupnpd, with packets that really arrive.

    test_miniupnpd.py METHOD COMMAND DAEMON     (natpmp, pcp or auto)"""
import socket
import sys

import kernel
from cases import case, expect, expect_in, run
from home import CLIENT, INSIDE, OUTSIDE, Home

METHOD, PATHS = sys.argv[1], sys.argv[2:4]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
USED = {"natpmp": "natpmp", "pcp": "pcp", "auto": "pcp"}[METHOD]


def home_with_miniupnpd(opened):
    home = Home(opened, PATHS)
    home.miniupnpd()
    return home


def judge_gateway(gateway):
    expect(gateway["address"], INSIDE, "address")
    expect(gateway["port"], 5351, "port")
    expect(gateway["interface"], "eth0", "interface")
    expect(gateway["source"], CLIENT, "source")
    # PCP alone tells the outside address by making a mapping: nobody does that to look.
    if USED == "natpmp" or METHOD == "auto":
        expect(gateway["external_address"], OUTSIDE, "external address")
        expect(gateway["address_class"], "public", "class")
    expect(gateway["error"], None, "error")
    expect_in({"name": USED, "version": 2 if USED == "pcp" else 0}, gateway["methods"], "methods")
    if gateway["epoch"] is None or gateway["rtt_ms"] is None or gateway["up_since"] is None:
        raise AssertionError(f"facts are missing: {gateway}")


@case("discover and status know the gateway, its methods and its outside")
def knows_the_gateway(opened):
    home = home_with_miniupnpd(opened)
    found = home.command.json("--method", METHOD, "discover")
    expect(len(found["gateways"]), 1, "gateways")
    judge_gateway(found["gateways"][0])
    status = home.command.json("--method", METHOD, "status")
    expect(len(status["gateways"]), 1, "gateways")
    judge_gateway(status["gateways"][0])
    expect(status["mappings"], 0, "mappings")


@case("a port opened for TCP, UDP or both carries data, and is closed when removed")
def opens_and_closes(opened):
    home = home_with_miniupnpd(opened)
    home.echo(8080)
    home.expect_closed(TCP, 4080)
    for protocol, kinds in (("tcp", [TCP]), ("udp", [UDP]), ("both", [TCP, UDP])):
        wish = f"4080:8080/{protocol}"
        made = home.command.json("--method", METHOD, "add", wish, "--lifetime", "10m")["mappings"]
        expect(len(made), len(kinds), "mappings")
        for mapping in made:
            expect(mapping["method"], USED, "method")
            expect(mapping["state"], "mapped", "state")
            expect(mapping["external_port"], 4080, "external port")
            expect(mapping["external_address"], OUTSIDE, "external address")
            expect(mapping["internal_address"], CLIENT, "internal address")
            expect(mapping["internal_port"], 8080, "internal port")
            expect(mapping["gateway"], INSIDE, "gateway")
        listed = home.command.json("list")["mappings"]
        expect([m["id"] for m in listed], [m["id"] for m in made], "listed")
        expect({m["source"] for m in listed}, {"lease"}, "source")
        for kind in kinds:
            home.expect_open(kind, 4080)
        home.command("--method", METHOD, "remove", wish)
        for kind in kinds:
            home.expect_closed(kind, 4080)
        expect(home.command.json("list")["mappings"], [], "listed after remove")


@case("a port that another host holds is answered with another one, unless --exact insists")
def gives_another_port(opened):
    home = home_with_miniupnpd(opened)
    home.client.ip("address add 10.77.0.3/24 dev eth0")
    home.echo(8080)
    home.command("--method", METHOD, "--source", "10.77.0.3", "add", "4080:9090")
    taken = home.command("--method", METHOD, "--source", CLIENT, "add", "4080:8080")
    expect_in(" instead of 4080", taken.err, "note")
    listed = home.command.json("list")["mappings"]
    other = [m for m in listed if m["internal_port"] == 8080]
    expect(len(other), 1, "mappings of ours")
    home.expect_open(TCP, other[0]["external_port"])
    home.command("--source", CLIENT, "remove", other[0]["id"])
    home.expect_closed(TCP, other[0]["external_port"])
    home.command("--method", METHOD, "--source", CLIENT, "add", "4080:8080", "--exact", status=9)
    expect(len(home.command.json("list")["mappings"]), 1, "mappings after --exact")


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[4:5]))

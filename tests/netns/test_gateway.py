#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command against tenforward-gatewayd on a real network: gateways that
speak one protocol, both or none, that are silent, refuse or lose packets.

    test_gateway.py COMMAND DAEMON"""
import json
import sys
import time

import kernel
from cases import case, expect, expect_in, run
from home import ALLOW, CLIENT, INSIDE, LOSS, OUTSIDE, SILENCE, Home
from programs import PATIENCE_S

PATHS = sys.argv[1:3]
PCP = {"name": "pcp", "version": 2}
NATPMP = {"name": "natpmp", "version": 0}


def only(answer):
    expect(len(answer["gateways"]), 1, "gateways")
    return answer["gateways"][0]


def methods(gateway):
    return sorted(method["name"] for method in gateway["methods"])


def judge(home, discovered, used):
    """The gateway speaks `discovered`; a mapping is made by `used`."""
    for verb in ("discover", "status"):
        gateway = only(home.command.json(verb))
        expect(gateway["address"], INSIDE, f"{verb}: address")
        expect(methods(gateway), discovered, f"{verb}: methods")
        expect(gateway["error"], None, f"{verb}: error")
    made = home.command.json("add", "4080:8080")["mappings"]
    expect([(m["method"], m["external_port"], m["external_address"]) for m in made],
           [(used, 4080, OUTSIDE)], "made")
    home.command("remove", "4080:8080")
    expect(home.command.json("list")["mappings"], [], "listed")


def judge_none(home, status, code, *options):
    """No port can be opened; every verb says so alike."""
    for verb in ("discover", "status"):
        result = home.command(*options, "--json", verb, status=status)
        gateway = only(json.loads(result.out))
        expect(gateway["address"], INSIDE, f"{verb}: address")
        expect(gateway["methods"], [], f"{verb}: methods")
        expect(gateway["external_address"], None, f"{verb}: external address")
        expect(gateway["error"]["code"], code, f"{verb}: error")
        expect_in(INSIDE, result.err, f"{verb}: talk")
    result = home.command(*options, "add", "4080:8080", status=status)
    expect(result.out, "", "output of add")
    expect_in(INSIDE, result.err, "talk of add")
    made = json.loads(home.command(*options, "--json", "add", "4080:8080", status=status).out)
    expect([m["error"]["code"] for m in made["mappings"]], [code], "made")
    expect([m["external_port"] for m in made["mappings"]], [None], "port")
    return result


@case("a gateway that speaks both is asked by PCP")
def both(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    judge(home, ["natpmp", "pcp"], "pcp")


@case("a gateway that speaks NAT-PMP alone is asked by it")
def natpmp_alone(opened):
    home = Home(opened, PATHS)
    home.gatewayd("Protocols=natpmp")
    judge(home, ["natpmp"], "natpmp")
    home.command("--method", "pcp", "add", "4080:8080", status=5)
    told = home.command("add", "8080", "--for", "10.77.0.9", status=5)
    expect_in("speaks neither PCP nor UPnP, which --for needs", told.err, "for")
    told = home.command("add", "8080", "--filter", "11.0.113.2", status=5)
    expect_in("does not speak PCP, which --filter needs", told.err, "filter")


@case("a gateway that speaks PCP alone is asked by it")
def pcp_alone(opened):
    home = Home(opened, PATHS)
    home.gatewayd("Protocols=pcp")
    judge(home, ["pcp"], "pcp")
    home.command("--method", "natpmp", "add", "4080:8080", status=5)


@case("a gateway that drops NAT-PMP silently is asked by PCP")
def pcp_and_silence(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections="[Faults]\nIgnore=natpmp\n" + ALLOW)
    judge(home, ["pcp"], "pcp")


@case("a gateway that drops PCP silently is asked by NAT-PMP")
def natpmp_and_silence(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections="[Faults]\nIgnore=pcp\n" + ALLOW)
    judge(home, ["natpmp"], "natpmp")


@case("a closed port is told at once, and not as silence")
def no_service(opened):
    home = Home(opened, PATHS)
    home.gateway.sysctl("net.ipv4.icmp_ratelimit", "0")  # several verbs in one second
    home.gatewayd("Protocols=none")
    result = judge_none(home, 5, "no-service", "--timeout", "60s")
    expect_in("closed", result.err, "talk")
    if result.seconds > 10:  # far from the time-out, for any machine
        raise AssertionError(f"the verdict took {result.seconds} s")


@case("silence is told when the time-out is over")
def silent(opened):
    home = Home(opened, PATHS)
    home.gateway.nft(SILENCE)
    home.gatewayd()
    result = judge_none(home, 4, "silent", "--timeout", "1s")
    expect_in("within 1 s", result.err, "talk")
    if not 0.9 < result.seconds < 10:
        raise AssertionError(f"the verdict took {result.seconds} s")


@case("a mapping is made although three packets in ten are lost each way")
def loss(opened):
    home = Home(opened, PATHS)
    home.gateway.nft(LOSS)
    home.client.nft(LOSS)
    daemon = home.gatewayd()
    for port in (4080, 4081, 4082):
        made = home.command.json("add", f"{port}/tcp", "--timeout", "25s")["mappings"]
        expect([(m["state"], m["external_port"]) for m in made], [("mapped", port)], "made")
        daemon.wait_text(f"{OUTSIDE}:{port}")


@case("a port that no rule allows is refused, by either protocol")
def refused(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections="[Rule]\nAction=deny\nInternalPort=8080\n" + ALLOW)
    for method in ("pcp", "natpmp"):
        result = home.command("--method", method, "add", "4080:8080", status=6)
        expect_in("refused", result.err, "talk")


@case("a machine that makes up addresses leaves others room to ask, and pushes nobody out")
def made_up_addresses(opened):
    home = Home(opened, PATHS)
    control = f"--socket={kernel.TOP}/ask.sock"
    home.gatewayd(f"Socket={kernel.TOP}/ask.sock", "[Rule]\nAction=ask\n")
    home.command("add", "4080:8080", "--lifetime", "1h", status=6)
    first, = home.command.json(control, "gateway", "pending")["pending"]
    if first["mac"] is None:
        raise AssertionError("whoever asks is known by its link-layer address")
    made_up = [f"10.77.0.{last}" for last in range(100, 160)]
    home.client.ip(*[f"address add {address}/24 dev eth0" for address in made_up])
    # Asked for the first time an address has no link-layer address yet: those share places.
    deadline = time.monotonic() + PATIENCE_S
    waiting = made_up
    while len(waiting) > 16 and time.monotonic() < deadline:
        for address in made_up:
            home.command("--source", address, "add", "4080:8080", "--lifetime", "1h", status=6)
        waiting = home.command.json(control, "gateway", "pending")["pending"]
        expect(len(waiting) <= 65, True, "wishes of one machine")
        expect([wish["id"] for wish in waiting if wish["id"] == first["id"]], [first["id"]],
               "the first one")
    expect(len(waiting), 16, "wishes of one machine, whose link-layer address is known")


@case("the highest status counts, and each mapping is reported")
def one_of_two(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections="[Rule]\nAction=deny\nInternalPort=8080\n" + ALLOW)
    result = home.command("--json", "add", "4080:8080", "4081:8081", status=6)
    made = json.loads(result.out)["mappings"]
    expect([m["state"] for m in made], ["refused", "mapped"], "states")


@case("a filter is confirmed by PCP, and not asked for by a dialect that has none")
def filtered(opened):
    home = Home(opened, PATHS)
    gateway = home.gatewayd()
    for again in (True, False):
        made = home.command.json("add", "4080:8080", "--filter", "11.0.113.2,11.0.114.0/24:53")
        expect([m["filter"] for m in made["mappings"]], ["echoed"], f"made, {again}")
    expect(["filter" in m for m in home.command.json("add", "4080:8080")["mappings"]], [False],
           "without a filter")
    home.command("remove", "4080:8080")
    gateway.kill()
    home.gatewayd("Protocols=natpmp")
    home.command("add", "4080:8080", "--filter", "11.0.113.2", status=5)


@case("a gateway without an outside address is told as that")
def no_address(opened):
    home = Home(opened, PATHS)
    home.gatewayd("ExternalAddress=none")
    home.command("add", "4080:8080", status=8)


@case("without any route there is no gateway, unless one is named")
def no_route(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    home.client.ip("route del default")
    for words in (["discover"], ["status"], ["add", "4080:8080"]):
        result = home.command(*words, status=3)
        expect_in("gateway", result.err, "talk")
    home.command("--gateway", INSIDE, "add", "4080:8080")
    home.command("--gateway", "198.51.100.1", "add", "4081:8081", status=3)


@case("on the gateway itself its ledger is a list for list --all, whatever the provider's box lacks")
def ledger(opened):
    home = Home(opened, PATHS)
    home.gatewayd("External=wan0", backend="nftables")
    home.gateway.ip("route add default via 11.0.113.2")
    home.command("add", "4080:8080", "--name", "web")
    there = home.command_on(home.gateway)
    result = there("--json", "list", "--all")
    listed = json.loads(result.out)["mappings"]
    expect([(m["external_port"], m["internal_address"], m["source"]) for m in listed],
           [(4080, CLIENT, "gateway")], "listed")
    expect_in("The router's own list is left out", result.err, "what is not there")


kernel.enter("nft")
run("".join(sys.argv[3:4]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exposure, with a gateway that really opens ports: every finding provoked once, and
a set-up in which nothing is wrong.

    test_exposure.py COMMAND DAEMON"""
import json
import os
import shutil
import socket
import sys
import threading

import kernel
from cases import Skip, case, expect, expect_in, run
from home import CLIENT, INSIDE, OUTSIDE, Home
from programs import Program, finish

PATHS = sys.argv[1:3]
LISTENER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "listener.py")
WALL = ("table inet wall {\n chain input {\n  type filter hook input priority 0; policy drop;\n"
        "  ct state established,related accept\n  iifname \"lo\" accept\n"
        "  udp sport 5351 accept\n }\n}\n")


def listen(home, name, *ports):
    program = home.opened.enter_context(Program(
        [sys.executable, LISTENER, name, *map(str, ports)], inside=home.client))
    program.wait_text("ready")
    return program


def home_with_miniupnpd(opened):
    home = Home(opened, PATHS)
    home.miniupnpd()
    return home


def findings(home, *words, status=0):
    told = home.command.json("exposure", *words, status=status)
    return [(f["severity"], f["code"]) for f in told["findings"]], told


@case("a port that is meant to be open gives no finding")
def healthy(opened):
    home = home_with_miniupnpd(opened)
    listen(home, "nginx", 8080)
    home.command("add", "4080:8080")
    found, told = findings(home, "--fail-on", "info")
    expect(found, [], "findings")
    expect(len(told["exposed"]), 1, "exposed")
    one = told["exposed"][0]
    expect(one["listener"]["program"], "nginx", "program")
    expect(one["external_port"], 4080, "outside")
    expect(one["firewall"], "open", "firewall")
    expect(one["source"], "lease", "source")


@case("SSH that is mapped is found, with its program, and fails on demand")
def ssh_is_mapped(opened):
    home = home_with_miniupnpd(opened)
    listen(home, "sshd", 2222)
    home.command("add", "4022:2222")
    found, told = findings(home, "--fail-on", "medium", status=12)
    expect(found, [("medium", "sensitive-service")], "findings")
    expect(told["exposed"][0]["listener"]["program"], "sshd", "program")
    text = home.command("exposure").out
    expect_in(f"{OUTSIDE}:4022/tcp → 10.77.0.2:2222: SSH is open to the world (sshd", text, "text")


@case("a port that leads to nobody is found")
def nobody_listens(opened):
    home = home_with_miniupnpd(opened)
    home.command("add", "4080:8080")
    expect(findings(home)[0], [("low", "nobody-listens")], "findings")


@case("what this computer's firewall keeps out is less bad")
def firewall_keeps_out(opened):
    home = home_with_miniupnpd(opened)
    listen(home, "postgres", 5432)
    home.command("add", "4432:5432")
    expect(findings(home)[0], [("high", "sensitive-service")], "findings")
    home.client.nft(WALL)
    found, told = findings(home)
    expect(found, [("low", "sensitive-service")], "findings behind the wall")
    expect(told["exposed"][0]["firewall"], "closed", "firewall")


@case("a gateway that answers at its outside address is found")
def answers_outside(opened):
    home = home_with_miniupnpd(opened)
    outside = home.opened.enter_context(home.gateway.socket(socket.SOCK_DGRAM))
    outside.bind((OUTSIDE, 5351))

    def answer():
        _, caller = outside.recvfrom(64)
        outside.sendto(bytes([0, 128, 0, 0, 0, 0, 0, 9, 11, 0, 113, 1]), caller)
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    expect(findings(home)[0], [("high", "gateway-answers-outside")], "findings")
    thread.join()


@case("a listener on an address the internet reaches needs no gateway")
def direct(opened):
    home = home_with_miniupnpd(opened)
    home.client.ip("address add 2a01:4f8:0:1::2/64 dev eth0 nodad")
    listen(home, "sshd", 22)
    found, told = findings(home)
    expect(found, [("medium", "sensitive-service")], "findings")
    expect({e["source"] for e in told["exposed"]}, {"direct"}, "sources")
    expect({e["external_address"] for e in told["exposed"]}, {"2a01:4f8:0:1::2"}, "addresses")


@case("against a baseline, what is new is told alone")
def baseline(opened):
    home = home_with_miniupnpd(opened)
    listen(home, "sshd", 2222, 8080)
    home.command("add", "4022:2222")
    known = home.file("known.json", home.command("exposure", "--json").out)
    found, told = findings(home, "--baseline", known, "--fail-on", "info")
    expect((found, told["exposed"]), ([], []), "nothing new")
    home.command("add", "4080:8080")
    found, told = findings(home, "--baseline", known, "--fail-on", "info", status=12)
    expect([e["external_port"] for e in told["exposed"]], [4080], "new")
    expect(found, [("medium", "sensitive-service")], "new findings")
    expect_in("it has no list", json.loads(open(known, encoding="utf-8").read())["missing"][0],
              "missing")


def upnpc(home, *words):
    if shutil.which("upnpc") is None:
        raise Skip("upnpc is not installed")
    result = finish(["upnpc", *words], inside=home.client)
    expect(result.status, 0, result.out + result.err)


@case("what other programs opened by UPnP, without end, twice, or for others, is found")
def by_upnp(opened):
    home = Home(opened, PATHS)
    # In version 2 of the protocol no program can ask for ever; the router's own page can.
    kept = home.file("leases", f"TCP:8082:{CLIENT}:8080:0:for ever\n")
    home.miniupnpd(natpmp=False, upnp=True, more=f"lease_file={kept}\n")
    home.client.ip("address add 10.77.0.9/24 dev eth0")
    listen(home, "nginx", 8080)
    found, told = findings(home)
    expect(found, [("low", "endless-lease")], "without end")
    expect([(e["description"], e["source"]) for e in told["exposed"]], [("for ever", "igd")],
           "whose")
    upnpc(home, "-d", "8082", "tcp")
    upnpc(home, "-e", "web", "-a", CLIENT, "8080", "8080", "tcp", "600")
    expect(findings(home, "--method", "igd")[0], [], "a lease that ends, to a program that listens")
    upnpc(home, "-e", "web too", "-a", CLIENT, "8080", "8081", "tcp", "600")
    expect(findings(home)[0], [("low", "several-mappings")], "two ports for one")
    upnpc(home, "-d", "8081", "tcp")
    upnpc(home, "-d", "8080", "tcp")
    other = home.command_on(home.client)
    other.env = other.env | {"XDG_STATE_HOME": home.file("other")}
    other("--method", "igd", "--source", "10.77.0.9", "add", "8090", "--name", "camera")
    home.client.ip("address del 10.77.0.9/24 dev eth0")
    found, told = findings(home)
    expect(found, [("low", "foreign-host")], "another computer's")
    expect(told["exposed"][0]["listener"], None, "listener")


@case("UPnP that answers beside NAT-PMP is found, and what natpmpc opened is told by it")
def upnp_beside(opened):
    home = Home(opened, PATHS)
    home.miniupnpd(upnp=True)
    listen(home, "nginx", 8080)
    home.command("add", "4080:8080", "--name", "web")
    found, told = findings(home)
    expect(found, [("low", "upnp-answers")], "findings")
    expect([(e["name"], e["sources"]) for e in told["exposed"]], [("web", ["lease", "igd"])],
           "one line for both")


@case("without a gateway the rest is still told")
def no_gateway(opened):
    home = Home(opened, PATHS)
    found, told = findings(home, "--timeout", "1s")
    expect(found, [], "findings")
    expect_in(INSIDE, told["missing"][0], "missing")


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[3:4]))

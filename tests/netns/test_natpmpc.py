#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's natpmpc against tenforward-gatewayd: another's client is served.

    test_natpmpc.py COMMAND DAEMON"""
import re
import sys

import kernel
from cases import case, expect, expect_in, run
from home import ALLOW, CLIENT, INSIDE, OUTSIDE, Home
from programs import finish

PATHS = sys.argv[1:3]


def natpmpc(home, *words, status=0):
    result = finish(["natpmpc", "-g", INSIDE, *words], inside=home.client)
    if result.status != status:
        raise AssertionError(f"natpmpc {' '.join(words)}: wanted {status}, got {result.status}\n"
                             f"{result.out}{result.err}")
    return result


@case("natpmpc is told the outside address")
def tells_the_address(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    expect_in(f"Public IP address : {OUTSIDE}", natpmpc(home).out, "output")


@case("natpmpc opens a port and closes it again, for TCP and UDP")
def maps_and_deletes(opened):
    home = Home(opened, PATHS)
    daemon = home.gatewayd()
    for protocol in ("tcp", "udp"):
        made = natpmpc(home, "-a", "4080", "8080", protocol, "600")
        line = f"Mapped public port 4080 protocol {protocol.upper()} to local port 8080 liftime 600"
        expect_in(line, made.out, "output")
        gone = natpmpc(home, "-a", "4080", "8080", protocol, "0")
        expect_in("to local port 8080 liftime 0", gone.out, "output of delete")
        daemon.wait_line(lambda line: CLIENT in line and "8080" in line and protocol in line)


@case("natpmpc is given another port when the one it asks for is taken")
def another_port(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    home.client.ip("address add 10.77.0.3/24 dev eth0")
    home.command("--source", "10.77.0.3", "add", "4080:9090")
    made = natpmpc(home, "-a", "4080", "8080", "tcp", "600")
    port = re.search(r"Mapped public port (\d+)", made.out)
    if port is None or int(port.group(1)) in (0, 4080):
        raise AssertionError(made.out)


@case("natpmpc is refused what no rule allows")
def refused(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections="[Rule]\nAction=deny\nInternalPort=8080\n" + ALLOW)
    made = natpmpc(home, "-a", "4080", "8080", "tcp", "600", status=1)
    expect_in("readnatpmpresponseorretry() failed", made.out + made.err, "output")


@case("natpmpc is told that there is no outside address")
def no_address(opened):
    home = Home(opened, PATHS)
    home.gatewayd("ExternalAddress=none")
    result = natpmpc(home, status=1)
    expect_in("network failure", result.out + result.err, "output")


kernel.enter("natpmpc")
run("".join(sys.argv[3:4]))

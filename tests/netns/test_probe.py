#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""list --probe: what other programs opened for this host is found at a gateway that
has no list, and nothing is changed by looking.

    test_probe.py COMMAND DAEMON"""
import os
import re
import shutil
import subprocess
import sys

import kernel
from cases import Skip, case, comment, expect, expect_in, run
from home import CLIENT, INSIDE, Home
from programs import finish

PATHS = sys.argv[1:3]


def rules_of(home):
    """What the gateway's kernel has, without the counters of packets."""
    with home.gateway:
        text = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True,
                              check=True).stdout
    return re.sub(r"packets \d+ bytes \d+", "", text)


def by_natpmpc(home, external, internal, protocol):
    if shutil.which("natpmpc") is None:
        raise Skip("natpmpc is not installed")
    done = finish(["natpmpc", "-g", INSIDE, "-a", str(external), str(internal), protocol, "3600"],
                  inside=home.client)
    expect(done.status, 0, done.out + done.err)


def probe(home, span, status=0):
    result = home.command("list", "--probe", "--range", span, status=status)
    comment(result.out + result.err)
    told = home.command.json("list", "--probe", "--range", span, status=status)["mappings"]
    return result, [(m["internal_port"], m["protocol"], m["sources"]) for m in told]


@case("what another program opened is found at miniupnpd, and its rules stay the same")
def another_program(opened):
    home = Home(opened, PATHS)
    home.miniupnpd()
    by_natpmpc(home, 14000, 4000, "tcp")
    by_natpmpc(home, 14007, 4007, "udp")
    home.command("add", "14050:4050", "--name", "web")
    before = rules_of(home)
    expect_in("4000", before, "rules before")
    result, found = probe(home, "3990-4060")
    expect(rules_of(home), before, "rules after")
    expect(sorted(found), [(4000, "tcp", ["probe"]), (4007, "udp", ["probe"]),
                           (4050, "tcp", ["lease", "probe"])], "found")
    expect_in("web", result.out, "our own name")
    expect_in("lease, probe", result.out, "both sources")


@case("at a gateway of ours, too")
def gateway_of_ours(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    other = home.command_on(home.client)
    other.env = other.env | {"XDG_STATE_HOME": home.file("other")}
    other("add", "4000", "4001/udp")
    _, found = probe(home, "3990-4010")
    expect(sorted(found), [(4000, "tcp", ["probe"]), (4001, "udp", ["probe"])], "found")
    expect(sorted(m["internal_port"] for m in other.json("list")["mappings"]), [4000, 4001],
           "still there")
    other("remove", "--all")
    expect(probe(home, "3990-4010")[1], [], "after they were removed")


@case("a gateway without PCP is not probed")
def without_pcp(opened):
    home = Home(opened, PATHS)
    home.gatewayd("Protocols=natpmp")
    result, found = probe(home, "4000", status=5)
    expect(found, [], "found")
    expect_in("it speaks no PCP", result.err, "message")


@case("a probe that was broken off goes on where it was")
def goes_on(opened):
    home = Home(opened, PATHS)
    daemon = home.gatewayd()
    home.command("add", "4000")
    state = home.file("state-client/tenforward/probe")
    with open(state, "w", encoding="utf-8") as file:
        file.write(f"tenforward-probe 1 {INSIDE} {CLIENT} 4000-4100 4050 udp/4009 end\n")
    result = home.command("list", "--probe", "--range", "4000-4100")
    expect_in("An earlier probe got to port 4050", result.err, "note")
    expect_in("4009", result.out, "what was found then")
    expect(os.path.exists(state), False, "memory of a probe that is done")
    daemon.kill()


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[3:4]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The agent through two routers in a row: one mapping with two hops, held, listed and
removed as one, over restarts of either router and kill -9 of the agent, with connections
from the internet.

    test_through.py COMMAND DAEMON AGENTD [ONLY]"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "agent"))
from agentd import Agent  # noqa: E402
import kernel  # noqa: E402
from cases import case, expect, expect_in, run  # noqa: E402
from diagnosis import PORT, examine, found  # noqa: E402
from programs import PATIENCE_S  # noqa: E402
from routers import OUTER_NAT, is_open_outside, reach_outer, two_routers  # noqa: E402

PATHS = sys.argv[1:3]
AGENTD = sys.argv[3]
GAME = f"[Mapping]\nName=game\nForward=4080:{PORT}\nLifetime=20s\nThrough=yes\n"
OUTSIDE = ("11.0.113.9", 4080)


def agent_at(opened, home, config=GAME):
    agent = Agent(opened, AGENTD, config, inside=home.client).start()
    home.socket = ("--socket", agent.socket)
    return agent


def outside(mapping):
    return mapping["external_address"], mapping["external_port"]


def wait_open(home, agent, wanted=True):
    deadline = time.monotonic() + PATIENCE_S
    while is_open_outside(home) != wanted:
        expect(time.monotonic() < deadline, True, agent.program.transcript())
        time.sleep(0.05)


def expect_held(home, agent):
    """Open, and one mapping to everybody who asks."""
    wait_open(home, agent)
    expect(reach_outer(home), b"you said hello", "from outside")
    expect([(m["name"], outside(m), m["through"], m["state"]) for m in agent.mappings()],
           [("game", OUTSIDE, "10.20.0.1", "mapped")], "by the API")
    listed = home.command.json(*home.socket, "list")["mappings"]
    expect([(m["name"], outside(m), m["through"]) for m in listed],
           [("game", OUTSIDE, "10.20.0.1")], "list")


def open_at(home, host, name):
    """What a router has open, by its own word."""
    told = home.command_on(host).json("--socket", home.file(f"{name}.sock"), "gateway", "list")
    return told["mappings"]


def open_ports(home):
    return [len(open_at(home, home.gateway, "inner")), len(open_at(home, home.outer_host, "outer"))]


def wait_ports(home, agent, wanted):
    deadline = time.monotonic() + PATIENCE_S
    while open_ports(home) != wanted:
        expect(time.monotonic() < deadline, True, agent.program.transcript())
        time.sleep(0.05)


def wait_shut(home, agent):
    wait_open(home, agent, False)
    wait_ports(home, agent, [0, 0])


@case("a declared mapping is held at both routers, renewed, and given up at both at the end")
def held(opened):
    home = two_routers(opened, PATHS, True, backend="nftables")
    home.echo(PORT)
    agent = agent_at(opened, home)
    event, _ = agent.wait("mapped", "game")
    expect((outside(event["mapping"]), event["mapping"]["through"]), (OUTSIDE, "10.20.0.1"), event)
    expect_held(home, agent)
    agent.wait("renewed", "game")
    expect(open_ports(home), [1, 1], "at the routers")
    _, told = examine(home, *home.socket, f"{PORT}/tcp")
    expect(found(told), [], told)
    expect(agent.end()[0], 0, "exit status")
    wait_shut(home, agent)


@case("it outlives restarts of either router without its state, and kill -9 of the agent")
def survives(opened):
    home = two_routers(opened, PATHS, True, backend="nftables")
    home.echo(PORT)
    agent = agent_at(opened, home)
    agent.wait("mapped", "game")
    expect_held(home, agent)
    home.outer.end()
    shutil.rmtree(home.file("outer-state"))  # as after a loss of power
    home.outer_host.nft("flush ruleset\n" + OUTER_NAT)
    expect(is_open_outside(home), False, "while the outer router forwards nothing")
    home.outer = home.start_outer()
    expect_held(home, agent)
    home.inner.end()
    shutil.rmtree(home.file("inner-state"))
    home.gateway.nft("flush ruleset\n" + OUTER_NAT)
    expect(is_open_outside(home), False, "while the inner router forwards nothing")
    home.inner = home.start_inner()
    expect_held(home, agent)
    agent.kill()
    expect(reach_outer(home), b"you said hello", "while there is no agent")
    agent.start()
    agent.wait("mapped", "game")
    expect_held(home, agent)
    expect(open_ports(home), [1, 1], "nothing was made twice")
    agent.kill()
    agent.config = ""
    agent.start()
    wait_shut(home, agent)  # nobody declares it any more: both hops are given up
    expect(agent.mappings(), [], "held")


@case("add --through has the agent hold it, a pair too, and remove takes both hops away")
def by_command(opened):
    home = two_routers(opened, PATHS, True, backend="nftables")
    home.echo(PORT)
    agent = agent_at(opened, home, "")
    made = home.command.json(*home.socket, "add", f"4080:{PORT}/both", "--through", "--name",
                             "game")["mappings"]
    expect([(m["protocol"], outside(m)) for m in made], [("tcp", OUTSIDE), ("udp", OUTSIDE)], made)
    wait_open(home, agent)
    expect(open_ports(home), [2, 2], "at the routers")
    home.command(*home.socket, "remove", f"4080:{PORT}/both")
    wait_shut(home, agent)
    wish = {"forward": str(PORT), "through": True, "follow": True}
    answer = agent.ask("POST", "/v1/mappings", wish, want=400)
    expect_in("do not go together", answer["error"]["text"], "error")


@case("an outer router that is not there is told, and used once it is")
def found_later(opened):
    home = two_routers(opened, PATHS, True, backend="nftables")
    home.echo(PORT)
    home.outer_host.nft("table ip grave {\n chain out {\n  type filter hook output priority 0;\n"
                        "  icmp type time-exceeded drop\n }\n}\n")
    agent = agent_at(opened, home)
    event, _ = agent.wait("lost", "game")
    expect_in("The outer router: It cannot be found", event["mapping"]["error"]["text"], "text")
    home.outer_host.nft("delete table ip grave\n")
    agent.wait("mapped", "game")
    expect_held(home, agent)


@case("by an interface that is named, and to a new port when the inner router gives another one")
def by_interface(opened):
    home = two_routers(opened, PATHS, True, backend="nftables")
    home.echo(PORT)
    agent = agent_at(opened, home, GAME + "Interface=eth0\n")
    agent.wait("mapped", "game")
    expect_held(home, agent)
    home.inner.end()
    shutil.rmtree(home.file("inner-state"))
    home.gateway.nft("flush ruleset\n" + OUTER_NAT)
    home.inner_rules = "[Rule]\nAction=deny\nExternalPort=4080\n"
    expect(is_open_outside(home), False, "while the inner router forwards nothing")
    home.inner = home.start_inner()
    expect_held(home, agent)  # the port outside stays what it was
    wait_ports(home, agent, [1, 1])  # what led to the old port is given up
    inner, = open_at(home, home.gateway, "inner")
    expect(inner["external_port"] != 4080, True, inner)


@case("where one router has a public address, Through=yes changes nothing")
def one_router(opened):
    home = two_routers(opened, PATHS, False)
    home.inner.end()
    home.gatewayd("ExternalAddress=11.0.113.5")
    agent = agent_at(opened, home)
    event, _ = agent.wait("mapped", "game")
    expect((outside(event["mapping"]), "through" in event["mapping"]),
           (("11.0.113.5", 4080), False), event)


@case("PCP at the outer router: an error from our own address, a port when we claim the inner's")
def by_pcp(opened):
    home = two_routers(opened, PATHS, True)
    ask = ("--gateway", "10.20.0.1", "raw", "pcp-map", "4080:4080/tcp")
    expect_in("12 ADDRESS_MISMATCH", home.command(*ask).out, "from the address we have")
    claimed = home.command(*ask, "--client", "10.20.0.14").out
    expect_in("0 SUCCESS", claimed, "as if we were the inner router")
    expect_in("assigned external address: 11.0.113.9", claimed, "outside")


kernel.enter("nft")
run("".join(sys.argv[4:5]))

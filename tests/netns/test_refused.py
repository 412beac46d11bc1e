#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""doctor where the router is asked and says no: by its policy, for want of room, or to
the one port that was insisted on. The agent asks, for doctor opens nothing.

    test_refused.py COMMAND DAEMON AGENTD [ONLY]"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "agent"))
from agentd import Agent  # noqa: E402
import kernel  # noqa: E402
from cases import case, expect, expect_in, run  # noqa: E402
from diagnosis import PORT, examine, found, healthy_home, listen, step_of  # noqa: E402
from home import CLIENT, Home  # noqa: E402

PATHS = sys.argv[1:3]
AGENTD = sys.argv[3]
LOW = 80  # miniupnpd's rules and ours keep from opening ports below 1024
RULES = ("[Rule]\nAction=deny\nInternalPort=1-1023\n"
         "[Rule]\nAction=allow\nClient=0.0.0.0/0\nMaxMappings=1\n")


def agent_with(opened, home, *mappings, keys=""):
    """An agent on the client that wants these, and a command that asks it."""
    config = "".join(f"[Mapping]\nName=m{at}\n{mapping}\n" for at, mapping in enumerate(mappings))
    agent = Agent(opened, AGENTD, config, inside=home.client, agent_keys=keys).start()
    return agent


def examine_port(home, port, status, agent):
    steps, told = examine(home, "--socket", agent.socket, f"{port}/tcp", status=status)
    return steps, told


def expect_refused(home, agent, port):
    agent.wait("refused", "m0")
    _, told = examine_port(home, port, 6, agent)
    expect(found(told), ["refused", "not-granted"], told)
    expect_in("tenforward add any:", step_of(told, "policy")["advice"], "advice")
    expect(told["verdict"], "Your friend cannot connect because the router refuses this port.",
           "verdict")
    _, told = examine(home, "--socket", agent.socket, f"{port}/tcp", verb="check", status=11)
    expect(found(told), ["not-granted"], told)


@case("our gateway's policy refuses the agent, by PCP and by NAT-PMP")
def refused_by_ours(opened):
    for method in ("pcp", "natpmp"):
        home = Home(opened, PATHS)
        home.gatewayd(sections=RULES)
        listen(home, "minecraft", LOW)
        agent = agent_with(opened, home, f"Forward={LOW}", keys=f"Method={method}")
        expect_refused(home, agent, LOW)


@case("miniupnpd's rules refuse the agent, by PCP, NAT-PMP and UPnP")
def refused_by_miniupnpd(opened):
    for method in ("pcp", "natpmp", "igd"):
        home = Home(opened, PATHS)
        if method == "igd":
            home.miniupnpd(upnp=True, natpmp=False)
        else:
            home.quiet_miniupnpd()
        listen(home, "minecraft", LOW)
        agent = agent_with(opened, home, f"Forward={LOW}", keys=f"Method={method}")
        expect_refused(home, agent, LOW)


@case("without an agent nobody is asked: doctor says how to find out, and add is refused")
def refused_without_agent(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections=RULES)
    listen(home, "minecraft", LOW)
    steps, told = examine(home, f"{LOW}/tcp", status=11)
    expect((steps["policy"], found(told)), (None, ["not-opened"]), told)
    expect_in(f"see: tenforward add {LOW}/tcp", step_of(told, "policy")["seen"], "seen")
    expect_in("refuse", home.command("add", f"{LOW}/tcp", status=6).err, "add")


@case("a quota that is used up is told apart from a policy")
def no_room(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections=RULES)
    listen(home, "minecraft", PORT)
    home.command("--direct", "add", "4081:8081")
    agent = agent_with(opened, home, f"Forward={PORT}")
    agent.wait("refused", "m0")
    _, told = examine_port(home, PORT, 7, agent)
    expect(found(told), ["no-room", "not-granted"], told)
    expect_in("no room for one more port", told["verdict"], "verdict")


@case("a port that is insisted on and belongs to another is told as that")
def port_not_given(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    home.client.ip("address add 10.77.0.3/24 dev eth0")
    listen(home, "minecraft", PORT)
    home.command("--direct", "--source", "10.77.0.3", "add", f"4080:{PORT}")
    agent = agent_with(opened, home, f"Forward=4080:{PORT}\nExact=yes")
    agent.wait("refused", "m0")
    home.command("--direct", "--source", "10.77.0.3", "remove", "m1")
    _, told = examine_port(home, PORT, 9, agent)
    expect(found(told), ["port-not-given", "not-granted"], told)
    expect_in("Exact=", step_of(told, "policy")["advice"], "advice")


@case("what was opened and is refused when --heal asks again")
def not_reopened(opened):
    home = Home(opened, PATHS)
    listen(home, "minecraft", PORT)
    daemon = home.gatewayd()
    home.command("add", f"4080:{PORT}")
    home.age_leases(60)
    daemon.end()
    home.gatewayd(sections=RULES.replace("1023", "9999"))
    _, told = examine(home, f"{PORT}/tcp", "--heal", verb="check", status=11)
    expect(found(told)[-1], "not-reopened", told)
    expect_in("could not be opened again", step_of(told, "mapping")["seen"], "seen")


@case("an agent that holds what it wants gives no finding")
def healthy(opened):
    home = healthy_home(opened, PATHS, opens=False)
    listen(home, "minecraft", PORT)
    agent = agent_with(opened, home, f"Forward=4080:{PORT}")
    agent.wait_mapped("m0")
    steps, told = examine_port(home, PORT, 0, agent)
    expect((steps["policy"], found(told)), (True, []), told)
    expect_in(f"{CLIENT}:{PORT}", step_of(told, "mapping")["seen"], "mapping")


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[4:5]))

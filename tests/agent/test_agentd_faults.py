#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tenforwardd at a gateway whose packets are lost, doubled, late, cut and from
strangers, that refuses, forgets and changes its mind: what the agent lists and
tells is what the gateway holds.

    test_agentd_faults.py AGENTD GATEWAYD [ONLY]"""
import os
import sys
import time

from agentd import Agent, Gateway, Ledger  # first: it says where the others are
from cases import case, comment, expect, run
from programs import PATIENCE_S

AGENTD, GATEWAYD = sys.argv[1:3]

WEB = "[Mapping]\nName=web\nForward=8080:80\n"
PAIR = "[Mapping]\nName=pair\nForward=any:27015/both\n"
SEED = "\nSeed=20261122"


def is_held(mappings):
    return all(m["state"] in ("mapped", "renewing") for m in mappings)


class Scene:
    """An agent at a gateway with faults, and a port file that others read."""

    def __init__(self, opened, faults):
        self.gateway = Gateway(opened, GATEWAYD, faults=faults + SEED)
        self.agent = Agent(opened, AGENTD, WEB + PAIR, agent_keys=self.gateway.keys_of_agent)
        self.port_file = os.path.join(self.agent.folder, "port")
        self.agent.agent_keys += f"\nPortFile={self.port_file}"
        self.agent.start()

    def holds(self):
        """{internal: external} of the agent's list, when it is mapped."""
        return {f"{m['internal_port']}/{m['protocol']}": str(m["external_port"])
                for m in self.agent.mappings() if m["state"] in ("mapped", "renewing")}

    def agree(self):
        """Waits until the agent lists all, as the gateway has it, and has told so."""
        self.agent.wait_all(is_held, "all are held")
        self.gateway.program.wait_line(
            lambda _: Ledger(self.gateway.program.lines).held == self.holds())
        self.agent.wait_all(lambda all_: all_[0]["delivery"]["state"] == "confirmed", "it is told")
        with open(self.port_file, encoding="utf-8") as file:
            expect(file.read().strip(), self.holds()["80/tcp"], "port file")

    def ask_again(self):
        """Another lifetime makes the agent ask, as soon as it may."""
        for name in ("m1", "m2"):
            self.agent.ask("PATCH", f"/v1/mappings/{name}", {"lifetime": 3600})

    def renewed(self, after):
        with self.agent.events.news:
            return {event["mapping"]["name"] for _, event in self.agent.events.seen[after:]
                    if event["event"] == "renewed"}

    def renew(self):
        """PCP repeats after 3, 6, 12 and 24 s: four lost in a row are a minute."""
        after = len(self.agent.events.seen)
        deadline = time.monotonic() + 4 * PATIENCE_S
        self.ask_again()
        while not {"web", "pair"} <= self.renewed(after):
            if time.monotonic() > deadline:
                raise AssertionError("waited in vain for renewals:\n" +
                                     self.gateway.program.transcript())
            with self.agent.events.news:
                self.agent.events.news.wait(1)

    def kinds(self):
        return {event["event"] for _, event in self.agent.events.seen}


def packets(opened, faults):
    """What the network does to packets costs time and nothing else."""
    scene = Scene(opened, faults)
    scene.agree()
    before = scene.holds()
    scene.renew()
    scene.agree()
    expect(scene.holds(), before, "ports")
    expect(scene.kinds() & {"lost", "refused", "changed", "gateway-restart"}, set(), "events")


for share, sentence in (("Loss=20%", "lost"), ("Duplicate=60%", "doubled"),
                        ("Reorder=50%", "overtaken by others"), ("Delay=50ms-400ms", "late"),
                        ("Truncate=25%", "cut"), ("WrongSource=25%", "from a stranger's port")):
    def one(opened, faults=share):
        packets(opened, faults)
    case(f"packets that are {sentence} cost time and nothing else")(one)


@case("all that happens to packets at once costs time and nothing else")
def all_of_it(opened):
    packets(opened, "Loss=5%\nDuplicate=30%\nReorder=20%\nTruncate=5%\nWrongSource=5%\n"
                    "Delay=1ms-200ms")


@case("one dialect that is not answered leaves the other")
def one_dialect(opened):
    for ignored, method in (("pcp", "natpmp"), ("natpmp", "pcp")):
        scene = Scene(opened, f"Ignore={ignored}")
        scene.agree()
        expect({m["method"] for m in scene.agent.mappings()}, {method}, f"without {ignored}")


@case("a refusal is told as one, and asked about again by the next run")
def refused(opened):
    scene = Scene(opened, "Refuse=100%")
    event, _ = scene.agent.wait("refused", "web")
    expect(event["mapping"]["error"]["code"] in ("refused", "resources"), True, "code")
    mapping = scene.agent.mapping("web")
    expect((mapping["state"], mapping["external_port"]), ("refused", None), "state")
    expect(os.path.exists(scene.port_file), False, "port file")
    comment(mapping["error"]["text"])
    scene.agent.end()
    scene.gateway.restart()
    scene.agent.start()
    scene.agree()


@case("a gateway that forgets, caps, changes ports and loses packets ends up as the agent says")
def everything(opened):
    scene = Scene(opened, "Loss=10%\nDuplicate=20%\nReorder=20%\nTruncate=5%\nWrongSource=5%\n"
                          "OtherPort=30%\nLifetimeCap=8s\nRebootEvery=6s")
    after = 0
    for _ in range(3):
        _, after = scene.agent.wait("gateway-restart", after=after)
    scene.gateway.restart("OtherPort=50%")
    scene.ask_again()
    scene.agree()
    comment(f"{len(scene.agent.events.seen)} events, {sorted(scene.kinds())}")
    status, took = scene.agent.end()
    expect(status, 0, "exit status")
    expect(took < 2, True, f"{took} s")
    scene.gateway.program.wait_line(lambda _: not Ledger(scene.gateway.program.lines).held)


run(sys.argv[3] if len(sys.argv) > 3 else "")

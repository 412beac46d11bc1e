#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How tenforwardd ends, comes back after it was killed, and follows a gateway
that restarts, caps leases and gives other ports.

    test_agentd_life.py AGENTD GATEWAYD [ONLY]"""
import os
import random
import re
import signal
import sqlite3
import sys
import threading

from agentd import (Agent, Gateway, Ledger, internal_of,  # first: it says where the others are
                    is_mapped, is_told)
from cases import case, comment, expect, expect_in, run

AGENTD, GATEWAYD = sys.argv[1:3]
SEED = int(os.environ.get("TENF_TEST_SEED", "20261122"))
CHANGES = 1000
KILLS = 40

WEB = "[Mapping]\nName=web\nForward=8080:80\n"
KEPT = "[Mapping]\nName=kept\nForward=any:443\nPersist=yes\n"
PAIR = "[Mapping]\nName=pair\nForward=any:27015/both\n"


def pair(opened, config="", faults="", start=True):
    gateway = Gateway(opened, GATEWAYD, faults=faults)
    agent = Agent(opened, AGENTD, config, agent_keys=gateway.keys_of_agent)
    if start:
        agent.start()
    return agent, gateway


# ---- The end ----------------------------------------------------------------


@case("SIGTERM gives up what is not to persist, within two seconds")
def ends(opened):
    agent, gateway = pair(opened, WEB + KEPT + PAIR)
    agent.add("any:4000", name="runtime")
    agent.wait_all(lambda all_: len(all_) == 5 and is_mapped(all_), "all are mapped")
    status, took = agent.end()
    expect(status, 0, "exit status")
    expect(took < 2, True, f"{took} s")
    expect(sorted(map(internal_of, gateway.decisions("removed"))),
           ["27015/tcp", "27015/udp", "4000/tcp", "80/tcp"], "removed")


@case("SIGTERM ends within two seconds although the gateway is silent")
def ends_in_silence(opened):
    agent, gateway = pair(opened, WEB + PAIR)
    agent.wait_all(is_mapped, "all are mapped")
    gateway.program.send(signal.SIGSTOP)
    status, took = agent.end()
    expect(status, 0, "exit status")
    expect(took < 2, True, f"{took} s")


@case("what was made at run time is held again after a restart, what was removed is not")
def runtime_again(opened):
    agent, _ = pair(opened, WEB)
    agent.add("any:4000", name="runtime")
    gone = agent.add("any:5000", name="gone")[0]["id"]
    agent.wait_mapped("web", "runtime", "gone")
    agent.ask("DELETE", "/v1/mappings/" + gone)
    agent.wait("removed", "gone")
    agent.end()
    agent.start()
    mappings = agent.wait_all(is_mapped, "all are mapped")
    expect(sorted(m["name"] for m in mappings), ["runtime", "web"], "mappings")


@case("a removal that a silent gateway did not hear is made up for by the next run")
def removal_goes_on(opened):
    agent, gateway = pair(opened, WEB)
    gone = agent.add("any:5000/both", name="gone")[0]["id"]
    agent.wait_all(is_mapped, "all are mapped")
    gateway.program.send(signal.SIGSTOP)
    agent.ask("DELETE", "/v1/mappings/" + gone)
    agent.kill()
    gateway.program.send(signal.SIGCONT)
    agent.start()
    agent.wait_all(lambda all_: [m["name"] for m in all_] == ["web"], "the other is gone")
    expect({"5000/tcp", "5000/udp"} <= set(map(internal_of, gateway.decisions("removed"))), True,
           "removed at the gateway")


@case("what is no more in the configuration at start is given up")
def undeclared(opened):
    agent, gateway = pair(opened, WEB + PAIR)
    agent.wait_all(is_mapped, "all are mapped")
    agent.kill()
    agent.config = WEB
    agent.start()
    agent.wait_all(lambda all_: [m["name"] for m in all_] == ["web"], "the pair is gone")
    expect(sorted(map(internal_of, gateway.decisions("removed"))), ["27015/tcp", "27015/udp"],
           "removed")
    expect(len(gateway.decisions("granted")), 3, "granted, all before")


# ---- SIGKILL ----------------------------------------------------------------


@case("killed and started again it goes on with the same leases")
def same_leases(opened):
    agent, gateway = pair(opened, WEB + KEPT + PAIR)
    agent.add("any:4000", name="runtime")
    before = agent.wait_all(lambda all_: len(all_) == 5 and is_mapped(all_), "all are mapped")
    log = gateway.mark()
    agent.kill()
    agent.start()
    after = agent.wait_all(lambda all_: len(all_) == 5 and is_mapped(all_), "all are mapped")
    for key in ("id", "external_port", "internal_port", "protocol", "name"):
        expect([m[key] for m in after], [m[key] for m in before], key)
    expect(len(gateway.decisions("renewed", log)), 5, "renewed")
    expect(gateway.decisions("granted", log) + gateway.decisions("refused", log), [],
           "granted or refused")


class Model:
    """What the agent said it holds, and the change nobody knows the end of."""

    def __init__(self, chance):
        self.chance = chance
        self.wishes = {}  # forward -> id
        self.unsure = None

    def change(self, agent):
        port = self.chance.randrange(2000, 2060)
        forward = f"any:{port}/{self.chance.choice(('tcp', 'udp'))}"
        self.unsure = forward
        if forward not in self.wishes:
            self.wishes[forward] = agent.add(forward, name=f"p{port}")[0]["id"]
        elif self.chance.randrange(4) == 0:
            agent.ask("PATCH", "/v1/mappings/" + self.wishes[forward], {"lifetime": port})
        else:
            agent.ask("DELETE", "/v1/mappings/" + self.wishes[forward])
            del self.wishes[forward]
        self.unsure = None

    def fits(self, mappings):
        found = [f"any:{m['internal_port']}/{m['protocol']}" for m in mappings]
        # What was removed and made again is there twice until the gateway confirmed the first.
        if len(found) != len(set(found)):
            return False
        return set(found) - {self.unsure} == set(self.wishes) - {self.unsure}

    def learn(self, mappings):
        self.wishes = {f"any:{m['internal_port']}/{m['protocol']}": m["id"] for m in mappings}
        self.unsure = None


def check_store(agent):
    store = sqlite3.connect(os.path.join(agent.state, "agent.db"))
    expect(store.execute("PRAGMA integrity_check").fetchone(), ("ok",), "store")
    store.close()


def change_until_killed(agent, model, chance, changes):
    """Number of changes that were answered before it was killed."""
    killer = threading.Timer(chance.random() * 0.03, agent.program.process.kill)
    killer.start()
    done = 0
    try:
        while done < changes:
            model.change(agent)
            done += 1
    except (OSError, ValueError, EOFError):
        pass
    except Exception as problem:  # http.client's words for a connection that ended
        if agent.program.process.wait(10) is None:
            raise problem from None
    killer.join()
    agent.kill()
    return done


@case("killed again and again during a thousand changes it forgets nothing and has nothing twice")
def thousand_changes(opened):
    comment(f"seed {SEED}")
    chance = random.Random(SEED)
    model = Model(chance)
    agent, gateway = pair(opened)
    done = kills = 0
    while done < CHANGES or kills < KILLS:
        done += change_until_killed(agent, model, chance, 1000)
        kills += 1
        check_store(agent)
        agent.start()
        # A removal that goes on is listed until the gateway confirmed it.
        model.learn(agent.wait_all(lambda all_: model.fits(all_) and is_mapped(all_),
                                   "what it holds is what it said"))
    mappings = agent.wait_all(is_mapped, "all are mapped")
    comment(f"{done} changes, {kills} kills, {len(mappings)} mappings at the end")
    held = {f"{m['internal_port']}/{m['protocol']}": str(m["external_port"]) for m in mappings}
    gateway.program.wait_line(lambda line: Ledger(gateway.program.lines).held == held)
    agent.end()
    gateway.program.wait_line(lambda line: not Ledger(gateway.program.lines).held)


# ---- The gateway changes ----------------------------------------------------


def fifo_hook(agent, events):
    path = os.path.join(agent.folder, "told")
    os.mkfifo(path)
    return path, (f"[Hook]\nOn={events}\nRun=echo $TENFORWARD_EVENT $TENFORWARD_NAME "
                  f"$TENFORWARD_EXTERNAL_PORT > {path}\n")


def hear(path):
    with open(path, encoding="utf-8") as fifo:
        return fifo.readline().split()


@case("a gateway that restarts with another port is an event, told to hooks and the port file")
def other_port(opened):
    agent, gateway = pair(opened, start=False)
    fifo, hook = fifo_hook(agent, "mapped,changed")
    port_file = os.path.join(agent.folder, "port")
    agent.agent_keys += f"\nPortFile={port_file}"
    agent.config = WEB + hook
    agent.start()
    expect(hear(fifo), ["mapped", "web", "8080"], "hook")
    gateway.restart("OtherPort=100%")
    agent.ask("PATCH", "/v1/mappings/m1", {"lifetime": 3600})  # asks at once
    event, _ = agent.wait("changed", "web")
    port = event["mapping"]["external_port"]
    expect(event["before"]["external_port"], 8080, "port before")
    expect(port != 8080, True, "another port")
    expect(hear(fifo), ["changed", "web", str(port)], "hook")
    agent.wait_all(lambda all_: is_told(all_[0]), "all are told")
    with open(port_file, encoding="utf-8") as file:
        expect(file.read().strip(), str(port), "port file")


@case("a gateway that forgets everything again and again is filled again")
def reboots(opened):
    agent, gateway = pair(opened, WEB + PAIR, faults="RebootEvery=5s\nLifetimeCap=8s")
    agent.wait_all(is_mapped, "all are mapped")
    agent.wait("gateway-restart")
    number = gateway.program.wait_text("restarted with epoch 0")
    for port in ("80/tcp", "27015/tcp", "27015/udp"):
        gateway.program.wait_line(
            lambda line, port=port: "granted" in line and internal_of(line) == port, number)
    expect(agent.mapping("web")["external_port"], 8080, "port")


@case("it plans by the lease that was granted, not by the one it asked for")
def granted_lifetime(opened):
    agent, gateway = pair(opened, WEB, faults="LifetimeCap=60s")
    agent.wait_mapped("web")
    mapping = agent.mapping("web")
    expect(mapping["lifetime"], 60, "lifetime")
    expect(mapping["renews_at"] < mapping["expires_at"], True, "renewed before its end")
    agent.kill()
    gateway.restart("LifetimeCap=8s")
    agent.start()
    agent.wait_mapped("web")
    agent.wait("renewed", "web")
    expect_in("for 8 s", gateway.program.lines[gateway.program.wait_text("renewed")], "renewal")


@case("with Follow=yes the port inside becomes what it is outside, and follows it")
def follow(opened):
    agent, gateway = pair(opened, "[Mapping]\nName=f\nForward=any:1/both\nFollow=yes\n")

    def is_followed(mappings):
        ports = {m[key] for m in mappings for key in ("internal_port", "external_port")}
        return len(mappings) == 2 and len(ports) == 1 and is_mapped(mappings)
    first = agent.wait_all(is_followed, "it followed")
    agent.kill()
    agent.start()
    second = agent.wait_all(is_followed, "it followed")
    expect(second[0]["external_port"], first[0]["external_port"], "port after a restart")
    agent.kill()
    gateway.restart()
    blocker = Agent(opened, AGENTD, f"[Mapping]\nForward={first[0]['external_port']}:9\nExact=yes\n",
                    agent_keys=gateway.keys_of_agent).start()
    blocker.wait_all(is_mapped, "somebody else has the port")
    agent.start()
    third = agent.wait_all(is_followed, "it followed")
    expect(third[0]["external_port"] != first[0]["external_port"], True, "another port")


@case("Follow=yes settles too where a port that was given up is kept from others for a while")
def follow_with_ports_withheld(opened):
    gateway = Gateway(opened, GATEWAYD, "ReuseDelayTCP=240s\nReuseDelayUDP=120s")
    agent = Agent(opened, AGENTD, "[Mapping]\nName=f\nForward=any:1/both\nFollow=yes\n",
                  agent_keys=gateway.keys_of_agent).start()

    def is_followed(mappings):
        ports = {m[key] for m in mappings for key in ("internal_port", "external_port")}
        return len(mappings) == 2 and len(ports) == 1 and is_mapped(mappings)
    first = agent.wait_all(is_followed, "it followed")
    agent.kill()
    log = gateway.mark()
    agent.start()
    second = agent.wait_all(is_followed, "it followed")
    expect(second[0]["external_port"], first[0]["external_port"], "port after a restart")
    expect(gateway.decisions("granted", log), [], "granted anew")


run(sys.argv[3] if len(sys.argv) > 3 else "")

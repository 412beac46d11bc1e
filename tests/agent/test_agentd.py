#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tenforwardd and a test gateway on the loopback address, from outside: what is
declared, changed, read again and asked over the API.

    test_agentd.py AGENTD GATEWAYD API OPENAPI [ONLY]"""
import os
import signal
import subprocess
import sys

from agentd import Agent, Events, Gateway, is_mapped, is_told  # first: it says where the others are
from cases import case, comment, expect, expect_in, run

AGENTD, GATEWAYD, API, OPENAPI = sys.argv[1:5]

WEB = "[Mapping]\nName=web\nForward=8080:80\n"
GAME = "[Mapping]\nName=game\nForward=any:27015/both\n"
FILES = "[Mapping]\nName=files\nForward=6881-6884/udp\n"


def pair(opened, config="", keys="", faults=""):
    gateway = Gateway(opened, GATEWAYD, keys, faults)
    agent = Agent(opened, AGENTD, config, agent_keys=gateway.keys_of_agent).start()
    return agent, gateway


def shown(mappings):
    return sorted((m["name"], m["protocol"], m["internal_port"]) for m in mappings)


@case("declared mappings are held: one port, a pair with equal ports, a range")
def declared(opened):
    agent, _ = pair(opened, WEB + GAME + FILES)
    mappings = agent.wait_all(lambda all_: len(all_) == 7 and is_mapped(all_), "all are mapped")
    expect(shown(mappings), [("files", "udp", port) for port in range(6881, 6885)] +
           [("game", "tcp", 27015), ("game", "udp", 27015), ("web", "tcp", 80)], "mappings")
    ports = {m["external_port"] for m in mappings if m["name"] == "game"}
    expect(len(ports), 1, "outside ports of the pair")
    expect(agent.mapping("web")["external_port"], 8080, "the wished port")
    for name in ("6881", "6884"):
        expect(sum(m["internal_port"] == int(name) for m in mappings), 1, name)


@case("mappings are made, renamed and removed over the API, and a wish twice is one")
def over_api(opened):
    agent, gateway = pair(opened)
    made = agent.add("any:4000/both", name="first")
    expect([m["protocol"] for m in made], ["tcp", "udp"], "halves")
    agent.wait_all(is_mapped, "the pair is mapped")
    again = agent.add("any:4000/both", name="second")
    expect([m["id"] for m in again], [m["id"] for m in made], "ids of the same wish")
    expect(len(agent.mappings()), 2, "mappings")
    granted = len(gateway.decisions("granted"))
    changed = agent.ask("PATCH", "/v1/mappings/" + made[0]["id"], {"name": "other",
                                                                   "lifetime": "5m"})
    expect({m["name"] for m in changed["mappings"]}, {"other"}, "new name")
    agent.wait("renewed", "other", holds=lambda e: e["mapping"]["lifetime"] == 300)
    expect(len(gateway.decisions("granted")), granted, "new mappings by a change of lifetime")
    agent.ask("DELETE", "/v1/mappings/" + made[1]["id"])
    agent.wait_all(lambda all_: not all_, "both halves are gone")
    expect(len(gateway.decisions("removed")), 2, "removals at the gateway")
    agent.ask("DELETE", "/v1/mappings/" + made[1]["id"], want=404)
    for wrong in ({}, {"forward": "99999"}, {"forward": "80", "lifetime": 0},
                  {"forward": "80", "method": "smoke"},
                  {"forward": "80", "method": "igd", "namespace": "vpn"}):
        agent.ask("POST", "/v1/mappings", wrong, want=400)


@case("a wish may name each method there is")
def by_each_method(opened):
    agent, gateway = pair(opened)
    for port, method in enumerate(("auto", "pcp", "natpmp", "igd"), 4000):
        expect(len(agent.add(str(port), method=method)), 1, method)
    agent.wait_all(lambda all_: {m["internal_port"] for m in all_ if m["state"] == "mapped"} >=
                   {4000, 4001, 4002}, "the gateway was asked by its own")
    expect(gateway.decisions(":4003/"), [], "asked by NAT-PMP or PCP for what UPnP alone may ask")


@case("as many mappings go through two routers as may, and one more is refused")
def through_limit(opened):
    agent, _ = pair(opened)
    expect(len(agent.add("10000-10255", through=True)), 256, "held")
    told = agent.add("80", through=True, want=429)
    expect(told, None, "one more")
    expect(len(agent.mappings()), 256, "held after that")
    agent.ask("DELETE", f"/v1/mappings/{agent.mappings()[0]['id']}")
    agent.wait_all(lambda held: len(held) == 255, "one is gone")
    expect(len(agent.add("80", through=True)), 1, "one that may be held again")
    agent.kill()
    agent.start()
    expect(len(agent.mappings()), 256, "after a restart")


def reload_by(agent, way):
    if way == "SIGHUP":
        after = len(agent.program.lines)
        agent.program.send(signal.SIGHUP)
        agent.program.wait_text("configuration read", after)
    else:
        agent.ask("POST", "/v1/reload", want=204)


def reload_touches_changes(opened, way):
    agent, gateway = pair(opened, WEB + GAME)
    agent.add("any:4000", name="runtime")
    before = agent.wait_all(lambda all_: len(all_) == 4 and is_mapped(all_), "all are mapped")
    log = gateway.mark()
    agent.write(WEB.replace("web", "site") + FILES)
    reload_by(agent, way)
    after = agent.wait_all(
        lambda all_: len(all_) == 6 and is_mapped(all_), "the new ones are mapped")
    expect(shown(after), [("files", "udp", port) for port in range(6881, 6885)] +
           [("runtime", "tcp", 4000), ("site", "tcp", 80)], "mappings")
    kept = {m["id"]: m["expires_at"] for m in before if m["internal_port"] in (80, 4000)}
    expect({m["id"]: m["expires_at"] for m in after if m["id"] in kept}, kept, "not touched")
    news = gateway.decisions(":80/", log) + gateway.decisions(":4000/", log)
    expect(news, [], "packets about what did not change")
    expect(len(gateway.decisions("removed", log)), 2, "removals")
    expect(len(gateway.decisions("granted", log)), 4, "new ones")


@case("a reload by signal touches what changed, and nothing else")
def reload_by_signal(opened):
    reload_touches_changes(opened, "SIGHUP")


@case("a reload over the API touches what changed, and nothing else")
def reload_by_api(opened):
    reload_touches_changes(opened, "POST")


@case("a mistake is told with file and line, and what was in force stays")
def mistake(opened):
    agent, gateway = pair(opened, WEB)
    agent.wait_mapped("web")
    log = gateway.mark()
    agent.write(WEB + "[Mapping]\nForwad=99\n")
    failure = agent.ask("POST", "/v1/reload", want=422)["error"]
    line = agent.whole_config().splitlines().index("Forwad=99") + 1
    expect_in(f"{agent.config_path}:{line}: ", failure["text"], "where")
    expect_in("Forward", failure["text"], "what would be right")
    agent.program.send(signal.SIGHUP)
    agent.program.wait_text("stays in force")
    expect(shown(agent.mappings()), [("web", "tcp", 80)], "mappings")
    expect(agent.mapping("web")["state"], "mapped", "state")
    expect(gateway.decisions(":80/", log), [], "packets")


@case("hooks and applications that are new after a reload hear of what is held")
def introduced(opened):
    agent, _ = pair(opened, WEB)
    agent.wait_mapped("web")
    port_file = os.path.join(agent.folder, "port")
    agent.write(WEB + f"[Hook]\nFile={port_file}\n")
    reload_by(agent, "POST")
    agent.wait_all(lambda all_: is_told(all_[0]), "it is told")
    with open(port_file, encoding="utf-8") as file:
        expect(file.read().strip(), "8080", "port file")


@case("events are resumed where a listener left, and remembered as history")
def resumed(opened):
    agent, _ = pair(opened, WEB)
    agent.wait_mapped("web")
    first = Events(agent.socket)
    opened.callback(first.close)
    _, number = first.wait(lambda e: e["event"] == "mapped", "mapped")
    last_id = first.seen[number - 1][0]
    first.close()
    agent.add("any:4000", name="later")
    agent.wait_mapped("later")
    second = Events(agent.socket, last_id)
    opened.callback(second.close)
    event, _ = second.wait(lambda e: e["event"] == "mapped", "mapped")
    expect(event["mapping"]["name"], "later", "first after the last that was seen")
    again = [event["mapping"]["name"] for _, event in second.seen if event["mapping"]]
    expect("web" in again, False, "told twice")
    history = agent.ask("GET", "/v1/history")["events"]
    expect([e["mapping"]["name"] for e in history if e["event"] == "mapped"], ["web", "later"],
           "history")
    history = agent.ask("GET", "/v1/history?port=8080")["events"]
    expect({e["mapping"]["name"] for e in history}, {"web"}, "history of a port")
    agent.ask("GET", "/v1/history?port=none", want=400)


@case("status, metrics, health and the plain port are there for who looks")
def looked_at(opened):
    agent, gateway = pair(opened, GAME)
    mapping = agent.wait_all(lambda all_: is_mapped(all_), "mapped")[0]
    status = agent.ask("GET", "/v1/status")
    expect(status["agent"]["running"], True, "running")
    expect([(g["address"], g["port"]) for g in status["gateways"]],
           [("127.0.0.1", gateway.port)], "gateways")
    expect(agent.ask("GET", "/healthz"), "ok\n", "health")
    expect(agent.ask("GET", "/v1/portforward"), {"port": mapping["external_port"]}, "port")
    metrics = agent.ask("GET", "/metrics")
    expect_in('tenforward_mappings{state="mapped"} 2\n', metrics, "metrics")
    expect_in("tenforward_packets_sent_total ", metrics, "metrics")


@case("the API is as it is described")
def as_described(opened):
    agent, _ = pair(opened, WEB)
    agent.wait_mapped("web")
    done = subprocess.run([sys.executable, API, OPENAPI, "agent", agent.socket], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    bad = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    comment("\n".join(bad) + done.stderr)
    expect(done.returncode, 0, "exit status of the checker")


@case("the environment alone configures")
def environment(opened):
    gateway = Gateway(opened, GATEWAYD)
    agent = Agent(opened, AGENTD)
    env = {"PATH": os.environ["PATH"], "HOME": agent.folder, "TENFORWARD_SOCKET": agent.socket,
           "TENFORWARD_STATE": agent.state, "TENFORWARD_GATEWAY": gateway.address,
           "TENFORWARD_FORWARD": "any:4000/tcp 4001:4001/udp", "TENFORWARD_NAME": "box"}
    agent.start_bare(env)
    mappings = agent.wait_all(lambda all_: len(all_) == 2 and is_mapped(all_), "both are mapped")
    expect(shown(mappings), [("box", "tcp", 4000), ("box", "udp", 4001)], "mappings")
    expect(agent.end()[0], 0, "exit status")


run(sys.argv[5] if len(sys.argv) > 5 else "")

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an administrator sees of a running gateway over its control API, and
what it does then. Real sockets on the loopback address, no root.

    test_govern.py TENFORWARD-GATEWAYD
"""
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

from govern import OUTSIDE, PATIENCE_S, Governed  # first: it says where the others are
from cases import Skip, case, expect, expect_in, run

GATEWAYD = sys.argv[1]


@case("who holds what is listed with client, rule and times")
def listed(opened):
    g = Governed(opened, GATEWAYD)
    expect(g.mappings(), [], "mappings of a fresh gateway")
    expect(g.natpmp(8080, 80, client="127.0.0.7")[:2], (0, 80), "grant")
    mapping, = g.mappings()
    expect({key: mapping[key] for key in ("protocol", "client", "internal_address", "external_port",
                                          "external_address", "method", "source", "renewals")},
           {"protocol": "tcp", "client": "127.0.0.7", "internal_address": "127.0.0.7",
            "external_port": 80, "external_address": OUTSIDE, "method": "natpmp",
            "source": "gateway", "renewals": 0}, "mapping")
    expect(mapping["rule"]["number"], 1, "rule")
    expect(g.ask("GET", f"/v1/mappings/{mapping['id']}")["mappings"], [mapping], "it alone")
    g.natpmp(8080, 80, client="127.0.0.7")
    expect(g.mappings()[0]["renewals"], 1, "renewals")
    status = g.ask("GET", "/v1/status")
    expect(status["mappings"], 1, "count")
    expect(status["gateways"][0]["external_address"], OUTSIDE, "outside")


@case("a flow that PEER keeps is listed with its remote peer, counted, and can be revoked")
def peer(opened):
    g = Governed(opened, GATEWAYD, keys="Peer=yes\n")
    result, port = g.peer(4000, "9.9.9.9", 443, client="127.0.0.7")
    expect(result, 0, "grant")
    flow, = g.mappings()
    expect({key: flow[key] for key in ("protocol", "client", "internal_port", "external_port",
                                       "method", "opcode", "remote_address", "remote_port")},
           {"protocol": "tcp", "client": "127.0.0.7", "internal_port": 4000,
            "external_port": port, "method": "pcp", "opcode": "peer",
            "remote_address": "9.9.9.9", "remote_port": 443}, "flow")
    expect(g.ask("GET", f"/v1/mappings/{flow['id']}")["mappings"], [flow], "it alone")
    expect(g.ask("GET", "/v1/status")["mappings"], 1, "count")
    metrics = g.metrics()
    expect((metrics["peer_mappings"],
            metrics['client_mappings{client="127.0.0.7",method="pcp-peer"}']), (1, 1), "metrics")
    events = g.listen()
    event, at = events.wait(lambda e: e["event"] == "mapped", "the grant")
    expect(event["mapping"]["remote_address"], "9.9.9.9", "peer")
    expect(g.ask("DELETE", f"/v1/mappings/{flow['id']}")["mappings"][0]["id"], flow["id"], "gone")
    event, _ = events.wait(lambda e: e["event"] == "removed", "its end", at)
    expect((event["end"], event["mapping"]["opcode"]), ("revoked", "peer"), "event")
    expect(g.mappings(), [], "mappings")
    g.ask("DELETE", f"/v1/mappings/{flow['id']}", want=404)
    expect(g.peer(4000, "9.9.9.9", 443, client="127.0.0.7")[0], 2, "asked for again")
    expect(g.peer(4000, "9.9.9.8", 443, client="127.0.0.7")[0], 0, "another flow")


@case("events tell what is decided, also what was decided before anybody listened")
def told(opened):
    g = Governed(opened, GATEWAYD, "[Rule]\nAction=deny\nExternalPort=1-1023\n"
                 "[Rule]\nAction=allow\nInternalPort=1024-65535\n")
    expect(g.natpmp(8080)[0], 0, "grant")
    events = g.listen()
    event, at = events.wait(lambda e: e["event"] == "mapped", "the grant")
    expect(event["mapping"]["internal_port"], 8080, "port")
    expect(g.natpmp(22)[0], 2, "refusal")
    event, at = events.wait(lambda e: e["event"] == "refused", "the refusal", at)
    expect(event["mapping"]["error"]["code"], "refused", "code")
    g.natpmp(8080, lifetime=0)
    events.wait(lambda e: e["event"] == "removed", "the removal", at)
    g.natpmp(9000, lifetime=1)
    _, at = events.wait(lambda e: e["event"] == "mapped", "the short lease", at)
    events.wait(lambda e: e["event"] == "lost", "its end", at)


@case("a listener that comes late sees by the ids that it missed something")
def missed(opened):
    g = Governed(opened, GATEWAYD, keys="MaxMappings=2000\n")
    first = g.listen()
    g.natpmp(1)
    first.wait(lambda e: e["event"] == "mapped", "the first")
    last_id = first.seen[-1][0]
    first.close()
    g.wait_until(lambda: g.metrics()["event_listeners"] == 0, "the listener is gone")
    for port in range(2, 602):
        g.natpmp(port)
    late = g.listen(last_id)
    late.wait(lambda e: e["mapping"]["internal_port"] == 601, "the newest")
    expect(len(late.seen), 256, "events kept")
    expect(int(late.seen[0][0]) - int(last_id), 600 - 256 + 1, "the gap")


@case("faults are shown and changed while it runs, and wrong ones change nothing")
def faults(opened):
    g = Governed(opened, GATEWAYD)
    expect(g.ask("GET", "/v1/faults")["loss"], 0, "loss")
    g.ask("PUT", "/v1/faults", {"refuse": 1, "lifetime_cap": 7, "ignore": "pcp"}, 204)
    expect(g.natpmp(8080)[0], 2, "refused by request")
    for wrong in ({"loss": 2}, {"loss": "much"}, {"colour": 1}, {"delay": []}, {"loss": -1}):
        g.ask("PUT", "/v1/faults", wrong, 400)
    now = g.ask("GET", "/v1/faults")
    expect((now["refuse"], now["lifetime_cap"], now["ignore"]), (1, 7, "pcp"), "faults")
    g.ask("PUT", "/v1/faults", {"WrongSource": True, "delay": 0.001}, 204)
    expect(g.natpmp(8080)[::2], (0, 600), "granted again")
    g.ask("PUT", "/v1/faults", {}, 204)
    expect(g.ask("GET", "/v1/faults")["wrong_source"], 0, "what is not named is off")
    events = g.listen("")
    g.ask("PUT", "/v1/faults", {"reboot_every": "50ms"}, 204)
    events.wait(lambda e: e["event"] == "gateway-restart", "a reboot")


@case("metrics count requests, drops, clients and latency")
def counted(opened):
    g = Governed(opened, GATEWAYD, keys="MaxMappings=100\n")
    for host in range(1, 61):
        for port in (1, 2) if host == 9 else (1,):
            g.natpmp(port, client=f"127.0.1.{host}")
    g.send(b"\0\0")
    m = g.metrics()
    expect(m["mappings"], 61, "mappings")
    expect(m['requests_total{method="natpmp",result="SUCCESS"}'], 62, "requests")
    expect(m['decisions_total{verdict="granted"}'], 61, "grants")
    expect(m['client_mappings{client="127.0.1.9",method="natpmp"}'], 2, "the busiest client")
    expect(sum(name.startswith("client_mappings") for name in m), 51, "clients with a line")
    expect(m['client_mappings{client="others",method="natpmp"}'], 10, "those without")
    expect(m['commit_errors_total{errno="0"}'], 0, "commits that failed")
    expect(m["answer_seconds_count"], 62, "answers timed")
    expect(m['answer_seconds_bucket{le="+Inf"}'], 62, "the last bucket")
    expect(g.ask("GET", "/healthz"), "ok\n", "health")


@case("the socket is for owner and group, and what stands there is not broken")
def guarded(opened):
    g = Governed(opened, GATEWAYD)
    expect(stat.S_IMODE(os.stat(g.socket).st_mode), 0o660, "mode")
    other = Governed(opened, GATEWAYD)
    other.kill()
    other.socket = g.socket
    try:
        other.start()
    except AssertionError as error:
        expect_in("cannot serve the control API", str(error), "why the second does not start")
    else:
        raise AssertionError("two gateways at one socket")
    expect(g.ask("GET", "/healthz"), "ok\n", "the first one still answers")


ASK = ("[Rule]\nAction=ask\nName=sensitive\nExternalPort=1-1023\n"
       "[Rule]\nAction=allow\nName=lan\nExternalPort=1024-65535\n")


@case("a wish that a rule asks about waits for yes or no, and yes lets the next try through")
def asked(opened):
    g = Governed(opened, GATEWAYD, "[Rule]\nAction=ask\nName=sensitive\n")
    events = g.listen()
    expect(g.natpmp(8443, 443, client="127.0.0.61")[0], 2, "not before it was approved")
    event, at = events.wait(lambda e: e["event"] == "pending", "the question")
    wish = event["pending"]
    expect((wish["client"], wish["internal_port"], wish["external_port"], wish["tries"]),
           ("127.0.0.61", 8443, 443, 1), "question")
    g.natpmp(8443, 443, client="127.0.0.61")
    waiting, = g.ask("GET", "/v1/pending")["pending"]
    expect((waiting["id"], waiting["tries"], waiting["state"], waiting["rule"]["name"]),
           (wish["id"], 2, "waiting", "sensitive"), "what waits")
    g.ask("POST", f"/v1/pending/{wish['id']}/approve", want=204)
    event, at = events.wait(lambda e: e["event"] == "pending", "the word", at)
    expect(event["pending"]["state"], "approved", "word")
    expect(bool(event["by"]), True, "whose word")
    expect(g.natpmp(8443, 443, client="127.0.0.61")[:2], (0, 443), "after it was approved")
    expect(g.natpmp(22, 22, client="127.0.0.62")[0], 2, "another host")
    waiting, = (w for w in g.ask("GET", "/v1/pending")["pending"] if w["state"] == "waiting")
    g.ask("POST", f"/v1/pending/{waiting['id']}/deny", want=204)
    g.natpmp(22, 22, client="127.0.0.62")
    event, at = events.wait(lambda e: e["event"] == "refused", "the denial", at)
    expect_in("denied by the administrator", event["mapping"]["error"]["text"], "reason")
    for path in ("/v1/pending/p99/approve", "/v1/pending/m1/deny", "/v1/pending/p/deny"):
        g.ask("POST", path, want=404)


@case("what is revoked is closed, told with the name of who did it, and stays closed")
def revoked(opened):
    g = Governed(opened, GATEWAYD)
    g.natpmp(8080, 80)
    g.natpmp(9090, 90)
    events = g.listen()
    mapping = next(m for m in g.mappings() if m["external_port"] == 80)
    gone = g.ask("DELETE", f"/v1/mappings/{mapping['id']}")["mappings"]
    expect(gone[0]["external_port"], 80, "what was revoked")
    event, _ = events.wait(lambda e: e["event"] == "removed", "the end")
    expect((event["end"], event["mapping"]["id"]), ("revoked", mapping["id"]), "why")
    expect(bool(event["by"]), True, "who")
    expect([m["external_port"] for m in g.mappings()], [90], "what is left")
    expect(g.natpmp(8080, 80)[0], 2, "the next renewal of the client")
    g.ask("DELETE", f"/v1/mappings/{mapping['id']}", want=404)
    expect(any("revoking m" in line for line in g.program.lines), True, "log")


@case("static mappings are made whole or not at all, and no client touches them")
def static(opened):
    g = Governed(opened, GATEWAYD)
    g.natpmp(7, 4002, client="127.0.0.7")
    g.ask("POST", "/v1/mappings", {"forward": "4001-4003:1-3/tcp", "for": "127.0.0.9"}, 409)
    expect(len(g.mappings()), 1, "mappings after one of three ports was taken")
    for wrong in ({}, {"forward": "80"}, {"forward": "any:80", "for": "127.0.0.9"},
                  {"forward": "80", "for": "nobody"}, {"forward": "1-300", "for": "127.0.0.9"},
                  {"forward": "80", "for": "224.0.0.1"}, {"forward": "80", "for": "169.254.1.1"},
                  {"forward": "80", "for": "255.255.255.255"}, {"forward": "80", "for": "fe80::1"},
                  {"forward": "80", "for": "127.0.0.9", "name": "x" * 129}):
        g.ask("POST", "/v1/mappings", wrong, 400)
    events = g.listen()
    made = g.ask("POST", "/v1/mappings", {"forward": "80:8080/both", "for": "127.0.0.9",
                                          "name": "wéb"}, 201)["mappings"]
    expect([(m["protocol"], m["external_port"], m["internal_port"], m["name"], m["expires_at"],
             m["method"], m["rule"]) for m in made],
           [(p, 80, 8080, "wéb", None, None, None) for p in ("tcp", "udp")], "static ones")
    event, _ = events.wait(lambda e: e["event"] == "mapped" and e["mapping"]["external_port"] == 80,
                           "its making")
    expect(bool(event["by"]), True, "who made it")
    g.natpmp(8080, lifetime=0, client="127.0.0.9")
    expect(len(g.mappings()), 3, "mappings after the client wished them away")
    for m in made:
        g.ask("DELETE", f"/v1/mappings/{m['id']}")
    expect(len(g.mappings()), 1, "mappings after they were revoked")


@case("explain names the rule that would decide, and changes nothing")
def explained(opened):
    g = Governed(opened, GATEWAYD, "[Rule]\nAction=deny\nName=no telnet\nInternalPort=23\n" + ASK)

    def explain(client, internal, external=0, more=""):
        answer = g.ask("GET", f"/v1/explain?client={client}&internal_port={internal}"
                       f"&external_port={external}{more}")
        return (answer["granted"], answer["action"], (answer["rule"] or {}).get("number"),
                answer["external_port"])
    expect(explain("127.0.0.5", 8080, 8080), (True, "allow", 3, 8080), "allowed")
    expect(explain("127.0.0.5", 23, 2323)[:3], (False, "deny", 1), "denied")
    expect(explain("127.0.0.5", 8443, 443, "&protocol=udp")[3], None, "another port, free then")
    expect(explain("192.0.2.1", 8080)[:3], (False, "deny", None), "a stranger")
    g.natpmp(9000, 9000, client="127.0.0.5")
    expect(explain("127.0.0.5", 9000, 1234, "&protocol=tcp")[::3], (True, 9000), "open already")
    expect(len(g.mappings()), 1, "mappings")
    expect(g.ask("GET", "/v1/pending")["pending"], [], "questions")
    for wrong in ("", "?client=127.0.0.5", "?client=x&internal_port=1",
                  "?client=127.0.0.5&internal_port=0", "?client=127.0.0.5&internal_port=70000",
                  "?client=127.0.0.5&internal_port=1&protocol=icmp",
                  "?client=127.0.0.5&internal_port=1&mac=zz",
                  "?client=127.0.0.5&internal_port=1&external_port=x",
                  "?client=127.0.0.5&internal_port=1&for=x"):
        g.ask("GET", "/v1/explain" + wrong, want=400)


def history(g, query="", want=200):
    answer = g.ask("GET", "/v1/history" + query, want=want)
    return [(e["event"], (e["mapping"] or {}).get("external_port")) for e in answer["events"]] \
        if want == 200 else answer


@case("the history tells what was open and why it ended, over a kill and a restart")
def remembered(opened):
    g = Governed(opened, GATEWAYD)
    g.keys = f"State={g.folder}/state"
    g.kill()
    g.start()
    g.natpmp(8080, 80, client="127.0.0.7")
    g.natpmp(8080, 80, client="127.0.0.7")
    g.natpmp(9090, 90, client="127.0.0.8")
    g.natpmp(8080, lifetime=0, client="127.0.0.7")
    expect(history(g), [("mapped", 80), ("mapped", 90), ("removed", 80)], "without renewals")
    gone, = (e for e in g.ask("GET", "/v1/history?client=127.0.0.7")["events"]
             if e["event"] == "removed")
    expect((gone["end"], gone["mapping"]["renewals"]), ("deleted", 1), "how it ended")
    expect(history(g, "?port=90"), [("mapped", 90)], "of one port")
    expect(history(g, "?limit=1"), [("removed", 80)], "the newest")
    for wrong in ("?since=x", "?port=0", "?limit=0", "?limit=10001", "?client=me"):
        history(g, wrong, 400)
    g.natpmp(7070, 70)
    g.wait_until(lambda: ("mapped", 70) in history(g), "the last one is there")
    g.program.process.kill()
    g.program.wait()
    g.start()
    expect(history(g)[-1], ("mapped", 70), "after kill -9")
    g.natpmp(6060, 60)
    expect(g.program.end(15), 0, "exit status")
    g.start()
    expect(history(g)[-1], ("mapped", 60), "after the end")


@case("a second one with the same State= is told so while the first goes on")
def started_twice(opened):
    g = Governed(opened, GATEWAYD)
    g.keys = f"State={g.folder}/state"
    g.kill()
    g.start()
    g.natpmp(8080, 80)
    twice = os.path.join(g.folder, "twice.conf")
    with open(twice, "w", encoding="utf-8") as file:
        file.write(g.text().replace(f":{g.port}", ":0"))
    begun = time.monotonic()
    done = subprocess.run([GATEWAYD, "--config", twice], capture_output=True, text=True,
                          timeout=60, check=False)
    took = time.monotonic() - begun
    expect(done.returncode, 1, "exit status")
    expect_in("another gateway has it open", done.stderr, "why")
    if took > 8:  # one that is ending would have had ten seconds
        raise AssertionError(f"took {took:.1f} s")
    expect(history(g), [("mapped", 80)], "of the first")


def clerk_of(g):
    """The process that keeps the history."""
    children = f"/proc/{g.program.process.pid}/task/{g.program.process.pid}/children"
    with open(children, encoding="ascii") as file:
        return int(file.read().split()[0])


def is_dead(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "Z"


@case("without its clerk the gateway goes on, says so, and answers questions with 503")
def bereaved(opened):
    g = Governed(opened, GATEWAYD)
    history(g, want=409)
    g.keys = f"State={g.folder}/state"
    g.kill()
    g.start()
    expect(g.metrics()["history_is_kept"], 1, "clerk")
    os.kill(clerk_of(g), signal.SIGKILL)
    g.program.wait_text("going on without a history and hooks")
    expect(g.natpmp(8080)[0], 0, "grant")
    history(g, want=503)
    expect(g.metrics()["history_is_kept"], 0, "clerk")


@case("a clerk that ends in the middle of a request takes no gateway with it")
def bereaved_in_request(opened):
    class Silent(Governed):
        """Without a control socket."""

        def text(self):
            text = super().text().replace(f"Socket={self.socket}", "Socket=none")
            return text.replace("ReuseDelayTCP=0\n", f"State={self.folder}/state\n")

    g = Silent(opened, GATEWAYD)
    expect(g.natpmp(8080)[0], 0, "grant")
    clerk, pid = clerk_of(g), g.program.process.pid
    os.kill(pid, signal.SIGSTOP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(PATIENCE_S)
        asker.connect(("127.0.0.1", g.port))
        asker.send(struct.pack("!BBHHHI", 0, 2, 0, 8080, 0, 0))  # an end, which is kept
        os.kill(clerk, signal.SIGKILL)
        g.wait_until(lambda: is_dead(clerk), "the clerk is dead")
        os.kill(pid, signal.SIGCONT)
        expect(asker.recv(64)[:4], struct.pack("!BBH", 0, 130, 0), "answer")
    g.program.wait_text("going on without a history and hooks")
    expect(g.natpmp(8081)[0], 0, "grant")


@case("while the disk is slow requests are answered, and what the queue cannot hold is counted")
def slow_disk(opened):
    g = Governed(opened, GATEWAYD, keys="MaxMappings=60000\n")
    g.keys += f"State={g.folder}/state"
    g.kill()
    g.start()
    clerk = clerk_of(g)
    os.kill(clerk, signal.SIGSTOP)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(PATIENCE_S)
            s.connect(("127.0.0.1", g.port))
            for number in range(40000):  # above four mebioctets of events
                s.send(struct.pack(">BBHHHI", 0, 2, 0, number // 2 + 1, number // 2 + 1,
                                   600 * (1 - number % 2)))
                s.recv(64)
        expect(g.metrics()["history_lost_total"] > 0, True, "events lost")
    finally:
        os.kill(clerk, signal.SIGCONT)
    g.natpmp(33333, 33333)
    g.wait_until(lambda: g.ask("GET", "/v1/history?limit=5000", want=None).get("events"),
                 "the queue has room again and what was in it is kept")


STAND_IN = """#!/bin/sh
exec unshare -r -m sh -c '
mount -t tmpfs none /run && mkdir -p /run/systemd/journal &&
mount --bind {folder}/journal /run/systemd/journal || exit 1
JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec {daemon} "$@"' sh "$@"
"""


@case("the journal gets each decision with its fields, and the error output when it is gone")
def journal(opened):
    if subprocess.run(["unshare", "-r", "-m", "mount", "-t", "tmpfs", "none", "/run"],
                      capture_output=True, check=False).returncode:
        raise Skip("no user namespaces")
    g = Governed(opened, GATEWAYD)
    g.kill()
    os.mkdir(f"{g.folder}/journal")
    stand_in = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    stand_in.bind(f"{g.folder}/journal/socket")
    stand_in.settimeout(PATIENCE_S)
    g.path = os.path.join(g.folder, "gatewayd")
    with open(g.path, "w", encoding="utf-8") as file:
        file.write(STAND_IN.format(folder=g.folder, daemon=os.path.abspath(GATEWAYD)))
    os.chmod(g.path, 0o755)
    g.start()
    g.natpmp(8080, 80, client="127.0.0.7")
    entry = stand_in.recv(2000).decode()
    fields = dict(line.split("=", 1) for line in entry.splitlines())
    expect_in("granted 127.0.0.7:8080/tcp", fields["MESSAGE"], "message")
    expect([fields[f"TENFORWARD_{name}"] for name in ("EVENT", "CLIENT", "RULE", "RESULT",
                                                      "EXTERNAL_PORT")],
           ["granted", "127.0.0.7", "1", "SUCCESS", "80"], "fields")
    expect("granted" in g.program.transcript(), False, "the same on the error output")
    os.unlink(f"{g.folder}/journal/socket")
    g.natpmp(8081, 81, client="127.0.0.7")
    g.program.wait_text("granted 127.0.0.7:8081/tcp")


@case("in a namespace without other users it stays who it is and keeps its history")
def alone(opened):
    if subprocess.run(["unshare", "-r", "true"], capture_output=True, check=False).returncode:
        raise Skip("no user namespaces")
    g = Governed(opened, GATEWAYD)
    g.kill()
    g.keys = f"State={g.folder}/state"
    g.path = os.path.join(g.folder, "gatewayd")
    with open(g.path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec unshare -r {os.path.abspath(GATEWAYD)} "$@"\n')
    os.chmod(g.path, 0o755)
    g.start()
    g.natpmp(8080, 80)
    expect(history(g), [("mapped", 80)], "history")


@case("a directory that cannot be is told at start")
def no_place(opened):
    g = Governed(opened, GATEWAYD)
    g.kill()
    g.keys = "State=/proc/nothing"
    try:
        g.start()
    except AssertionError as error:
        expect_in("cannot make the directory /proc/nothing of State=", str(error), "why")
    else:
        raise AssertionError("it started")


@case("reload takes new rules, and a mistake is told and leaves the old ones")
def reloaded(opened):
    g = Governed(opened, GATEWAYD)
    g.rules = "[Rule]\nAction=deny\nName=none\n"
    with open(g.config, "w", encoding="utf-8") as file:
        file.write(g.text())
    g.ask("POST", "/v1/reload", want=204)
    expect(g.natpmp(8080)[0], 2, "by the new rules")
    with open(g.config, "a", encoding="utf-8") as file:
        file.write("Colour=red\n")
    answer = g.ask("POST", "/v1/reload", want=422)
    expect(answer["error"]["code"], "configuration", "code")
    expect_in('there is no key "Colour"', answer["error"]["text"], "mistake")
    expect(g.natpmp(8080)[0], 2, "still by the new rules")


if __name__ == "__main__":
    run()

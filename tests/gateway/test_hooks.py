#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hooks of a running gateway: they hear what was decided, and whatever they do, no
answer is late for it. Real sockets on the loopback address, no root.

    test_hooks.py TENFORWARD-GATEWAYD
"""
import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from govern import ALLOW, OUTSIDE, PATIENCE_S, Governed  # first: it says where the others are
from cases import case, expect, expect_in, run

GATEWAYD = sys.argv[1]
RULES = "[Rule]\nAction=deny\nInternalPort=1-1023\nName=low ports\n" + ALLOW


def hook(folder, command, on="all", more=""):
    """A [Hook] with this command, which stands in a file of its own."""
    name = os.path.join(folder, f"hook{len(os.listdir(folder))}.sh")
    with open(name, "w", encoding="utf-8") as file:
        file.write(command + "\n")
    return f"[Hook]\nOn={on}\nRun=sh {name}\n{more}\n"


def hooked(opened, make, rules=RULES, keys=""):
    """A gateway with the hooks that make(folder) writes."""
    g = Governed(opened, GATEWAYD, rules, keys)
    g.kill()
    os.chmod(g.folder, 0o777)  # the hooks are somebody else, when this is root
    g.more = make(g.folder)
    return g.start()


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def clerk_of(g):
    children = f"/proc/{g.program.process.pid}/task/{g.program.process.pid}/children"
    with open(children, encoding="ascii") as file:
        return int(file.read().split()[0])


@case("a command gets the event as variables and as JSON, without a history too")
def told(opened):
    g = hooked(opened, lambda folder: hook(folder, f"cat >> {folder}/json; echo >> {folder}/json; "
                                           f"env | grep ^TENFORWARD_ | sort > {folder}/new; "
                                           f"mv {folder}/new {folder}/env", "opened refused"))
    expect(g.natpmp(8080, 8081, client="127.0.0.7")[:2], (0, 8081), "grant")
    event = json.loads(g.wait_until(lambda: lines(f"{g.folder}/json"), "the hook ran")[0])
    expect((event["event"], event["mapping"]["external_port"]), ("mapped", 8081), "event")
    found = g.wait_until(lambda: lines(f"{g.folder}/env"), "the environment is written")
    variables = dict(line.split("=", 1) for line in found)
    expires = variables.pop("TENFORWARD_EXPIRES_AT")
    expect(expires, event["mapping"]["expires_at"], "expiry")
    expect(variables, {"TENFORWARD_EVENT": "mapped", "TENFORWARD_NAME": "",
                       "TENFORWARD_PROTOCOL": "tcp", "TENFORWARD_INTERNAL_PORT": "8080",
                       "TENFORWARD_EXTERNAL_PORT": "8081",
                       "TENFORWARD_EXTERNAL_ADDRESS": OUTSIDE, "TENFORWARD_GATEWAY": "127.0.0.1",
                       "TENFORWARD_CLIENT": "127.0.0.7", "TENFORWARD_RULE": "2"}, "variables")
    g.wait_until(lambda: g.metrics()["hooks_told_total"] == 1, "it is counted")
    expect(g.metrics()["history_is_kept"], 0, "history")
    g.natpmp(8080, lifetime=0, client="127.0.0.7")  # which this hook does not want
    expect(g.natpmp(22, 22)[0], 2, "refusal")
    g.wait_until(lambda: "TENFORWARD_RULE=low ports" in lines(f"{g.folder}/env"), "the refusal")
    expect([json.loads(line)["event"] for line in lines(f"{g.folder}/json") if line],
           ["mapped", "refused"], "events")


@case("hooks and a history live in one process, and a hook is told in order")
def in_order(opened):
    g = hooked(opened, lambda folder: hook(folder, "echo $TENFORWARD_EVENT $TENFORWARD_EXTERNAL"
                                           f"_PORT >> {folder}/list"), rules=ALLOW)
    g.kill()
    g.keys = f"State={g.folder}/state"
    g.start()
    for port in range(2000, 2020):
        g.natpmp(port)
    g.natpmp(2000, lifetime=0)
    g.wait_until(lambda: len(lines(f"{g.folder}/list")) >= 21, "all are told")
    expect([line for line in lines(f"{g.folder}/list") if "restart" not in line],
           [f"mapped {port}" for port in range(2000, 2020)] + ["removed 2000"], "order")
    expect(len(g.ask("GET", "/v1/history?limit=50")["events"]), 21, "history")


def reload(g, more):
    """Has it read its configuration again, with other hooks."""
    g.more = more
    with open(g.config, "w", encoding="utf-8") as file:
        file.write(g.text())
    os.chmod(g.config, 0o644)
    after = len(g.program.lines)
    g.ask("POST", "/v1/reload", want=204)
    g.program.wait_text("was read again", after)
    return g.program.lines[after:]


@case("hooks that were changed count as soon as the configuration is read again")
def reloaded(opened):
    g = hooked(opened, lambda folder: hook(folder, f"echo x >> {folder}/first", "opened"),
               rules=ALLOW)
    os.chmod(g.config, 0o644)
    g.natpmp(2000)
    g.wait_until(lambda: lines(f"{g.folder}/first") == ["x"], "the first hook ran")
    second = hook(g.folder, f"echo $TENFORWARD_EXTERNAL_PORT >> {g.folder}/second", "opened")
    said = reload(g, second)
    expect([line for line in said if "Hook" in line], [], "nothing to complain of")
    g.natpmp(2001)
    g.wait_until(lambda: lines(f"{g.folder}/second") == ["2001"], "the second hook ran")
    reload(g, "")
    g.natpmp(2002)
    reload(g, second)
    g.natpmp(2003)
    g.wait_until(lambda: lines(f"{g.folder}/second") == ["2001", "2003"], "it ran again")
    expect(lines(f"{g.folder}/first"), ["x"], "the first one was told nothing more")


@case("a reload that cannot have its hooks told says so, and the rest of it counts")
def reloaded_without_clerk(opened):
    g = Governed(opened, GATEWAYD, ALLOW)
    os.chmod(g.config, 0o644)
    said = reload(g, "[Hook]\nRun=true\n")
    expect(len([line for line in said if "[Hook] is not what the file says" in line
                and "restart it" in line]), 1, said)
    expect(g.natpmp(2000)[0], 0, "it serves")


@case("while a hook hangs requests are answered, its time limit ends it, and drops are counted")
def hanging(opened):
    g = hooked(opened, lambda folder: hook(folder, f"echo $$ >> {folder}/pids; sleep 1000",
                                           "opened", "Timeout=1h"), rules=ALLOW)
    g.natpmp(1999)
    g.wait_until(lambda: lines(f"{g.folder}/pids"), "the hook hangs")
    start = time.monotonic()
    for port in range(2000, 2300):
        expect(g.natpmp(port)[0], 0, f"grant of {port}")
    spent = time.monotonic() - start
    expect(spent < PATIENCE_S, True, f"300 answers took {spent} s; in time")
    # One is being told and 255 wait.
    g.wait_until(lambda: g.metrics()["hooks_dropped_total"] == 301 - 256, "drops are counted")
    expect(g.metrics()["hooks_told_total"], 0, "told")
    pid = int(lines(f"{g.folder}/pids")[0])
    g.program.process.send_signal(signal.SIGTERM)
    g.program.process.wait(PATIENCE_S)
    g.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "it ends with the gateway")


@case("a hook that takes too long is ended and told again")
def late(opened):
    g = hooked(opened, lambda folder: hook(folder, f"echo x >> {folder}/tries; "
                                           f"test -e {folder}/stop || sleep 1000",
                                           "opened", "Timeout=1s"), rules=ALLOW)
    g.natpmp(2000)
    g.program.wait_text("took longer than 1 s")
    open(f"{g.folder}/stop", "w", encoding="ascii").close()
    g.wait_until(lambda: g.metrics()["hooks_told_total"] == 1, "it is told")
    expect(len(lines(f"{g.folder}/tries")) > 1, True, "tries")


@case("what fails is said once, is told again, and holds up no other hook")
def failing(opened):
    def make(folder):
        return hook(folder, f"test -e {folder}/repaired && echo $TENFORWARD_EXTERNAL_PORT >> "
                    f"{folder}/first || {{ echo 'no way'; exit 3; }}", "opened") + \
            hook(folder, f"echo $TENFORWARD_EXTERNAL_PORT >> {folder}/second", "opened")
    g = hooked(opened, make, rules=ALLOW)
    g.natpmp(2000)
    g.natpmp(2001)
    g.program.wait_text("failed with exit status 3")
    g.program.wait_text("no way")
    g.wait_until(lambda: lines(f"{g.folder}/second") == ["2000", "2001"], "the other is told")
    open(f"{g.folder}/repaired", "w", encoding="ascii").close()
    g.wait_until(lambda: lines(f"{g.folder}/first") == ["2000", "2001"], "it is told again")
    g.program.wait_text("works again")
    expect(g.program.transcript().count("failed with exit status"), 1, "complaints")


class Listener(BaseHTTPRequestHandler):
    """Refuses the first POST, and remembers the others."""

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls += 1
        good = self.server.calls > 1
        if good:
            self.server.heard.append((self.headers["Content-Type"], self.path, json.loads(body)))
        self.send_response(204 if good else 503)
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


def serve(opened):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    server.calls, server.heard = 0, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    opened.callback(server.server_close)
    opened.callback(server.shutdown)
    return server


@case("a webhook gets the event as JSON, and again when it was not taken")
def posted(opened):
    server = serve(opened)
    url = f"http://127.0.0.1:{server.server_port}/port?x=secret"
    g = hooked(opened, lambda folder: f"[Hook]\nOn=opened\nWebhook={url}\n", rules=ALLOW)
    g.natpmp(2000)
    g.natpmp(2001)
    g.program.wait_text("answered with status 503")
    g.wait_until(lambda: len(server.heard) == 2, "both are told")
    expect([(kind, path, event["event"], event["mapping"]["external_port"])
            for kind, path, event in server.heard],
           [("application/json", "/port?x=secret", "mapped", port) for port in (2000, 2001)], "posts")
    g.wait_until(lambda: g.metrics()["hooks_told_total"] == 2, "they are counted")
    expect("secret" in g.program.transcript(), False, "a key in the log")


@case("a web server that does not answer holds up no request, and its call is ended in time")
def silent(opened):
    deaf = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
    url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
    g = hooked(opened, lambda folder: f"[Hook]\nWebhook={url}\nTimeout=1s\n", rules=ALLOW)
    start = time.monotonic()
    for port in range(2000, 2300):
        expect(g.natpmp(port)[0], 0, f"grant of {port}")
    spent = time.monotonic() - start
    expect(spent < PATIENCE_S, True, f"300 answers took {spent} s; in time")
    g.program.wait_text("timed out")
    expect(g.metrics()["hooks_told_total"], 0, "told")


@case("a command has none of the gateway's rights and none of its sockets")
def confined(opened):
    g = hooked(opened, lambda folder: hook(folder, "grep -E 'CapEff|NoNewPrivs' /proc/self/"
                                           f"status > {folder}/new; "
                                           f"ls -l /proc/self/fd >> {folder}/new; "
                                           f"mv {folder}/new {folder}/status", "opened"),
               rules=ALLOW)
    g.natpmp(2000)
    found = g.wait_until(lambda: lines(f"{g.folder}/status"), "it ran")
    expect([line.split()[-1] for line in found[:2]], ["0000000000000000", "1"], "rights")
    sockets = [line for line in found if "socket:" in line]
    expect(len(sockets) <= 1, True, f"sockets besides its input: {sockets}")


@case("without the process that runs them the gateway goes on and says so")
def bereaved(opened):
    g = hooked(opened, lambda folder: "[Hook]\nRun=true\n", rules=ALLOW)
    os.kill(clerk_of(g), signal.SIGKILL)
    g.program.wait_text("going on without hooks")
    expect(g.natpmp(2000)[0], 0, "grant")
    expect_in("hooks_told_total", g.metrics(), "metrics")


run()

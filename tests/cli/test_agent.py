#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command with a running agent and a test gateway: real sockets on the
loopback address, no root. And with things at the socket that are no agent.

    test_agent.py TENFORWARD TENFORWARD-GATEWAYD TENFORWARDD
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from test_tenforward import COMMAND, MAPPING_KEYS, TIMEOUT, Gateway, silent_socket

AGENT = sys.argv[3]


class Agent:
    """An agent where a user's would be, and commands that find it there."""

    def __init__(self, port, extra=""):
        self.folder = tempfile.mkdtemp(prefix="tenforward-test-")
        self.socket = os.path.join(self.folder, "tenforward", "agent.sock")
        self.config = os.path.join(self.folder, "agent.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"[Agent]\nSocket={self.socket}\nState={self.folder}/agent\n"
                       f"Gateway=127.0.0.1:{port}\n{extra}")
        self.process = None
        self.start_agent()

    def start_agent(self):
        ready, far = os.pipe()
        self.process = subprocess.Popen([AGENT, "--config", self.config, "--ready-fd", str(far)],
                                        pass_fds=[far], stderr=subprocess.DEVNULL)
        os.close(far)
        with os.fdopen(ready) as lines:
            assert "ready" in lines.readline()

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT)
        shutil.rmtree(self.folder)

    def environment(self):
        return dict(os.environ, XDG_RUNTIME_DIR=self.folder, XDG_STATE_HOME=self.folder, TZ="UTC")

    def run(self, *words):
        return subprocess.run([COMMAND, *words], env=self.environment(), capture_output=True,
                              text=True, timeout=TIMEOUT, check=False)

    def start(self, *words):
        return subprocess.Popen([COMMAND, *words], env=self.environment(), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def json(self, *words, status=0):
        done = self.run("--json", *words)
        assert done.returncode == status, (done.returncode, done.stderr)
        return json.loads(done.stdout)


def test_what_is_added_is_kept_listed_and_removed():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        done = agent.run("add", "8080:80", "--name", "web")
        assert done.returncode == 0 and done.stderr == "", done
        assert done.stdout.startswith("203.0.113.7:8080/tcp → 127.0.0.1:80   web   "
                                      "held by the agent, renews in "), done.stdout
        made = agent.json("add", "any:7000/both", "9000-9002/udp")["mappings"]
        assert len(made) == 5 and {m["state"] for m in made} == {"mapped"}
        assert {m["source"] for m in made} == {"agent"} and set(made[0]) == MAPPING_KEYS
        assert made[0]["external_port"] == made[1]["external_port"]
        assert all(m["renews_at"] for m in made)
        table = agent.run("list").stdout.splitlines()
        assert len(table) == 6 and all(" held " in line for line in table[1:]), table
        assert agent.run("remove", "80", made[0]["id"]).returncode == 0
        assert agent.run("remove", "--all").returncode == 0
        assert agent.json("list") == {"mappings": []}


def test_direct_leases_stand_beside_what_the_agent_keeps():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        at = ("-g", f"127.0.0.1:{gateway.port}", "--direct")
        assert agent.run("add", "8080").returncode == 0
        lease = agent.json("add", "9090", *at)["mappings"][0]
        assert lease["source"] == "lease" and lease["renews_at"] is None
        both = agent.json("list")["mappings"]
        assert [m["source"] for m in both] == ["agent", "lease"]
        assert both[0]["id"] == both[1]["id"] == "m1"
        assert agent.run("remove", "m1").returncode == 2
        assert agent.run("remove", "m1", "--direct").returncode == 0
        assert [m["source"] for m in agent.json("list")["mappings"]] == ["agent"]


def test_verdicts_have_their_exit_statuses():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        refused = agent.json("add", "666", "80", status=6)["mappings"]
        assert [m["state"] for m in refused] == ["refused", "mapped"], refused
        assert refused[0]["error"]["code"] == "refused"
        assert agent.run("add", "23", "--exact").returncode in (6, 9)
        assert agent.run("add", "81", "-i", "no-such-link").returncode == 3
        assert agent.run("add", "81", "--method", "igd").returncode == 5
        assert agent.run("list").returncode == 0
        assert agent.run("add", "82", "-g", "127.0.0.1:1").returncode == 5
    with silent_socket() as s, Agent(s.getsockname()[1]) as agent:
        began = time.monotonic()
        done = agent.run("--timeout", "1s", "add", "80/both")
        assert done.returncode == 4 and time.monotonic() - began < 2, done
        assert "The agent goes on asking." in done.stderr


def test_a_gateway_named_on_the_command_line_is_the_mappings():
    with Gateway() as first, Gateway() as second, Agent(first.port) as agent:
        assert agent.run("add", "8080").returncode == 0
        assert agent.run("add", "8080", "-g", f"127.0.0.1:{second.port}").returncode == 0
        assert len(agent.json("list")["mappings"]) == 2
        gateways = agent.json("agent", "status")["gateways"]
        assert {g["port"] for g in gateways} == {first.port, second.port}, gateways


def test_status_is_a_health_check():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        agent.run("add", "8080")
        at = ("-g", f"127.0.0.1:{gateway.port}")
        text = agent.run("status", *at).stdout
        assert "Agent     running, holds 1 mapping\n" in text, text
        told = agent.json("status", *at)
        assert told["agent"]["running"] is True and told["mappings"] == 1
        assert agent.json("discover", *at)["agent"]["running"] is True
        assert agent.run("status", "--quiet", "-g", "127.0.0.1:1").returncode == 0
        assert agent.run("status", "-g", "127.0.0.1:1").returncode == 5
        agent.kill()
        assert agent.run("status", "--quiet", "-g", "127.0.0.1:1").returncode == 5
        assert agent.run("status", "--quiet", *at).returncode == 0
        assert agent.run("status", *at, "--socket", agent.socket).returncode == 10
        assert agent.run("agent", "status").returncode == 10
        agent.start_agent()


def test_the_configuration_is_checked_and_read_again():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        with open(agent.config, "a", encoding="utf-8") as file:
            file.write("[Mapping]\nName=web\nForward=80:8080\n")
        assert agent.run("agent", "check-config", agent.config).returncode == 0
        assert agent.json("agent", "reload") == {"reloaded": True}
        assert agent.json("list")["mappings"][0]["name"] == "web"
        with open(agent.config, "a", encoding="utf-8") as file:
            file.write("Forward=eighty\n")
        done = agent.run("agent", "reload")
        assert done.returncode == 2 and f"{agent.config}:" in done.stderr, done
        done = agent.run("agent", "check-config", agent.config)
        assert done.returncode == 2 and "eighty" in done.stderr, done
        assert agent.json("agent", "check-config", agent.config, status=2) == {"valid": False}
        assert agent.json("list")["mappings"][0]["name"] == "web"


def mapped_on(monitor, port):
    while True:
        event = json.loads(monitor.stdout.readline())
        if event["event"] == "mapped" and event["mapping"]["internal_port"] == port:
            return event["mapping"]


def test_monitor_goes_on_when_the_agent_was_killed():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        monitor = agent.start("--json", "-g", f"127.0.0.1:{gateway.port}", "monitor")
        assert json.loads(monitor.stdout.readline())["event"] in ("gateway", "address")
        made = agent.json("add", "7000")["mappings"][0]
        told = mapped_on(monitor, 7000)
        assert told["id"] == made["id"] and told["source"] == "agent", told
        agent.kill()
        assert "went away" in monitor.stderr.readline()
        agent.start_agent()
        assert agent.run("add", "7001").returncode == 0
        assert mapped_on(monitor, 7001)["source"] == "agent"
        monitor.send_signal(signal.SIGTERM)
        _, errors = monitor.communicate(timeout=TIMEOUT)
        assert monitor.returncode == 0 and "is back" in errors, errors


VERBS = (["add", "8080"], ["list"], ["remove", "8080"], ["status"], ["discover", "--json"],
         ["monitor", "--count", "1"], ["agent", "status"], ["agent", "reload"])


def all_verbs_give_up(agent, port):
    for verb in VERBS:
        began = time.monotonic()
        done = agent.run("--timeout", "1s", "-g", f"127.0.0.1:{port}", *verb)
        assert done.returncode == 10, (verb, done)
        assert time.monotonic() - began < 3, (verb, time.monotonic() - began)
        assert "agent" in done.stderr, (verb, done)


def test_an_agent_that_is_stopped_holds_nobody_up():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        agent.process.send_signal(signal.SIGSTOP)
        try:
            all_verbs_give_up(agent, gateway.port)
            at = ("-g", f"127.0.0.1:{gateway.port}")
            assert agent.run("--direct", "add", "8080", *at).returncode == 0
            assert agent.run("--timeout", "1s", "status", "--quiet", *at).returncode == 0
        finally:
            agent.process.send_signal(signal.SIGCONT)


OK = b"HTTP/1.1 200 OK\r\n"
HOSTILE = {
    "closes at once": b"",
    "is no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "talks HTML": OK + b"Content-Length: 13\r\n\r\n<html></html>",
    "nests deeply": OK + b"Content-Length: 100000\r\n\r\n" + b"[" * 100000,
    "lies about the length": OK + b"Content-Length: 5000000000\r\n\r\n{}",
    "cuts the answer": OK + b"Content-Length: 100\r\n\r\n{\"mappings\": [",
    "redirects": b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
    "has no object": OK + b"Content-Length: 4\r\n\r\nnull",
    "has no mappings": OK + b"Content-Length: 24\r\n\r\n" + b'{"mappings": [{"a": 1}]}',
    "fails": b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}",
}


class Impostor:
    """Answers every connection with the same octets; endless: for ever."""

    def __init__(self, agent, answer, endless=b""):
        self.answer, self.endless = answer, endless
        os.makedirs(os.path.dirname(agent.socket), exist_ok=True)
        if os.path.exists(agent.socket):
            os.unlink(agent.socket)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(agent.socket)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.settimeout(TIMEOUT)
                    if connection.recv(65536):
                        connection.sendall(self.answer)
                    while self.endless:
                        connection.sendall(self.endless)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_what_is_no_agent_is_told_from_one():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        agent.process.terminate()
        agent.process.wait(TIMEOUT)
        for name, octets in HOSTILE.items():
            with Impostor(agent, octets):
                for verb in (["add", "8080"], ["list"], ["remove", "8080"], ["agent", "status"]):
                    done = agent.run("--timeout", "1s", *verb)
                    assert done.returncode in (1, 10), (name, verb, done)
                    assert "agent" in done.stderr, (name, verb, done)
                    assert len(done.stderr) < 1000, (name, verb, done)


def test_an_answer_without_an_end_is_cut_off():
    with Gateway() as gateway, Agent(gateway.port) as agent:
        agent.process.terminate()
        agent.process.wait(TIMEOUT)
        endless = {"of headers": (OK, b"X-Y: z\r\n" * 1000),
                   "of body": (OK + b"\r\n", b" " * 65536)}
        for name, (head, more) in endless.items():
            with Impostor(agent, head, more):
                for verb in (["list"], ["agent", "status"]):
                    began = time.monotonic()
                    done = agent.run("--timeout", "1s", *verb)
                    assert done.returncode == 10, (name, verb, done)
                    assert time.monotonic() - began < 5, (name, verb)
        with Impostor(agent, OK + b"Content-Type: text/event-stream\r\n\r\n", b"data: x" * 9000):
            monitor = agent.start("--timeout", "1s", "-g", f"127.0.0.1:{gateway.port}", "monitor")
            assert "went away" in monitor.stderr.readline()
            monitor.send_signal(signal.SIGTERM)
            monitor.communicate(timeout=TIMEOUT)
            assert monitor.returncode == 0


def main():
    tests = [(name, value) for name, value in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} {name}")
        except Exception:  # pylint: disable=broad-except
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} {name}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

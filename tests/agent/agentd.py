# SPDX-License-Identifier: MIT
"""A running tenforwardd and what its API says, beside a test gateway on the
loopback address.

An Agent hears its own events from the first on, so that waiting for one never
comes too late; a Gateway keeps its port when it is started again."""
import http.client
import json
import os
import re
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
from programs import PATIENCE_S, Program, daemon, gatewayd  # noqa: E402

OUTSIDE = "11.0.113.1"
STRANGER = "127.0.0.99"
ALL_DAYS = ("[Rule]\nAction=allow\nClient=0.0.0.0/0\nRequestRate=0\nMaxMappings=20000\n")


class Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout=PATIENCE_S):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Events:
    """The stream of events, kept as they come: (id, object)."""

    def __init__(self, path, last_id="0"):
        self.seen = []
        self.news = threading.Condition()
        self.ended = False
        self.connection = Connection(path, timeout=None)
        self.connection.request("GET", "/v1/events", headers={"Last-Event-ID": last_id})
        self.answer = self.connection.getresponse()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        last_id = None
        try:
            for line in self.answer:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "id":
                    last_id = value
                elif field == "data":
                    with self.news:
                        self.seen.append((last_id, json.loads(value)))
                        self.news.notify_all()
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the agent ended, or we do
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait(self, is_it, what, after=0):
        """(object, number of the one behind it) of the first from `after` on."""
        deadline = time.monotonic() + PATIENCE_S
        with self.news:
            while True:
                for number in range(after, len(self.seen)):
                    if is_it(self.seen[number][1]):
                        return self.seen[number][1], number + 1
                after = len(self.seen)
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    kinds = [event["event"] for _, event in self.seen]
                    raise AssertionError(f"waited in vain for {what}: {kinds}")
                self.news.wait(left)

    def close(self):
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass
        self.thread.join(PATIENCE_S)
        self.connection.close()


class Agent:
    """tenforwardd with a configuration and a state directory of its own."""

    def __init__(self, opened, path, config="", inside=None, agent_keys=""):
        self.folder = opened.enter_context(tempfile.TemporaryDirectory())
        self.path = path
        self.inside = inside
        self.agent_keys = agent_keys
        self.config_path = os.path.join(self.folder, "agent.conf")
        self.socket = os.path.join(self.folder, "agent.sock")
        self.state = os.path.join(self.folder, "state")
        self.events = self.program = None
        self.config = config
        opened.callback(self.kill)

    def whole_config(self):
        return (f"[Agent]\nSocket={self.socket}\nState={self.state}\n{self.agent_keys}\n"
                f"{self.config}\n")

    def write(self, config):
        self.config = config
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(self.whole_config())

    def start(self):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("TENFORWARD_", "XDG_", "NOTIFY_", "LISTEN_"))}
        self.program = daemon(self.path, self.config_path, self.whole_config(), env, self.inside)
        if not self.program.ready:
            self.program.kill()
            raise AssertionError(self.program.transcript())
        self.events = Events(self.socket)
        return self

    def start_bare(self, env):
        """Without a file, configured by this environment."""
        ready, tell = os.pipe()
        self.program = Program([self.path, "--ready-fd", str(tell)], env, self.inside, (tell,))
        os.close(tell)
        with open(ready, encoding="utf-8") as lines:
            if not lines.readline():
                self.program.kill()
                raise AssertionError(self.program.transcript())
        self.events = Events(self.socket)

    def _closed(self):
        if self.events is not None:
            self.events.close()
        self.events = None

    def kill(self):
        if self.program is not None:
            self.program.kill()
        self._closed()

    def end(self, number=15):
        """(exit status, seconds it took)"""
        start = time.monotonic()
        status = self.program.end(number)
        took = time.monotonic() - start
        self._closed()
        return status, took

    # ---- The API ------------------------------------------------------------

    def ask(self, method, target, body=None, want=200):
        connection = Connection(self.socket)
        try:
            connection.request(method, target, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != want:
            raise AssertionError(f"{method} {target}: {answer.status}, wanted {want}: {text}")
        if answer.getheader("Content-Type", "").startswith("application/json"):
            return json.loads(text)
        return text

    def mappings(self):
        return self.ask("GET", "/v1/mappings")["mappings"]

    def mapping(self, name):
        found = [m for m in self.mappings() if m["name"] == name]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} mappings are called {name}")
        return found[0]

    def mapping_ids(self, name):
        return [m["id"] for m in self.mappings() if m["name"] == name]

    def add(self, forward, want=201, **more):
        return self.ask("POST", "/v1/mappings", {"forward": forward} | more, want).get("mappings")

    def wait(self, kind, name=None, after=0, holds=lambda event: True):
        def is_it(event):
            return (event["event"] == kind and holds(event) and
                    (name is None or (event["mapping"] or {}).get("name") == name))
        return self.events.wait(is_it, f"{kind} of {name}", after)

    def wait_mapped(self, *names):
        return [self.wait("mapped", name)[0]["mapping"] for name in names]

    def wait_all(self, is_right, what):
        """Asks again after each event until the mappings are as they should be."""
        seen = 0
        deadline = time.monotonic() + PATIENCE_S
        while True:
            mappings = self.mappings()
            if is_right(mappings):
                return mappings
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain until {what}: {mappings[:6]}\n"
                                     f"{self.program.transcript()[-4000:]}")
            with self.events.news:
                self.events.news.wait_for(lambda: len(self.events.seen) > seen, 0.2)
                seen = len(self.events.seen)


def is_told(mapping):
    """The application confirmed it; the key is missing before it was told at all."""
    return (mapping.get("delivery") or {}).get("state") == "confirmed"


def is_mapped(mappings):
    return all(m["state"] == "mapped" for m in mappings)


class Gateway:
    """A test gateway on 127.0.0.1, on the same port through its restarts."""

    def __init__(self, opened, path, keys="", faults=""):
        self.folder = opened.enter_context(tempfile.TemporaryDirectory())
        self.path = path
        self.keys = keys
        self.port = 0
        self.program = None
        opened.callback(self.kill)
        self.start(faults)

    def start(self, faults=""):
        sections = ALL_DAYS + (f"[Faults]\n{faults}\n" if faults else "")
        self.program = gatewayd(
            self.path, os.path.join(self.folder, "gateway.conf"),
            f"[Gateway]\nBackend=memory\nListen=127.0.0.1:{self.port}\nMaxMappings=20000\n"
            f"ExternalAddress={OUTSIDE}\nMinLifetime=1\nReuseDelayTCP=0\nReuseDelayUDP=0\n"
            f"{self.keys}\n{sections}")
        self.port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", self.program.ready)[1])

    def restart(self, faults=""):
        self.kill()
        self.start(faults)

    def kill(self):
        if self.program is not None:
            self.program.send(18)  # one that was stopped
            self.program.kill()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def keys_of_agent(self):
        return f"Gateway={self.address}"

    def mark(self):
        """Number of its lines when all that was decided is told: a stranger asks for the
        address, and the line about that is the last."""
        mine = f"told {STRANGER} "
        before = sum(mine in line for line in self.program.lines)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind((STRANGER, 0))
            stranger.settimeout(PATIENCE_S)
            stranger.sendto(b"\0\0", ("127.0.0.1", self.port))
            stranger.recv(64)
        self.program.wait_line(
            lambda _: sum(mine in line for line in self.program.lines) > before)
        return len(self.program.lines)

    def decisions(self, word, after=0):
        """Lines of its log with this word."""
        return [line for line in self.program.lines[after:self.mark()] if word in line]


def internal_of(line):
    return re.search(r"127\.0\.0\.1:(\d+/\w+)", line)[1]


class Ledger:
    """What the gateway holds, read from its log."""

    def __init__(self, lines):
        self.held = {}
        for line in lines:
            if line.startswith(("granted ", "renewed ")):
                outside = re.search(r" as \S+:(\d+) ", line)[1]
                self.held[internal_of(line)] = outside
            elif line.startswith(("removed ", "ended ")):
                self.held.pop(internal_of(line), None)
            elif "restarted with epoch 0" in line:
                self.held.clear()

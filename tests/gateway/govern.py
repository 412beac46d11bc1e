# SPDX-License-Identifier: MIT
"""A test gateway with its control socket, and what its API says."""
import json
import os
import re
import socket
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "agent"))
from agentd import Connection, Events, PATIENCE_S  # noqa: E402
from programs import gatewayd  # noqa: E402

OUTSIDE = "11.0.113.1"
ALLOW = "[Rule]\nAction=allow\n"


class Governed:
    """tenforward-gatewayd on a free port of 127.0.0.1, and its API."""

    def __init__(self, opened, path, rules=ALLOW, keys="", more=""):
        self.folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="tenforward-gov-"))
        os.chmod(self.folder, 0o755)  # started as root, it becomes somebody else
        self.path = path
        self.socket = os.path.join(self.folder, "gateway.sock")
        self.config = os.path.join(self.folder, "gateway.conf")
        self.rules, self.keys, self.more = rules, keys, more
        self.port = 0
        self.program = self.events = None
        opened.callback(self.kill)
        self.start()

    def text(self):
        return (f"[Gateway]\nBackend=memory\nListen=127.0.0.1:{self.port}\nMinLifetime=1\n"
                f"ExternalAddress={OUTSIDE}\nSocket={self.socket}\nReuseDelayTCP=0\n"
                f"ReuseDelayUDP=0\n{self.keys}\n{self.rules}\n{self.more}\n")

    def start(self):
        self.program = gatewayd(self.path, self.config, self.text())
        self.port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", self.program.ready)[1])
        return self

    def listen(self, last_id="0"):
        self.events = Events(self.socket, last_id)
        return self.events

    def kill(self):
        if self.program is not None:
            self.program.kill()
        if self.events is not None:
            self.events.close()
        self.events = None

    def ask(self, method, target, body=None, want=200):
        connection = Connection(self.socket)
        try:
            connection.request(method, target, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if want is not None and answer.status != want:
            raise AssertionError(f"{method} {target}: {answer.status}, wanted {want}: {text}")
        if answer.getheader("Content-Type", "").startswith("application/json"):
            return json.loads(text)
        return text

    def mappings(self):
        return self.ask("GET", "/v1/mappings")["mappings"]

    def metrics(self):
        """Samples by name with labels."""
        lines = [line.rsplit(" ", 1) for line in self.ask("GET", "/metrics").splitlines()
                 if not line.startswith("#")]
        return {name.removeprefix("tenforward_"): float(value) for name, value in lines}

    def wait_until(self, holds, what):
        """Asks until holds() gives something true, which is given back."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = holds()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"waited in vain until {what}\n{self.program.transcript()[-3000:]}")

    # ---- Clients ------------------------------------------------------------

    def send(self, packet, client="127.0.0.1", patience=PATIENCE_S):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(patience)
            s.bind((client, 0))
            s.sendto(packet, ("127.0.0.1", self.port))
            return s.recv(2000)

    def peer(self, internal, remote, port, client="127.0.0.1", lifetime=600):
        """PEER for TCP: (result, external port)"""
        def v4(address):
            return bytes(10) + b"\xff\xff" + socket.inet_aton(address)
        packet = (struct.pack(">BBHI", 2, 2, 0, lifetime) + v4(client) + b"n" * 12 +
                  struct.pack(">B3xHH", 6, internal, 0) + v4("0.0.0.0") +
                  struct.pack(">H2x", port) + v4(remote))
        answer = self.send(packet, client)
        return answer[3], struct.unpack(">H", answer[42:44])[0]

    def natpmp(self, internal, external=0, lifetime=600, client="127.0.0.1", opcode=2):
        """(result, external port, lifetime)"""
        packet = struct.pack(">BBHHHI", 0, opcode, 0, internal, external or internal, lifetime)
        answer = self.send(packet, client)
        result, = struct.unpack(">H", answer[2:4])
        port, granted = struct.unpack(">HI", answer[10:16])
        return result, port, granted

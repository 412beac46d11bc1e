#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the administrator said, and what was promised about ports, outlives a kill and an
orderly restart. Real processes on the loopback address, no root.

    test_survive.py TENFORWARD-GATEWAYD
"""
import contextlib
import os
import signal
import sqlite3
import sys

from govern import Governed  # first: it says where the others are
from cases import case, expect, run

GATEWAYD = sys.argv[1]
ASK = "[Rule]\nAction=ask\n"
REFUSED = 2


class Kept(Governed):
    """With a directory for what it remembers, and ports that are withheld."""

    def __init__(self, opened, rules, state=None):
        self.state = state
        super().__init__(opened, GATEWAYD, rules)

    def text(self):
        self.state = self.state or os.path.join(self.folder, "state")
        return (super().text().replace("ReuseDelayTCP=0\nReuseDelayUDP=0\n", "") +
                f"[Gateway]\nState={self.state}\n")

    def again(self, number=signal.SIGKILL):
        """Ends it, without warning unless another signal is named, and starts it."""
        if number == signal.SIGKILL:
            self.program.kill()
        else:
            self.program.end(number)
        return self.start()

    def pending(self):
        return self.ask("GET", "/v1/pending")["pending"]

    def waits(self):
        """The only wish that waits."""
        wish, = self.pending()
        return wish


def revoke(g):
    mapping, = g.mappings()
    g.ask("DELETE", f"/v1/mappings/{mapping['id']}")
    return mapping["id"]


@case("a revoked mapping is not to be had again by a kill of the gateway")
def revoked(opened):
    g = Kept(opened, "[Rule]\nAction=allow\n")
    for number in (signal.SIGKILL, signal.SIGTERM):
        expect(g.natpmp(8080, 8080, client=f"127.0.0.{number}")[0], 0, "grant")
        revoke(g)
        g.again(number)
        expect(g.natpmp(8080, 8080, client=f"127.0.0.{number}")[0], REFUSED, "its owner")
        result, port, _ = g.natpmp(9090, 8080, client="127.0.0.99")
        expect((result, port != 8080), (0, True), "another host gets another port")
        g.natpmp(9090, lifetime=0, client="127.0.0.99")


@case("what was approved is granted, and what was denied refused, after a kill")
def words(opened):
    g = Kept(opened, ASK)
    expect(g.natpmp(80)[0], REFUSED, "a wish")
    wish = g.waits()
    g.again()
    expect(g.waits()["id"], wish["id"], "it still waits, under the same number")
    expect(g.waits()["first_seen"], wish["first_seen"], "since when")
    g.ask("POST", f"/v1/pending/{wish['id']}/approve", want=204)
    g.again()
    expect(g.natpmp(80)[0], 0, "approved before the kill")
    expect(g.natpmp(22, client="127.0.0.9")[0], REFUSED, "another wish")
    other, = [w for w in g.pending() if w["client"] == "127.0.0.9"]
    expect(int(other["id"][1:]) > int(wish["id"][1:]), True, "a number of its own")
    g.ask("POST", f"/v1/pending/{other['id']}/deny", want=204)
    g.again()
    expect(g.natpmp(22, client="127.0.0.9")[0], REFUSED, "denied before the kill")
    denied, = [w for w in g.pending() if w["client"] == "127.0.0.9"]
    expect((denied["id"], denied["state"]), (other["id"], "denied"), "the word")


@case("what the administrator was told is kept even when every process is killed at once")
def all_killed(opened):
    g = Kept(opened, "[Rule]\nAction=ask\nExternalPort=1-1023\n[Rule]\nAction=allow\n")
    for turn in range(10):
        client = f"127.0.0.{turn + 2}"
        expect(g.natpmp(8080, client=client)[0], 0, "grant")
        g.natpmp(80, client=client)
        mapping, = [m for m in g.mappings() if m["client"] == client]
        wish, = [w for w in g.pending() if w["client"] == client]
        pid = g.program.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            pids = [int(child) for child in file.read().split()] + [pid]
        g.ask("POST", f"/v1/pending/{wish['id']}/deny", want=204)
        g.ask("DELETE", f"/v1/mappings/{mapping['id']}")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        g.program.wait()
        g.start()
        expect(g.natpmp(8080, client=client)[0], REFUSED, "revoked")
        denied, = [w for w in g.pending() if w["client"] == client]
        expect(denied["state"], "denied", "the word")


@case("the port of a deleted mapping is kept from others after a kill, and its owner has it back")
def withheld(opened):
    g = Kept(opened, "[Rule]\nAction=allow\n")
    expect(g.natpmp(8080, 8080, client="127.0.0.7")[:2], (0, 8080), "grant")
    g.natpmp(8080, lifetime=0, client="127.0.0.7")
    g.again()
    _, port, _ = g.natpmp(9090, 8080, client="127.0.0.99")
    expect(port != 8080, True, "another host gets another port")
    expect(g.natpmp(8080, 0, client="127.0.0.7")[:2], (0, 8080), "its own again")


@case("no number of a mapping or of a wish is ever given to another one")
def numbers(opened):
    g = Kept(opened, "[Rule]\nAction=ask\nExternalPort=1-1023\n[Rule]\nAction=allow\n")
    used = set()
    for turn, number in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)):
        for port in (2000 + 10 * turn, 2001 + 10 * turn):
            expect(g.natpmp(port)[0], 0, "grant")
        g.natpmp(80 + turn)
        now = {m["id"] for m in g.mappings()} | {w["id"] for w in g.pending()
                                                  if w["internal_port"] == 80 + turn}
        expect(now & used, set(), "numbers of before")
        used |= now
        g.again(number)
    expect(len(used), 9, "all of them")


@case("a file of garbage is told in one line, and the gateway starts without what it cannot prove")
def garbage(opened):
    g = Kept(opened, ASK)
    g.natpmp(80)
    g.program.kill()
    path = os.path.join(g.state, "gateway.db")
    for content in (b"", b"\xff" * 65536, None):
        with open(path, "r+b") as file:
            whole = file.read()
            file.truncate(len(whole) // 3 if content is None else 0)
            file.seek(0)
            file.write(content or b"")
        g.start()
        if content:
            g.program.wait_text("history is damaged; it is now")
        expect(g.natpmp(81)[0], REFUSED, "it serves")
        g.program.kill()


@case("a file of before, with a history alone, is taken over with all it has")
def older(opened):
    g = Kept(opened, "[Rule]\nAction=allow\n")
    g.natpmp(8080, 8080)
    g.program.end(signal.SIGTERM)
    with contextlib.closing(sqlite3.connect(os.path.join(g.state, "gateway.db"))) as db:
        db.executescript("DROP TABLE memo; PRAGMA user_version = 1;")
    g.start()
    expect(len(g.ask("GET", "/v1/history")["events"]), 1, "events of before")
    g.natpmp(8080, 8080)
    revoke(g)
    g.again()
    expect(g.natpmp(8080, 8080)[0], REFUSED, "what was revoked")


@case("nonsense in the file is told in one line, and what makes sense beside it holds")
def nonsense(opened):
    g = Kept(opened, "[Rule]\nAction=allow\n")
    g.natpmp(8080, 8080)
    revoke(g)
    g.program.kill()
    with contextlib.closing(sqlite3.connect(os.path.join(g.state, "gateway.db"))) as db:
        far = 2 ** 62
        (good,), = db.execute("SELECT data FROM memo WHERE kind = 1").fetchall()
        rows = [(1, 77, far, b""), (1, 78, far, b"\xff" * 200), (9, 1, far, good),
                (1, 2 ** 40, far, good), (2, 79, far, b"\0" * len(good)), (1, -1, far, good),
                (1, 80, "-5 o'clock", good)]
        db.executemany("INSERT OR REPLACE INTO memo VALUES (?, ?, ?, ?)", rows)
        db.commit()
    g.start()
    g.program.wait_text(f"{len(rows)} things of before the start make no sense")
    expect(g.natpmp(8080, 8080)[0], REFUSED, "what was revoked")


if __name__ == "__main__":
    run()

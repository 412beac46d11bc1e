#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The short way of `add`: what it says and does is what the whole command does.

    test_quick.py SHORT WHOLE TENFORWARD-GATEWAYD"""
import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
from cases import case, expect, expect_in, run  # pylint: disable=wrong-import-position

SHORT, WHOLE, DAEMON = sys.argv[1:4]
PATIENCE_S = 30

CONFIG = """[Gateway]
Backend=memory
Listen=127.0.0.1:0
ExternalAddress=203.0.113.7
[Rule]
Action=deny
ExternalPort=23
[Rule]
Action=deny
InternalPort=666
[Rule]
Action=allow
MaxMappings=3
"""
DAYTIME = r"(tomorrow |\d{4}-\d\d-\d\dT)?\d\d:\d\d(:\d\d)?"
MAP, NONCE = 1, slice(24, 36)
ANSWERED = 0x80


def folder(opened):
    return opened.enter_context(tempfile.TemporaryDirectory(prefix="tenforward-quick-"))


def gateway(opened, config=CONFIG):
    """The port of a daemon with nothing mapped."""
    path = os.path.join(folder(opened), "gateway.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(config)
    ready, far = os.pipe()
    daemon = subprocess.Popen([DAEMON, "--config", path, "--ready-fd", str(far)],
                              pass_fds=[far], stderr=subprocess.DEVNULL)
    opened.callback(daemon.wait, PATIENCE_S)
    opened.callback(daemon.send_signal, signal.SIGTERM)
    os.close(far)
    with os.fdopen(ready) as lines:
        return int(re.search(r"listening on \S+:(\d+) ", lines.read())[1])


def plain(program, words, state, **more):
    """(exit status, data, talk)."""
    environment = os.environ | {"XDG_STATE_HOME": state, "TZ": "UTC"} | more
    environment = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run([program, *words], env=environment, capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout, done.stderr


def said(program, words, state, **more):
    """The same without times, which pass between the two programs."""
    status, data, talk = plain(program, words, state, **more)
    data = re.sub(r"\bin \d+ (h|min|s)( \d+ (min|s))?\b", "in A WHILE",
                  re.sub(DAYTIME, "HH:MM", data))
    return status, re.sub(" {2,}", "  ", data), talk  # columns are as wide as the time left


def without_chance(text):
    """Ports that the gateway drew have no number."""
    return re.sub(r"\b(49[2-9]|5\d\d|6[0-5]\d)\d\d\b", "DRAWN", text)


def both_say(lines, config=CONFIG):
    """Each program runs all lines, one after the other, at a gateway of its own."""
    answers = []
    for program in (SHORT, WHOLE):
        with contextlib.ExitStack() as opened:
            place = f"127.0.0.1:{gateway(opened, config)}"
            state = folder(opened)
            answers.append([said(program, ["-g", place, *line.split("|")], state)
                            for line in lines])
            answers[-1] = [tuple(without_chance(str(part).replace(place, "GATEWAY")) for part in answer)
                           for answer in answers[-1]]
    for line, short, whole in zip(lines, *answers):
        expect(short, whole, line)
    return answers[0]


@case("what is granted is told alike, and recorded alike")
def granted(_opened):
    answers = both_say(["add|8080", "list", "add|8080", "add|80:8081/udp|--name|web server",
                        "list", "remove|web server", "add|any:7000/both|--lifetime|10m", "list",
                        "remove|7000/both", "list"])
    expect([status for status, _, _ in answers], ["0"] * len(answers), "exit statuses")
    expect_in("203.0.113.7:8080/tcp → 127.0.0.1:8080", answers[0][1], "data")
    expect_in("m1", answers[1][1], "list")


@case("by either protocol, and quietly")
def protocols(_opened):
    both_say(["--method|pcp|add|8080", "list", "remove|8080", "--method=natpmp|add|8080|-q", "list"])


@case("what is refused is told alike")
def refused(_opened):
    answers = both_say(["add|23:8080|--exact", "add|666", "add|23:8081", "add|8080", "add|8080|666", "add|9000-9005/udp",
                        "add|8080:9090|--exact"])
    expect([status for status, _, _ in answers], ["9", "6", "0", "0", "6", "7", "9"],
           "exit statuses")


@case("bad command lines are told alike")
def bad(_opened):
    both_say(["add", "add|", "add|0", "add|65536", "add|tcp8080", "add|9-8", "add|8080|8080",
              "add|8080|--lifetime|0", "add|8080|--lifetime|x", "add|8080|--name|", "-g|x|add|1",
              "add|8080|--nonsense", "add|8080|--lifetme|5", "add|8080|--", "add|--|8080",
              "add|8080|--method|x", "add|8080|--source|x", "add|8080|-i|", "add|-h", "add|-V",
              "add|8080|--timeout|0", "add|8080|--filter|x", "ad|8080", "add|8080|--json|-q",
              "add|8080|--exact|any:1", "add|8080|--for|x y"])


@case("the whole command does the rest")
def rest(_opened):
    both_say(["", "--help", "--version", "help|add", "add|8080|--json|--lifetime|x", "--method|pcp|add|8081|-v",
              "completion|bash", "frob", "add|8082|--for|127.0.0.1", "gateway|list"])


@case("a closed port and a silent gateway are told alike")
def nobody(opened):
    closed = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    silent = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    silent.bind(("127.0.0.1", 0))
    closed.bind(("127.0.0.2", 0))
    place = f"127.0.0.2:{closed.getsockname()[1]}"
    closed.close()
    for words, status in ((["-g", place, "add", "8080"], 5),
                          (["-g", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1s",
                            "add", "8080"], 4)):
        state = folder(opened)
        short, whole = (said(program, words, state) for program in (SHORT, WHOLE))
        expect(short, whole, " ".join(words))
        expect(short[0], status, "exit status")


@case("times of day are alike, by whatever rule")
def zones(opened):
    place, state = f"127.0.0.1:{gateway(opened)}", folder(opened)
    for zone in ("America/New_York", "EST5EDT", "CET-1CEST", "UTC", ":/etc/localtime", "nonsense",
                 "Etc/../Europe/Berlin", None):
        hours = []
        for program in (SHORT, WHOLE):
            status, data, talk = plain(program, ["-g", place, "add", "8080"], state, TZ=zone)
            expect(status, 0, talk)
            hours.append(re.search(r"until (tomorrow )?(\d\d):", data)[2])
        expect(hours[0], hours[1], f"TZ={zone}")


@case("what cannot be written or read is told alike, and once")
def unwritten(opened):
    place, state = f"127.0.0.1:{gateway(opened)}", folder(opened)
    said_of = []
    for program in (SHORT, WHOLE):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([program, "-g", place, "add", "8080"], stdout=full, check=False,
                                  stderr=subprocess.PIPE, env=os.environ | {
                                      "XDG_STATE_HOME": state}, timeout=PATIENCE_S)
        said_of.append((done.returncode, done.stderr))
    expect(said_of[0], said_of[1], "on a full disk")
    expect_in(b"No space left on device", said_of[0][1], "talk")
    state = folder(opened)
    os.makedirs(os.path.join(state, "tenforward", "leases"))
    nobody_there = ["-g", "127.0.0.2:9", "add", "8080"]
    short, whole = (said(program, nobody_there, state) for program in (SHORT, WHOLE))
    expect(short, whole, "a folder in place of the record, and nobody there")
    expect(short[2].count("cannot read"), 1, "said so often")


class Peer(threading.Thread):
    """A PCP gateway that answers when it has been asked for a mapping so often."""

    def __init__(self, opened, answers_at):
        super().__init__(daemon=True)
        self.socket = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.socket.bind(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.answers_at = answers_at
        self.nonces = []
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                request, sender = self.socket.recvfrom(2048)
                if request[0] != 2 or request[1] != MAP:
                    continue
                self.nonces.append(request[NONCE].hex())
                if len(self.nonces) >= self.answers_at:
                    self.socket.sendto(self.answer(request), sender)

    @staticmethod
    def answer(request):
        port = request[40:42]
        return (bytes([2, MAP | ANSWERED, 0, 0]) + request[4:8] + struct.pack("!I", 7) + bytes(12) +
                request[24:40] + port + port + bytes(10) + b"\xff\xff" + bytes([203, 0, 113, 7]))


@case("an answer that is lost does not lose the mapping: the same nonce asks again")
def lost_answer(opened):
    peer = Peer(opened, answers_at=2)
    state = folder(opened)
    status, data, _ = said(SHORT, ["-g", peer.place, "add", "8080"], state)
    expect(status, 0, "exit status")
    expect_in("203.0.113.7:8080/tcp", data, "data")
    expect(len(set(peer.nonces)), 1, f"nonces, of {len(peer.nonces)} requests")
    expect_in(peer.nonces[0], open(os.path.join(state, "tenforward", "leases"),
                                   encoding="utf-8").read(), "record")


class Lossy(Peer):
    """Answers by NAT-PMP alone, and its first word on a mapping is lost."""

    def run(self):
        self.maps = 0
        with contextlib.suppress(OSError):
            while True:
                request, sender = self.socket.recvfrom(2048)
                if request[0] == 2:
                    self.nonces.append(request[NONCE].hex())
                elif request[1] == 0:
                    self.socket.sendto(bytes([0, 128, 0, 0, 0, 0, 0, 7, 203, 0, 113, 7]), sender)
                else:
                    self.maps += 1
                    if self.maps > 1:
                        self.socket.sendto(struct.pack("!BBHI", 0, 128 + request[1], 0, 7) +
                                           request[4:12], sender)


@case("a gateway that talks is not left for the whole command")
def talking(opened):
    peer = Lossy(opened, answers_at=0)
    state = folder(opened)
    expect(said(SHORT, ["-g", peer.place, "add", "8080"], state)[0], 0, "exit status")
    expect(len(peer.nonces), 1, "requests by PCP, whose mapping would stay beside NAT-PMP's")
    expect_in("method=natpmp", open(os.path.join(state, "tenforward", "leases"),
                                    encoding="utf-8").read(), "record")


@case("a mapping that is recorded is asked for with its own nonce")
def recorded(opened):
    peer = Peer(opened, answers_at=1)
    state = folder(opened)
    for _ in range(2):
        expect(said(SHORT, ["-g", peer.place, "add", "8080"], state)[0], 0, "exit status")
    expect(said(SHORT, ["-g", peer.place, "add", "8081"], state)[0], 0, "exit status")
    expect(len(peer.nonces), 3, "requests")
    expect((peer.nonces[0] == peer.nonces[1], peer.nonces[0] == peer.nonces[2]), (True, False),
           "the same nonce for the same mapping, another for another one")


@case("what one hands to the other goes no further, and nonsense of that name is as nothing")
def handed_over(opened):
    peer = Peer(opened, answers_at=1)
    nonce = "0123456789abcdef01234567"
    _, data, _ = said(WHOLE, ["-g", peer.place, "run", "8080", "--", "env"], folder(opened),
                      TENFORWARD_ASKED=f"250 {nonce}")
    expect(peer.nonces[0], nonce, "nonce")
    expect("TENFORWARD_ASKED" in data, False, "told to others")
    said(SHORT, ["-g", peer.place, "add", "8082"], folder(opened), TENFORWARD_ASKED=f"250 {nonce}")
    expect(peer.nonces[-1] == nonce, False, "of another run, and taken")
    for nonsense in ("", "250", "250 ", f"x {nonce}", f"99999999 {nonce}", f"250 {nonce}0",
                     f"250 {nonce[:-1]}g"):
        before = len(peer.nonces)
        expect(said(WHOLE, ["-g", peer.place, "add", "8081"], folder(opened),
                    TENFORWARD_ASKED=nonsense)[0], 0, repr(nonsense))
        expect(peer.nonces[before] == nonce, False, f"the nonce of {nonsense!r} is taken")


@case("where an agent listens the whole command talks to it")
def agent(opened):
    runtime = folder(opened)
    os.mkdir(os.path.join(runtime, "tenforward"))
    listener = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    listener.bind(os.path.join(runtime, "tenforward", "agent.sock"))
    listener.listen(8)
    asked = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with caller:
                    asked.append(caller.recv(4096))

    threading.Thread(target=serve, daemon=True).start()
    peer = Peer(opened, answers_at=1)
    said(SHORT, ["-g", peer.place, "add", "8080"], folder(opened), XDG_RUNTIME_DIR=runtime)
    expect_in(b"POST /v1/mappings", b"".join(asked), "the agent is asked")
    expect(peer.nonces, [], "the gateway is not asked")
    status, _, _ = said(SHORT, ["-g", peer.place, "--direct", "add", "8080"], folder(opened),
                        XDG_RUNTIME_DIR=runtime)
    expect((status, len(peer.nonces)), (0, 1), "with --direct")


@case("alone, without the whole command, it says what is missing")
def alone(opened):
    place = os.path.join(folder(opened), "bin")
    os.mkdir(place)
    short = shutil.copy(SHORT, place)
    status, _, talk = said(short, ["add", "--help"], folder(opened))
    if os.path.exists(os.path.join(os.path.dirname(os.path.dirname(short)), "libexec")):
        raise AssertionError("the test's folder is not its own")
    if "libexec" in talk:
        expect((status, "install tenforward again" in talk), (1, True), talk)
    else:  # one is installed on this machine, where it was configured to be
        expect(status, 0, "exit status")


if __name__ == "__main__":
    run()

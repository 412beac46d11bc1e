#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The packet path of the kernel under tenforward-gatewayd: what a mapping opens, for
whom, and until when, with real connections.

    test_nftables.py COMMAND DAEMON"""
import collections
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import kernel
from cases import case, expect, expect_in, run
from home import INSIDE, OUTSIDE, Home
from programs import PATIENCE_S, gatewayd

PATHS = sys.argv[1:3]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


def home_with(opened, keys="", **more):
    """A home whose gateway translates, with our daemon on it."""
    home = Home(opened, PATHS)
    home.translate()
    home.gateway.nft("insert rule inet filter forward ct status dnat accept")
    home.daemon = home.gatewayd(f"External=wan0\n{keys}", backend="nftables", **more)
    return home


def parts_of(name):
    """dnat4 and snat4 lie in eight maps each, by the last bits of the port."""
    return [f"{name}_{part}" for part in range(8)] if name in ("dnat4", "snat4") else [name]


def elements(home, name):
    """What a set of our table holds, as nft lists it."""
    with home.gateway:
        listed = subprocess.run(["nft", "-j", "list", "table", "inet", "tenforward"],
                                capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        return []
    sets = [thing[kind] for thing in json.loads(listed.stdout)["nftables"]
            for kind in ("set", "map") if kind in thing]
    if not sets:  # the table is being made anew, and nft saw it before what it holds
        return []
    found = [one.get("elem", []) for one in sets if one["name"] in parts_of(name)]
    expect(len(found), len(parts_of(name)), f"sets of the name {name}")
    return [element for part in found for element in part]


def time_left(home, port):
    """Milliseconds by the kernel's clock, of the mapping of this outside port."""
    with home.gateway:
        text = subprocess.run(["nft", "list", "map", "inet", "tenforward",
                               parts_of("dnat4")[int(port) % 8]],
                              capture_output=True, text=True, check=True).stdout
    line = re.search(rf"{port} timeout \S+ expires (\S+)", text).group(1)
    units = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|s|m|h)", line))


def wait_until(is_so):
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")


@case("a mapped port is open to the internet, another one is not")
def opened_port(opened):
    home = home_with(opened)
    home.echo(8080)
    home.expect_closed(TCP, 4080)
    home.command("add", "4080:8080/tcp", "4081:8080/udp")
    home.expect_open(TCP, 4080)
    home.expect_open(UDP, 4081)
    home.expect_closed(TCP, 4081)
    home.command("remove", "4080:8080/tcp")
    home.expect_closed(TCP, 4080)
    home.expect_open(UDP, 4081)


@case("a renewal gives a lease its whole time again, of the same length too")
def renewed(opened):
    home = home_with(opened)
    home.command("add", "4080:8080/tcp", "--lifetime", "100s")
    before = time_left(home, "4080")
    wait_until(lambda: time_left(home, "4080") < before - 1000)
    home.command("add", "4080:8080/tcp", "--lifetime", "100s")
    if time_left(home, "4080") < before - 900:
        raise AssertionError(f"{time_left(home, '4080')} ms are left of {before}")


@case("killed and started again, everything is as it was and the epoch goes on")
def killed(opened):
    home = home_with(opened)
    home.echo(8080)
    home.command("add", "4080:8080/tcp", "4081:8080/udp", "--lifetime", "1h")
    caller = opened.enter_context(home.internet.socket(TCP))
    wait_until(lambda: home.command.json("status")["gateways"][0]["epoch"] >= 3)
    caller.connect((OUTSIDE, 4080))
    home.daemon.end(signal.SIGKILL)
    again = home.gatewayd("External=wan0", backend="nftables")
    again.wait_text("went on with 2 mappings")
    caller.sendall(b"still there")
    expect(caller.recv(64), b"you said still there", "a connection of before")
    home.expect_open(TCP, 4080)
    home.expect_open(UDP, 4081)
    if home.command.json("status")["gateways"][0]["epoch"] < 3:
        raise AssertionError("the epoch began again")
    # The nonce was kept: its owner may renew and remove it.
    home.command("add", "4080:8080/tcp", "--lifetime", "1h")
    home.command("remove", "4080:8080/tcp", "4081:8080/udp")
    home.expect_closed(TCP, 4080)
    expect(elements(home, "dnat4"), [], "left in the kernel")
    expect(elements(home, "snat4"), [], "left in the kernel")


@case("killed and started again, what was revoked or deleted is not open to others")
def killed_and_kept(opened):
    control = f"{kernel.TOP}/kept.sock"
    keys = f"State={home_state()}\nSocket={control}\nReuseDelayTCP=4m"
    home = home_with(opened, keys)
    home.command("add", "4080:8080/tcp", "4081:8081/tcp", "--lifetime", "1h")
    revoked, = [m["id"] for m in
                home.command.json(f"--socket={control}", "gateway", "list")["mappings"]
                if m["external_port"] == 4080]
    home.command(f"--socket={control}", "gateway", "revoke", revoked)
    home.command("remove", "4081:8081/tcp")
    home.daemon.end(signal.SIGKILL)
    home.gatewayd(f"External=wan0\n{keys}", backend="nftables")
    home.command("add", "4080:8080/tcp", "--lifetime", "1h", status=6)
    other, = home.command.json("add", "4081:9090/tcp", "--lifetime", "1h")["mappings"]
    if other["external_port"] == 4081:
        raise AssertionError("a port that was closed just now went to another mapping")


@case("killed and started again, who asked for another host is still known")
def killed_third_party(opened):
    control = f"{kernel.TOP}/third.sock"
    more = {"keys": f"External=wan0\nSocket={control}", "backend": "nftables",
            "sections": "[Rule]\nAction=allow\nThirdParty=yes\nClient=10.77.0.2\n"}
    home = Home(opened, PATHS)
    home.translate()
    daemon = home.gatewayd(**more)
    home.command("add", "4080:8080/tcp", "--for", "10.77.0.9", "--lifetime", "1h")
    before = home.command.json(f"--socket={control}", "gateway", "list")["mappings"]
    expect([(m["client"], m["internal_address"]) for m in before],
           [("10.77.0.2", "10.77.0.9")], "who asked, and for whom")
    daemon.end(signal.SIGKILL)
    home.gatewayd(**more)
    after = home.command.json(f"--socket={control}", "gateway", "list")["mappings"]
    expect([(m["id"], m["client"], m["internal_address"], m["rule"]) for m in after],
           [(m["id"], m["client"], m["internal_address"], m["rule"]) for m in before], "after")


@case("what ended while the daemon was dead is gone, what does not fit any more is closed")
def ended(opened):
    home = home_with(opened)
    home.command("add", "4080:8080/tcp", "--lifetime", "3s")
    home.command("add", "4081:8081/tcp", "4082:8082/tcp", "--lifetime", "1h")
    home.daemon.end(signal.SIGKILL)
    wait_until(lambda: len(elements(home, "dnat4")) == 2)
    again = home.gatewayd("External=wan0\nMaxMappings=1", backend="nftables")
    again.wait_text("went on with 1 mappings of before; closed 1")
    expect(len(elements(home, "dnat4")), 1, "mappings in the kernel")
    expect(len(elements(home, "snat4")), 1, "the other way")


@case("a foreign flush is noticed, announced, and everything is made anew")
def flushed(opened):
    home = home_with(opened)
    home.echo(8080)
    home.command("add", "4080:8080/tcp", "--lifetime", "1h")
    before = home.command.json("status")["gateways"][0]["epoch"]
    wait_until(lambda: home.command.json("status")["gateways"][0]["epoch"] > before + 2)
    home.translate()  # begins with "flush ruleset"
    home.gateway.nft("insert rule inet filter forward ct status dnat accept")
    home.daemon.wait_text("made anew")
    wait_until(lambda: len(elements(home, "dnat4")) == 1)
    home.expect_open(TCP, 4080)
    if home.command.json("status")["gateways"][0]["epoch"] > 2:
        raise AssertionError("the epoch went on")


@case("other tools change the ruleset all the time and nothing is lost by it")
def busy(opened):
    home = home_with(opened)
    for port in range(4080, 4100):
        home.gateway.nft(f"add table inet other{port}")
        home.command("add", f"{port}:{port}/tcp", "--lifetime", "1h")
    expect(len(elements(home, "dnat4")), 20, "mappings")
    if any("anew" in line for line in home.daemon.lines):
        raise AssertionError(home.daemon.transcript())


MANY = 60000


def natpmp_many(home, first, last):
    """Asks for UDP ports by NAT-PMP as fast as answers come; the granted ones."""
    granted = set()
    with home.client.socket(UDP) as asker:
        asker.connect((INSIDE, 5351))
        asker.settimeout(1)
        waiting = collections.deque(range(first, last + 1))
        flying = set()
        while waiting or flying:
            try:
                while waiting and len(flying) < 100:
                    port = waiting.popleft()
                    flying.add(port)
                    asker.send(struct.pack("!BBHHHI", 0, 1, 0, port, port, 7200))
                answer = asker.recv(64)
            except (TimeoutError, ConnectionRefusedError):
                waiting.extend(flying)  # lost, or nobody there just now: asked again
                flying.clear()
                continue
            _, opcode, result, _, internal, external, _ = struct.unpack("!BBHIHHI", answer)
            expect((opcode, result, external), (129, 0, internal), "answer")
            flying.discard(internal)
            granted.add(internal)
    return granted


def home_state():
    return f"{kernel.TOP}/gateway-state"


def count(home, name):
    """Elements, without listing them as objects."""
    with home.gateway:
        return sum(subprocess.run(["nft", "list", "map", "inet", "tenforward", part],
                                  capture_output=True, text=True,
                                  check=True).stdout.count("expires")
                   for part in parts_of(name))


@case("killed under load with 60 000 mappings nothing is lost, and the epoch goes on")
def killed_under_load(opened):
    home = home_with(opened, f"MaxMappings={MANY + 10000}\nFloodLimit=0")
    ports = range(5400, 5400 + MANY)
    expect(len(natpmp_many(home, ports[0], ports[-1])), MANY, "granted")
    epoch = home.command.json("status")["gateways"][0]["epoch"]
    # Killed while it is being asked; a thread goes on asking over that.
    again = {}
    load = threading.Thread(
        target=lambda: again.update(granted=natpmp_many(home, 5400, 5400 + 20000)))
    load.start()
    home.daemon.end(signal.SIGKILL)
    second = home.gatewayd(f"External=wan0\nMaxMappings={MANY + 10000}\nFloodLimit=0",
                           backend="nftables")
    load.join(4 * PATIENCE_S)
    second.wait_text(f"went on with {MANY} mappings of before")
    expect(len(again["granted"]), 20001, "renewed under load")
    expect((count(home, "dnat4"), count(home, "snat4")), (MANY, MANY), "in the kernel")
    if home.command.json("status")["gateways"][0]["epoch"] < epoch:
        raise AssertionError("the epoch began again")


@case("a start right behind a kill does not trip over what the daemon before leaves behind")
def killed_and_started_at_once(opened):
    home = home_with(opened, f"MaxMappings={MANY}\nFloodLimit=0\nState={home_state()}")
    expect(len(natpmp_many(home, 6000, 9999)), 4000, "granted")
    for _ in range(3):
        home.daemon.send(signal.SIGKILL)
        home.daemon = home.gatewayd(
            f"External=wan0\nMaxMappings={MANY}\nFloodLimit=0\nState={home_state()}",
            backend="nftables")
        home.daemon.wait_text("went on with 4000 mappings")


# ---- Bursts: while one batch is being committed, the one before is answered -----------

class Burst:
    """Many new UDP ports asked for by NAT-PMP, each once."""

    def __init__(self, home, opened, first):
        self.asker = opened.enter_context(home.client.socket(UDP))
        self.asker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.asker.connect((INSIDE, 5351))
        self.next = first
        self.granted = set()
        self.refused = set()

    def ask(self, number):
        try:
            for port in range(self.next, self.next + number):
                self.asker.send(struct.pack("!BBHHHI", 0, 1, 0, port, port, 7200))
        except ConnectionRefusedError:
            pass
        self.next += number

    def hear(self, number, patience_s=PATIENCE_S):
        """So many answers more, or fewer when none comes for so long."""
        self.asker.settimeout(patience_s)
        for _ in range(number):
            try:
                answer = self.asker.recv(64)
            except (TimeoutError, ConnectionRefusedError):
                return
            _, opcode, result = struct.unpack("!BBH", answer[:4])
            expect(opcode, 129, "opcode")
            port = struct.unpack("!H", answer[8:10])[0]
            (self.refused if result else self.granted).add(port)


def helper_of(daemon):
    """The only one of its children that has a capability."""
    pid = daemon.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        children = file.read().split()
    for child in children:
        with open(f"/proc/{child}/status", encoding="ascii") as file:
            if not re.search(r"^CapEff:\t0+$", file.read(), re.MULTILINE):
                return int(child)
    raise AssertionError(f"no helper among {children}")


def open_ports(home):
    with home.gateway:
        return {int(port) for part in parts_of("dnat4") for port in
                re.findall(r"(\d+) timeout", subprocess.run(
                    ["nft", "list", "map", "inet", "tenforward", part],
                    capture_output=True, text=True, check=True).stdout)}


CROWD = "MaxMappings=20000\nFloodLimit=0"


@case("while the helper stands still nobody is told anything, and then everybody")
def helper_stopped(opened):
    home = home_with(opened, CROWD)
    burst = Burst(home, opened, 6000)
    burst.ask(50)
    burst.hear(50)
    expect(len(burst.granted), 50, "granted before")
    helper = helper_of(home.daemon)
    os.kill(helper, signal.SIGSTOP)
    burst.ask(1000)
    burst.hear(1, patience_s=0.5)
    expect(len(burst.granted), 50, "granted while it stands still")
    os.kill(helper, signal.SIGCONT)
    burst.hear(1000)
    expect((len(burst.granted), len(burst.refused)), (1050, 0), "granted, refused")
    expect(open_ports(home), burst.granted, "open")


def killed_in_burst(opened, kill):
    """Killed at six places of a burst: who was told that a port is open has it."""
    home = home_with(opened, CROWD)
    for turn in range(6):
        burst = Burst(home, opened, 6000)
        for _ in range(8):
            burst.ask(150)
            burst.hear(50 + 12 * turn)
        kill(home.daemon)
        burst.ask(300)
        home.daemon.wait()
        burst.hear(4000, patience_s=0.2)
        if len(burst.granted) < 8 * 50:
            raise AssertionError(f"only {len(burst.granted)} were granted")
        expect(burst.granted - open_ports(home), set(), "told to be open and are not")
        again = home.gatewayd(f"External=wan0\n{CROWD}", backend="nftables")
        again.wait_text(f"went on with {len(open_ports(home))} mappings")
        again.end()
        home.gateway.nft("delete table inet tenforward")
        home.daemon = home.gatewayd(f"External=wan0\n{CROWD}", backend="nftables")


@case("the daemon killed in a burst has told nobody more than what is open")
def daemon_killed_in_burst(opened):
    killed_in_burst(opened, lambda daemon: daemon.send(signal.SIGKILL))


@case("the helper killed in a burst: the daemon ends and has told nobody more than that")
def helper_killed_in_burst(opened):
    killed_in_burst(opened, lambda daemon: os.kill(helper_of(daemon), signal.SIGKILL))


@case("mappings follow the external address, and clients are told")
def moved(opened):
    home = Home(opened, PATHS)
    home.translate()
    home.gateway.nft("insert rule inet filter forward ct status dnat accept")
    home.echo(8080)
    config = "[Gateway]\nBackend=nftables\nExternal=wan0\nInternal=lan0\n[Rule]\nAction=allow\n"
    daemon = opened.enter_context(gatewayd(PATHS[1], home.file("moving.conf"), config,
                                           home.gateway))
    home.command("add", "4080:8080/tcp", "--lifetime", "1h")
    home.expect_open(TCP, 4080)
    home.gateway.ip("address del 11.0.113.1/24 dev wan0", "address add 11.0.113.9/24 dev wan0")

    def is_open():
        with home.internet.socket(TCP) as caller:
            try:
                caller.connect(("11.0.113.9", 4080))
                caller.sendall(b"hello")
                return caller.recv(64) == b"you said hello"
            except OSError:
                return False
    wait_until(is_open)
    expect(home.command.json("status")["gateways"][0]["external_address"], "11.0.113.9", "told")
    expect(len(elements(home, "dnat4")), 1, "mappings")
    daemon.end()


def forward_rules(home):
    with home.gateway:
        listed = subprocess.run(["nft", "list", "chain", "inet", "filter", "forward"],
                                capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "tenforward" in line]


def closed(home):
    """Nobody answers, in a moment's time."""
    with home.internet.socket(TCP) as caller:
        caller.settimeout(0.5)
        try:
            caller.connect((OUTSIDE, 4080))
        except TimeoutError:
            return True
    return False


@case("a firewall that drops what is mapped is told of, or gets the rule that is missing")
def forward(opened):
    home = Home(opened, PATHS)
    home.translate()
    home.echo(8080)
    daemon = home.gatewayd("External=wan0", backend="nftables")
    daemon.wait_text("chain inet filter forward drops what is mapped")
    home.command("add", "4080:8080/tcp", "--lifetime", "1h")
    expect(closed(home), True, "without the rule")
    daemon.end()
    managing = home.gatewayd("External=wan0\nManageForward=yes", backend="nftables")
    expect(len(forward_rules(home)), 2, "rules")
    home.expect_open(TCP, 4080)
    # Another tool makes its table anew.
    home.translate()
    wait_until(lambda: len(forward_rules(home)) == 2 and elements(home, "dnat4"))
    home.expect_open(TCP, 4080)
    managing.end()
    expect(forward_rules(home), [], "after an orderly end")
    expect(len(elements(home, "dnat4")), 1, "mappings after the end")
    managing = home.gatewayd("External=wan0\nManageForward=yes", backend="nftables")
    managing.end(signal.SIGKILL)
    expect(len(forward_rules(home)), 2, "rules after a kill")
    home.gatewayd("External=wan0", backend="nftables")
    expect(forward_rules(home), [], "rules when they are not wanted any more")


kernel.enter("nft")
run("".join(sys.argv[3:4]))

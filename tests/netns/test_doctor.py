#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""doctor and check in networks that are broken in one way each, and in one that is not.

    test_doctor.py COMMAND DAEMON"""
import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import sys
import threading
import time

import kernel
from cases import Skip, case, comment, expect, expect_in, run
from home import CLIENT, INSIDE, OUTSIDE, SILENCE, Home
from kernel import Tunnel, link
from programs import PATIENCE_S, Program

PATHS = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 8080
WALL = ("table inet wall {\n chain input {\n  type filter hook input priority 0; policy drop;\n"
        "  ct state established,related accept\n  iifname \"lo\" accept\n"
        "  udp sport 5351 accept\n }\n}\n")
HAIRPIN = ("table ip hairpin {\n"
           " chain prerouting {\n  type nat hook prerouting priority -110;\n"
           f"  iifname \"lan0\" ip daddr {OUTSIDE} tcp dport 4080 dnat to {CLIENT}:{PORT}\n }}\n"
           " chain postrouting {\n  type nat hook postrouting priority 90;\n"
           f"  ip saddr 10.77.0.0/24 ip daddr {CLIENT} masquerade\n }}\n}}\n")
OUTER_NAT = ("table ip nat {\n chain postrouting {\n  type nat hook postrouting priority 100;\n"
             "  oifname \"wan0\" masquerade\n }\n}\n")


def listen(home, name, *ports):
    program = home.opened.enter_context(Program(
        [sys.executable, os.path.join(HERE, "listener.py"), name, *map(str, ports)],
        inside=home.client))
    program.wait_text("ready")
    return program


def healthy_home(opened, opens=True):
    home = Home(opened, PATHS)
    home.miniupnpd()
    # miniupnpd leaves it to others that a router can be asked from inside.
    home.gateway.nft(HAIRPIN)
    if opens:
        home.command("add", f"4080:{PORT}")
    return home


def examine(home, *words, status=0, verb="doctor"):
    """({step: ok}, the whole), and the text for whoever reads the log."""
    comment(home.command(verb, *words, status=status).out)
    told = home.command.json(verb, *words, status=status)
    return {step["name"]: step["ok"] for step in told["steps"]}, told


def step_of(told, name):
    return [step for step in told["steps"] if step["name"] == name][-1]


def bad(steps):
    return [name for name, ok in steps.items() if ok is False]


@contextlib.contextmanager
def ssh_to(home, host):
    """In place of ssh: the command runs on this host."""
    if shutil.which("nsenter") is None:
        raise Skip("nsenter is not installed")
    os.makedirs(home.file("bin"), exist_ok=True)
    home.file("bin/ssh", "#!/bin/sh\nfor last; do :; done\n"
              f"exec nsenter --net=/proc/{os.getpid()}/fd/{host.fd} sh -c \"$last\"\n")
    before = home.command.env["PATH"]
    home.command.env["PATH"] = home.file("bin") + ":" + before
    yield
    home.command.env["PATH"] = before


@case("where nothing is wrong, every step is ok and nothing is found")
def healthy(opened):
    home = healthy_home(opened)
    listen(home, "minecraft", PORT)
    with ssh_to(home, home.internet):
        for verb in ("doctor", "check"):
            steps, told = examine(home, f"{PORT}/tcp", "--from", "friend", verb=verb)
            expect(set(steps.values()), {True}, told)
            expect(told["verdict"], "8080/tcp is open: it was reached from outside.", "verdict")
    expect(bad(examine(home)[0]), [], "without a mapping")


@case("a cable that is not plugged in")
def no_carrier(opened):
    home = Home(opened, PATHS)
    with home.client.listen_links() as events:
        home.gateway.ip("link set lan0 down")
        home.client.wait_running(["eth0"], events, is_running=False)
    steps, told = examine(home, f"{PORT}/tcp", "--timeout", "1s", status=3)
    expect(steps["link"], False, "link")
    expect(step_of(told, "link")["seen"], "eth0 is not connected", "seen")


@case("no way to the internet")
def no_route(opened):
    home = Home(opened, PATHS)
    home.client.ip("route del default")
    steps, told = examine(home, status=3)
    expect((steps["link"], steps["route"], steps["gateway"]), (True, False, False), told)


@case("traffic that leaves by a VPN, where the port is open at the router")
def vpn(opened):
    home = healthy_home(opened)
    listen(home, "minecraft", PORT)
    far = home.host("far")
    opened.enter_context(Tunnel(home.client, "tun0", "10.9.0.2/24", far, "tun0", "10.9.0.1/24"))
    home.client.ip("route add 0.0.0.0/1 dev tun0", "route add 128.0.0.0/1 dev tun0",
                   f"route add {OUTSIDE}/32 via {INSIDE}")
    steps, told = examine(home, f"{PORT}/tcp", status=3)
    expect(bad(steps), ["route"], told)
    expect_in("leaves by tun0 (a VPN)", step_of(told, "route")["seen"], "seen")


@case("a router that offers no ports")
def no_service(opened):
    home = Home(opened, PATHS)
    home.translate()
    steps, told = examine(home, f"{PORT}/tcp", status=5)
    expect((steps["gateway"], steps["service"]), (True, False), told)
    expect_in("switch on UPnP, NAT-PMP or PCP", step_of(told, "service")["advice"], "advice")


@case("a router that ignores requests, and one that is gone")
def silent(opened):
    home = healthy_home(opened)
    home.gateway.nft(SILENCE)
    steps, told = examine(home, "--timeout", "1s", status=4)
    expect((steps["gateway"], steps["service"]), (True, False), told)
    home.gateway.nft("table inet silence {\n chain everything {\n"
                     "  type filter hook input priority -300;\n  iifname \"lan0\" drop\n }\n}\n")
    steps, told = examine(home, "--timeout", "1s", status=4)
    expect((steps["gateway"], "service" in steps), (False, False), told)


def two_routers(opened, outer_answers, backend="memory"):
    """client -- gateway (gatewayd) -- outer (gatewayd or nothing) -- internet"""
    home = Home(opened, PATHS)
    outer = home.outer_host = home.host("outer")
    home.gateway.ip("link del wan0")
    link(home.gateway, "wan0", "10.20.0.14/24", outer, "lan0", "10.20.0.1/24")
    link(outer, "wan0", "11.0.113.9/24", home.internet, "eth1", "11.0.113.8/24")
    home.gateway.ip("route add default via 10.20.0.1")
    outer.ip("route add default via 11.0.113.8")
    for host in (home.gateway, outer):
        host.sysctl("net.ipv4.ip_forward", "1")
        host.nft(OUTER_NAT)
    kernel_keys = "External=wan0\n" if backend == "nftables" else ""
    home.gatewayd(f"{kernel_keys}ExternalAddress=10.20.0.14", backend=backend)
    if outer_answers:
        # Two daemons on one computer: what is one's own is named.
        own = f"Socket={home.file('outer.sock')}\nState={home.file('outer-state')}\n"
        home.start_outer = lambda: home.gatewayd(
            f"{kernel_keys}{own}ExternalAddress=11.0.113.9", host=outer, backend=backend)
        home.outer = home.start_outer()
    return home


@case("a router behind a router, which is named when it answers")
def double_nat(opened):
    home = two_routers(opened, True)
    listen(home, "minecraft", PORT)
    home.command("add", f"{PORT}")
    steps, told = examine(home, f"{PORT}/tcp", status=8)
    expect(bad(steps), ["address"], told)
    address = step_of(told, "address")
    expect_in("10.20.0.14 is a private address", address["seen"], "seen")
    expect_in("the outer router is 10.20.0.1, and answers", address["means"], "means")
    expect_in("tenforward add 8080/tcp --through", address["advice"], "advice")


@case("a mapping through both routers is added, listed, reached and removed as one")
def through(opened):
    home = two_routers(opened, True, backend="nftables")
    listen(home, "minecraft", PORT)
    home.internet.ip("route add 10.20.0.0/24 via 11.0.113.9")
    made = home.command.json("add", f"4080:{PORT}", "--through", "--name", "game")["mappings"]
    expect([(m["external_address"], m["external_port"]) for m in made], [("11.0.113.9", 4080)],
           "made")
    listed = home.command.json("list")["mappings"]
    expect([(m["name"], m["external_address"], m["through"]) for m in listed],
           [("game", "11.0.113.9", "10.20.0.1")], "listed")
    with ssh_to(home, home.internet):
        steps, told = examine(home, f"{PORT}/tcp", "--from", "friend")
        expect((bad(steps), steps["outside"]), ([], True), told)
    home.command("add", f"4080:{PORT}", "--through")  # renews both
    expect(len(home.command.json("list")["mappings"]), 1, "after it was renewed")
    home.command("remove", listed[0]["id"])
    expect(home.command.json("list")["mappings"], [], "after it was removed")
    with home.internet.socket(socket.SOCK_STREAM) as caller:
        expect(caller.connect_ex(("11.0.113.9", 4080)) == 0, False, "open after it was removed")


def is_open_outside(home):
    with home.internet.socket(socket.SOCK_STREAM) as caller:
        return caller.connect_ex(("11.0.113.9", 4080)) == 0


def reach_outer(home):
    with home.internet.socket(socket.SOCK_STREAM) as caller:
        caller.connect(("11.0.113.9", 4080))
        caller.sendall(b"hello")
        return caller.recv(64)


@case("a mapping through both routers is kept as one, over a restart of the outer router")
def kept_through(opened):
    home = two_routers(opened, True, backend="nftables")
    home.echo(PORT)
    keeper = opened.enter_context(home.command.start(
        "--json", "keep", f"4080:{PORT}", "--through", "--lifetime", "12s"))
    held, _ = keeper.wait_event("mapped")
    outside = (held["mapping"]["external_address"], held["mapping"]["external_port"])
    expect(outside, ("11.0.113.9", 4080), "outside")
    expect(reach_outer(home), b"you said hello", "from outside")
    expect([m["through"] for m in home.command.json("list")["mappings"]], ["10.20.0.1"], "list")
    home.outer.end()
    shutil.rmtree(home.file("outer-state"))  # it is as after a loss of power
    home.outer_host.nft("flush ruleset\n" + OUTER_NAT)
    expect(is_open_outside(home), False, "open while the outer router forwards nothing")
    home.start_outer()
    deadline = time.monotonic() + PATIENCE_S
    while not is_open_outside(home):
        expect(time.monotonic() < deadline, True, keeper.transcript())
        time.sleep(0.05)
    expect(reach_outer(home), b"you said hello", "from outside, after the restart")
    expect(keeper.end(signal.SIGINT), 0, keeper.transcript())
    expect(home.command.json("list")["mappings"], [], "after the end")
    expect(is_open_outside(home), False, "open after the end")


@case("a router behind a router that says nothing")
def double_nat_silent(opened):
    home = two_routers(opened, False)
    _, told = examine(home, status=8)
    expect_in("the outer router is 10.20.0.1; it opens no ports", step_of(told, "address")["means"],
              "means")


@case("an address that the provider shares among customers")
def carrier(opened):
    home = Home(opened, PATHS)
    home.gatewayd("ExternalAddress=100.64.7.9")
    steps, told = examine(home, status=8)
    expect(bad(steps), ["address"], told)
    expect_in("carrier NAT", step_of(told, "address")["seen"], "seen")


@case("a game that was not started, and one that hears this computer alone")
def no_listener(opened):
    home = healthy_home(opened)
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(bad(steps), ["listener"], told)
    expect(told["verdict"], "Your friend cannot connect because nothing listens on 8080/tcp here.",
           "verdict")
    with home.client.socket(socket.SOCK_STREAM) as only_here:
        only_here.bind(("127.0.0.1", PORT))
        only_here.listen()
        steps, told = examine(home, f"{PORT}/tcp", status=11)
        expect(bad(steps), ["listener"], told)
        expect_in(f"but not for {CLIENT}", step_of(told, "listener")["seen"], "seen")


@case("this computer's own firewall")
def firewall(opened):
    home = healthy_home(opened)
    listen(home, "minecraft", PORT)
    home.client.nft(WALL)
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(bad(steps), ["firewall"], told)
    expect_in("chain input of table inet wall", step_of(told, "firewall")["seen"], "seen")
    home.client.nft("flush chain inet wall input\n"
                    "add rule inet wall input meta mark 7 accept\n"
                    "add rule inet wall input udp sport 5351 accept\n"
                    "add rule inet wall input ct state established accept\n")
    steps, told = examine(home, f"{PORT}/tcp")
    expect(steps["firewall"], None, told)


@case("a port that nobody opened")
def not_opened(opened):
    home = healthy_home(opened, opens=False)
    listen(home, "minecraft", PORT)
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(bad(steps), ["mapping"], told)
    expect_in("tenforward add 8080/tcp", step_of(told, "mapping")["advice"], "advice")


@case("a router that restarted and forgot, and is reminded by --heal")
def forgotten(opened):
    home = Home(opened, PATHS)
    listen(home, "minecraft", PORT)
    daemon = home.gatewayd()
    home.command("add", f"4080:{PORT}")
    record = home.file("state-client/tenforward/leases")
    with open(record, encoding="utf-8") as file:
        text = file.read()
    # As if it had been made a minute ago.
    older = re.sub(r"expires=(\d+)", lambda m: f"expires={int(m.group(1)) - 60}", text)
    with open(record, "w", encoding="utf-8") as file:
        file.write(older)
    daemon.end()
    home.gatewayd()
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(bad(steps), ["mapping"], told)
    expect_in("has forgotten it", step_of(told, "mapping")["seen"], "seen")
    told = home.command.json("check", f"{PORT}/tcp", "--heal")
    expect_in("opened again: 11.0.113.1:4080/tcp", step_of(told, "mapping")["seen"], "seen")
    expect(bad(examine(home, f"{PORT}/tcp", verb="check")[0]), [], "after it was healed")


@case("a port that is closed from outside, and a UDP port of which nothing can be known")
def closed_outside(opened):
    home = healthy_home(opened)
    listen(home, "minecraft", PORT)
    home.command("add", f"4080:{PORT}/udp")
    home.gateway.nft("table inet provider {\n chain forward {\n  type filter hook forward "
                     "priority -10;\n  iifname \"wan0\" meta l4proto { tcp, udp } drop\n }\n}\n")
    with ssh_to(home, home.internet):
        steps, told = examine(home, f"{PORT}/tcp", "--from", "friend", verb="check", status=11)
        expect(bad(steps), ["outside"], told)
        steps, told = examine(home, f"{PORT}/udp", "--from", "friend", verb="check")
        expect(steps["outside"], None, told)
        expect_in("proves neither", step_of(told, "outside")["means"], "means")


def stun_server(home, tells):
    server = home.opened.enter_context(home.internet.socket(socket.SOCK_DGRAM))
    server.bind(("11.0.113.2", 3478))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                request, caller = server.recvfrom(64)
                host, port = tells or caller[0], caller[1]
                mapped = struct.pack("!BBH4s", 0, 1, port, socket.inet_aton(host))
                server.sendto(struct.pack("!HH", 0x0101, 12) + request[4:20] +
                              struct.pack("!HH", 1, 8) + mapped, caller)
    threading.Thread(target=serve, daemon=True).start()


@case("an address outside that is not the router's, seen by a STUN server")
def stun(opened):
    home = healthy_home(opened)
    stun_server(home, None)
    steps, told = examine(home, "--stun", "11.0.113.2")
    expect_in("the internet sees this network as 11.0.113.1", step_of(told, "address")["seen"],
              "seen")
    other = healthy_home(opened)
    stun_server(other, "11.0.99.9")
    steps, told = examine(other, "--stun", "11.0.113.2", status=8)
    expect(bad(steps), ["address"], told)
    expect_in("but the internet sees 11.0.99.9", step_of(told, "address")["seen"], "seen")


@case("a clock that was set back, and a program that has 5350 for itself")
def hints(opened):
    home = healthy_home(opened)
    listen(home, "minecraft", PORT)
    record = home.file("state-client/tenforward/leases")
    with open(record, encoding="utf-8") as file:
        text = file.read()
    later = re.sub(r"expires=(\d+)", lambda m: f"expires={int(m.group(1)) + 9000}", text)
    with open(record, "w", encoding="utf-8") as file:
        file.write(later)
    steps, told = examine(home, f"{PORT}/tcp")
    expect(bad(steps), ["clock"], told)
    with home.client.socket(socket.SOCK_DGRAM) as greedy:
        greedy.bind(("0.0.0.0", 5350))
        _, told = examine(home)
        expect_in("port 5350/udp is taken by python3", step_of(told, "service")["seen"], "seen")


@case("a port that another host has")
def taken(opened):
    home = healthy_home(opened, opens=False)
    home.client.ip("address add 10.77.0.3/24 dev eth0")
    listen(home, "minecraft", PORT)
    home.command("--source", "10.77.0.3", "add", f"4080:{PORT}")
    home.command("--source", CLIENT, "add", f"4080:{PORT}")
    home.command("--source", "10.77.0.3", "remove", "m1")
    steps, told = examine(home, f"{PORT}/tcp")
    expect(bad(steps), ["policy"], told)
    expect_in("instead of 4080", step_of(told, "policy")["seen"], "seen")


@case("a report shows no address of the internet")
def report(opened):
    home = healthy_home(opened)
    out = home.command("doctor", f"{PORT}/tcp", "--report", status=11).out
    comment(out)
    expect_in("x.x.x.x:4080/tcp → 10.77.0.2:8080", out, "mapping")
    expect(OUTSIDE in out, False, "outside address")


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[3:4]))

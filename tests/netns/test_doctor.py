#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""doctor and check in networks that are broken in one way each, and in one that is not.

    test_doctor.py COMMAND DAEMON CLOCK [ONLY]"""
import contextlib
import json
import shutil
import signal
import socket
import struct
import sys
import threading
import time

import diagnosis
import kernel
from cases import case, comment, expect, expect_in, run
from diagnosis import PORT, WALL, bad, examine, found, listen, ssh_to, step_of
from home import CLIENT, INSIDE, OUTSIDE, SILENCE, Home
from kernel import Tunnel
from programs import PATIENCE_S, finish
from routers import OUTER_NAT, is_open_outside, reach_outer, two_routers

PATHS = sys.argv[1:3]
CLOCK = sys.argv[3]




@case("where nothing is wrong, every step is ok and nothing is found")
def healthy(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    listen(home, "minecraft", PORT)
    with ssh_to(home, home.internet):
        for verb in ("doctor", "check"):
            steps, told = examine(home, f"{PORT}/tcp", "--from", "friend", verb=verb)
            expect((set(steps.values()), found(told)), ({True}, []), told)
            expect(told["verdict"], "8080/tcp is open: it was reached from outside.", "verdict")
    expect(found(examine(home)[1]), [], "without a mapping")


@case("a cable that is not plugged in")
def no_carrier(opened):
    home = Home(opened, PATHS)
    with home.client.listen_links() as events:
        home.gateway.ip("link set lan0 down")
        home.client.wait_running(["eth0"], events, is_running=False)
    steps, told = examine(home, f"{PORT}/tcp", "--timeout", "1s", status=3)
    expect((steps["link"], found(told)[0]), (False, "not-connected"), told)
    expect(step_of(told, "link")["seen"], "eth0 is not connected", "seen")


@case("a computer without an interface, with one that is off, and one without an address")
def no_link(opened):
    home = Home(opened, PATHS)
    lonely = home.host("lonely")
    alone = home.command_on(lonely)
    told = alone.json("doctor", status=3)
    expect(found(told), ["no-interface", "no-route", "no-gateway"], told)
    home.client.ip("link set eth0 down")
    told = home.command.json("doctor", status=3)
    expect(found(told), ["interface-off", "no-route", "no-gateway"], told)
    home.client.ip("address flush dev eth0", "link set eth0 up")
    told = home.command.json("doctor", status=3)
    expect(found(told), ["no-address", "no-route", "no-gateway"], told)


@case("no way to the internet")
def no_route(opened):
    home = Home(opened, PATHS)
    home.client.ip("route del default")
    steps, told = examine(home, status=3)
    expect((steps["link"], found(told)), (True, ["no-route", "no-gateway"]), told)


@case("traffic that leaves by a VPN, where the port is open at the router")
def vpn(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    listen(home, "minecraft", PORT)
    far = home.host("far")
    opened.enter_context(Tunnel(home.client, "tun0", "10.9.0.2/24", far, "tun0", "10.9.0.1/24"))
    home.client.ip("route add 0.0.0.0/1 dev tun0", "route add 128.0.0.0/1 dev tun0",
                   f"route add {OUTSIDE}/32 via {INSIDE}")
    steps, told = examine(home, f"{PORT}/tcp", status=3)
    expect(found(told), ["wrong-way"], told)
    expect_in("leaves by tun0 (a VPN)", step_of(told, "route")["seen"], "seen")


@case("a router that offers no ports")
def no_service(opened):
    home = Home(opened, PATHS)
    home.translate()
    steps, told = examine(home, f"{PORT}/tcp", status=5)
    expect((steps["gateway"], found(told)[0]), (True, "no-service"), told)
    expect_in("switch on UPnP, NAT-PMP or PCP", step_of(told, "service")["advice"], "advice")


@case("a router that ignores requests, and one that is gone")
def silent(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    home.gateway.nft(SILENCE)
    steps, told = examine(home, "--timeout", "1s", status=4)
    expect((steps["gateway"], found(told)), (True, ["service-silent"]), told)
    home.gateway.nft("table inet silence {\n chain everything {\n"
                     "  type filter hook input priority -300;\n  iifname \"lan0\" drop\n }\n}\n")
    steps, told = examine(home, "--timeout", "1s", status=4)
    expect((found(told), "service" in steps), (["gateway-gone"], False), told)


@case("a router behind a router, which is named when it answers")
def double_nat(opened):
    home = two_routers(opened, PATHS, True)
    listen(home, "minecraft", PORT)
    home.command("add", f"{PORT}")
    steps, told = examine(home, f"{PORT}/tcp", status=8)
    expect((bad(steps), found(told)), (["address"], ["double-nat"]), told)
    address = step_of(told, "address")
    expect_in("10.20.0.14 is a private address", address["seen"], "seen")
    expect_in("the outer router is 10.20.0.1, and answers", address["means"], "means")
    expect_in("tenforward add 8080/tcp --through", address["advice"], "advice")


@case("a mapping through both routers is added, listed, reached and removed as one")
def through(opened):
    home = two_routers(opened, PATHS, True, backend="nftables")
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


@case("a mapping through both routers is kept as one, over a restart of the outer router")
def kept_through(opened):
    home = two_routers(opened, PATHS, True, backend="nftables")
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


@case("an outer router that --through cannot ask is told, and no such advice given")
def double_nat_pcp(opened):
    home = two_routers(opened, PATHS, False)
    home.gatewayd(f"Protocols=pcp\nSocket={home.file('outer.sock')}\n"
                  f"State={home.file('outer-state')}\nExternalAddress=11.0.113.9",
                  host=home.outer_host)
    told = home.command("add", f"{PORT}", "--through", status=5)
    expect_in("It does not speak NAT-PMP", told.err, "add")
    address = step_of(examine(home, f"{PORT}/tcp", status=8)[1], "address")
    expect_in("the outer router is 10.20.0.1, and answers PCP", address["means"], "means")
    expect_in("forward the port there to 10.20.0.14", address["advice"], "advice")


@case("a router behind a router that says nothing")
def double_nat_silent(opened):
    home = two_routers(opened, PATHS, False)
    _, told = examine(home, status=8)
    expect_in("the outer router is 10.20.0.1; it opens no ports", step_of(told, "address")["means"],
              "means")


@case("an address that the provider shares among customers")
def carrier(opened):
    home = Home(opened, PATHS)
    home.gatewayd("ExternalAddress=100.64.7.9")
    steps, told = examine(home, status=8)
    expect((bad(steps), found(told)), (["address"], ["carrier-nat"]), told)
    expect_in("carrier NAT", step_of(told, "address")["seen"], "seen")


@case("a router whose own line is down")
def no_outside_address(opened):
    home = diagnosis.healthy_home(opened, PATHS, opens=False)
    home.gateway.ip("address flush dev wan0")
    steps, told = examine(home, status=8)
    expect(found(told), ["no-outside-address"], told)
    expect_in("not connected to the internet", told["verdict"], "verdict")


@case("a game that was not started, and one that hears this computer alone")
def no_listener(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(found(told), ["nobody-listens"], told)
    expect(told["verdict"], "Your friend cannot connect because nothing listens on 8080/tcp here.",
           "verdict")
    with home.client.socket(socket.SOCK_STREAM) as only_here:
        only_here.bind(("127.0.0.1", PORT))
        only_here.listen()
        steps, told = examine(home, f"{PORT}/tcp", status=11)
        expect(found(told), ["listens-here-alone"], told)
        expect_in(f"but not for {CLIENT}", step_of(told, "listener")["seen"], "seen")


@case("this computer's own firewall")
def firewall(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    listen(home, "minecraft", PORT)
    home.client.nft(WALL)
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(found(told), ["kept-out"], told)
    expect_in("chain input of table inet wall", step_of(told, "firewall")["seen"], "seen")
    home.client.nft("flush chain inet wall input\n"
                    "add rule inet wall input meta mark 7 accept\n"
                    "add rule inet wall input udp sport 5351 accept\n"
                    "add rule inet wall input ct state established accept\n")
    steps, told = examine(home, f"{PORT}/tcp")
    expect(steps["firewall"], None, told)


@case("a port that nobody opened")
def not_opened(opened):
    home = diagnosis.healthy_home(opened, PATHS, opens=False)
    listen(home, "minecraft", PORT)
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(found(told), ["not-opened"], told)
    expect_in("tenforward add 8080/tcp", step_of(told, "mapping")["advice"], "advice")


@case("a router that restarted and forgot, and is reminded by --heal")
def forgotten(opened):
    home = Home(opened, PATHS)
    listen(home, "minecraft", PORT)
    daemon = home.gatewayd()
    home.command("add", f"4080:{PORT}")
    home.age_leases(60)
    daemon.end()
    home.gatewayd()
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(found(told), ["forgotten"], told)
    expect_in("has forgotten it", step_of(told, "mapping")["seen"], "seen")
    told = home.command.json("check", f"{PORT}/tcp", "--heal")
    expect_in("opened again: 11.0.113.1:4080/tcp", step_of(told, "mapping")["seen"], "seen")
    expect(found(examine(home, f"{PORT}/tcp", verb="check")[1]), [], "after it was healed")


@case("a port that the router's own list lacks, and one that another host has there")
def by_the_list(opened):
    home = Home(opened, PATHS)
    home.miniupnpd(upnp=True)
    home.gateway.nft(diagnosis.HAIRPIN)
    listen(home, "minecraft", PORT)
    home.command("--method", "igd", "add", f"4080:{PORT}")
    expect(found(examine(home, f"{PORT}/tcp")[1]), [], "while it is listed")
    home.upnpc("-d", "4080", "tcp")
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(found(told), ["missing-in-list"], told)
    home.command("remove", "m1")
    home.upnpc("-e", "camera", "-a", CLIENT, "9000", f"{PORT}", "tcp", "600")
    steps, told = examine(home, f"{PORT}/tcp", status=11)
    expect(found(told), ["port-taken", "not-opened"], told)
    expect_in(f"taken by {CLIENT}: camera", step_of(told, "policy")["seen"], "seen")


@case("a port that is closed from outside, and a UDP port of which nothing can be known")
def closed_outside(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    listen(home, "minecraft", PORT)
    home.command("add", f"4080:{PORT}/udp")
    home.gateway.nft("table inet provider {\n chain forward {\n  type filter hook forward "
                     "priority -10;\n  iifname \"wan0\" meta l4proto { tcp, udp } drop\n }\n}\n")
    with ssh_to(home, home.internet):
        steps, told = examine(home, f"{PORT}/tcp", "--from", "friend", verb="check", status=11)
        expect(found(told), ["silent-outside"], told)
        steps, told = examine(home, f"{PORT}/udp", "--from", "friend", verb="check")
        expect(steps["outside"], None, told)
        expect_in("proves neither", step_of(told, "outside")["means"], "means")
        home.gateway.nft("flush chain inet provider forward\n"
                         "add rule inet provider forward iifname \"wan0\" meta l4proto tcp "
                         "reject with tcp reset\n")
        steps, told = examine(home, f"{PORT}/tcp", "--from", "friend", verb="check", status=11)
        expect(found(told), ["refused-outside"], told)


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
    home = diagnosis.healthy_home(opened, PATHS)
    stun_server(home, None)
    steps, told = examine(home, "--stun", "11.0.113.2")
    expect_in("the internet sees this network as 11.0.113.1", step_of(told, "address")["seen"],
              "seen")
    other = diagnosis.healthy_home(opened, PATHS)
    stun_server(other, "11.0.99.9")
    steps, told = examine(other, "--stun", "11.0.113.2", status=8)
    expect((bad(steps), found(told)), (["address"], ["seen-elsewhere"]), told)
    expect_in("but the internet sees 11.0.99.9", step_of(told, "address")["seen"], "seen")


def at_another_time(home, shift_s, *words, status=0):
    """The command on a computer whose clock is off by so many seconds."""
    env = home.command.env | {"LD_PRELOAD": CLOCK, "TENF_TEST_SHIFT_S": str(shift_s)}
    result = finish([home.command.path, "--json", *words], env, home.client)
    expect(result.status, status, result.out + result.err)
    return json.loads(result.out)


@case("a clock that was set back, or that no battery keeps")
def clock(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    listen(home, "minecraft", PORT)
    told = at_another_time(home, -9000, "doctor", f"{PORT}/tcp")
    expect(found(told), ["clock-set-back"], told)
    told = at_another_time(home, -3600 * 24 * 365 * 20, "doctor")
    expect(found(told), ["clock-behind"], told)


@case("a program that has 5350 for itself")
def greedy(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    with home.client.socket(socket.SOCK_DGRAM) as holder:
        holder.bind(("0.0.0.0", 5350))
        _, told = examine(home)
        expect(found(told), ["restarts-unheard"], told)
        expect_in("port 5350/udp is taken by python3", step_of(told, "service")["seen"], "seen")


@case("a port that another host has")
def taken(opened):
    home = diagnosis.healthy_home(opened, PATHS, opens=False)
    home.client.ip("address add 10.77.0.3/24 dev eth0")
    listen(home, "minecraft", PORT)
    home.command("--source", "10.77.0.3", "add", f"4080:{PORT}")
    home.command("--source", CLIENT, "add", f"4080:{PORT}")
    home.command("--source", "10.77.0.3", "remove", "m1")
    steps, told = examine(home, f"{PORT}/tcp")
    expect(found(told), ["other-port"], told)
    expect_in("instead of 4080", step_of(told, "policy")["seen"], "seen")


@case("a report shows no address of the internet")
def report(opened):
    home = diagnosis.healthy_home(opened, PATHS)
    out = home.command("doctor", f"{PORT}/tcp", "--report", status=11).out
    comment(out)
    expect_in("x.x.x.x:4080/tcp → 10.77.0.2:8080", out, "mapping")
    expect(OUTSIDE in out, False, "outside address")


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[4:5]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the rules of our table do to packets: both directions of a mapping, callers
from inside, filters, IPv6 pinholes, running flows of what is removed, errors on
the way, and floods of requests.

    test_packets.py COMMAND DAEMON"""
import errno
import os
import socket
import struct
import sys
import time

import kernel
from cases import Skip, case, expect, run
from home import CLIENT, INSIDE, OUTSIDE, Home
from programs import PATIENCE_S

PATHS = sys.argv[1:3]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
INTERNET = "11.0.113.2"
PROTOCOLS = {TCP: 6, UDP: 17}

# The administrator's own rules: translation, and nothing from outside.
FIREWALL = """
flush ruleset
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    ct status dnat accept
    iifname "lan0" accept
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr 10.77.0.0/24 oifname "wan0" masquerade
  }
}
"""


class House(Home):
    """A home with our packet path; `daemon` is the gateway daemon."""

    def __init__(self, opened, keys=""):
        super().__init__(opened, PATHS)
        self.gateway.sysctl("net.ipv4.ip_forward", "1")
        self.gateway.nft(FIREWALL)
        self.daemon = self.gatewayd(f"External=wan0\n{keys}", backend="nftables")

    def map(self, *options, kind=TCP, internal=8080, external=4080, lifetime=3600):
        """Asks by PCP and returns (result, external port)."""
        return pcp_map(self.client, CLIENT, INSIDE, kind, internal, external, lifetime, *options)


def mapped(address):
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return bytes(10) + b"\xff\xff" + socket.inet_aton(address)


def option_filter(address, length, port=0):
    return struct.pack("!BxHBBH", 3, 20, 0, length, port) + mapped(address)


NONCE = b"a nonce 12oc"


def ask_again(asker, packet):
    """The answer; the request is repeated, as every client does."""
    asker.settimeout(0.5)
    for _ in range(2 * PATIENCE_S):
        asker.send(packet)
        try:
            return asker.recv(1100)
        except TimeoutError:
            continue
    raise AssertionError("there was no answer")


def pcp_map(host, client, gateway, kind, internal, external, lifetime, *options):
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    zero = bytes(16) if family == socket.AF_INET6 else mapped("0.0.0.0")
    packet = (struct.pack("!BBHI", 2, 1, 0, lifetime) + mapped(client) + NONCE +
              struct.pack("!BxxxHH", PROTOCOLS[kind], internal, external) + zero +
              b"".join(options))
    with host, socket.socket(family, UDP) as asker:
        asker.bind((client, 0))
        asker.connect((gateway, 5351))
        answer = ask_again(asker, packet)
    return answer[3], struct.unpack("!H", answer[42:44])[0]


def pcp_peer(host, kind, internal, external, lifetime, remote):
    """Asks to keep a flow; returns (result, external port)."""
    packet = (struct.pack("!BBHI", 2, 2, 0, lifetime) + mapped(CLIENT) + NONCE +
              struct.pack("!BxxxHH", PROTOCOLS[kind], internal, external) + mapped("0.0.0.0") +
              struct.pack("!Hxx", remote[1]) + mapped(remote[0]))
    with host, socket.socket(socket.AF_INET, UDP) as asker:
        asker.bind((CLIENT, 0))
        asker.settimeout(PATIENCE_S)
        asker.connect((INSIDE, 5351))
        asker.send(packet)
        answer = asker.recv(1100)
    return answer[3], struct.unpack("!H", answer[42:44])[0]


def greet(host, address, port, kind=TCP, source=None, patience_s=PATIENCE_S):
    """The answer to a greeting, and the sender's own port; None without an answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host, socket.socket(family, kind) as caller:
        caller.settimeout(patience_s)
        if source:
            caller.bind(source)
        try:
            caller.connect((address, port))
            caller.sendall(b"hello")
            return caller.recv(64)
        except (ConnectionRefusedError, TimeoutError):
            return None


def expect_answer(got, what):
    expect(got, b"you said hello", what)


def wait_until(is_so):
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")


@case("what a mapped endpoint sends leaves by its external endpoint, UDP and TCP")
# NP-G-36
def test_outbound(opened):
    house = House(opened)
    for kind in (UDP, TCP):
        house.map(kind=kind, internal=8080, external=4080)
        with house.internet.socket(kind) as server, house.client.socket(kind) as sender:
            server.bind((INTERNET, 7000))
            sender.bind((CLIENT, 8080))
            if kind == TCP:
                server.listen()
                sender.connect((INTERNET, 7000))
                got, source = server.accept()
                got.close()
            else:
                sender.sendto(b"hello", (INTERNET, 7000))
                _, source = server.recvfrom(64)
        expect(source, (OUTSIDE, 4080), f"the sender, kind {kind}")
        with house.internet.socket(UDP) as server, house.client.socket(UDP) as sender:
            server.bind((INTERNET, 7001))
            sender.bind((CLIENT, 8081))
            sender.sendto(b"hello", (INTERNET, 7001))
            expect(server.recvfrom(64)[1][0], OUTSIDE, "who has no mapping")


@case("a mapped port is reached from inside, from its own host and from the gateway too")
# NP-G-37
def test_hairpin(opened):
    house = House(opened)
    house.echo(8080)
    for kind in (UDP, TCP):
        expect(house.map(kind=kind), (0, 4080), "mapping")
        expect_answer(greet(house.client, OUTSIDE, 4080, kind), "from the host itself")
        expect_answer(greet(house.gateway, OUTSIDE, 4080, kind), "from the gateway")
        expect_answer(greet(house.internet, OUTSIDE, 4080, kind), "from outside")


@case("a caller from inside is shown as the external address")
def test_hairpin_source(opened):
    house = House(opened)
    house.map(kind=UDP)
    with house.client.socket(UDP) as server, house.client.socket(UDP) as caller:
        server.bind((CLIENT, 8080))
        caller.bind((CLIENT, 9999))
        caller.sendto(b"hello", (OUTSIDE, 4080))
        expect(server.recvfrom(64)[1], (OUTSIDE, 9999), "the caller")


@case("a filter lets its peers in and nobody else, until it is taken back")
# PCP-G-41
def test_filter(opened):
    house = House(opened)
    house.echo(8080)
    house.internet.ip("address add 11.0.113.3/24 dev eth0")
    allowed, other = (INTERNET, 0), ("11.0.113.3", 0)
    for kind in (UDP, TCP):
        expect(house.map(option_filter(INTERNET, 128), kind=kind), (0, 4080), "mapping")
        expect_answer(greet(house.internet, OUTSIDE, 4080, kind, allowed), "the allowed peer")
        expect(greet(house.internet, OUTSIDE, 4080, kind, other, 0.5), None, "another peer")
        # Another filter: by port, of a network.
        house.map(option_filter("0.0.0.0", 0), option_filter("11.0.113.0", 120, 5000), kind=kind)
        expect(greet(house.internet, OUTSIDE, 4080, kind, (INTERNET, 5001), 0.5), None, "port")
        expect_answer(greet(house.internet, OUTSIDE, 4080, kind, ("11.0.113.3", 5000)), "port")
        # None any more.
        house.map(option_filter("0.0.0.0", 0), kind=kind)
        expect_answer(greet(house.internet, OUTSIDE, 4080, kind, other), "without a filter")


@case("filters that overlap hold together, in whatever order they are asked for")
def test_filter_overlap(opened):
    house = House(opened)
    house.echo(8080)
    net, peer, first = ("11.0.113.0", 120), ("11.0.113.2", 128), ("11.0.113.0", 128)
    pairs = [((*net, 0), (*peer, 0)), ((*net, 0), ("11.0.113.9", 120, 0)),
             ((*net, 5000), (*peer, 0)), ((*net, 5000), (*first, 0)), ((*net, 0), (*peer, 5000)),
             ((*net, 65535), (*net, 5000)), (("0.0.0.0", 96, 65535), (*net, 5000))]
    for pair in pairs:
        for one, other in (pair, pair[::-1]):
            both = [option_filter(*one), option_filter(*other)]
            expect(house.map(*both), (0, 4080), f"both at once: {one}, {other}")
            expect(house.map(option_filter("0.0.0.0", 0), both[0]), (0, 4080), "the first alone")
            expect(house.map(both[1]), (0, 4080), f"then the other: {one}, {other}")
            expect(house.map(lifetime=0)[0], 0, "the end")
    house.internet.ip("address add 11.0.113.3/24 dev eth0")
    other = "11.0.113.3"
    house.map(option_filter(*net, 5000), option_filter(*peer))
    expect_answer(greet(house.internet, OUTSIDE, 4080, TCP, (INTERNET, 0)), "any port of one")
    expect_answer(greet(house.internet, OUTSIDE, 4080, TCP, (other, 5000)), "one port of all")
    expect(greet(house.internet, OUTSIDE, 4080, TCP, (other, 0), 0.5), None, "neither")
    house.map(lifetime=0)
    # What the kernel's ranges cannot tell apart is this request's failure alone.
    refused = (option_filter(*net, 65535), option_filter(*peer))
    expect(house.map(*refused)[0], 13, "a corner of one inside the other")


@case("no host's filters are the end of what others ask for")
def test_filter_many(opened):
    house = House(opened, "FloodLimit=0")
    several = [option_filter("11.0.113.2", 128, 1 + port) for port in range(16)]
    results = [house.map(*several, internal=2000 + n, external=6000 + n)[0] for n in range(33)]
    expect(results, [0] * 32 + [8], "512 filters and not one more")
    # All change at once: the kernel's set has both for a while.
    for n in range(32):
        expect(house.map(*several[:n % 16 + 1], internal=2000 + n), (0, 6000 + n), "a renewal")
    expect(house.map(external=4080), (0, 4080), "without a filter")


@case("filters outlive the daemon")
def test_filter_kept(opened):
    house = House(opened)
    house.echo(8080)
    house.map(option_filter("11.0.113.99", 128), option_filter("11.0.114.0", 120, 77))
    house.daemon.kill()
    again = house.gatewayd("External=wan0", backend="nftables")
    again.wait_text("went on with 1 mapping")
    expect(greet(house.internet, OUTSIDE, 4080, TCP, None, 0.5), None, "no peer of the filter")
    house.map(option_filter("0.0.0.0", 0))
    expect_answer(greet(house.internet, OUTSIDE, 4080), "the filter is gone")


@case("the running flows of a mapping that is removed end, others go on")
def test_cut(opened):
    house = House(opened)
    house.map(internal=8080, external=4080)
    house.map(internal=8081, external=4081)
    flows = []
    for port in (8080, 8081):
        server = opened.enter_context(house.client.socket(TCP))
        server.bind((CLIENT, port))
        server.listen()
        caller = opened.enter_context(house.internet.socket(TCP))
        caller.connect((OUTSIDE, port - 4000))
        accepted = opened.enter_context(server.accept()[0])
        accepted.settimeout(PATIENCE_S)
        flows.append((caller, accepted))
    expect(house.map(internal=8080, external=4080, lifetime=0)[0], 0, "removal")

    def tracked():
        with house.gateway, open("/proc/thread-self/net/nf_conntrack", encoding="ascii") as table:
            return table.read()
    try:
        wait_until(lambda: "dport=4080" not in tracked())
    except OSError as error:
        raise Skip(f"the connection table cannot be read: {error}") from None
    caller, accepted = flows[1]
    caller.sendall(b"on")
    expect(accepted.recv(64), b"on", "the other flow")
    caller, accepted = flows[0]
    accepted.settimeout(0.5)
    try:
        caller.sendall(b"off")
        got = accepted.recv(64)
    except (TimeoutError, ConnectionError):
        got = None
    expect(got, None, "the flow of what was removed")


@case("errors about a mapping's packets reach either end")
# PCP-G-58
def test_icmp(opened):
    house = House(opened)
    house.map(kind=UDP, internal=8080, external=4080)
    with house.internet.socket(UDP) as caller:
        caller.connect((OUTSIDE, 4080))
        caller.send(b"nobody listens there")
        try:
            caller.recv(64)
        except ConnectionRefusedError:
            pass
    # The other way: from the internet, about what the mapped endpoint sent.
    with house.client.socket(UDP) as sender:
        sender.bind((CLIENT, 8080))
        sender.connect((INTERNET, 7))
        sender.send(b"nobody listens there either")
        try:
            sender.recv(64)
        except ConnectionRefusedError:
            pass


SIX = {"client": "2a00:77::2", "lan": "2a00:77::1", "wan": "2a00:113::1", "internet": "2a00:113::2"}

FIREWALL6 = """
table inet filter6 {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    meta mark & 0x20000000 == 0x20000000 accept
    iifname "lan0" accept
    meta nfproto ipv4 accept
  }
}
"""


class House6(House):
    """IPv6 beside it: addresses on all, forwarding, and a firewall that keeps out all
    but what our pinholes mark."""

    def __init__(self, opened, keys=""):
        Home.__init__(self, opened, PATHS)
        for host in (self.client, self.gateway, self.internet):
            host.sysctl("net.ipv6.conf.all.disable_ipv6", "0")
        self.client.ip(f"address add {SIX['client']}/64 dev eth0 nodad",
                       f"route add default via {SIX['lan']}")
        self.gateway.ip(f"address add {SIX['lan']}/64 dev lan0 nodad",
                        f"address add {SIX['wan']}/64 dev wan0 nodad")
        self.internet.ip(f"address add {SIX['internet']}/64 dev eth0 nodad",
                         f"route add 2a00:77::/64 via {SIX['wan']}")
        self.gateway.sysctl("net.ipv6.conf.all.forwarding", "1")
        self.gateway.nft(FIREWALL6)
        self.daemon = self.gatewayd(
            f"External=wan0\n{keys}", backend="nftables",
            sections="[Rule]\nAction=allow\nClient=::/0\n")

    def map6(self, *options, kind=TCP, internal=8080, lifetime=3600):
        return pcp_map(self.client, SIX["client"], SIX["lan"], kind, internal, internal, lifetime,
                       *options)


class Echo6:
    """One answer over IPv6, TCP and UDP, from threads would be too much: a child."""

    def __init__(self, opened, host, port):
        self.pid = os.fork()
        if self.pid == 0:
            self.serve(host, port)
        opened.callback(self.end)

    def serve(self, host, port):
        try:
            with host:
                tcp = socket.socket(socket.AF_INET6, TCP)
                udp = socket.socket(socket.AF_INET6, UDP)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind(("::", port))
            udp.bind(("::", port))
            tcp.listen()
            if os.fork() == 0:
                while True:
                    said, caller = udp.recvfrom(64)
                    udp.sendto(b"you said " + said, caller)
            while True:
                caller, _ = tcp.accept()
                with caller:
                    caller.sendall(b"you said " + caller.recv(64))
        finally:
            os._exit(1)

    def end(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


@case("an IPv6 pinhole opens one port of one host, for its peers, and closes again")
def test_pinhole(opened):
    house = House6(opened, "ManageForward=yes")
    Echo6(opened, house.client, 8080)
    for kind in (UDP, TCP):
        expect(greet(house.internet, SIX["client"], 8080, kind, None, 0.5), None, "before")
        expect(house.map6(kind=kind), (0, 8080), "mapping")
        expect_answer(greet(house.internet, SIX["client"], 8080, kind), "through the pinhole")
        expect(greet(house.internet, SIX["client"], 8081, kind, None, 0.5), None, "another port")
        expect(house.map6(option_filter("2a00:113::9", 128), kind=kind)[0], 0, "filter")
        expect(greet(house.internet, SIX["client"], 8080, kind, None, 0.5), None, "no peer of it")
        expect(house.map6(option_filter("2a00:113::9", 0), kind=kind)[0], 0, "no filter")
        expect_answer(greet(house.internet, SIX["client"], 8080, kind), "without the filter")
        expect(house.map6(kind=kind, lifetime=0)[0], 0, "removal")
        expect(greet(house.internet, SIX["client"], 8080, kind, None, 0.5), None, "after")


@case("a flow that PEER keeps is open to its peer alone, over a restart too")
# PCP-G-45
def test_peer(opened):
    house = House(opened)
    with house.client.socket(UDP) as inside, house.internet.socket(UDP) as peer, \
            house.internet.socket(UDP) as other:
        inside.bind((CLIENT, 9000))
        peer.bind((INTERNET, 7000))
        other.bind((INTERNET, 7001))
        inside.sendto(b"out", (INTERNET, 7000))
        source = peer.recvfrom(64)[1]
        # The flow is there: its endpoint is told and kept, whatever is suggested.
        expect(pcp_peer(house.client, UDP, 9000, 12345, 600, (INTERNET, 7000)),
               (0, source[1]), "the flow's own endpoint")
        house.daemon.kill()
        again = house.gatewayd("External=wan0", backend="nftables")
        again.wait_text("went on with 1 mapping")
        expect(pcp_peer(house.client, UDP, 9000, 0, 600, (INTERNET, 7000)), (0, source[1]),
               "after the restart")
        # One that was never there.
        result, port = pcp_peer(house.client, UDP, 9001, 0, 600, (INTERNET, 7000))
        expect(result, 0, "a new one")
        with house.client.socket(UDP) as second:
            second.bind((CLIENT, 9001))
            peer.sendto(b"in", (OUTSIDE, port))
            expect(second.recvfrom(64), (b"in", (INTERNET, 7000)), "from the peer")
            other.sendto(b"no", (OUTSIDE, port))
            second.settimeout(0.5)
            try:
                got = second.recv(64)
            except TimeoutError:
                got = None
            expect(got, None, "from another")
            second.sendto(b"out", (INTERNET, 7000))
            expect(peer.recvfrom(64)[1], (OUTSIDE, port), "outwards")


@case("requests on the external interface are not heard, floods keep nobody else out")
def test_flood(opened):
    house = House(opened, "FloodLimit=20")
    house.client.ip("address add 10.77.0.3/24 dev eth0")
    expect(greet(house.internet, OUTSIDE, 5351, UDP, None, 0.5), None, "from outside")
    with house.client.socket(UDP) as flood:
        flood.bind(("10.77.0.3", 0))
        flood.connect((INSIDE, 5351))
        flood.setblocking(False)
        for _ in range(2000):
            try:
                flood.send(bytes(2))
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.ENOBUFS, errno.ECONNREFUSED):
                    raise
        expect(house.map(), (0, 4080), "another host's request")
        answered = 0
        flood.settimeout(1)
        try:
            while True:
                flood.recv(64)
                answered += 1
        except TimeoutError:
            pass
    if not 20 <= answered <= 200:
        raise AssertionError(f"{answered} of 2000 were answered")


kernel.enter("nft")
run("".join(sys.argv[3:4]))

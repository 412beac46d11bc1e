#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The daemon between a LAN and a WAN made of network namespaces: who is heard
is a matter of the interface a packet arrives on.

    test_places.py TENFORWARD-GATEWAYD

The script runs itself again inside a user and network namespace, where it is
the gateway; a host on either side is a process in a namespace of its own.
"""
import json
import os
import re
import socket
import subprocess
import sys

import gatewayd
from gatewayd import TIMEOUT, Skip, run_tests

DAEMON = sys.argv[1]
INSIDE = "TENFORWARD_TEST_INSIDE"

CONFIG = """[Gateway]
Backend=memory
External=wan0
Internal=lan0
[Rule]
Action=allow
"""


def command(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=TIMEOUT)


class Host:
    """A namespace behind one interface of the gateway. What it is told to do it
    does in its own process and answers with a line of JSON."""

    def __init__(self, near, far, address, route):
        self.process = subprocess.Popen(
            ["unshare", "-n", sys.executable, __file__, DAEMON, "host"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        command("ip", "link", "add", near, "type", "veth", "peer", "name", far,
                "netns", str(self.process.pid))
        for words in (["link", "set", "lo", "up"], ["link", "set", far, "up"],
                      ["addr", "add", f"{address}/24", "dev", far],
                      ["route", "add", "default", "via", route]):
            if words[0] == "route":
                command("ip", "link", "set", near, "up")
                command("ip", "addr", "add", f"{route}/24", "dev", near)
            self.tell("ip", *words)
        self.tell("open", address)

    def tell(self, *words):
        print(json.dumps(words), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def ask(self, to):
        """The answer to an external address request in hex, "refused" or "silent"."""
        return self.tell("ask", to)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=TIMEOUT)


class HostSide:
    """The same host, seen from inside its namespace."""

    def __init__(self):
        self.socket = None
        self.groups = None

    def open(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT)
        self.groups = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.groups.settimeout(TIMEOUT)
        self.groups.bind(("224.0.0.1", 5350))
        self.groups.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton("224.0.0.1") + socket.inet_aton(address))

    def ip(self, *words):
        command("ip", *words)

    def fresh(self):
        """A socket whose source is not chosen yet."""
        self.socket.close()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT)

    def ask(self, to):
        self.socket.connect((to, 5351))
        try:
            self.socket.send(b"\0\0")
            return self.socket.recv(100).hex()
        except ConnectionRefusedError:
            return "refused"

    def send(self, to):
        self.socket.connect((to, 5351))
        self.socket.send(b"\0\1\0\0\0\1\0\1\0\0\0\1")

    def map(self, to):
        self.send(to)
        return self.socket.recv(100).hex()

    def got_anything(self):
        """Now, without waiting."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(100).hex()
        except BlockingIOError:
            return None
        finally:
            self.socket.settimeout(TIMEOUT)

    def hear(self):
        packet, source = self.groups.recvfrom(100)
        return [packet.hex(), source[0], source[1]]

    def heard_anything(self):
        self.groups.setblocking(False)
        try:
            return self.groups.recv(100).hex()
        except BlockingIOError:
            return None
        finally:
            self.groups.settimeout(TIMEOUT)


def host_main():
    host = HostSide()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = json.loads(line)
        print(json.dumps(getattr(host, name)(*words)), flush=True)


class House:
    """LAN 192.168.1.0/24, WAN 11.0.113.0/24, this process between them."""

    def __enter__(self):
        command("ip", "link", "set", "lo", "up")
        self.lan = Host("lan0", "eth0", "192.168.1.20", "192.168.1.1")
        self.wan = Host("wan0", "eth0", "11.0.113.2", "11.0.113.1")
        return self

    def __exit__(self, *_):
        self.lan.stop()
        self.wan.stop()
        for name in ("lan0", "wan0"):
            subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)


def address_in(answer):
    assert answer[:8] == "00800000", answer
    return socket.inet_ntoa(bytes.fromhex(answer[16:24]))


# NP-G-01, NP-G-03, PCP-G-59
def test_a_host_of_the_lan_is_answered_with_the_wan_address():
    with House() as house, gatewayd.Gateway(DAEMON, CONFIG) as gateway:
        assert "192.168.1.1:5351 (lan0) for 192.168.1.0/24" in gateway.ready, gateway.ready
        assert address_in(house.lan.ask("192.168.1.1")) == "11.0.113.1"


# NP-G-04, NP-G-05, PCP-G-01: to the WAN address nobody listens; to the LAN
# address the packet arrives, on the wrong interface
def test_the_wan_side_is_not_heard():
    with House() as house, gatewayd.Gateway(DAEMON, CONFIG) as gateway:
        assert house.wan.ask("11.0.113.1") == "refused"
        house.wan.tell("send", "192.168.1.1")
        assert address_in(house.lan.ask("192.168.1.1")) == "11.0.113.1"  # so it is through
        assert house.wan.tell("got_anything") is None
        log = gateway.stop()[1]
    assert "11.0.113.2" not in log and "granted" not in log, log


# NP-G-31, NP-G-34, PCP-G-49: on the LAN alone, and again for another address
def test_announcements_stay_on_the_lan_and_follow_the_address():
    with House() as house, gatewayd.Gateway(DAEMON, CONFIG) as gateway:
        first = [house.lan.tell("hear") for _ in range(2)]
        assert {tuple(h[1:]) for h in first} == {("192.168.1.1", 5351)}
        assert sorted(h[0][:4] for h in first) == ["0080", "0280"]
        command("ip", "addr", "del", "11.0.113.1/24", "dev", "wan0")
        command("ip", "addr", "add", "11.0.113.9/24", "dev", "wan0")
        while True:
            packet = house.lan.tell("hear")[0]
            if packet.startswith("0080") and address_in(packet) == "11.0.113.9":
                break
        assert address_in(house.lan.ask("192.168.1.1")) == "11.0.113.9"
        assert house.wan.tell("heard_anything") is None
        assert "another external address" in gateway.stop()[1]


def test_the_external_interface_is_never_served():
    with House():
        for text in (CONFIG.replace("Internal=lan0", "Internal=wan0"),
                     CONFIG.replace("Internal=lan0", "Listen=11.0.113.1")):
            gateway = gatewayd.Gateway(DAEMON, text)
            status, log = gateway.stop()
            assert status == 1 and re.search("external", log), log


# A request of the host with this link-layer address, and of another one
def test_a_rule_can_name_a_link_layer_address():
    for mac, result in (("02:00:00:00:00:20", "0000"), ("02:00:00:00:00:21", "0002")):
        text = CONFIG + "Client=02:00:00:00:00:20\n"
        with House() as house, gatewayd.Gateway(DAEMON, text):
            house.lan.tell("ip", "link", "set", "eth0", "address", mac)
            answer = house.lan.tell("map", "192.168.1.1")
            assert answer[4:8] == result, answer


# While the daemon runs the LAN gets a second network, and loses it again
def test_a_network_that_comes_later_is_served():
    with House() as house, gatewayd.Gateway(DAEMON, CONFIG) as gateway:
        house.lan.tell("ip", "addr", "add", "192.168.5.20/24", "dev", "eth0")
        command("ip", "addr", "add", "192.168.5.1/24", "dev", "lan0")
        while "192.168.5.1:5351 (lan0) for 192.168.5.0/24" not in gateway.process.stderr.readline():
            pass
        assert address_in(house.lan.ask("192.168.5.1")) == "11.0.113.1"
        house.lan.tell("fresh")
        assert address_in(house.lan.ask("192.168.1.1")) == "11.0.113.1"
        command("ip", "addr", "del", "192.168.1.1/24", "dev", "lan0")
        command("ip", "addr", "add", "192.168.1.9/24", "dev", "lan0")
        while "192.168.1.9:5351 (lan0)" not in gateway.process.stderr.readline():
            pass
        assert address_in(house.lan.ask("192.168.1.9")) == "11.0.113.1"
        command("ip", "link", "del", "lan0")
        while "nothing is served" not in gateway.process.stderr.readline():
            pass


def outside():
    """Runs this script again as root of its own network, or skips everything."""
    probe = subprocess.run(["unshare", "-rn", "sh", "-c",
                            "ip link add a0 type veth peer name a1 && unshare -n true"],
                           capture_output=True, check=False)
    if probe.returncode != 0:
        def skip():
            raise Skip("no network namespaces")
        run_tests({name: skip for name in globals() if name.startswith("test_")})
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-rn", sys.executable, *sys.argv])


if __name__ == "__main__":
    if sys.argv[2:] == ["host"]:
        host_main()
    elif INSIDE in os.environ:
        run_tests(globals())
    else:
        outside()

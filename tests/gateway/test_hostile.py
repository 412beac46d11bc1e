#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A network that means ill: floods of junk, of good requests, of made-up senders,
requests from the internet, packets that lie about their length. Other hosts are
served all the while, and no limit is passed.

    test_hostile.py TENFORWARD-GATEWAYD
"""
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading

import gatewayd
from gatewayd import TIMEOUT, Skip, run_tests

DAEMON = sys.argv[1]
INSIDE = "TENFORWARD_TEST_INSIDE"
MAPPINGS_MAX = 5000
OF_HOST_MAX = 20
FLOOD = 20000
RETRY_S = 0.25  # as clients do
TRIES_MAX = 8   # before the three seconds that the kernel waits for a host that is not there

CONFIG = f"""[Gateway]
Backend=nftables
External=wan0
Internal=lan
FloodLimit=200
Socket=none
State=none
MaxMappings={MAPPINGS_MAX}
[Rule]
Action=allow
MaxMappings={OF_HOST_MAX}
"""
MAPPED = bytes(10) + b"\xff\xff"


def command(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=TIMEOUT)


# ---- Hosts, each a process in a namespace of its own ---------------------------------

class Host:
    def __init__(self, near, address, route, bridge=None):
        self.route = route
        self.process = subprocess.Popen(
            ["unshare", "-n", sys.executable, __file__, DAEMON, "host"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        command("ip", "link", "add", near, "type", "veth", "peer", "name", "eth0",
                "netns", str(self.process.pid))
        command("ip", "link", "set", near, "up")
        if bridge:
            command("ip", "link", "set", near, "master", bridge)
        else:
            command("ip", "addr", "add", f"{route}/24", "dev", near)
        for words in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"],
                      ["addr", "add", f"{address}/24", "dev", "eth0"],
                      ["route", "add", "default", "via", route]):
            self.tell("ip", *words)

    def tell(self, *words):
        print(json.dumps(words), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=TIMEOUT)


def map_request(port, lifetime=600):
    return struct.pack(">BBHHHI", 0, 1, 0, port, port, lifetime)


def pcp_map(address, options):
    return (struct.pack(">BBHI", 2, 1, 0, 600) + MAPPED + socket.inet_aton(address) + bytes(12) +
            struct.pack(">B3xHH", 17, 7000, 7000) + MAPPED + bytes(4) + options)


def from_source(source, to, request):
    """A whole IPv4 packet, whoever it says it is from."""
    udp = struct.pack(">HHHH", 5000, 5351, 8 + len(request), 0) + request
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(to)) + udp


class HostSide:
    def __init__(self):
        self.threads = []

    def ip(self, *words):
        command("ip", *words)

    def insist(self, to, port):
        """Asks for a port, again and again as clients do: the answer in hex."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((to, 5351))
            s.settimeout(RETRY_S)
            for _ in range(TRIES_MAX):
                s.send(map_request(port))
                try:
                    return s.recv(100).hex()
                except TimeoutError:
                    pass
        return "silent"

    def send(self, to, *packets):
        """Each from one socket; what came back within the time of one retry."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((to, 5351))
            s.settimeout(RETRY_S)
            for packet in packets:
                s.send(bytes.fromhex(packet))
            answers = []
            try:
                while True:
                    answers.append(s.recv(2000).hex())
            except OSError:
                return answers

    def send_raw(self, to, source, request):
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
            s.sendto(from_source(source, to, bytes.fromhex(request)), (to, 0))

    def flood(self, kind, to):
        """Begins one, in a thread."""
        self.threads.append(threading.Thread(target=getattr(self, kind), args=(to,)))
        self.threads[-1].start()

    def flooded(self):
        """Waits for its end."""
        for thread in self.threads:
            thread.join()

    def junk(self, to):
        chance = random.Random(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(FLOOD):
                s.sendto(chance.randbytes(chance.randrange(1, 1200)), (to, 5351))

    def requests(self, to):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for turn in range(FLOOD):
                s.sendto(map_request(1024 + turn % 60000), (to, 5351))

    def strangers(self, to):
        net = to.rsplit(".", 1)[0]
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
            for turn in range(FLOOD):
                s.sendto(from_source(f"{net}.{30 + turn % 200}", to,
                                     map_request(1024 + turn % 60000)), (to, 0))


def host_main():
    host = HostSide()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = json.loads(line)
        print(json.dumps(getattr(host, name)(*words)), flush=True)


# ---- The house ----------------------------------------------------------------------

class House:
    """A LAN with an evil host and a good one, the internet, the daemon in between."""

    def __init__(self, config=CONFIG):
        self.config = config

    def __enter__(self):
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", "lan", "type", "bridge")
        command("ip", "link", "set", "lan", "up")
        command("ip", "addr", "add", "192.168.1.1/24", "dev", "lan")
        self.evil = Host("lan0", "192.168.1.20", "192.168.1.1", "lan")
        self.good = Host("lan1", "192.168.1.10", "192.168.1.1", "lan")
        self.wan = Host("wan0", "11.0.113.2", "11.0.113.1")
        self.gateway = gatewayd.Gateway(DAEMON, self.config)
        if not self.gateway.ready:
            log = self.gateway.stop()[1]
            self.take_down()
            if "no nftables backend" in log or "cannot be made" in log:
                raise Skip(log.strip().splitlines()[-1])
            raise AssertionError(log)
        self.drain = threading.Thread(target=self.read_log)
        self.log = []
        self.drain.start()
        return self

    def read_log(self):
        self.log.extend(self.gateway.process.stderr)

    def __exit__(self, *_):
        self.gateway.process.terminate()
        self.gateway.process.wait(TIMEOUT)
        self.drain.join()
        self.gateway.process.stderr.close()
        os.unlink(self.gateway.config)
        self.take_down()

    def take_down(self):
        for host in (self.evil, self.good, self.wan):
            host.stop()
        for name in ("lan0", "lan1", "lan", "wan0"):
            subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)
        subprocess.run(["nft", "delete", "table", "inet", "tenforward"], capture_output=True,
                       check=False)

    def open_ports(self):
        """External ports and where they lead, as the kernel has them."""
        text = "".join(subprocess.run(["nft", "list", "map", "inet", "tenforward",
                                       f"dnat4_{part}"], capture_output=True, text=True,
                                      check=True).stdout for part in range(8))
        return re.findall(r" (\d+) timeout [^:]*? : (\S+) \. (\d+)", text)

    def serve_others_during(self, kind):
        self.evil.tell("flood", kind, self.evil.route)
        for port in range(5000, 5010):
            answer = self.good.tell("insist", self.good.route, port)
            assert answer[:8] == "00810000", (port, answer)
        self.evil.tell("flooded")
        opened = self.open_ports()
        assert sum(host == "192.168.1.10" for _, host, _ in opened) == 10, opened
        assert len(opened) <= MAPPINGS_MAX, len(opened)
        return opened


# ---- Cases --------------------------------------------------------------------------

def test_junk_keeps_nobody_from_being_served():
    with House() as house:
        opened = house.serve_others_during("junk")
        assert len(opened) == 10, opened  # and none came of the junk


def test_a_host_that_wants_everything_gets_its_quota():
    with House() as house:
        opened = house.serve_others_during("requests")
        mine = sum(host == "192.168.1.20" for _, host, _ in opened)
        assert 0 < mine <= OF_HOST_MAX, mine


# Answers to hosts that do not exist must not fill what is there for others
def test_made_up_senders_take_nothing_from_others():
    with House() as house:
        opened = house.serve_others_during("strangers")
        of_host = {}
        for _, host, _ in opened:
            of_host[host] = of_host.get(host, 0) + 1
        assert max(of_host.values()) <= OF_HOST_MAX, of_host


def test_a_table_that_is_full_is_told_and_not_passed():
    with House(CONFIG.replace(f"MaxMappings={MAPPINGS_MAX}", "MaxMappings=100")) as house:
        house.evil.tell("flood", "strangers", house.evil.route)
        house.evil.tell("flooded")
        answer = house.good.tell("insist", house.good.route, 5000)
        assert answer[:8] == "00810004", answer  # out of resources, not silence
        assert len(house.open_ports()) == 100


def test_the_internet_is_not_heard_whoever_it_says_it_is():
    with House() as house:
        request = map_request(6000).hex()
        for to in ("11.0.113.1", "192.168.1.1"):
            assert house.wan.tell("send", to, request, "0000") == []
            house.wan.tell("send_raw", to, "192.168.1.10", request)
        assert house.good.tell("insist", house.good.route, 5000)[:8] == "00810000"
        assert [port for port, _, _ in house.open_ports()] == ["5000"]


# RFC 6887 §7.3, §8.2: longer than 1100 octets, not a multiple of four, or lying
def test_packets_that_lie_about_their_length_open_nothing():
    with House() as house:
        packets = [
            pcp_map("192.168.1.20", b"\x01\x00\xff\xff" + bytes(4)),  # an option past the end
            pcp_map("192.168.1.20", b"\x7f\x00\x04\x00" + bytes(1024)),  # 1101 octets and more
            pcp_map("192.168.1.20", b"\x03\x00\x00\x13" + bytes(20)),  # FILTER too short
            pcp_map("192.168.1.20", b"")[:-1], bytes([2, 1]) + bytes(1100), b"\x02", b"\x00\x01",
        ]
        for answer in house.evil.tell("send", house.evil.route, *[p.hex() for p in packets]):
            assert answer[6:8] != "00" or answer[:2] == "00", answer
        assert house.open_ports() == []
        assert house.good.tell("insist", house.good.route, 5000)[:8] == "00810000"


def outside():
    """Runs this script again as root of its own network, or skips everything."""
    probe = subprocess.run(["unshare", "-rn", "sh", "-c",
                            "ip link add a0 type veth peer name a1 && unshare -n true && "
                            "ip link add b0 type bridge && "
                            "nft add table inet probe"],
                           capture_output=True, check=False)
    if probe.returncode != 0:
        def skip():
            raise Skip("no network namespaces, or no nftables")
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

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Another configuration while the daemon runs: what is put into force, and
what is refused without a trace.

    test_reload.py TENFORWARD-GATEWAYD
"""
import os
import signal
import socket
import struct
import sys

import gatewayd
from gatewayd import TIMEOUT, Skip, run_tests

DAEMON = sys.argv[1]
BASE = "[Gateway]\nBackend=memory\nListen=127.0.0.1:0\nExternalAddress=203.0.113.7\n"
OPEN = BASE + "[Rule]\nAction=allow\n"
CLOSED = BASE + "[Rule]\nAction=deny\n"
DONE = "the configuration was read again"
KEPT = "the old configuration stays in force"


def read_until(gateway, *parts):
    """Lines until each of these parts has come; the test's time limit ends a vain wait."""
    lines = []
    while not all(any(part in line for line in lines) for part in parts):
        line = gateway.process.stderr.readline()
        assert line != "", lines
        lines.append(line)
    return "".join(lines)


def reload(gateway, text, *parts):
    with open(gateway.config, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(gateway.config, 0o644)
    gateway.process.send_signal(signal.SIGHUP)
    return read_until(gateway, *parts)


def ask(address, port, external=0, lifetime=600, source="127.0.0.1"):
    """Result and external port of a mapping by NAT-PMP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(TIMEOUT)
        s.bind((source, 0))
        s.connect(address)
        s.send(struct.pack(">BBHHHI", 0, 2, 0, port, external, lifetime))
        answer = s.recv(100)
        return struct.unpack(">H", answer[2:4])[0], struct.unpack(">H", answer[10:12])[0]


def start(text):
    """The daemon reads its file again as the user it became."""
    gateway = gatewayd.Gateway(DAEMON, text)
    os.chmod(gateway.config, 0o644)
    return gateway


def test_other_rules_are_put_into_force():
    with start(CLOSED) as gateway:
        assert ask(gateway.addresses[0], 8080)[0] == 2
        reload(gateway, OPEN, DONE)
        assert ask(gateway.addresses[0], 8080)[0] == 0


def test_a_mistake_is_told_with_its_line_and_changes_nothing():
    with start(OPEN) as gateway:
        log = reload(gateway, CLOSED + "Colour=red\n", KEPT)
        assert f"{gateway.config}:7: there is no key \"Colour\"" in log, log
        assert ask(gateway.addresses[0], 8080)[0] == 0
        os.unlink(gateway.config)
        gateway.process.send_signal(signal.SIGHUP)
        assert "No such file" in read_until(gateway, KEPT)
        assert ask(gateway.addresses[0], 8081)[0] == 0


def test_what_is_open_ends_on_demand_alone():
    with start(OPEN) as gateway:
        assert ask(gateway.addresses[0], 8080)[0] == 0
        reload(gateway, CLOSED, DONE)
        assert ask(gateway.addresses[0], 8081)[0] == 2
        assert ask(gateway.addresses[0], 8080, lifetime=0)[0] == 0  # it was still there
        reload(gateway, OPEN, DONE)
        assert ask(gateway.addresses[0], 9090)[0] == 0
        log = reload(gateway, CLOSED.replace("[Rule]", "Reapply=yes\n[Rule]"), "no longer allowed")
        assert "127.0.0.1:9090/tcp" in log, log


def test_an_address_that_is_new_is_served_and_one_that_is_gone_is_not():
    both = OPEN.replace("[Rule]", "Listen=127.0.0.3:0\n[Rule]")
    with start(OPEN) as gateway:
        before = gateway.addresses[0]
        log = reload(gateway, both, DONE)
        assert f"listening on {before[0]}:{before[1]} " in log, log  # the same socket
        port = int(log.split("listening on 127.0.0.3:")[1].split()[0])
        assert ask(before, 8080)[0] == 0
        assert ask(("127.0.0.3", port), 8081)[0] == 0
        reload(gateway, OPEN.replace("Listen=127.0.0.1:0", f"Listen=127.0.0.3:{port}"), DONE)
        assert ask(("127.0.0.3", port), 8082)[0] == 0
        try:
            ask(before, 8083)
            raise AssertionError("still served")
        except ConnectionRefusedError:
            pass


def test_an_address_that_cannot_be_served_changes_nothing():
    with start(OPEN) as gateway, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.4", 0))
        for listen in (f"127.0.0.4:{taken.getsockname()[1]}", "192.0.2.77"):
            text = CLOSED.replace("[Rule]", f"Listen=127.0.0.5:0\nListen={listen}\n[Rule]")
            log = reload(gateway, text, KEPT)
            assert listen in log, log
            assert ask(gateway.addresses[0], 8080)[0] == 0


def test_static_mappings_come_and_go():
    static = "[Static]\nForward=443:8443/tcp\nHost=127.0.0.9\n"
    with start(OPEN) as gateway:
        reload(gateway, OPEN + static, DONE)
        assert ask(gateway.addresses[0], 8080, 443) != (0, 443)
        log = reload(gateway, OPEN, "127.0.0.9:8443/tcp", DONE)
        assert "revoked" in log, log
        reload(gateway, OPEN + static.replace("8443", "9443").replace("443:", "444:"), DONE)
        assert ask(gateway.addresses[0], 8082, 444) != (0, 444)


def test_a_static_mapping_whose_port_is_taken_is_told():
    with start(OPEN) as gateway:
        assert ask(gateway.addresses[0], 8080, 443) == (0, 443)
        log = reload(gateway, OPEN + "[Static]\nForward=443/tcp\nHost=127.0.0.9\n", DONE)
        assert f"{gateway.config}:7: port 443 cannot lead to 127.0.0.9" in log, log


def test_what_needs_a_restart_is_told():
    with start(OPEN) as gateway:
        log = reload(gateway, OPEN.replace("[Rule]", "Protocols=pcp\nUser=nobody\n[Rule]"), DONE)
        assert "Protocols= has another value" in log and "User= has another" in log, log
        assert ask(gateway.addresses[0], 8080)[0] == 0  # by NAT-PMP
        log = reload(gateway, OPEN.replace("memory", "nftables\nExternal=eth0"), KEPT)
        assert "Backend= cannot change" in log, log


def test_external_addresses_are_put_into_force():
    with start(OPEN) as gateway, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(TIMEOUT)
        s.connect(gateway.addresses[0])
        for wanted in ("203.0.113.9", "198.51.100.8/30"):
            reload(gateway, OPEN.replace("203.0.113.7", wanted), DONE)
            s.send(b"\0\0")
            told = socket.inet_ntoa(s.recv(100)[8:])
            assert told.rsplit(".", 1)[0] == wanted.rsplit(".", 1)[0], told
        assert "another external address" in reload(gateway, OPEN, DONE)


def test_faults_come_and_go():
    with start(OPEN) as gateway:
        reload(gateway, OPEN + "[Faults]\nRefuse=yes\n", DONE)
        assert ask(gateway.addresses[0], 8080)[0] == 2
        reload(gateway, OPEN, DONE)
        assert ask(gateway.addresses[0], 8080)[0] == 0


def test_many_reloads_leave_nothing_behind():
    with start(OPEN) as gateway:
        fds = f"/proc/{gateway.process.pid}/fd"
        try:
            before = len(os.listdir(fds))
        except PermissionError as error:
            raise Skip("the kernel does not show descriptors here") from error
        for turn in range(20):
            text = OPEN.replace("127.0.0.1:0\n", f"127.0.0.1:0\nListen=127.0.0.{turn + 10}:0\n")
            reload(gateway, text, DONE)
        reload(gateway, OPEN, DONE)
        assert len(os.listdir(fds)) == before


if __name__ == "__main__":
    run_tests(globals())

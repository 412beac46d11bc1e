#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The daemon as it is installed: real sockets on the loopback address, its
command line, its log.

    test_gatewayd.py TENFORWARD-GATEWAYD SOURCE-ROOT
"""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys

import gatewayd
from gatewayd import TIMEOUT, Skip, run_tests, write_config

DAEMON = sys.argv[1]
ROOT = sys.argv[2]

BASE = """[Gateway]
Backend=memory
Listen=127.0.0.1:0
ExternalAddress=203.0.113.7
"""
OPEN = BASE + "[Rule]\nAction=allow\n"
MAPPED = bytes(10) + b"\xff\xff"


def start(text):
    return gatewayd.Gateway(DAEMON, text)


def run(*arguments):
    return subprocess.run([DAEMON, *arguments], capture_output=True, text=True, timeout=TIMEOUT)


def client(address="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(TIMEOUT)
    s.bind((address, 0))
    return s


def ask(gateway, packet, s=None, at=0):
    s = s or client()
    s.sendto(packet, gateway.addresses[at])
    answer, source = s.recvfrom(2000)
    assert source[:2] == gateway.addresses[at], source
    return answer


def natpmp_map(internal, external, lifetime, opcode=2):
    return struct.pack(">BBHHHI", 0, opcode, 0, internal, external, lifetime)


def pcp_map(address, internal, external, lifetime, nonce=b"n" * 12, options=b""):
    raw = (MAPPED + socket.inet_aton(address)) if ":" not in address else \
        socket.inet_pton(socket.AF_INET6, address)
    zero = MAPPED + bytes(4) if ":" not in address else bytes(16)
    return (struct.pack(">BBHI", 2, 1, 0, lifetime) + raw + nonce +
            struct.pack(">B3xHH", 6, internal, external) + zero + options)


def test_serves_both_protocols_and_logs_each_decision():
    with start(OPEN) as gateway:
        assert ask(gateway, b"\0\0")[8:] == socket.inet_aton("203.0.113.7")
        answer = ask(gateway, natpmp_map(8080, 8080, 600))
        assert struct.unpack(">BBHIHHI", answer)[2:] == (0, 0, 8080, 8080, 600), answer
        s = client("127.0.0.2")
        answer = ask(gateway, pcp_map("127.0.0.2", 22, 2222, 600), s)
        assert answer[3] == 0 and answer[42:44] == struct.pack(">H", 2222), answer
        answer = ask(gateway, pcp_map("127.0.0.2", 22, 2222, 0, b"x" * 12), s)
        assert answer[3] == 2
        assert ask(gateway, pcp_map("127.0.0.2", 22, 2222, 0), s)[3] == 0
        status, log = gateway.stop()
    assert status == 0
    for line in ("told 127.0.0.1 the external address 203.0.113.7 (NAT-PMP)",
                 "granted 127.0.0.1:8080/tcp as 203.0.113.7:8080 for 600 s (NAT-PMP, rule 1)",
                 "granted 127.0.0.2:22/tcp as 203.0.113.7:2222 for 600 s (PCP, rule 1)",
                 "refused 127.0.0.2 127.0.0.2:22/tcp: NOT_AUTHORIZED, mapped with another nonce "
                 "(PCP, rule 1)",
                 "removed 127.0.0.2:22/tcp at 203.0.113.7:2222 (PCP, rule 1)"):
        assert line in log.splitlines(), log


# NP-G-03, PCP-G-59: each of two addresses answers for itself
def test_answers_leave_from_the_address_asked():
    with start(OPEN.replace("[Rule]", "Listen=127.0.0.3:0\n[Rule]")) as gateway:
        assert len(gateway.addresses) == 2
        for at in range(2):
            assert len(ask(gateway, b"\0\0", at=at)) == 12


# PCP-G-56
def test_serves_ipv6_on_the_loopback_address():
    try:
        client("::1").close()
    except OSError as error:
        raise Skip(f"no IPv6 here: {error}") from error
    with start(OPEN.replace("127.0.0.1:0", "[::1]:0")) as gateway:
        answer = ask(gateway, pcp_map("::1", 8080, 1, 600), client("::1"))
        assert answer[3] == 0 and answer[42:60] == struct.pack(">H", 8080) + bytes(15) + b"\1"
        assert ask(gateway, b"\0\0", client("::1"))[:4] == b"\2\200\0\1"


def test_a_burst_is_answered_whole():
    with start(OPEN) as gateway:
        s = client()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        for port in range(1, 601):
            s.sendto(natpmp_map(port, port + 10000, 600), gateway.addresses[0])
        got = {struct.unpack(">HH", s.recv(100)[8:12]) for _ in range(600)}
        assert got == {(port, port + 10000) for port in range(1, 601)}


# NP-G-34, PCP-G-49: both announcements come from the request address
def test_announces_itself_at_start():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(TIMEOUT)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        s.bind(("224.0.0.1", 5350))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton("224.0.0.1") + socket.inet_aton("127.0.0.1"))
    except OSError as error:
        raise Skip(f"cannot listen for announcements: {error}") from error
    with start(OPEN) as gateway:
        heard = {}
        while len(heard) < 2:
            packet, source = s.recvfrom(2000)
            if source == gateway.addresses[0]:
                heard[packet[0]] = packet
        assert heard[0][:4] == b"\0\200\0\0" and heard[0][8:] == socket.inet_aton("203.0.113.7")
        assert heard[2][:8] == b"\2\200\0\0\0\0\0\0" and len(heard[2]) == 24


# NP-G-35, NP-G-38: switched off, the port is closed and hosts are told so
def test_protocols_none_opens_no_socket():
    probe = client()
    port = probe.getsockname()[1]
    probe.close()
    text = BASE.replace("127.0.0.1:0", f"127.0.0.1:{port}") + "Protocols=none\n"
    with start(text) as gateway:
        assert gateway.addresses == []
        s = client()
        s.connect(("127.0.0.1", port))
        s.send(b"\0\0")
        try:
            s.recv(100)
            raise AssertionError("answered")
        except ConnectionRefusedError:
            pass
        assert gateway.stop()[0] == 0


def test_natpmpc_is_content():
    if shutil.which("natpmpc") is None:
        raise Skip("no natpmpc")
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        raise Skip("no network namespaces")
    config = write_config(OPEN.replace("127.0.0.1:0", "127.0.0.1:5351"))
    script = f"""ip link set lo up
exec 4< <(exec {DAEMON} --config {config} --ready-fd 5 5>&1 2>&1 >/dev/null)
P=$!
read -r LINE <&4
natpmpc -g 127.0.0.1 -a 8080 8080 tcp 60
STATUS=$?
kill $P
exit $STATUS"""
    done = subprocess.run(["unshare", "-rn", "bash", "-c", script], capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)
    os.unlink(config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Mapped public port 8080 protocol TCP to local port 8080 liftime 60" in done.stdout


def test_faults_reach_the_wire():
    with start(OPEN + "[Faults]\nWrongSource=yes\nSeed=1\n") as gateway:
        s = client()
        s.sendto(b"\0\0", gateway.addresses[0])
        answer, source = s.recvfrom(100)
        assert len(answer) == 12 and source[0] == "127.0.0.1"
        assert source[1] != gateway.addresses[0][1]
    with start(OPEN + "[Faults]\nDuplicate=yes\nDelay=10ms\n") as gateway:
        s = client()
        s.sendto(b"\0\0", gateway.addresses[0])
        assert [len(s.recv(100)) for _ in range(4)] == [12] * 4  # twice in, twice out
    with start(OPEN + "[Faults]\nLifetimeCap=7\nIgnore=pcp\nOtherPort=yes\n") as gateway:
        s = client()
        s.sendto(b"\2\0", gateway.addresses[0])
        answer = ask(gateway, natpmp_map(8080, 8080, 600), s)
        external, lifetime = struct.unpack(">HI", answer[10:])
        assert lifetime == 7 and external != 8080
    with start(OPEN + "[Faults]\nRefuse=yes\n") as gateway:
        assert ask(gateway, natpmp_map(8080, 8080, 600))[2:4] == b"\0\2"
    with start(OPEN + "[Faults]\nRebootEvery=1ms\n") as gateway:
        ask(gateway, natpmp_map(8080, 8080, 600))
        while True:
            line = gateway.process.stderr.readline()
            if line.startswith("restarted with epoch 0"):
                break
            assert line != ""


# RFC 6888 §3: a host's ports are all at one address of the pool
def test_each_host_has_one_address_of_the_pool():
    text = OPEN.replace("203.0.113.7", "203.0.113.16/28")
    with start(text) as gateway:
        assert "outside 203.0.113.16 and 15 more" in gateway.ready, gateway.ready
        used = set()
        for last in range(2, 42):
            host = f"127.0.0.{last}"
            s = client(host)
            told = ask(gateway, b"\0\0", s)[8:]
            answers = [ask(gateway, pcp_map(host, port, 8080, 600), s) for port in (80, 81)]
            assert all(answer[3] == 0 and answer[56:60] == told for answer in answers), host
            used.add(socket.inet_ntoa(told))
        assert len(used) > 4 and all(a.startswith("203.0.113.") for a in used), used


def test_no_external_address_is_a_network_failure():
    with start(OPEN.replace("203.0.113.7", "none")) as gateway:
        assert "outside no address" in gateway.ready
        assert ask(gateway, b"\0\0") == b"\0\200\0\3" + ask(gateway, b"\0\0")[4:8] + bytes(4)


def test_stops_cleanly_on_both_signals():
    for number in (signal.SIGTERM, signal.SIGINT):
        with start(OPEN) as gateway:
            assert gateway.stop(number)[0] == 0


def test_refuses_to_start_where_it_should():
    cases = {
        BASE.replace("Backend=memory", "Backend=nftables"): "External=",
        BASE.replace("127.0.0.1:0", "192.0.2.1:0"): "no interface of this machine",
        BASE + "External=lo\n": "is the external one",
        BASE + "External=lo\nInternal=lo\n": "both \"lo\"",
        BASE + "Internal=nosuch0\n": "not in Internal=",
        BASE.replace("Listen=127.0.0.1:0\n", "Internal=nosuch0\n"): "no such interface",
        BASE + "User=nosuchuser\n": "no user nosuchuser" if os.geteuid() == 0 else None,
    }
    for text, part in cases.items():
        if part is None:
            continue
        config = write_config(text)
        done = run("--config", config)
        os.unlink(config)
        assert done.returncode == 1, (text, done.stderr)
        assert part in done.stderr, (text, done.stderr)
    with start(OPEN) as gateway:
        config = write_config(BASE.replace(":0", f":{gateway.addresses[0][1]}"))
        done = run("--config", config)
        os.unlink(config)
        assert done.returncode == 1 and "Address already in use" in done.stderr, done.stderr


def test_gives_up_root():
    if os.geteuid() != 0:
        raise Skip("not started as root")
    with open("/proc/self/uid_map", encoding="ascii") as file:
        if len(file.read().split()) != 3 or not os.path.exists("/etc/passwd"):
            raise Skip("no other users here")
    with start(OPEN) as gateway:
        with open(f"/proc/{gateway.process.pid}/status", encoding="ascii") as file:
            uids = re.search(r"^Uid:\s+(.*)$", file.read(), re.MULTILINE).group(1).split()
        if "going on as root" in gateway.stop()[1]:
            raise Skip("no other users here")
        assert "0" not in uids, uids


def test_check_config_tells_good_from_bad():
    config = write_config(OPEN)
    done = run("--check-config", "--config", config)
    assert done.returncode == 0 and "nothing is wrong" in done.stdout
    os.unlink(config)
    config = write_config(OPEN + "Colour=red\n")
    done = run("--check-config", "--config", config)
    assert done.returncode == 1
    assert done.stderr.startswith(f"tenforward-gatewayd: {config}:7: there is no key \"Colour\"")
    os.unlink(config)
    done = run("--check-config", "--config", "/nonexistent")
    assert done.returncode == 1 and "No such file" in done.stderr


def test_the_shipped_files_are_good():
    for name in ("gateway.conf", "test-gateway.conf"):
        done = run("--check-config", "--config", os.path.join(ROOT, "data", name))
        assert done.returncode == 0, done.stderr


def test_the_command_line_is_explained():
    done = run("--help")
    assert done.returncode == 0 and "Example" in done.stdout and done.stderr == ""
    done = run("--version")
    assert done.returncode == 0 and re.match(r"tenforward-gatewayd \d+\.\d+\.\d+\n$", done.stdout)
    for arguments in (["--nonsense"], ["file.conf"], ["--ready-fd", "x"]):
        done = run(*arguments)
        assert done.returncode == 2 and done.stderr != "", arguments


if __name__ == "__main__":
    run_tests(globals())

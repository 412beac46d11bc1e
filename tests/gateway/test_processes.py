#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The processes of the real gateway as the kernel shows them: who they are, what
they may, and that they can do their work so.

    test_processes.py TENFORWARD-GATEWAYD
"""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys

from gatewayd import TIMEOUT, Skip, run_tests, write_config

DAEMON = os.path.abspath(sys.argv[1])
INSIDE = "TENFORWARD_TEST_INSIDE"
NET_ADMIN = "0000000000001000"
NOTHING = "0000000000000000"
NOBODY = 65534
# As systemd starts the unit: a user of its own, one ambient capability.
AS_SERVICE = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
              "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin",
              "--bounding-set=-all,+net_admin", "--no-new-privs")

CONFIG = """[Gateway]
Backend=nftables
External=wan0
Internal=lan0
Socket=none
State=none
[Rule]
Action=allow
"""


def command(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          timeout=TIMEOUT).stdout


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


class Gateway:
    """The daemon in this network namespace, started as `before` says."""

    def __init__(self, *before):
        for lines in ("lan0 type veth peer name lan1", "wan0 type veth peer name wan1"):
            command("ip", "link", "add", *lines.split())
        command("ip", "addr", "add", "192.168.1.1/24", "dev", "lan0")
        command("ip", "addr", "add", "11.0.113.1/24", "dev", "wan0")
        for name in ("lo", "lan0", "lan1", "wan0", "wan1"):
            command("ip", "link", "set", name, "up")
        self.config = write_config(CONFIG)
        os.chmod(self.config, 0o644)
        self.process = subprocess.Popen([*before, DAEMON, "--config", self.config],
                                        stderr=subprocess.PIPE, text=True)
        self.said = []
        self.hear("listening on 192.168.1.1:5351")

    def hear(self, part):
        while True:
            line = self.process.stderr.readline()
            if line == "":
                if "no nftables backend" in "".join(self.said):
                    raise Skip(self.said[-1].strip())
                raise AssertionError("".join(self.said))
            self.said.append(line)
            if part in line:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT)
        self.process.stderr.close()
        os.unlink(self.config)
        for name in ("lan0", "wan0"):
            command("ip", "link", "del", name)
        subprocess.run(["nft", "delete", "table", "inet", "tenforward"], capture_output=True,
                       check=False)


def expect_rights(gateway):
    daemon = status(gateway.process.pid)
    helpers = [s for s in map(status, children(gateway.process.pid)) if s["CapEff"] != NOTHING]
    assert len(helpers) == 1, helpers  # whatever else there is has no capability
    for who, capability in ((daemon, NOTHING), (helpers[0], NET_ADMIN)):
        assert "0" not in who["Uid"].split(), who["Uid"]
        for name in ("CapPrm", "CapEff"):
            assert who[name] == capability, (name, who[name])
        for name in ("CapInh", "CapAmb"):
            assert who[name] == NOTHING, (name, who[name])
        assert who["NoNewPrivs"] == "1"
        print("# " + " ".join(f"{name}={who[name].split()[0]}" for name in
                              ("Name", "Uid", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs",
                               "Seccomp")))
        if "cannot limit system calls" not in "".join(gateway.said):
            assert who["Seccomp"] == "2"


def expect_work(gateway):
    """A mapping in the kernel, and another set of rules there after a reload."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(TIMEOUT)
        s.bind(("192.168.1.1", 0))  # a host of this network, as far as addresses go
        s.connect(("192.168.1.1", 5351))
        table = command("nft", "list", "table", "inet", "tenforward")
        assert "limit rate 1000/second" in table, table
        with open(gateway.config, "w", encoding="ascii") as file:
            file.write(CONFIG.replace("Socket", "FloodLimit=77\nSocket"))
        gateway.process.send_signal(signal.SIGHUP)
        gateway.hear("the configuration was read again")
        table = command("nft", "list", "table", "inet", "tenforward")
        assert re.search(r"limit rate 77/second", table), table
        assert "packet path stays" not in "".join(gateway.said), gateway.said


def test_started_as_root_no_process_stays_it():
    with Gateway() as gateway:
        expect_rights(gateway)
        expect_work(gateway)


def test_started_as_the_unit_does_it_there_is_no_root_at_all():
    if shutil.which("setpriv") is None:
        raise Skip("no setpriv")
    with Gateway(*AS_SERVICE) as gateway:
        expect_rights(gateway)
        expect_work(gateway)


def outside():
    """Again as root of a network of its own; other users have to be there too."""
    probe = ["unshare", "-n", "sh", "-c", "ip link add a0 type dummy; nft add table inet probe"]
    if os.geteuid() != 0 or subprocess.run(probe, capture_output=True, check=False).returncode:
        def skip():
            raise Skip("not root, or no network namespaces")
        run_tests({name: skip for name in globals() if name.startswith("test_")})
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


if __name__ == "__main__":
    if INSIDE in os.environ:
        run_tests(globals())
    else:
        outside()

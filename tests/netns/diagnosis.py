# SPDX-License-Identifier: MIT
"""What the tests of doctor and check share: a home where a game is reachable, and
reading what the command found wrong."""
import contextlib
import os
import shutil
import sys

from cases import Skip, comment
from home import CLIENT, OUTSIDE, Home
from programs import Program

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
def listen(home, name, *ports):
    program = home.opened.enter_context(Program(
        [sys.executable, os.path.join(HERE, "listener.py"), name, *map(str, ports)],
        inside=home.client))
    program.wait_text("ready")
    return program


def healthy_home(opened, paths, opens=True):
    home = Home(opened, paths)
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


def found(told):
    """The codes of what is wrong, in the order they are told."""
    return [step["code"] for step in told["steps"] if step["ok"] is False]


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

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The units of systemd, as systemd itself reads them; the program in them is
the one that was built. test_units.py AGENTD UNIT…"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
from cases import Skip, case, expect, expect_in, run  # noqa: E402
from programs import PATIENCE_S, Program  # noqa: E402

AGENTD, UNITS = os.path.abspath(sys.argv[1]), sys.argv[2:]
EXPOSURE_MAX = 20  # tenths, of systemd-analyze security; 96 without any sandbox


def read(name):
    path = next(unit for unit in UNITS if os.path.basename(unit) == name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def analyze(*words, runtime="/nonexistent"):
    if shutil.which("systemd-analyze") is None:
        raise Skip("systemd-analyze is not installed")
    return subprocess.run(["systemd-analyze", *words], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False,
                          env=os.environ | {"XDG_RUNTIME_DIR": runtime})


def copies(folder, names):
    for name in names:
        text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=" + AGENTD, read(name))
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def verify(names, *words):
    with tempfile.TemporaryDirectory() as folder:
        copies(folder, names)
        done = analyze(*words, "verify", "--man=no", os.path.join(folder, names[0]),
                       runtime=folder)
        ours = [line for line in done.stderr.splitlines() if "tenforward" in line]
        expect(ours, [], f"what systemd says of {names[0]}")
        expect(done.returncode, 0, done.stderr)


@case("systemd takes the unit of the system's agent, and its socket")
def system(_):
    verify(["tenforwardd.service", "tenforwardd.socket"])


@case("systemd takes the unit of one agent more")
def template(_):
    verify(["tenforwardd@.service"])


@case("systemd takes the unit of a user's agent")
def user(_):
    verify(["tenforwardd-user.service"], "--user")


@case("the services run without capabilities, in a tight sandbox")
def sandbox(_):
    for name in ("tenforwardd.service", "tenforwardd@.service"):
        text = read(name)
        for line in ("Type=notify", "DynamicUser=yes", "CapabilityBoundingSet=", "WatchdogSec=30s"):
            expect_in(line + "\n", text, name)
        with tempfile.TemporaryDirectory() as folder:
            copies(folder, ["tenforwardd.service", "tenforwardd@.service", "tenforwardd.socket"])
            done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE_MAX}",
                           "--no-pager", os.path.join(folder, name))
            if "nrecognized option" in done.stderr:
                continue  # before systemd 250
            expect(done.returncode, 0, done.stdout[-300:] + done.stderr)


@case("started by its socket it serves that one, tells that it is ready, alive and ending")
def activated(opened):
    folder = opened.enter_context(tempfile.TemporaryDirectory())
    path = os.path.join(folder, "agent.sock")
    listener = opened.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(path)
    listener.listen()
    notify = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    notify.bind(os.path.join(folder, "notify"))
    notify.settimeout(PATIENCE_S)
    env = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": os.path.join(folder, "notify"),
           "WATCHDOG_USEC": "200000", "TENFORWARD_STATE": folder, "TENFORWARD_SOCKET": path}
    fd = listener.fileno()
    agent = opened.enter_context(Program(
        ["sh", "-c", f'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" 3<&{fd}', AGENTD], env,
        pass_fds=(fd,)))

    def hear(word):
        said = notify.recv(4096).decode()
        while word not in said:
            said = notify.recv(4096).decode()
    hear("READY=1")
    hear("WATCHDOG=1")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(path)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        expect_in(b"200 OK", client.recv(4096), "answer at the socket that was passed")
    agent.send(signal.SIGTERM)
    hear("STOPPING=1")
    expect(agent.wait(), 0, "exit status")
    expect(os.path.exists(path), True, "the socket stays, for the next start")


run()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The unit of the gateway, as systemd reads it, and what the daemon does with a
service manager. test_units.py TENFORWARD-GATEWAYD UNIT…"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from gatewayd import TIMEOUT, Skip, run_tests, write_config

DAEMON, UNITS = os.path.abspath(sys.argv[1]), sys.argv[2:]
NAME = "tenforward-gatewayd.service"
EXPOSURE_MAX = 20  # tenths, of systemd-analyze security; 96 without any sandbox


def read(name):
    path = next(unit for unit in UNITS if os.path.basename(unit) == name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def analyze(folder, *words):
    if shutil.which("systemd-analyze") is None:
        raise Skip("systemd-analyze is not installed")
    for unit in UNITS:
        name = os.path.basename(unit)
        text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=" + DAEMON, read(name))
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return subprocess.run(["systemd-analyze", *words, os.path.join(folder, NAME)], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)


def test_systemd_takes_the_unit_and_its_socket():
    with tempfile.TemporaryDirectory() as folder:
        done = analyze(folder, "verify", "--man=no")
        ours = [line for line in done.stderr.splitlines() if "tenforward" in line]
        assert ours == [] and done.returncode == 0, done.stderr


def test_the_sandbox_is_tight_and_has_one_capability():
    text = read(NAME)
    for line in ("Type=notify", "DynamicUser=yes", "CapabilityBoundingSet=CAP_NET_ADMIN",
                 "AmbientCapabilities=CAP_NET_ADMIN", "NoNewPrivileges=yes"):
        assert line + "\n" in text, line
    with tempfile.TemporaryDirectory() as folder:
        done = analyze(folder, "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}",
                       "--no-pager")
        if "nrecognized option" in done.stderr:
            raise Skip("systemd is older than 250")
        assert done.returncode == 0, done.stdout[-300:] + done.stderr
        print("# " + done.stdout.strip().splitlines()[-1])


def test_it_tells_the_service_manager_and_serves_the_socket_it_is_handed():
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "gateway.sock")
        listener.bind(path)
        listener.listen()
        notify.bind(os.path.join(folder, "notify"))
        os.chmod(os.path.join(folder, "notify"), 0o777)
        notify.settimeout(TIMEOUT)
        config = write_config(f"[Gateway]\nBackend=memory\nListen=127.0.0.1:0\nSocket={path}\n"
                              "[Rule]\nAction=allow\n")
        os.chmod(config, 0o644)
        fd = listener.fileno()
        daemon = subprocess.Popen(
            ["sh", "-c", f'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" --config "$1" 3<&{fd}',
             DAEMON, config], pass_fds=(fd,), stderr=subprocess.DEVNULL,
            env=os.environ | {"NOTIFY_SOCKET": os.path.join(folder, "notify"),
                              "WATCHDOG_USEC": "200000"})

        def hear(word):
            while word not in notify.recv(4096).decode():
                pass
        try:
            hear("READY=1")
            hear("WATCHDOG=1")
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(TIMEOUT)
                client.connect(path)
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert b"200 OK" in client.recv(4096)
            daemon.send_signal(signal.SIGHUP)
            hear("RELOADING=1")
            hear("READY=1")
            daemon.send_signal(signal.SIGTERM)
            hear("STOPPING=1")
            assert daemon.wait(TIMEOUT) == 0
            assert os.path.exists(path)  # for the next start
        finally:
            daemon.kill()
            daemon.wait()
            os.unlink(config)


if __name__ == "__main__":
    run_tests(globals())

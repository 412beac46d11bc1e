#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The connectors against the applications themselves, as Debian packages them.
Each is told a port, told another, and killed and started again with the port it
had first. test_applications.py TELL"""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
from cases import case, comment, expect, run  # noqa: E402
from kernel import TOP, enter  # noqa: E402
from programs import Program  # noqa: E402
from torrents import PASSWORD, USER, Deluge, QBittorrent, Transmission, until  # noqa: E402

OLD, FIRST, SECOND = 50001, 50002, 50003  # free: nobody else is in our namespace


def configuration(application):
    password = os.path.join(application.folder, "password")
    with open(password, "w", encoding="utf-8") as file:
        file.write(getattr(application, "secret", PASSWORD) + "\n")
    path = os.path.join(application.folder, "agent.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[Mapping]\nName=torrent\nForward=any:51413/both\n[Connector]\n"
                   f"Type={application.kind}\nUrl={application.url}\nMapping=torrent\n"
                   f"User={USER}\nPasswordFile={password}\n")
    return path



def last_state(program):
    shown = [line for line in program.lines if line.startswith("{")]
    return json.loads(shown[-1])["state"]


def holds(application, program, port):
    until(lambda: application.port() == port, f"port {port} at {application.kind}")
    until(lambda: last_state(program) == "confirmed", f"news of {application.kind}")
    comment(f"{application.kind}: its own API says {port}")


def walk(opened, application):
    application.start(OLD)
    expect(application.port(), OLD, "before")
    comment(f"{application.kind}: its own API says {OLD}")
    program = opened.enter_context(
        Program([sys.argv[1], configuration(application), "300", str(FIRST), str(SECOND)]))
    holds(application, program, FIRST)
    program.send(signal.SIGUSR1)
    holds(application, program, SECOND)
    application.restart(OLD)
    comment(f"{application.kind}: started again with {OLD}")
    holds(application, program, SECOND)


@case("transmission_is_told_a_changed_port_and_put_right_after_a_restart")
def _(opened):
    walk(opened, Transmission(opened, TOP + "/transmission", 40091))


@case("qbittorrent_is_told_a_changed_port_and_put_right_after_a_restart")
def _(opened):
    walk(opened, QBittorrent(opened, TOP + "/qbittorrent", 40080))


@case("deluge_is_told_a_changed_port_and_put_right_after_a_restart")
def _(opened):
    walk(opened, Deluge(opened, TOP + "/deluge", 40112))


if __name__ == "__main__":
    enter()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    run(sys.argv[2] if len(sys.argv) > 2 else "")

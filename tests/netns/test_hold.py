#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`keep` and `run` on a real network: what they hold is told to others, and is
given up at the end.

    test_hold.py COMMAND DAEMON"""
import os
import signal
import socket
import sys

import kernel
from cases import case, expect, expect_in, run
from home import OUTSIDE, Home

PATHS = sys.argv[1:3]
TCP = socket.SOCK_STREAM

# Blocked first, so that a signal is not missed, whenever it comes.
WAITS_FOR_TERM = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("started", flush=True)
signal.sigwait({signal.SIGTERM})
sys.exit(5)
"""


@case("hooks and the port file follow what keep holds")
def tells_others(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    told, port_file = home.file("told"), home.file("port")
    hook = home.file("hook", '#!/bin/sh\necho "$TENFORWARD_EVENT $TENFORWARD_EXTERNAL_ADDRESS '
                             f'$TENFORWARD_EXTERNAL_PORT $TENFORWARD_NAME" >>{told}\n')
    keep = opened.enter_context(home.command.start(
        "keep", "4080:8080/both", "--name", "web", "--on-change", hook, "--port-file", port_file))
    keep.wait_text("hook: done")
    with open(port_file, encoding="ascii") as file:
        expect(file.read(), "4080\n", "port file")
    expect(keep.end(), 0, "exit status")
    expect_in(f"{OUTSIDE}:4080/tcp+udp", keep.transcript(), "output")
    expect_in("removed", keep.transcript(), "output")
    expect(os.path.exists(port_file), False, "the port file is there")
    with open(told, encoding="utf-8") as file:
        expect(file.read().splitlines(), [f"mapped {OUTSIDE} 4080 web",
                                          f"removed {OUTSIDE} 4080 web"], "hook was told")


@case("keep removes what it held when it is told to end, and closes the port")
def keep_removes(opened):
    home = Home(opened, PATHS)
    home.miniupnpd()
    home.echo(8080)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        keep = opened.enter_context(home.command.start("keep", "4080:8080"))
        keep.wait_text(f"{OUTSIDE}:4080/tcp")
        home.expect_open(TCP, 4080)
        expect(keep.end(number), 0, "exit status")
        home.expect_closed(TCP, 4080)


@case("run gives its command the port, returns its exit status and removes the mapping")
def run_serves_a_command(opened):
    home = Home(opened, PATHS)
    daemon = home.gatewayd()
    script = "echo {external_port} $TENFORWARD_EXTERNAL_PORT {external_address}; exit 7"
    result = home.command("run", "4080:8080", "--", "sh", "-c", script, status=7)
    expect(result.out, f"4080 4080 {OUTSIDE}\n", "output")
    daemon.wait_text("removed 10.77.0.2:8080/tcp")
    home.command("run", "4080:8080", "--", "/nonexistent/program", status=127)
    expect(home.command.json("list")["mappings"], [], "listed")


@case("the port is open while the command of run runs, and signals reach it")
def run_hands_signals_on(opened):
    home = Home(opened, PATHS)
    home.miniupnpd()
    home.echo(8080)
    running = opened.enter_context(home.command.start("run", "4080:8080", "--",
                                                      sys.executable, "-c", WAITS_FOR_TERM))
    running.wait_text("started")
    home.expect_open(TCP, 4080)
    expect(running.end(), 5, "exit status")
    home.expect_closed(TCP, 4080)


@case("run does not start its command when the port cannot be had")
def run_needs_the_port(opened):
    home = Home(opened, PATHS)
    home.gatewayd(sections="[Rule]\nAction=deny\n")
    result = home.command("run", "4080:8080", "--", "echo", "started", status=6)
    expect(result.out, "", "output")
    expect_in("refused", result.err, "talk")


kernel.enter("nft")
run("".join(sys.argv[3:4]))

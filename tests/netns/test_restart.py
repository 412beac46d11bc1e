#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `keep` holds comes back when the gateway forgets it: the gateway is
killed and started again, and its epoch starts again with it.

    test_restart.py COMMAND DAEMON

All keep holding from the start, so that their gateways grow old together."""
import contextlib
import signal
import socket
import sys

import kernel
from cases import case, expect, run
from home import OUTSIDE, Home

PATHS = sys.argv[1:3]
TCP = socket.SOCK_STREAM

# A lease is renewed at its half. An epoch younger than that may start again
# without telling: the rules leave some seconds of doubt.
LEASE, EPOCH_S = "10s", 5


class Hold:
    """`keep` with a short lease at a gateway, and what it told so far."""

    def __init__(self, opened, start_gateway, *options):
        self.home = Home(opened, PATHS)
        self.start_gateway = lambda: start_gateway(self.home)
        self.gateway = self.start_gateway()
        self.options = options
        self.keep = opened.enter_context(self.home.command.start(
            *options, "--json", "keep", "4080:8080", "--lifetime", LEASE))
        self.keep.wait_event("mapped")

    def wait_epoch(self):
        """At each renewal, until the gateway is old enough to be seen restarting."""
        at = 0
        while self.home.command.json(*self.options, "status")["gateways"][0]["epoch"] < EPOCH_S:
            _, at = self.keep.wait_event("renewed", at + 1)

    def wait_again(self, at):
        """Told of the restart, and then of the mapping, from line `at` on."""
        _, at = self.keep.wait_event("gateway-restart", at)
        number = self.keep.wait_line(lambda line: '"external_port": 4080' in line, at + 1)
        return self.keep.lines[number]

    def leave(self):
        at = len(self.keep.lines)
        expect(self.keep.end(), 0, "exit status")
        self.keep.wait_event("removed", at)


def judge_miniupnpd(hold):
    home = hold.home
    home.echo(8080)
    home.expect_open(TCP, 4080)
    hold.wait_epoch()
    hold.gateway.end(signal.SIGKILL)
    home.translate()
    home.expect_closed(TCP, 4080)
    at = len(hold.keep.lines)
    hold.start_gateway()
    hold.wait_again(at)
    home.expect_open(TCP, 4080)
    hold.leave()
    home.expect_closed(TCP, 4080)


@case("a port held by NAT-PMP is open again after miniupnpd was killed and started")
def natpmp_comes_back(_):
    judge_miniupnpd(holds["natpmp"])


@case("a port held by PCP is open again after miniupnpd was killed and started")
def pcp_comes_back(_):
    judge_miniupnpd(holds["pcp"])


@case("a port held at our gateway is mapped again after it was killed and started")
def gatewayd_comes_back(_):
    hold = holds["gatewayd"]
    hold.wait_epoch()
    hold.gateway.end(signal.SIGKILL)
    at = len(hold.keep.lines)
    gateway = hold.start_gateway()
    hold.wait_again(at)
    gateway.wait_text(f"10.77.0.2:8080/tcp as {OUTSIDE}:4080")
    hold.leave()
    gateway.wait_text("removed 10.77.0.2:8080/tcp")


kernel.enter("nft", "miniupnpd")
with contextlib.ExitStack() as everything:
    holds = {"natpmp": Hold(everything, Home.miniupnpd, "--method", "natpmp"),
             "pcp": Hold(everything, Home.miniupnpd, "--method", "pcp"),
             "gatewayd": Hold(everything, Home.gatewayd)}
    run("".join(sys.argv[3:4]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The packet path of the kernel under tenforward-gatewayd: what a mapping opens, for
whom, and until when, with real connections.

    test_nftables.py COMMAND DAEMON"""
import socket
import sys

import kernel
from cases import case, expect, expect_in, run
from home import OUTSIDE, Home

PATHS = sys.argv[1:3]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


def home_with(opened, keys="", **more):
    """A home whose gateway translates, with our daemon on it."""
    home = Home(opened, PATHS)
    home.translate()
    home.gateway.nft("insert rule inet filter forward ct status dnat accept")
    home.daemon = home.gatewayd(f"External=wan0\n{keys}", backend="nftables", **more)
    return home


@case("a mapped port is open to the internet, another one is not")
def opened_port(opened):
    home = home_with(opened)
    home.echo(8080)
    home.expect_closed(TCP, 4080)
    home.command("add", "4080:8080/tcp", "4081:8080/udp")
    home.expect_open(TCP, 4080)
    home.expect_open(UDP, 4081)
    home.expect_closed(TCP, 4081)
    home.command("remove", "4080:8080/tcp")
    home.expect_closed(TCP, 4080)
    home.expect_open(UDP, 4081)


kernel.enter("nft")
run("".join(sys.argv[3:4]))

# SPDX-License-Identifier: MIT
"""A home behind two routers in a row, the outer one of which is the provider's box."""
import socket

from home import ALLOW, Home
from kernel import link

OUTER_NAT = ("table ip nat {\n chain postrouting {\n  type nat hook postrouting priority 100;\n"
             "  oifname \"wan0\" masquerade\n }\n}\n")


def two_routers(opened, paths, outer_answers, backend="memory"):
    """client -- gateway (gatewayd) -- outer (gatewayd or nothing) -- internet"""
    home = Home(opened, paths)
    outer = home.outer_host = home.host("outer")
    home.gateway.ip("link del wan0")
    link(home.gateway, "wan0", "10.20.0.14/24", outer, "lan0", "10.20.0.1/24")
    link(outer, "wan0", "11.0.113.9/24", home.internet, "eth1", "11.0.113.8/24")
    home.gateway.ip("route add default via 10.20.0.1")
    outer.ip("route add default via 11.0.113.8")
    for host in (home.gateway, outer):
        host.sysctl("net.ipv4.ip_forward", "1")
        host.nft(OUTER_NAT)
    inner_keys = f"Socket={home.file('inner.sock')}\nState={home.file('inner-state')}\n"
    kernel_keys = "External=wan0\n" if backend == "nftables" else ""
    home.inner_rules = ""
    home.start_inner = lambda: home.gatewayd(
        f"{kernel_keys}{inner_keys}ExternalAddress=10.20.0.14", backend=backend,
        sections=home.inner_rules + ALLOW)
    home.inner = home.start_inner()
    if outer_answers:
        # Two daemons on one computer: what is one's own is named.
        own = f"Socket={home.file('outer.sock')}\nState={home.file('outer-state')}\n"
        home.start_outer = lambda: home.gatewayd(
            f"{kernel_keys}{own}ExternalAddress=11.0.113.9", host=outer, backend=backend)
        home.outer = home.start_outer()
    return home


def is_open_outside(home):
    with home.internet.socket(socket.SOCK_STREAM) as caller:
        return caller.connect_ex(("11.0.113.9", 4080)) == 0


def reach_outer(home):
    with home.internet.socket(socket.SOCK_STREAM) as caller:
        caller.connect(("11.0.113.9", 4080))
        caller.sendall(b"hello")
        return caller.recv(64)

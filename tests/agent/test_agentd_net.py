#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tenforwardd on hosts made of network namespaces: links that come, several
gateways, the tunnel of a VPN, real applications, the host's own firewall.

    test_agentd_net.py COMMAND GATEWAYD AGENTD FIREWALLD [ONLY]"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

from agentd import Agent, is_mapped, is_told  # first: it says where the others are
import kernel
from cases import Skip, case, comment, expect, run
from home import ALLOW, CLIENT, INSIDE, OUTSIDE, Home
from programs import Program
from torrents import PASSWORD, USER, QBittorrent, Transmission, until

PATHS = sys.argv[1:3]
AGENTD = sys.argv[3]
VPN_INSIDE, VPN_CLIENT, VPN_OUTSIDE = "10.8.0.1", "10.8.0.2", "11.8.0.1"
MS_BIND, MNT_DETACH, CAP_SYS_ADMIN = 4096, 2, 21
WEB = "[Mapping]\nName=web\nForward=8080:80\n"


def agent_on(opened, host, config, keys=""):
    return Agent(opened, AGENTD, config, inside=host, agent_keys=keys)


# ---- Links ------------------------------------------------------------------


@case("without any network it starts and stays, and maps as soon as there is a way")
def no_network(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    lonely = home.host("lonely")
    agent = agent_on(opened, lonely, WEB + "[Mapping]\nName=late\nForward=any:90\nInterface=eth9\n")
    agent.start()
    expect(agent.ask("GET", "/healthz"), "ok\n", "health")
    expect({m["state"] == "mapped" for m in agent.mappings()}, {False}, "mapped without a network")
    kernel.link(lonely, "eth9", "10.78.0.2/24", home.gateway, "lan1", "10.78.0.1/24")
    home.gatewayd(host=home.gateway, internal="lan1", keys="Listen=10.78.0.1:5351")
    lonely.ip("route add default via 10.78.0.1")
    for mapping in agent.wait_mapped("web", "late"):
        expect(mapping["gateway"], "10.78.0.1", "gateway")
    lonely.ip("link del eth9")
    agent.wait("lost", "web")
    agent.wait("lost", "late")
    expect(agent.end()[0], 0, "exit status")


@case("two gateways are served at once, each mapping at its own")
def two_gateways(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    vpn = home.host("vpn")
    kernel.link(home.client, "vpn0", f"{VPN_CLIENT}/24", vpn, "in0", f"{VPN_INSIDE}/24")
    home.gatewayd(f"ExternalAddress={VPN_OUTSIDE}", host=vpn, internal="in0")
    agent = agent_on(opened, home.client,
                     WEB + "[Mapping]\nName=lan\nForward=90\nInterface=eth0\n"
                     f"[Mapping]\nName=vpn\nForward=91\nGateway={VPN_INSIDE}\n").start()
    mappings = agent.wait_all(is_mapped, "all are mapped")
    expect({m["name"]: (m["gateway"], m["external_address"], m["internal_address"])
            for m in mappings},
           {"web": (INSIDE, OUTSIDE, CLIENT), "lan": (INSIDE, OUTSIDE, CLIENT),
            "vpn": (VPN_INSIDE, VPN_OUTSIDE, VPN_CLIENT)}, "places")
    gateways = agent.ask("GET", "/v1/status")["gateways"]
    expect({g["address"] for g in gateways}, {INSIDE, VPN_INSIDE}, "gateways")
    home.client.ip("link set vpn0 down")
    agent.wait("lost", "vpn")
    expect(agent.mapping("web")["state"], "mapped", "the other gateway's mapping")


# ---- Other network namespaces ------------------------------------------------


def name_host(opened, host, name):
    """As `ip netns add` does it: Namespace= finds the host by this name."""
    path = f"{kernel.TOP}/netns/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii"):
        pass
    with host:
        kernel.call(kernel.libc.mount, b"/proc/thread-self/ns/net", path.encode(), None, MS_BIND,
                    None)
    opened.callback(kernel.libc.umount2, path.encode(), MNT_DETACH)


def island(home, name, outside):
    """A client of its own behind a gateway of its own, with the same addresses everywhere."""
    client, gateway = home.host(name), home.host(f"{name}-gateway")
    kernel.link(client, "wg0", f"{VPN_CLIENT}/24", gateway, "in0", f"{VPN_INSIDE}/24")
    client.ip(f"route add default via {VPN_INSIDE}")
    program = home.gatewayd(f"ExternalAddress={outside}", f"{ALLOW}[Faults]\nLifetimeCap=60s\n",
                            gateway, "in0")
    return client, program


def rights(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"CapPrm:\s*(\w+)", file.read())[1], 16)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


ISLANDS = ("[Mapping]\nName=home\nForward=8080:80\n"
           "[Mapping]\nName=red\nForward=8080:80\nNamespace=red\n"
           "[Mapping]\nName=blue\nForward=any:80/both\nNamespace=blue\nInterface=wg0\n")


@case("one agent serves gateways in several network namespaces, of equal addresses")
def several_namespaces(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    red, red_gateway = island(home, "red", "11.8.0.1")
    blue, _ = island(home, "blue", "11.9.0.1")
    name_host(opened, red, "red")
    name_host(opened, blue, "blue")
    agent = agent_on(opened, home.client, ISLANDS).start()
    mappings = agent.wait_all(lambda all_: len(all_) == 4 and is_mapped(all_), "all are mapped")
    for m in mappings:
        comment(f"{m['name']}: {m['external_address']}:{m['external_port']}/{m['protocol']} -> "
                f"{m['internal_address']}:{m['internal_port']} by {m['gateway']}, namespace "
                f"{m.get('namespace')}")
    expect({m["name"]: (m.get("namespace"), m["gateway"], m["external_address"],
                        m["internal_address"]) for m in mappings},
           {"home": (None, INSIDE, OUTSIDE, CLIENT),
            "red": ("red", VPN_INSIDE, "11.8.0.1", VPN_CLIENT),
            "blue": ("blue", VPN_INSIDE, "11.9.0.1", VPN_CLIENT)}, "places")
    gateways = agent.ask("GET", "/v1/status")["gateways"]
    expect({(g.get("namespace"), g["address"]) for g in gateways},
           {(None, INSIDE), ("red", VPN_INSIDE), ("blue", VPN_INSIDE)}, "gateways")
    expect(rights(agent.program.process.pid) >> CAP_SYS_ADMIN & 1, 0, "right to enter more")
    expect([rights(pid) for pid in children(agent.program.process.pid)], [0, 0], "helpers' rights")
    for name in ("red", "blue"):  # renewed there, too
        agent.ask("PATCH", "/v1/mappings/" + agent.mapping_ids(name)[0], {"lifetime": 3600})
        agent.wait("renewed", name)
    blue.ip("link set wg0 down")
    agent.wait("lost", "blue")
    expect(agent.mapping("red")["state"], "mapped", "the other namespace's mapping")
    after = len(agent.events.seen)
    blue.ip("link set wg0 up", f"route add default via {VPN_INSIDE}")
    agent.wait("mapped", "blue", after)
    agent.add("9090:90", name="more", namespace="red")
    agent.wait_mapped("more")
    log = len(red_gateway.lines)
    expect(agent.end()[0], 0, "exit status")
    red_gateway.wait_text("removed", log)


@case("killed, it goes on with the same leases in each namespace, and its helpers end with it")
def namespaces_after_a_kill(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    clients = [island(home, name, f"11.{number}.0.1") for number, name in ((8, "red"), (9, "blue"))]
    for (client, _), name in zip(clients, ("red", "blue")):
        name_host(opened, client, name)
    agent = agent_on(opened, home.client, ISLANDS).start()
    agent.add("9090:90", name="more", namespace="red")
    before = agent.wait_all(lambda all_: len(all_) == 5 and is_mapped(all_), "all are mapped")
    helpers = children(agent.program.process.pid)
    expect(len(helpers), 2, "helpers")
    for _, program in clients:
        program.wait_line(lambda _, lines=program.lines:
                          sum(line.startswith("granted") for line in lines) == 2)
    marks = [len(program.lines) for _, program in clients]
    agent.kill()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") and "State:\tZ" not in
                          status_of(pid) for pid in helpers), "the helpers end")
    agent.start()
    after = agent.wait_all(lambda all_: len(all_) == 5 and is_mapped(all_), "all are mapped")
    for key in ("id", "external_port", "namespace"):
        expect([m.get(key) for m in after], [m.get(key) for m in before], key)
    for (_, program), mark in zip(clients, marks):
        program.wait_text("renewed", mark)
        expect([line for line in program.lines[mark:] if line.startswith("granted")], [], "granted")


def status_of(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return "State:\tZ"


@case("a namespace that is not there is told, and the rest is held")
def missing_namespace(opened):
    home = Home(opened, PATHS)
    home.gatewayd()
    agent = agent_on(opened, home.client, WEB + "[Mapping]\nName=lost\nForward=90\n"
                     "Namespace=nowhere\n").start()
    agent.wait_mapped("web")
    error = agent.mapping("lost")["error"]
    expect(error["code"], "system", "code")
    expect("nowhere: No such file or directory" in error["text"], True, error["text"])
    agent.program.wait_text("Cannot enter the network namespace nowhere")
    red, _ = island(home, "red", "11.8.0.1")
    name_host(opened, red, "red")
    agent.write(WEB + "[Mapping]\nName=red\nForward=91\nNamespace=red\n")
    agent.ask("POST", "/v1/reload", want=204)
    expect("restart it" in agent.mapping("red")["error"]["text"], True, "what to do")
    expect(agent.mapping("web")["state"], "mapped", "the mapping at home")


# ---- A VPN and what listens behind it ---------------------------------------


class Vpn:
    """A tunnel whose other end grants 60 seconds and the port it likes."""

    def __init__(self, opened):
        self.home = Home(opened, PATHS)
        self.home.gatewayd()
        self.server = self.home.host("vpn")
        opened.enter_context(kernel.Tunnel(self.home.client, "tun0", f"{VPN_CLIENT}/32",
                                           self.server, "tun0", f"{VPN_INSIDE}/24"))
        self.server.ip("route replace 10.8.0.0/24 dev tun0")
        # As wg-quick does it.
        self.home.client.ip("route add default dev tun0 table 51820",
                            "rule add not fwmark 51820 table 51820",
                            "rule add table main suppress_prefixlength 0")
        self.program = None
        self.start()

    def start(self, faults=""):
        self.program = self.home.gatewayd(
            f"ExternalAddress={VPN_OUTSIDE}",
            f"{ALLOW}[Faults]\nLifetimeCap=60s\n{faults}", self.server, "tun0")

    def change_port(self, agent, port):
        """It forgot all, and somebody else has the port before the agent is back."""
        agent.program.send(signal.SIGSTOP)
        self.program.kill()
        self.start()
        self.home.command("--interface", "tun0", "--direct", "add", f"{port}:9/both")
        agent.program.send(signal.SIGCONT)
        agent.ask("PATCH", "/v1/mappings/m1", {"lifetime": 3600})  # asks at once


def connector(application):
    password = os.path.join(application.folder, "password")
    with open(password, "w", encoding="utf-8") as file:
        file.write(PASSWORD + "\n")
    return (f"[Mapping]\nName=torrent\nForward=any:51413/both\nFollow=yes\n[Connector]\n"
            f"Type={application.kind}\nUrl={application.url}\nMapping=torrent\nUser={USER}\n"
            f"PasswordFile={password}\nRecheck=1s\n")


def told(agent, application, port):
    until(lambda: application.port() == port, f"port {port} at {application.kind}")
    agent.wait_all(lambda all_: is_told(all_[0]), "it is confirmed")
    comment(f"{application.kind}: its own API says {port}")


def followed(agent):
    mappings = agent.wait_all(
        lambda all_: is_mapped(all_) and len({m["external_port"] for m in all_}) == 1 and
        all(m["internal_port"] == m["external_port"] for m in all_), "it is mapped and followed")
    expect({m["gateway"] for m in mappings}, {VPN_INSIDE}, "gateway")
    expect({m["lifetime"] for m in mappings}, {60}, "lifetime")
    comment(f"agent: {mappings[0]['external_address']}:{mappings[0]['external_port']}, "
            f"60 s, port inside {mappings[0]['internal_port']}")
    return mappings[0]["external_port"]


def walk(opened, kind, rpc_port):
    application = kind(opened, f"{kernel.TOP}/{kind.kind}", rpc_port)
    vpn = Vpn(opened)
    with vpn.home.client:
        application.start(50001)
        comment(f"{application.kind}: its own API says {application.port()} before")
        agent = agent_on(opened, vpn.home.client, connector(application), "Interface=tun0")
        agent.start()
        first = followed(agent)
        told(agent, application, first)
        after = len(agent.events.seen)
        vpn.change_port(agent, first)
        agent.wait("changed", "torrent", after)
        second = followed(agent)
        expect(second != first, True, "another port")
        comment(f"gateway: started again, and gives {second}")
        told(agent, application, second)
        application.restart(50001)
        comment(f"{application.kind}: started again with 50001")
        told(agent, application, second)
        expect(agent.end()[0], 0, "exit status")


@case("qbittorrent behind a tunnel has the port of the moment")
def qbittorrent(opened):
    walk(opened, QBittorrent, 40080)


@case("transmission behind a tunnel has the port of the moment")
def transmission(opened):
    walk(opened, Transmission, 40091)


@case("an application that listens on the loopback of another namespace is told there")
def application_in_a_namespace(opened):
    home = Home(opened, PATHS)
    red, _ = island(home, "red", VPN_OUTSIDE)
    name_host(opened, red, "red")
    application = Transmission(opened, f"{kernel.TOP}/transmission-red", 40092)
    with red:
        application.start(50001)
    agent = agent_on(opened, home.client,
                     connector(application).replace("Follow=yes", "Follow=yes\nNamespace=red") +
                     "Namespace=red\n").start()
    port = followed(agent)
    agent.wait_all(lambda all_: is_told(all_[0]), "it is told")
    with red:
        expect(application.port(), port, "port of the application")


# ---- Debian's gateway -------------------------------------------------------


@case("behind Debian's miniupnpd what is declared is open, and closed at the end")
def behind_miniupnpd(opened):
    home = Home(opened, PATHS)
    home.miniupnpd()
    home.echo(8080)
    agent = agent_on(opened, home.client, "[Mapping]\nName=echo\nForward=4080:8080/both\n").start()
    agent.wait_all(is_mapped, "both halves are mapped")
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        home.expect_open(kind, 4080)
    agent.kill()
    agent.start()
    agent.wait_all(is_mapped, "both halves are mapped again")
    home.expect_open(socket.SOCK_STREAM, 4080)
    expect(agent.end()[0], 0, "exit status")
    home.expect_closed(socket.SOCK_STREAM, 4080)


# ---- The host's firewall ----------------------------------------------------

FILTER = """
table inet filter {
  set tenforward {
    type inet_proto . inet_service
    flags timeout
  }
}
"""


def elements(host):
    """{"tcp 80": seconds left} of the set."""
    with host:
        listed = subprocess.run(["nft", "list", "set", "inet", "filter", "tenforward"],
                                capture_output=True, text=True, check=True).stdout
    return {f"{m[1]} {m[2]}": int(m[3]) for m in
            re.finditer(r"(tcp|udp) \. (\d+) timeout (\d+)s", listed)}


@case("the host's firewall is open for what is mapped, and no longer than its lease")
def firewall(opened):
    if shutil.which("nft") is None:
        raise Skip("nft is not installed")
    home = Home(opened, PATHS)
    home.gatewayd(sections=ALLOW + "[Faults]\nLifetimeCap=8s\n")
    home.client.nft(FILTER)
    agent = agent_on(opened, home.client, WEB +
                     "[Mapping]\nName=no\nForward=any:81\nFirewall=no\n",
                     "Firewall=nftables\nFirewallSet=inet filter tenforward").start()
    agent.add("any:82/udp", name="runtime")
    agent.wait_mapped("web", "no", "runtime")
    if "no support for nftables" in agent.program.transcript():
        raise Skip("built without libnftables")
    found = elements(home.client)
    expect(sorted(found), ["tcp 80", "udp 82"], "open ports")
    expect(all(left <= 8 for left in found.values()), True, f"no longer than the lease: {found}")
    agent.wait("renewed", "web")
    expect("tcp 80" in elements(home.client), True, "open after a renewal")
    runtime = agent.mapping("runtime")["id"]
    agent.ask("DELETE", "/v1/mappings/" + runtime)
    agent.wait("removed", "runtime")
    expect(sorted(elements(home.client)), ["tcp 80"], "open ports")
    agent.kill()
    until(lambda: not elements(home.client), "the kernel closes what a killed agent left")


kernel.enter()
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


class Firewalld:
    """A system bus of the test's own, and firewalld or its stand-in on it."""

    def __init__(self, opened, home, program):
        for tool in ("dbus-daemon", "busctl"):
            if shutil.which(tool) is None:
                raise Skip(f"{tool} is not installed")
        self.home, self.opened, self.program = home, opened, program
        path = home.file("bus")
        self.address = "unix:path=" + path
        config = home.file("bus.conf", BUS.format(path=path))
        opened.enter_context(Program(["dbus-daemon", f"--config-file={config}", "--nofork",
                                      "--nopidfile", "--nosyslog"]))
        until(lambda: os.path.exists(path), "the bus")
        self.env = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.running = None
        self.start()

    def start(self):
        self.running = self.opened.enter_context(Program(self.program, self.env,
                                                         inside=self.home.client))
        until(lambda: self.ports() is not None, "firewalld")

    def call(self, *words):
        done = subprocess.run(["busctl", f"--address={self.address}", "call",
                               "org.fedoraproject.FirewallD1", "/org/fedoraproject/FirewallD1",
                               *words], capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def ports(self):
        """{"80/tcp"} that are open; None when nobody answers."""
        said = self.call("org.fedoraproject.FirewallD1.zone", "getPorts", "s", "")
        if said is None:
            return None
        return {f"{port}/{protocol}" for port, protocol in
                re.findall(r'2 "(\d+)" "(\w+)"', said)}


def with_firewalld(opened, program, reload):
    home = Home(opened, PATHS)
    home.gatewayd(sections=ALLOW + "[Faults]\nLifetimeCap=6s\n")
    firewalld = Firewalld(opened, home, program)
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = firewalld.address
    opened.callback(os.environ.pop, "DBUS_SYSTEM_BUS_ADDRESS")
    agent = agent_on(opened, home.client, WEB + "[Mapping]\nName=no\nForward=any:81\n"
                     "Firewall=no\n[Mapping]\nName=pair\nForward=any:83/both\n",
                     "Firewall=firewalld").start()
    agent.wait_mapped("web", "no", "pair")
    if "no support for firewalld" in agent.program.transcript():
        raise Skip("built without libsystemd")
    open_ports = {"80/tcp", "83/tcp", "83/udp"}
    until(lambda: firewalld.ports() == open_ports, "the ports are open")
    comment(f"open: {sorted(open_ports)}")
    after = 0
    for _ in range(2):  # beyond the end of the first lease
        _, after = agent.wait("renewed", "web", after)
    until(lambda: firewalld.ports() == open_ports, "the ports are open after renewals")
    expect([line for line in agent.program.lines if line.startswith("firewalld")], [], "complaints")
    reload(firewalld)
    until(lambda: firewalld.ports() == open_ports, "the ports are open after a reload")
    firewalld.running.kill()
    firewalld.start()
    until(lambda: firewalld.ports() == open_ports, "the ports are open after a restart")
    agent.ask("DELETE", "/v1/mappings/" + agent.mapping_ids("pair")[0])
    agent.wait("removed", "pair")
    until(lambda: firewalld.ports() == {"80/tcp"}, "what is given up is closed")
    agent.kill()
    until(lambda: firewalld.ports() == set(), "firewalld closes what a killed agent left")
    agent.start()
    agent.wait_mapped("web")
    until(lambda: firewalld.ports() == {"80/tcp", "83/tcp", "83/udp"}, "open again")
    firewalld.running.send(signal.SIGSTOP)
    status, took = agent.end()
    expect((status, took < 2), (0, True), f"an end beside a firewalld that stands still, {took} s")
    firewalld.running.send(signal.SIGCONT)
    until(lambda: firewalld.ports() == set(), "closed at the end")


@case("a stand-in for firewalld has the ports that are mapped, for as long as their leases")
def firewalld_stand_in(opened):
    if sys.argv[4] == "none":
        raise Skip("built without libsystemd")
    with_firewalld(opened, [sys.argv[4]],
                   lambda firewalld: firewalld.running.send(signal.SIGHUP))


# Not among the packages of the tests: to install it starts it on the machine itself.
if shutil.which("firewalld") is not None:
    @case("firewalld has the ports that are mapped, for as long as their leases")
    def firewalld_itself(opened):
        for place in ("/etc/firewalld", "/var/log"):
            if os.path.isdir(place):
                kernel.call(kernel.libc.mount, b"tmpfs", place.encode(), b"tmpfs", 0, None)
                opened.callback(kernel.libc.umount2, place.encode(), MNT_DETACH)
        os.makedirs("/run/firewalld", exist_ok=True)
        with_firewalld(opened, ["firewalld", "--nofork", "--nopid"],
                       lambda firewalld: firewalld.call("org.fedoraproject.FirewallD1", "reload"))


run(sys.argv[5] if len(sys.argv) > 5 else "")

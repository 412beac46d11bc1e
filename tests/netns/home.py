# SPDX-License-Identifier: MIT
"""A home: a client behind a gateway that translates addresses, and a host on
the internet.

    client eth0 10.77.0.2 -- 10.77.0.1 lan0 gateway wan0 11.0.113.1 -- 11.0.113.2 eth0 internet

The gateway's outside address looks public because miniupnpd refuses others; it
never leaves the namespaces. Debian's miniupnpd, or our own daemon, runs on the
gateway; the command runs on the client."""
import itertools
import os
import re
import shutil
import signal
import socket
import threading
import time

from cases import Skip
from kernel import TOP, Host, link
from programs import PATIENCE_S, Command, Program, finish, gatewayd

INSIDE = "10.77.0.1"
OUTSIDE = "11.0.113.1"
CLIENT = "10.77.0.2"

ALLOW = "[Rule]\nAction=allow\nClient=0.0.0.0/0\n"

NAT = """
flush ruleset
table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan0" accept
    jump miniupnpd
  }
  chain prerouting {
    type nat hook prerouting priority -100;
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    jump postrouting_miniupnpd
    oifname "wan0" masquerade
  }
}
"""

MINIUPNPD = """
ext_ifname=wan0
listening_ip=lan0
enable_natpmp=yes
enable_upnp=no
secure_mode=yes
system_uptime=no
ext_perform_stun=no
min_lifetime=2
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
uuid=9ea0f65f-46d2-4ff9-86e8-95e0355fcfda
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""

# Three packets in ten are lost, the first among them; by count and not by
# chance, so that a run is like any other.
LOSS = """
table inet loss {
  chain input {
    type filter hook input priority -300;
    meta l4proto udp numgen inc mod 10 vmap { 0 : drop, 3 : drop, 6 : drop }
  }
}
"""

SILENCE = """
table inet silence {
  chain input {
    type filter hook input priority -300;
    iifname "lan0" meta l4proto udp drop
  }
}
"""

numbers = itertools.count(1)


class Home:
    def __init__(self, opened, paths):
        """`opened` closes what this opens; `paths` are the command and the daemon."""
        self.paths = paths
        self.top = f"{TOP}/home-{next(numbers)}"
        os.mkdir(self.top)
        self.opened = opened
        self.client, self.gateway, self.internet = (
            self.host(name) for name in ("client", "gateway", "internet"))
        link(self.client, "eth0", f"{CLIENT}/24", self.gateway, "lan0", f"{INSIDE}/24")
        link(self.internet, "eth0", "11.0.113.2/24", self.gateway, "wan0", f"{OUTSIDE}/24")
        self.client.ip(f"route add default via {INSIDE}")
        self.command = self.command_on(self.client)

    def host(self, name):
        host = Host(name)
        self.opened.callback(host.close)
        return host

    def command_on(self, host):
        return Command(self.paths[0], f"{self.top}/state-{host.name}", host)

    def file(self, name, text=None):
        """Path of a file of this home, written when there is a text."""
        path = os.path.join(self.top, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, 0o755)
        return path

    def age_leases(self, seconds):
        """The client's record, as if all had been made so long ago."""
        path = self.file("state-client/tenforward/leases")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.file("state-client/tenforward/leases", re.sub(
            r"expires=(\d+)", lambda m: f"expires={int(m.group(1)) - seconds}", text))

    def translate(self):
        """The gateway forwards; what was opened before is closed."""
        self.gateway.sysctl("net.ipv4.ip_forward", "1")
        self.gateway.nft(NAT)

    def miniupnpd(self, natpmp=True, upnp=False, more=""):
        if shutil.which("miniupnpd") is None:
            raise Skip("miniupnpd is not installed")
        self.translate()
        text = MINIUPNPD if natpmp else MINIUPNPD.replace("enable_natpmp=yes", "enable_natpmp=no")
        if upnp:
            text = text.replace("enable_upnp=no", "enable_upnp=yes\nhttp_port=0")
        config = self.file("miniupnpd.conf", text + more)
        daemon = self.opened.enter_context(Program(
            ["miniupnpd", "-d", "-f", config, "-P", self.file("miniupnpd.pid")],
            inside=self.gateway))
        daemon.wait_text("Listening for NAT-PMP/PCP traffic" if natpmp else
                         "HTTP listening on port")
        if upnp:
            self.await_bound(1900, "nobody listens for searches")
        return daemon

    def quiet_miniupnpd(self, more=""):
        """In the background: what it logs in the foreground slows down a refusal, for
        which it looks at every port there is, to more than a minute."""
        if shutil.which("miniupnpd") is None:
            raise Skip("miniupnpd is not installed")
        self.translate()
        config = self.file("miniupnpd.conf", MINIUPNPD + more)
        pid_file = self.file("miniupnpd.pid")
        started = finish(["miniupnpd", "-f", config, "-P", pid_file], inside=self.gateway)
        if started.status != 0:
            raise AssertionError(f"miniupnpd: {started.out}{started.err}")
        self.opened.callback(self.end_quiet, pid_file)
        self.await_bound(5351, "nobody listens for requests")

    @staticmethod
    def end_quiet(pid_file):
        with open(pid_file, encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)

    def upnpc(self, *words):
        """The other program that opens ports, on the client."""
        if shutil.which("upnpc") is None:
            raise Skip("upnpc is not installed")
        result = finish(["upnpc", *words], inside=self.client)
        if result.status != 0:
            raise AssertionError(f"upnpc {' '.join(words)}: {result.out}{result.err}")
        return result.out

    def await_bound(self, port, otherwise):
        """It says nothing when it hears others: its socket is there."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.is_bound(port):
            if time.monotonic() > deadline:
                raise AssertionError(otherwise)
            time.sleep(0.01)

    def is_bound(self, port):
        with self.gateway, open("/proc/thread-self/net/udp", encoding="ascii") as sockets:
            return any(line.split()[1].endswith(f":{port:04X}") for line in list(sockets)[1:])

    def gatewayd(self, keys="", sections=ALLOW, host=None, internal="lan0", backend="memory"):
        if "ExternalAddress=" not in keys:  # said again it would be one more
            keys = f"ExternalAddress={OUTSIDE}\n{keys}"
        config = (f"[Gateway]\nBackend={backend}\nInternal={internal}\n"
                  f"MinLifetime=1\nReuseDelayTCP=0\nReuseDelayUDP=0\n{keys}\n{sections}\n")
        host = host or self.gateway
        return self.opened.enter_context(gatewayd(
            self.paths[1], self.file(f"{host.name}.conf"), config, host))

    def echo(self, port):
        """A program on the client that sends back what it gets on this port."""
        return self.opened.enter_context(Echo(self.client, port))

    def reach(self, kind, port):
        """What the internet sees behind this outside port: the answer to a
        greeting, or an error."""
        with self.internet.socket(kind) as caller:
            caller.connect((OUTSIDE, port))
            caller.sendall(b"hello")
            return caller.recv(64)

    def expect_open(self, kind, port):
        got = self.reach(kind, port)
        if got != b"you said hello":
            raise AssertionError(f"port {port} answered {got!r}")

    def expect_closed(self, kind, port):
        try:
            got = self.reach(kind, port)
        except ConnectionRefusedError:
            return
        raise AssertionError(f"port {port} is open: {got!r}")


class Echo:
    """Listens on TCP and UDP."""

    def __init__(self, host, port):
        self.tcp = host.socket(socket.SOCK_STREAM)
        self.udp = host.socket(socket.SOCK_DGRAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for listener in (self.tcp, self.udp):
            listener.bind(("0.0.0.0", port))
            listener.settimeout(None)
        self.tcp.listen()
        self.threads = [threading.Thread(target=serve, daemon=True)
                        for serve in (self._serve_tcp, self._serve_udp)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Unlike close, this wakes up who waits in accept and recvfrom.
        for listener in (self.tcp, self.udp):
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # a datagram socket was never connected; it wakes up all the same
        for thread in self.threads:
            thread.join(PATIENCE_S)
        self.tcp.close()
        self.udp.close()

    def _serve_tcp(self):
        try:
            while True:
                caller, _ = self.tcp.accept()
                with caller:
                    caller.sendall(b"you said " + caller.recv(64))
        except OSError:
            return

    def _serve_udp(self):
        while True:
            said, caller = self.udp.recvfrom(64)
            if not said:
                return
            self.udp.sendto(b"you said " + said, caller)

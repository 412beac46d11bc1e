# SPDX-License-Identifier: MIT
"""The networks the bench measures in, all inside the namespaces scripts/bench.sh made:

    near  10.77.0.2 ------------------------- 10.77.0.1  gateway  11.0.113.1 outside
    far   10.78.0.2 --- bench-relay --------- 10.78.0.1

and the gateways that answer there, one at a time. The outside address looks
public because miniupnpd wants one; there is nothing behind it.
"""
import os
import shutil
import signal
import subprocess
import time

MINIUPNPD = """ext_ifname=wan
listening_ip=near-g
listening_ip=far-g
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
system_uptime=no
ext_perform_stun=no
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
uuid=9ea0f65f-46d2-4ff9-86e8-95e0355fcfda
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""

CHAINS = """table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward { type filter hook forward priority 0; jump miniupnpd; }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }
}
"""

GATEWAYD = """[Gateway]
Backend=memory
ExternalAddress=11.0.113.1
Listen=10.77.0.1:5351
Listen=10.78.0.1:5351
Socket={folder}/gateway.sock
State=none
[Rule]
Action=allow
MaxMappings=1000
RequestRate=0
"""

LINKS = """link add near type veth peer name near-g
link add far type veth peer name far-b
link add back-b type veth peer name far-g
link add wan type veth peer name wan-peer
link set near netns near
link set far netns far
link set far-b netns between
link set back-b netns between
link set near-g netns gateway
link set far-g netns gateway
link set wan netns gateway
link set wan-peer netns gateway
"""

INSIDE = {
    "near": "link set lo up\nlink set near up\naddr add 10.77.0.2/24 dev near\n"
            "route add default via 10.77.0.1\n",
    "far": "link set lo up\nlink set far up\naddr add 10.78.0.2/24 dev far\n"
           "route add default via 10.78.0.1\n",
    "between": "link set far-b up\nlink set back-b up\n",
    "gateway": "link set lo up\nlink set near-g up\nlink set far-g up\nlink set wan up\n"
               "link set wan-peer up\naddr add 10.77.0.1/24 dev near-g\n"
               "addr add 10.78.0.1/24 dev far-g\naddr add 11.0.113.1/24 dev wan\n",
}


class Missing(Exception):
    """A row cannot be measured, and why."""


def need(*names):
    for name in names:
        if shutil.which(name) is None:
            raise Missing(f"no {name} here")


class World:
    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.daemons = {}
        self.in_background = False

    def __enter__(self):
        need("ip", "mount")
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        for name in INSIDE:
            run("ip", "netns", "add", name)
        run("ip", "-batch", "-", text=LINKS)
        for name, lines in INSIDE.items():
            run("ip", "-n", name, "-batch", "-", text=lines)
        # Port unreachable is measured more often than a kernel likes to say it.
        self.inside("gateway", "sysctl", "-qw", "net.ipv4.icmp_ratelimit=0",
                    "net.ipv4.ip_forward=1")
        return self

    def __exit__(self, *_):
        for name in list(self.daemons):
            self.stop(name)
        self.stop_miniupnpd()

    def tool(self, name):
        """A program of this build."""
        path = os.path.join(self.build, {
            "tenforward": "src/quick/tenforward",  # what is installed under that name
            "tenforward, whole": "src/cli/tenforward",
            "tenforward-gatewayd": "src/gateway/tenforward-gatewayd",
            "tenforwardd": "src/agent/tenforwardd",
            "bench-ledger": "bench/bench-ledger",
            "bench-storm": "bench/bench-storm",
            "bench-measure": "bench/bench-measure",
            "bench-relay": "bench/bench-relay"}[name])
        if not os.path.exists(path) and name == "tenforward":
            return self.tool("tenforward, whole")
        if not os.path.exists(path):
            raise Missing(f"{name} was not built")
        return path

    def path(self, name):
        return os.path.join(self.folder, name)

    def inside(self, space, *command, **options):
        return run("ip", "netns", "exec", space, *command, **options)

    def environment(self, state=None):
        """For clients: leases are recorded on the disk of the build, as they
        would be in a home, unless told another place."""
        return dict(os.environ, XDG_STATE_HOME=state or self.path("state"), LC_ALL="C.UTF-8")

    # One daemon of a name at a time; each is ready when it says so, or answers.

    def start(self, name, space, *command, stdout=subprocess.DEVNULL):
        self.stop(name)
        self.daemons[name] = subprocess.Popen(
            ("ip", "netns", "exec", space) + command, stdin=subprocess.DEVNULL,
            stdout=stdout, stderr=subprocess.DEVNULL)
        return self.daemons[name]

    def stop(self, name):
        daemon = self.daemons.pop(name, None)
        if daemon is not None:
            daemon.terminate()
            daemon.wait(10)
            if daemon.stdout:
                daemon.stdout.close()

    def relay(self, delay_ms=0, loss=0, seed=1):
        """The stretch of network in front of `far`."""
        daemon = self.start("relay", "between", self.tool("bench-relay"), "far-b", "back-b",
                            "--delay-ms", str(delay_ms), "--loss", str(loss),
                            "--seed", str(seed), stdout=subprocess.PIPE)
        if daemon.stdout.readline() != b"ready\n":
            raise Missing("bench-relay did not start (packet sockets?)")

    def gateway(self, name):
        """Which gateway answers: miniupnpd, tenforward-gatewayd, or None."""
        self.stop("gateway")
        self.stop_miniupnpd()
        if name == "miniupnpd":
            self.start_miniupnpd()
        elif name == "tenforward-gatewayd":
            self.start_gatewayd()

    def start_miniupnpd(self):
        need("miniupnpd", "nft")
        if subprocess.run(("ip", "netns", "exec", "gateway", "nft", "-f", "-"),
                          input="flush ruleset\n" + CHAINS, text=True).returncode:
            raise Missing("the kernel takes no nftables rules here")
        with open(self.path("miniupnpd.conf"), "w", encoding="ascii") as file:
            file.write(MINIUPNPD)
        # In the background, as it is used: in the foreground it logs each request, slowly.
        subprocess.run(("ip", "netns", "exec", "gateway", "miniupnpd",
                        "-f", self.path("miniupnpd.conf"), "-P", self.path("miniupnpd.pid")),
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
        self.in_background = True
        self.wait_for_answer("miniupnpd")

    def stop_miniupnpd(self):
        if not self.in_background:
            return
        self.in_background = False
        with open(self.path("miniupnpd.pid"), encoding="ascii") as file:
            pid = int(file.read())
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)  # this is process 1 here: who lost their parent are its children

    def start_gatewayd(self):
        with open(self.path("gateway.conf"), "w", encoding="ascii") as file:
            file.write(GATEWAYD.format(folder=self.folder))
        self.start("gateway", "gateway", self.tool("tenforward-gatewayd"),
                   "--config", self.path("gateway.conf"))
        self.wait_for_answer("tenforward-gatewayd")

    def wait_for_answer(self, name):
        asking = (self.tool("tenforward"), "discover", "--timeout", "2s", "-g", "10.77.0.1")
        for _ in range(25):
            done = subprocess.run(("ip", "netns", "exec", "near") + asking,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if done.returncode == 0:
                return
            time.sleep(0.2)
        raise Missing(f"{name} does not answer")


def run(*command, text=None, env=None):
    return subprocess.run(command, input=text, env=env, text=True, check=True,
                          stdin=subprocess.DEVNULL if text is None else None,
                          capture_output=True).stdout

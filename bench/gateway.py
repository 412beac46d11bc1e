# SPDX-License-Identifier: MIT
"""Rows about the gateway: ours with nftables beside Debian's miniupnpd and beside a
bare echo, which is what the machine can do at all. Generators in storm.c."""
import math
import os
import signal
import subprocess
import time

from world import Missing, need, run

HELD = 60000
FEW = 100
PEER_HELD = 1000   # what miniupnpd still answers to in reasonable time
CHAIN = 20000
FLOWS = 3000
SECONDS = 3
TRIES = 5          # of two figures that are compared closely, in turn; the best of each
AT = "10.77.0.1:5351"
ECHO = "10.77.0.1:5999"
OUTSIDE = "11.0.113.1"
HOSTS = 100
MANY_FROM = "10.77.0.100"  # the first of them
NEIGHBOUR = "10.77.0.254"  # a second host, behind the same link

CONFIG = """[Gateway]
Backend=nftables
External=wan
Internal=near-g
FloodLimit={flood}
MaxMappings=70000
Socket={folder}/storm.sock
State=none
[Rule]
Action=allow
MaxMappings=70000
RequestRate=0
"""


def rate(first, second, *_):
    return float(first) / float(second)


class Side:
    """The programs of one run, in the namespaces of the world."""

    def __init__(self, world):
        self.world = world
        self.storm_path = world.tool("bench-storm")
        self.process = None

    def storm(self, *words, space="near", window=256, hosts=0):
        env = os.environ | {"STORM_WINDOW": str(window)}
        if hosts:
            env |= {"STORM_HOSTS": str(hosts), "STORM_SOURCE": MANY_FROM}
        return self.world.inside(space, self.storm_path, *[str(w) for w in words],
                                 env=env).split()

    def start_ours(self, flood=0):
        """Fresh, or after a kill: with what the kernel still holds."""
        path = self.world.path("storm.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIG.format(folder=self.world.folder, flood=flood))
        self.process = self.world.start("gateway", "gateway",
                                        self.world.tool("tenforward-gatewayd"), "--config", path)

    def fresh(self, flood=0):
        self.world.gateway(None)
        run("ip", "netns", "exec", "gateway", "nft", "flush", "ruleset")
        self.start_ours(flood)
        self.storm("wait", AT)

    def kill(self):
        os.kill(self.pid(), signal.SIGKILL)
        self.process.wait(10)
        self.world.daemons.pop("gateway", None)

    def pid(self):
        return self.process.pid  # `ip netns exec` becomes the program

    def memory(self):
        """Octets that the daemon holds, of its own."""
        with open(f"/proc/{self.pid()}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("RssAnon:"))
        return int(line.split()[1]) * 1024

    def held(self):
        return sum(self.world.inside("gateway", "nft", "list", "map", "inet", "tenforward",
                                     f"dnat4_{part}").count(" expires ") for part in range(8))

    def echo(self):
        daemon = self.world.start("echo", "gateway", self.storm_path, "echo", ECHO,
                                  stdout=subprocess.PIPE)
        daemon.stdout.readline()


def outside(world):
    """A host on the internet: the far end of the gateway's outside link."""
    run("ip", "netns", "add", "world")
    run("ip", "-n", "gateway", "link", "set", "wan-peer", "netns", "world")
    run("ip", "-n", "world", "-batch", "-",
        text="link set lo up\nlink set wan-peer up\naddr add 11.0.113.2/24 dev wan-peer\n")
    world.inside("gateway", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")


def with_peer(side, what):
    """Requests a second of miniupnpd with so many mappings held."""
    try:
        side.world.gateway("miniupnpd")
        # One by one, which is its better way: many at once only fill its queue.
        side.storm("fill", AT, PEER_HELD, window=1)
        return rate(*side.storm("turn", AT, PEER_HELD, 10)[:2])
    except (Missing, subprocess.CalledProcessError) as error:
        print(f"bench: no figure of miniupnpd for {what}: {error}")
        return None
    finally:
        side.world.gateway(None)


def requests(side, table):
    what = f"requests a second at {PEER_HELD} held"
    if table.wants(what):
        peer = with_peer(side, what)
        side.fresh()
        side.storm("fill", AT, PEER_HELD)
        table.add(what, peer, rate(*side.storm("rate", AT, PEER_HELD, SECONDS)), ratio_min=100)
    bursts = f"requests a second at {HELD} held, in bursts, beside an echo"
    many_hosts = f"the same from {HOSTS} hosts at once"
    single = f"requests a second at {HELD} held, one by one, beside an echo"
    flat = f"requests a second, {HELD} held beside {FEW}"
    memory = f"memory a mapping, daemon, {HELD} held (miniupnpd: 470)"
    if any(map(table.wants, (bursts, single, memory))):
        held_by_one(side, table, bursts, single, memory)
    if table.wants(flat):
        few_and_many(side, table, flat)
    if table.wants(many_hosts):
        held_by_many(side, table, many_hosts)


def held_by_one(side, table, bursts, single, memory):
    """All mappings are one host's."""
    side.fresh()
    side.echo()
    empty = side.memory()
    side.storm("fill", AT, HELD)
    full = side.memory()
    many = rate(*side.storm("rate", AT, HELD, SECONDS))
    table.add(bursts, rate(*side.storm("rate", ECHO, HELD, SECONDS)), many, ratio_min=0.5)
    table.add(single, rate(*side.storm("turn", ECHO, HELD, SECONDS)[:2]),
              rate(*side.storm("turn", AT, HELD, SECONDS)[:2]), ratio_min=0.5)
    table.add(memory, "470", (full - empty) / HELD, at_most=192)
    side.world.stop("echo")


def few_and_many(side, table, what):
    """A mapping that is asked for twice in a batch is one change, so no more are under way
    than there are mappings, with few and with many."""
    best = {FEW: 0, HELD: 0}
    for _ in range(TRIES):  # in turn: a machine is not the same from minute to minute
        for count in best:
            side.fresh()
            side.storm("fill", AT, count)
            best[count] = max(best[count], rate(
                *side.storm("rate", AT, count, SECONDS, window=FEW)))
    table.add(what, best[FEW], best[HELD], ratio_min=0.9)


def held_by_many(side, table, what):
    """Answers to many hosts cannot be joined; the echo never joins any."""
    side.fresh()
    side.echo()
    run("ip", "-n", "near", "-batch", "-", text="".join(
        f"addr add 10.77.0.{100 + host}/24 dev near\n" for host in range(HOSTS)))
    side.storm("fill", AT, HELD, hosts=HOSTS)
    table.add(what, rate(*side.storm("rate", ECHO, HELD, SECONDS, hosts=HOSTS)),
              rate(*side.storm("rate", AT, HELD, SECONDS, hosts=HOSTS)), ratio_min=0.5)
    side.world.stop("echo")


def restart(side, table):
    what = f"restart after kill -9 with {HELD} mappings, first answer"
    lost = f"mappings lost by that, of {HELD}"
    if not table.wants(what):
        return
    side.fresh()
    side.storm("fill", AT, HELD)
    before = side.held()
    side.kill()
    since = time.monotonic()
    side.start_ours()
    side.storm("wait", AT)
    took = time.monotonic() - since
    table.add(what, None, took * 1e6, show=lambda us: f"{us / 1e6:.2f} s", at_most=0.5e6)
    table.add(lost, None, before - side.held(), at_most=0)


def flows(side, table):
    what = f"a new flow through {CHAIN} mappings beside 10"
    chain = f"the same through miniupnpd's chain of {CHAIN} rules beside 10"
    if table.wants(what):
        cost = {10: math.inf, CHAIN: math.inf}
        for _ in range(TRIES):  # in turn, the best of each: single tries are 10 to 18 µs
            for count in cost:
                side.fresh()
                side.storm("fill", AT, count)
                cost[count] = min(cost[count], float(
                    side.storm("flow", OUTSIDE, FLOWS, count, space="world")[0]))
        table.add(what, cost[10], cost[CHAIN], show=lambda ns: f"{ns / 1000:.1f} µs", ratio=1.1)
        side.world.gateway(None)
    if table.wants(chain):
        cost = {}
        for count in (10, CHAIN):
            rules = "".join(
                f"add rule inet filter prerouting iifname wan udp dport {1024 + port} "
                f"dnat ip to 10.77.0.2:{1024 + port}\n" for port in range(count))
            side.world.inside("gateway", "nft", "-f", "-",
                              text="flush ruleset\nadd table inet filter\n"
                              "add chain inet filter prerouting "
                              "{ type nat hook prerouting priority -100; }\n" + rules)
            cost[count] = float(side.storm("flow", OUTSIDE, FLOWS, count, space="world")[0])
        table.add(chain, cost[10], cost[CHAIN], show=lambda ns: f"{ns / 1000:.1f} µs")
        side.world.inside("gateway", "nft", "flush", "ruleset")


def floods(side, table):
    """Another client's requests, one after the other, while one floods."""
    for name, words in (("junk", ("junk", AT, SECONDS + 2)),
                        ("valid requests", ("rate", AT, FEW, SECONDS + 2)),
                        ("requests of 250 hosts", ("spoof", AT, SECONDS + 2, "10.77.0.0"))):
        what = f"p99 of another host while one floods with {name}"
        if not table.wants(what):
            continue
        side.fresh(flood=1000)
        calm = int(side.storm("turn", AT, 10, SECONDS)[3])
        storm = subprocess.Popen(("ip", "netns", "exec", "next", side.storm_path) +
                                 tuple(str(w) for w in words), stdout=subprocess.DEVNULL)
        p99 = int(side.storm("turn", AT, 10, SECONDS)[3])
        storm.wait(30)
        table.add(what, calm, p99, show=lambda us: f"{us / 1000:.2f} ms", at_most=50000)


def million(side, table):
    """The thinking part alone: a million mappings, 20,000 hosts, 16 outside addresses."""
    what = "memory a mapping, a million over 16 addresses, ledger alone"
    if not table.wants(what):
        return
    _, made, renewed, octets = run(side.world.tool("bench-ledger")).split()
    table.add(what, None, float(octets), at_most=192)
    table.add("the same, mappings made a second", None, float(made))
    table.add("the same, mappings renewed a second", None, float(renewed))


def neighbour():
    """A second machine behind the same link, with a link-layer address of its own."""
    run("ip", "netns", "add", "next")
    run("ip", "-n", "near", "link", "add", "link", "near", "name", "next", "netns", "next",
        "type", "macvlan", "mode", "bridge")
    run("ip", "-n", "next", "-batch", "-", text="link set lo up\nlink set next up\n"
        f"addr add {NEIGHBOUR}/24 dev next\n")


def measure(world, table, _options):
    try:
        need("nft")
        side = Side(world)
        outside(world)
        neighbour()
    except Missing as error:
        table.skip("the gateway", error)
        return
    for part in (requests, restart, flows, floods, million):
        try:
            part(side, table)
        except (Missing, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            table.skip(part.__name__, str(said).strip())
    world.gateway(None)

# SPDX-License-Identifier: MIT
"""The command against other clients: one mapping, from process start to exit."""
import re
import shutil
import subprocess

from table import plain, seconds
from world import Missing, need

NATPMPC = (shutil.which("natpmpc") or "natpmpc", "-a", "{n}", "{n}", "tcp", "3600")
ADD = ("add", "{n}:{n}/tcp", "--lifetime", "3600")
PORT = "20000"

MINUTE = 60
# As many at once as leave the gateway time: miniupnpd takes 10 ms for one.
LOSS_TRIES, AT_ONCE = 200, 16


def with_port(command):
    return tuple(word.replace("{n}", PORT) for word in command)


def timed(world, space, *commands, times=1, parallel=1, limit=MINUTE, any_status=False,
          state=None):
    """[(median, p90, max, failures)] of the commands, run in turn; times in µs."""
    words = []
    for command in commands:
        words += ["---", *command]
    out = world.inside(space, world.tool("bench-measure"), "--times", str(times),
                       "--parallel", str(parallel), "--limit", str(limit),
                       *(["--any-status"] if any_status else []), "--", *words[1:],
                       env=world.environment(state))
    return [tuple(int(word) for word in line.split()) for line in out.splitlines()]


def one_mapping(world, table, space, gateway, what, times, state=None, **mark):
    """The peer's two round trips against ours, on the same port again and again."""
    need("natpmpc")
    world.gateway(gateway)
    peer, ours = timed(world, space, with_port(NATPMPC),
                       (world.tool("tenforward"), *with_port(ADD)), times=times,
                       state=state)
    if peer[3] or ours[3]:
        raise Missing(f"{peer[3]} of natpmpc's and {ours[3]} of our {times} runs failed")
    table.add(what, peer[0], ours[0], seconds, **mark)


def near(world, table, gateway):
    what = f"one mapping, {gateway}"
    if table.wants(what):
        guarded(table, what, lambda: one_mapping(world, table, "near", gateway, what, 201,
                                                ratio=1.0))


def without_disk(world, table):
    """What of our time is the disk's: the record of leases in memory instead."""
    what = "one mapping, tenforward-gatewayd, record in memory"
    if table.wants(what):
        guarded(table, what, lambda: one_mapping(world, table, "near", "tenforward-gatewayd", what,
                                                201, state="/run/state",
                                                note="for information"))


def far(world, table, gateway):
    what = f"one mapping, {gateway}, 20 ms round trip"

    def measure():
        world.relay(delay_ms=10)
        one_mapping(world, table, "far", gateway, what, 41, ratio=0.6)

    if table.wants(what):
        guarded(table, what, measure)


def upnp(world, table):
    what = "one mapping, miniupnpd, upnpc (SSDP)"

    def measure():
        need("upnpc")
        world.gateway("miniupnpd")
        peer, ours = timed(world, "near", ("upnpc", "-a", "10.77.0.2", "20001", "20001", "tcp"),
                           (world.tool("tenforward"), *with_port(ADD)), times=3)
        table.add(what, peer[0], ours[0], seconds, note="for information")

    if table.wants(what):
        guarded(table, what, measure)


UPNP = ("--method", "igd", "add", "20002:20002/tcp", "--lifetime", "3600")


def remembered(world, table):
    """Both by UPnP: ours knows the device from an earlier call, upnpc searches."""
    what = "one mapping by UPnP, miniupnpd, upnpc"

    def measure():
        need("upnpc")
        world.gateway("miniupnpd")
        ours = (world.tool("tenforward"), *UPNP)
        timed(world, "near", ours)
        peer, known = timed(world, "near", ("upnpc", "-a", "10.77.0.2", "20001", "20001", "tcp"),
                            ours, times=5)
        if peer[3] or known[3]:
            raise Missing(f"{peer[3]} of upnpc's and {known[3]} of our 5 runs failed")
        table.add(what, peer[0], known[0], seconds, note="device remembered")

    if table.wants(what):
        guarded(table, what, measure)


def instructions(world, command):
    out = subprocess.run(("ip", "netns", "exec", "near", "valgrind", "--tool=callgrind",
                          f"--callgrind-out-file={world.path('callgrind.out')}", *command),
                         stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         env=world.environment(world.path("counted"))).stderr
    found = re.search(r"Collected : (\d+)", out)
    if found is None:
        raise Missing("valgrind counted nothing")
    return int(found.group(1))


def system_calls(world, command):
    counts = world.path("strace.out")
    subprocess.run(("ip", "netns", "exec", "near", "strace", "-f", "-c", "-o", counts, *command),
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=world.environment(world.path("counted")))
    with open(counts, encoding="utf-8") as file:
        found = re.search(r"^100\.00 .*? (\d+) +(\d+ +)?total$", file.read(), re.MULTILINE)
    if found is None:
        raise Missing("strace counted nothing")
    return int(found.group(1))


def counted(world, table, what, tool, count, **mark):
    """Counts of the two, above those of a program that does nothing."""
    def measure():
        need(tool, "natpmpc")
        world.gateway("miniupnpd")
        nothing = count(world, ("/bin/true",))
        peer = count(world, with_port(NATPMPC)) - nothing
        mine = (world.tool("tenforward"), *with_port(ADD))
        count(world, mine)  # the second time there is a record, as there is at home
        ours = count(world, mine) - nothing
        table.add(what, peer, ours, plain, **mark)

    if table.wants(what):
        guarded(table, what, measure)


def silent(world, table, measure_peer):
    what = "verdict, silent gateway"

    def measure():
        world.gateway(None)
        world.relay(loss=100)
        ours = timed(world, "far", (world.tool("tenforward"), *with_port(ADD)), any_status=True)[0]
        peer = "127.9 s quoted"
        if measure_peer:
            need("natpmpc")
            peer = timed(world, "far", with_port(NATPMPC), limit=200, any_status=True)[0][0]
        # The time of the process itself comes on top of the --timeout of 5 s.
        table.add(what, peer, ours[0], seconds, at_most=5050000)

    if table.wants(what):
        guarded(table, what, measure)


def unreachable(world, table):
    what = "verdict, port unreachable"

    def measure():
        need("natpmpc")
        world.gateway(None)
        peer, ours = timed(world, "near", with_port(NATPMPC),
                           (world.tool("tenforward"), *with_port(ADD)), times=41, any_status=True)
        table.add(what, peer[0], ours[0], seconds, at_most=50000)

    if table.wants(what):
        guarded(table, what, measure)


def lossy(world, table, gateway):
    what = f"30 % loss each way, {gateway}"

    def measure():
        need("natpmpc")
        world.gateway(gateway)
        world.relay(loss=30)
        peer, ours = timed(world, "far", NATPMPC, (world.tool("tenforward"), "--timeout", "60s",
                                                   *ADD), times=LOSS_TRIES, parallel=AT_ONCE)
        if ours[3] == LOSS_TRIES:
            raise Missing("none of our tries came to an end: something else is wrong")
        table.add(f"{what}, median", peer[0], ours[0], seconds, ratio=0.8)
        table.add(f"{what}, p90", peer[1], ours[1], seconds, ratio=0.5)
        table.add(f"{what}, longest", peer[2], ours[2], seconds, note="for information")
        table.add(f"{what}, failed in 60 s", peer[3], ours[3], plain, at_most=0)

    if table.wants(what):
        guarded(table, what, measure)


def guarded(table, what, measure):
    try:
        measure()
    except Missing as why:
        table.skip(what, str(why))


def measure(world, table, options):
    near(world, table, "miniupnpd")
    near(world, table, "tenforward-gatewayd")
    without_disk(world, table)
    far(world, table, "miniupnpd")
    far(world, table, "tenforward-gatewayd")
    upnp(world, table)
    remembered(world, table)
    counted(world, table, "instructions of one mapping", "valgrind", instructions, ratio=3)
    counted(world, table, "system calls of one mapping", "strace", system_calls,
            note="for information")
    silent(world, table, options.silent_peer)
    unreachable(world, table)
    lossy(world, table, "miniupnpd")
    lossy(world, table, "tenforward-gatewayd")
    world.gateway(None)
    world.stop("relay")

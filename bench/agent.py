# SPDX-License-Identifier: MIT
"""The agent with very many mappings at one test gateway, on the loopback address."""
import collections
import datetime
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

from table import seconds

COUNT = 10000
STEP = 250  # of one request; the API takes ranges up to 256
SAMPLE_S = 20

GATEWAYD = """[Gateway]
Backend=memory
ExternalAddress=11.0.113.1
Listen=127.0.0.1:5351
MaxMappings=20000
[Rule]
Action=allow
Client=127.0.0.0/8
MaxMappings=20000
RequestRate=0
{faults}
"""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """One of ours, ready when this returns."""

    def __init__(self, program, config, folder):
        path = os.path.join(folder, os.path.basename(program) + ".conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        ready, tell = os.pipe()
        self.process = subprocess.Popen(
            [program, "--config", path, "--ready-fd", str(tell)], pass_fds=[tell],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(tell)
        with open(ready, encoding="utf-8") as lines:
            if not lines.readline():
                raise RuntimeError(f"{program} does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, which):
        """VmRSS is all there is, RssAnon what is not pages of programs and libraries."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(which + r":\s+(\d+)", file.read())[1]) * 1024


class Bench:
    def __init__(self, world, folder, faults=""):
        self.agentd = world.tool("tenforwardd")
        self.folder = folder
        os.makedirs(folder)
        self.socket = os.path.join(folder, "agent.sock")
        self.gateway = Daemon(world.tool("tenforward-gatewayd"),
                              GATEWAYD.format(faults=faults), folder)
        self.agent = None
        self.start()

    def start(self):
        self.agent = Daemon(self.agentd, f"[Agent]\nSocket={self.socket}\nState={self.folder}\n"
                            "Gateway=127.0.0.1:5351\n", self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for daemon in (self.agent, self.gateway):
            daemon.__exit__()

    def ask(self, method, target, body=None):
        connection = Connection(self.socket)
        connection.request(method, target, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {target}: {text}")
        return text

    def fill(self):
        for first in range(10000, 10000 + COUNT, STEP):
            self.ask("POST", "/v1/mappings",
                     json.dumps({"forward": f"any:{first}-{first + STEP - 1}/udp"}))

    def mapped(self):
        return int(re.search(r'mappings\{state="mapped"\} (\d+)', self.ask("GET", "/metrics"))[1])

    def wait_mapped(self, count, since):
        while self.mapped() < count:
            if time.monotonic() - since > 120:
                raise RuntimeError(f"{self.mapped()} of {count} are mapped after two minutes")
            time.sleep(0.005)
        return (time.monotonic() - since) * 1e6

    def idle_percent(self):
        before = self.agent.cpu_s()
        time.sleep(SAMPLE_S)
        return 100 * (self.agent.cpu_s() - before) / SAMPLE_S

    def requests(self):
        return int(re.search(r"packets_sent_total (\d+)", self.ask("GET", "/metrics"))[1])

    def renewals(self):
        """(how many, processor seconds) in one sample."""
        before, used = self.requests(), self.agent.cpu_s()
        time.sleep(SAMPLE_S)
        return self.requests() - before, self.agent.cpu_s() - used


def spread(bench):
    """Renewals in the busiest minute, as a multiple of the mean."""
    mappings = json.loads(bench.ask("GET", "/v1/mappings"))["mappings"]
    minutes = collections.Counter(
        datetime.datetime.strptime(m["renews_at"], "%Y-%m-%dT%H:%M:%SZ").replace(second=0)
        for m in mappings)
    return max(minutes.values()) / (len(mappings) / len(minutes))


def megabytes(value):
    return f"{value / 1048576:.1f} MiB"


def percent(value):
    return f"{value:.2f} %"


def measure(world, table, _options):
    if not table.wants(f"agent, {COUNT:,} mappings"):
        return
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with Bench(world, os.path.join(world.folder, "agent")) as bench:
        since = time.monotonic()
        bench.fill()
        table.add(f"agent, {COUNT:,} mappings, asked over the API", None,
                  (time.monotonic() - since) * 1e6, seconds)
        table.add("agent, from the first request until all are mapped", None,
                  bench.wait_mapped(COUNT, since), seconds)
        bench.agent.process.send_signal(signal.SIGKILL)
        bench.agent.process.wait()
        since = time.monotonic()
        bench.start()
        table.add("agent, killed and started again, until it serves", None,
                  (time.monotonic() - since) * 1e6, seconds)
        table.add("agent, until the first is renewed", None, bench.wait_mapped(1, since), seconds)
        table.add("agent, until all are renewed", None, bench.wait_mapped(COUNT, since), seconds)
        table.add("agent, memory of its own", None, bench.agent.memory("RssAnon"), megabytes,
                  at_most=16 * 1048576)
        table.add("agent, memory with pages of shared libraries", None, bench.agent.memory("VmRSS"),
                  megabytes)
        table.add(f"agent, processor while idle, {SAMPLE_S} s", None, bench.idle_percent(), percent,
                  at_most=1)
        table.add("agent, renewals in the busiest minute, of the mean", None, spread(bench),
                  lambda value: f"{value:.1f}×")
        bench.gateway.process.send_signal(signal.SIGSTOP)
        bench.agent.process.kill()
        bench.agent.process.wait()
        bench.start()
        table.add(f"agent, processor while the gateway is silent, {SAMPLE_S} s", None,
                  bench.idle_percent(), percent)
    with Bench(world, os.path.join(world.folder, "agent-short"),
               f"[Faults]\nLifetimeCap={SAMPLE_S}s") as bench:
        since = time.monotonic()
        bench.fill()
        bench.wait_mapped(COUNT, since)
        renewals, used = bench.renewals()
        table.add(f"agent, processor a renewal, with leases of {SAMPLE_S} s", None,
                  1e6 * used / renewals, seconds)
        table.add("agent, so in an hour of leases of 2 h, of a core", None,
                  100 * used / renewals * COUNT / 3600, percent, at_most=1)

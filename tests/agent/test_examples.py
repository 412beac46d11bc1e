#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples of the agent's documents, run as they stand there: each
configuration, the container's command line without a container around it, and the
lines for wg-quick around a tunnel.

    test_examples.py COMMAND GATEWAYD AGENTD DOCUMENT..."""
import os
import re
import shlex
import shutil
import subprocess
import sys

from agentd import Connection  # first: it says where the others are
import kernel
from cases import case, comment, expect, expect_in, run
from home import ALLOW, Home
from programs import Program
from torrents import until

PATHS, AGENTD, DOCUMENTS = sys.argv[1:3], sys.argv[3], sys.argv[4:]
VPN_INSIDE, VPN_CLIENT = "10.8.0.1", "10.8.0.2"
SOMEBODY = 1000


def document(name):
    path = next(path for path in DOCUMENTS if os.path.basename(path) == name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def blocks(text):
    return re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)


def block_with(name, word):
    return next(block for block in blocks(document(name)) if word in block)


class Vpn:
    """A tunnel wg0 whose other end grants a minute and the port it likes."""

    def __init__(self, opened):
        self.home = Home(opened, PATHS)
        self.client = self.home.client
        server = self.home.host("vpn")
        opened.enter_context(kernel.Tunnel(self.client, "wg0", f"{VPN_CLIENT}/32", server, "wg0",
                                           f"{VPN_INSIDE}/24"))
        server.ip("route replace 10.8.0.0/24 dev wg0")
        self.client.ip("route add default dev wg0 table 51820",
                       "rule add not fwmark 51820 table 51820")
        self.gateway = self.home.gatewayd(
            "ExternalAddress=11.8.0.1", ALLOW + "[Faults]\nLifetimeCap=60s\n", server, "wg0")


# ---- Configurations -----------------------------------------------------------


@case("every configuration in the documents is one")
def configurations(opened):
    home = Home(opened, PATHS)
    secret = home.file("secret", "secret\n")
    checked = 0
    for name in map(os.path.basename, DOCUMENTS):
        for block in blocks(document(name)):
            if not re.search(r"^\[(Agent|Mapping|Hook|Connector)\]$", block, re.M):
                continue
            text = re.sub(r"(?m)^(PasswordFile|TokenFile)=.*$", rf"\1={secret}", block)
            for hook in re.findall(r"(?m)^Mapping=(\S+)$", text):
                expect_in(f"Name={hook}\n", text, f"{name}: the mapping of a hook or connector")
            done = subprocess.run([AGENTD, "--check-config", "--config",
                                   home.file(f"example-{checked}.conf", text)],
                                  capture_output=True, text=True, check=False)
            expect((done.returncode, done.stderr), (0, ""), f"{name}:\n{block}")
            checked += 1
    comment(f"{checked} configurations")
    expect(checked >= 4, True, "there are examples at all")


# ---- A container ------------------------------------------------------------------


def of_docker(text, folder):
    """(environment, health command, command) of a docker run line; its volume is a folder."""
    words = shlex.split(text.replace("\\\n", " ").replace("/state", folder))
    env, health = {}, None
    at = words.index("run") + 1
    while words[at].startswith("-"):
        option, value = words[at], words[at + 1]
        if option == "-e":
            env[value.partition("=")[0]] = value.partition("=")[2]
        elif option == "--health-cmd":
            health = shlex.split(value)
        elif option == "--user":
            expect(value, f"{SOMEBODY}:{SOMEBODY}", "who it runs as")
        at += 2
    return env, health, words[at + 1:]


def as_somebody():
    """Words before a command that take every right away, if there is somebody here who
    may read the programs."""
    words = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups",
             "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    if shutil.which("setpriv") and all(
            subprocess.run(words + ["test", "-x", os.path.abspath(path)], capture_output=True,
                           check=False).returncode == 0 for path in (AGENTD, PATHS[0])):
        return words
    comment("nobody but root can run this here; run as such")
    return []


def portforward(path):
    connection = Connection(path)
    try:
        connection.request("GET", "/v1/portforward")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@case("the container's environment configures alone, without root, and its health is asked")
def container(opened):
    vpn = Vpn(opened)
    folder = os.path.join(vpn.home.top, "volume")
    places = {"tenforwardd": os.path.abspath(AGENTD),
              "tenforward": os.path.abspath(PATHS[0])}
    os.makedirs(folder)
    os.chmod(vpn.home.top, 0o755)
    before = as_somebody()
    if before:
        os.chown(folder, SOMEBODY, SOMEBODY)
    env, health, command = of_docker(block_with("agent.md", "docker run"), folder)
    expect(command, ["tenforwardd"], "command")
    # Nothing else of our environment is in a container, but what sanitizers need.
    env |= {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
    env["PATH"] = os.environ["PATH"]
    health = [places[health[0]], *health[1:]]

    def start():
        return opened.enter_context(Program(before + [places["tenforwardd"]], env, vpn.client))

    def healthy():
        with vpn.client:
            done = subprocess.run(before + health, env=env, check=False, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True)
        return done.returncode
    port_file, path = env["TENFORWARD_PORT_FILE"], env["TENFORWARD_SOCKET"]
    expect(healthy() != 0, True, "unhealthy before it runs")
    agent = start()
    until(lambda: os.path.exists(port_file), "the port file")
    with open(port_file, encoding="utf-8") as file:
        port = file.read()
    expect(portforward(path), f'{{"port":{port.strip()}}}', "what followers read")
    expect(healthy(), 0, "health")
    with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
        status = file.read()
    if before:
        expect_in(f"Uid:\t{SOMEBODY}\t", status, "user")
        expect_in("CapPrm:\t0000000000000000\n", status, "capabilities")
    comment(f"port {port.strip()}, healthy, uid {SOMEBODY if before else 0}")
    agent.kill()  # and replaced by another one with the same volume
    expect(healthy() != 0, True, "unhealthy when it is gone")
    mark = len(vpn.gateway.lines)
    start()
    vpn.gateway.wait_text("renewed", mark)
    until(lambda: healthy() == 0, "health of the next one")
    with open(port_file, encoding="utf-8") as file:
        expect(file.read(), port, "port after it was replaced")


# ---- wg-quick ------------------------------------------------------------------------


@case("wg-quick's lines hold the mapping while the tunnel is up, and give it up in time")
def wg_quick(opened):
    vpn = Vpn(opened)
    text = block_with("agent.md", "PostUp")
    up = re.search(r"(?m)^PostUp = (.*)$", text)[1]
    down = re.search(r"(?m)^PreDown = (.*)$", text)[1]
    config = vpn.home.file("agent.conf", block_with("agent.md", "Type=qbittorrent")
                           .partition("[Connector]")[0])
    services = vpn.home.file("services")
    os.makedirs(services)
    # systemctl as far as it goes: start waits until it serves, stop until it ended.
    vpn.home.file("services/systemctl", f"""#!/bin/sh
case "$1 $2" in
"start tenforwardd")
    TENFORWARD_SOCKET={services}/sock TENFORWARD_STATE={services} \\
        {AGENTD} --config {config} --ready-fd 3 3>{services}/ready 2>/dev/null &
    echo $! >{services}/pid
    until [ -s {services}/ready ]; do sleep 0.05; done ;;
"stop tenforwardd")
    kill "$(cat {services}/pid)"
    while readlink "/proc/$(cat {services}/pid)/exe" >/dev/null; do sleep 0.05; done ;;
*)
    exit 1 ;;
esac
""")

    def line(command):
        with vpn.client:
            done = subprocess.run(["sh", "-ec", command], check=False, stdout=subprocess.DEVNULL,
                                  env=os.environ | {"PATH": f"{services}:{os.environ['PATH']}"})
        expect(done.returncode, 0, command)
    line(up)
    vpn.gateway.wait_text("granted")
    until(lambda: re.search(r'"port":\d{4,}', portforward(f"{services}/sock")), "a port")
    comment(f"{up}: {portforward(f'{services}/sock')}")
    mark = len(vpn.gateway.lines)
    line(down)
    vpn.client.ip("link set wg0 down")  # what wg-quick does next
    vpn.gateway.wait_text("removed", mark)
    comment(f"{down}: {vpn.gateway.lines[-1]}")


kernel.enter()
run()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples against tenforward-gatewayd on the loopback address, as
somebody who copied them would.

    examples.py DAEMON EXAMPLE..."""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
from cases import case, expect, expect_in, run  # noqa: E402
from programs import Program, finish, gatewayd  # noqa: E402

DAEMON = sys.argv[1]
EXAMPLES = {os.path.basename(path): path for path in sys.argv[2:]}
OUTSIDE = "203.0.113.1"  # what the memory backend calls its outside

CONFIG = """[Gateway]
Backend=memory
Listen=127.0.0.1:{port}
[Rule]
Action=deny
InternalPort=25
[Rule]
Action=allow
"""


class Gateway:
    def __init__(self, opened):
        self.opened = opened
        self.folder = opened.enter_context(tempfile.TemporaryDirectory())
        self.port = 0  # any that is free
        self.start()

    def start(self):
        config = CONFIG.format(port=self.port)
        self.program = self.opened.enter_context(
            gatewayd(DAEMON, os.path.join(self.folder, "gateway.conf"), config))
        line = self.program.lines[self.program.wait_text("listening on ")]
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", line).group(1))
        self.address = f"127.0.0.1:{self.port}"


def judge_keeper(opened, name):
    """Holds a port and says where it is, until it is ended."""
    gateway = Gateway(opened)
    keeper = opened.enter_context(Program([EXAMPLES[name], "8080", gateway.address]))
    line = keeper.lines[keeper.wait_text("mapped ")]
    port = re.fullmatch(rf"mapped {re.escape(OUTSIDE)}:(\d+)", line)
    if port is None:
        raise AssertionError(keeper.transcript())
    gateway.program.wait_text(f"granted 127.0.0.1:8080/tcp as {OUTSIDE}:{port.group(1)}")
    expect(keeper.process.poll(), None, "it has ended")
    keeper.kill()


def judge_usage(name):
    result = finish([EXAMPLES[name]])
    expect(result.status, 2, "exit status")
    expect_in("usage: ", result.err, "talk")


def declare_keeper(name):
    @case(f"{name} holds a port and tells where it is")
    def holds(opened):
        judge_keeper(opened, name)

    @case(f"{name} without a port tells how it is used")
    def usage(_):
        judge_usage(name)


for keeper_name in sorted(set(EXAMPLES) - {"open-port"}):
    declare_keeper(keeper_name)


@case("open-port opens a port and tells where it is")
def opens(opened):
    gateway = Gateway(opened)
    result = finish([EXAMPLES["open-port"], "8080", gateway.address])
    expect((result.status, result.out, result.err), (0, f"{OUTSIDE}:8080\n", ""), "result")
    gateway.program.wait_text(f"granted 127.0.0.1:8080/tcp as {OUTSIDE}:8080 for 7200 s")


@case("open-port tells why it could not")
def tells_why(opened):
    gateway = Gateway(opened)
    result = finish([EXAMPLES["open-port"], "25", gateway.address])
    expect((result.status, result.out), (1, ""), "refused")
    expect_in("refused", result.err, "talk")
    gateway.program.kill()
    result = finish([EXAMPLES["open-port"], "8080", gateway.address])
    expect((result.status, result.out), (1, ""), "closed")
    expect_in("does not offer port mapping", result.err, "talk")


run()

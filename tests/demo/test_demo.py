#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the demonstration and reads what it shows.

    test_demo.py SCRIPT BUILD"""
import functools
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
from cases import case, expect, expect_in, run  # noqa: E402
from programs import finish  # noqa: E402

SCRIPT, BUILD = sys.argv[1:3]

# What each command has to show, in their order.
SHOWN = (
    ("tenforward-gatewayd --config", r"listening on 127\.0\.0\.1:\d+ .*backend memory"),
    ("discover", r"PCP 2, NAT-PMP 0 .*203\.0\.113\.1"),
    ("status", r"Gateway   127\.0\.0\.1 port \d+ on lo · PCP and NAT-PMP"),
    ("monitor", r"outside address is 203\.0\.113\.1"),
    ("add 8080", r"203\.0\.113\.1:8080/tcp → 127\.0\.0\.1:8080   web   until "),
    ("add any:51413/both", r"203\.0\.113\.1:(\d+)/udp → 127\.0\.0\.1:51413"),
    ("list", r"m2,m3 .*/both +127\.0\.0\.1:51413 +open"),
    ("--json list", r'"external_port": 8080,'),
    ("wait", r"m3  203\.0\.113\.1:\d+/udp"),
    ("keep 27015/both", r"203\.0\.113\.1:27015/tcp\+udp → 127\.0\.0\.1:27015   held"),
    ("kill -KILL", r"forgotten"),
    ("tenforward-gatewayd --config", r"gateway restarted; asking again\n(.*\n)*.*renewed until"),
    ("kill", r"removed"),
    ("remove --all", r"203\.0\.113\.1:8080/tcp → 127\.0\.0\.1:8080   removed"),
    ("list", r"No mappings are recorded"),
)


@functools.cache
def demo(build):
    """Its result, and what is left where it may put files."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TMPDIR": folder, "BUILD": build, "NO_COLOR": "1",
                                    "LC_ALL": "C.UTF-8"}
        return finish([SCRIPT], environment, patience_s=90), os.listdir(folder)


@case("the demonstration shows every step and ends well")
def shows_every_step(_):
    result, left = demo(BUILD)
    if result.status != 0:
        raise AssertionError(f"exit status {result.status}\n{result.out}{result.err}")
    expect(result.err, "", "talk")
    expect(left, [], "files left behind")
    steps = result.out.split("\n$ ")[1:]
    for words, pattern in SHOWN:
        while steps and not (words in steps[0].splitlines()[0] and re.search(pattern, steps[0])):
            steps.pop(0)
        if not steps:
            raise AssertionError(f"no step {words!r} that shows {pattern!r}:\n{result.out}")
        steps.pop(0)
    expect_in("all done; nothing is left running", result.out.splitlines()[-1], "last line")


@case("nothing it started is still running")
def leaves_nothing_running(_):
    result, _ = demo(BUILD)
    expect(result.status, 0, "exit status")
    port = re.search(r"listening on (127\.0\.0\.1:\d+)", result.out).group(1)
    command = os.path.join(BUILD, "src", "cli", "tenforward")
    expect(finish([command, "-g", port, "status"]).status, 5, "the gateway's port")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                words = file.read()
        except OSError:
            continue  # it has ended meanwhile
        if port in words:
            raise AssertionError(f"process {pid} is still there: {words}")


@case("a step that fails ends it with an error")
def fails_when_a_step_fails(opened):
    build = opened.enter_context(tempfile.TemporaryDirectory())
    for folder, name in (("cli", "tenforward"), ("gateway", "tenforward-gatewayd")):
        os.makedirs(os.path.join(build, "src", folder))
        os.symlink(os.path.join(BUILD, "src", folder, name),
                   os.path.join(build, "src", folder, name))
    command = os.path.join(build, "src", "cli", "tenforward")
    os.unlink(command)
    with open(command, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho 'No answer.' >&2\nexit 4\n")
    os.chmod(command, 0o755)
    result, left = demo(build)
    expect(result.status, 4, "exit status")
    expect(left, [], "files left behind")
    expect_in("failed", result.err, "talk")


if shutil.which("bash") is None:
    print("1..0 # SKIP bash is not installed")
else:
    run("".join(sys.argv[3:4]))

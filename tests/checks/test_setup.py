#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/setup.sh on machines that are not this one: stand-ins for dpkg-query,
apt-get, sudo and id say what is installed and write down what was asked."""
import os
import subprocess
import tempfile

import source
from tap import Tap, expect

SETUP = os.path.join(source.ROOT, "scripts", "setup.sh")


def run(*arguments, missing=(), root=True, sudo=False, update_works=True, debian=True,
        systemd=False):
    """(status, output, calls of apt-get and sudo)."""
    with tempfile.TemporaryDirectory() as folder:
        calls = os.path.join(folder, "calls")
        commands = {
            "id": f"echo {0 if root else 1000}",
            "apt-get": f'echo "apt-get $*" >>{calls}; '
                       f'case "$*" in *update*) exit {0 if update_works else 100};; esac',
        }
        if systemd:
            commands["systemctl"] = f'echo "systemctl $*" >>{calls}'
        if debian:
            patterns = "|".join(missing) or "none-at-all"
            commands["dpkg-query"] = f'case "${{@: -1}}" in {patterns}) exit 1;; esac; echo installed'
        if sudo:
            commands["sudo"] = f'echo sudo >>{calls}; exec "$@"'
        for name, script in commands.items():
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/bash\n{script}\n")
            os.chmod(path, 0o755)
        for tool in ("bash", "dirname", "env", "sed"):
            os.symlink(f"/usr/bin/{tool}", os.path.join(folder, tool))
        done = subprocess.run(["/bin/bash", SETUP, *arguments], env={"PATH": folder},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        asked = []
        if os.path.exists(calls):
            with open(calls, encoding="utf-8") as file:
                asked = file.read().splitlines()
        return done.returncode, done.stdout + done.stderr, asked


def test_nothing_missing():
    return expect("nothing", run("build", "test"), (0, "", []))


def test_installs():
    status, output, calls = run("build", missing=("meson", "scdoc"))
    return (expect("status", status, 0) + expect("calls", len(calls), 2) +
            expect("update first", "update" in calls[0], True) +
            expect("install", calls[1].endswith(
                "install -y --no-install-recommends meson scdoc"), True) +
            expect("says why", "the build system" in output, True))


def test_purposes():
    other = run("build", missing=("valgrind", "clang"))
    bench = run("bench", missing=("valgrind", "clang"))
    return (expect("not for build", other, (0, "", [])) +
            expect("for bench", bench[2][-1].endswith(" valgrind"), True))


def test_rights():
    status, output, calls = run("build", missing=("meson",), root=False)
    with_sudo = run("build", missing=("meson",), root=False, sudo=True)
    return (expect("no sudo", (status, calls), (1, [])) +
            expect("says the command", "apt-get install -y --no-install-recommends meson" in output,
                   True) +
            expect("sudo", (with_sudo[0], with_sudo[2].count("sudo")), (0, 2)))


def test_dry():
    status, output, calls = run("--dry", "build", missing=("meson",))
    return (expect("dry", (status, calls), (1, [])) +
            expect("says what", "meson" in output and "make setup" in output, True))


def test_trouble():
    status, output, calls = run("build", missing=("meson",), update_works=False)
    elsewhere = run("build", debian=False)
    return (expect("update fails", (status, len(calls)), (1, 1)) +
            expect("says so", "apt-get update failed" in output, True) +
            expect("not Debian", (elsewhere[0], "not a Debian system" in elsewhere[1]), (0, True)))


def test_services():
    status, _, calls = run("test", missing=("deluged", "meson"), systemd=True)
    none = run("build", missing=("meson",), systemd=True)
    return (expect("status", status, 0) +
            expect("order", [call.split()[0] for call in calls],
                   ["apt-get", "systemctl", "apt-get", "systemctl", "systemctl"]) +
            expect("before", calls[1].endswith("mask deluged.service"), True) +
            expect("after", calls[4].endswith("disable deluged.service"), True) +
            expect("none", [call for call in none[2] if "systemctl" in call], []))


def main():
    tap = Tap()
    tap.case("leaves_no_service_running_of_what_it_installs", test_services())
    tap.case("does_nothing_when_all_is_there", test_nothing_missing())
    tap.case("updates_then_installs_what_is_missing_and_says_why", test_installs())
    tap.case("looks_only_at_the_purposes_named", test_purposes())
    tap.case("uses_sudo_or_says_what_to_do", test_rights())
    tap.case("a_dry_run_installs_nothing", test_dry())
    tap.case("says_what_went_wrong", test_trouble())
    tap.done()


if __name__ == "__main__":
    main()

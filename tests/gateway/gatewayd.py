# SPDX-License-Identifier: MIT
"""A running tenforward-gatewayd, and TAP for those who test it."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback

TIMEOUT = 10  # of what must happen; nothing waits for it to pass


class Skip(Exception):
    """The machine cannot do what this test needs."""


def write_config(text):
    handle, path = tempfile.mkstemp(suffix=".conf")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return path


class Gateway:
    """A running daemon; its addresses are told over --ready-fd."""

    def __init__(self, daemon, text):
        self.config = write_config(text)
        ready, far = os.pipe()
        self.process = subprocess.Popen(
            [daemon, "--config", self.config, "--ready-fd", str(far)], pass_fds=[far],
            stderr=subprocess.PIPE, text=True)
        os.close(far)
        with os.fdopen(ready) as lines:
            self.ready = lines.read()
        self.addresses = [(m[0].strip("[]"), int(m[1])) for m in
                          re.findall(r"listening on (\S+):(\d+) ", self.ready)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, number=signal.SIGTERM):
        """Ends it; gives back exit status and what it logged."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        _, log = self.process.communicate(timeout=TIMEOUT)
        if os.path.exists(self.config):
            os.unlink(self.config)
        return self.process.returncode, log


def run_tests(namespace):
    """Every test_… function as a case of TAP; Skip skips it."""
    tests = [(name, value) for name, value in namespace.items() if name.startswith("test_")]
    failed = False
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} {name}")
        except Skip as reason:
            print(f"ok {number} {name} # SKIP {reason}")
        except Exception:  # pylint: disable=broad-except
            failed = True
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} {name}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)

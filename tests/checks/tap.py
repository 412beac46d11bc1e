# SPDX-License-Identifier: MIT
"""A few lines of TAP for the checks: one case at a time, problems below it."""
import sys


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = False

    def case(self, name, problems):
        """One case; it passes when the list of problems is empty."""
        self.count += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems:
            print(f"# {problem}")
        self.failed = self.failed or bool(problems)

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def expect(name, got, want):
    """A problem in words when two values differ, for self-tests."""
    return [] if got == want else [f"{name}: wanted {want!r}, got {got!r}"]

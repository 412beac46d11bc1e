# SPDX-License-Identifier: MIT
"""Test cases written as functions, told as TAP.

A program declares its cases with @case("a sentence") and ends with run(). A
case fails by an exception: AssertionError from here, or whatever went wrong
below. It is skipped by Skip, with the reason. What a case opened is closed by
the ExitStack that it is given, whatever happened in it."""
import contextlib
import sys
import traceback

declared = []


class Skip(Exception):
    """This machine cannot do it; the text says why."""


def case(name):
    def declare(function):
        declared.append((name, function))
        return function
    return declare


def expect(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: wanted {want!r}, got {got!r}")


def expect_in(part, whole, what=""):
    if part not in whole:
        raise AssertionError(f"{what}: wanted {part!r} in {whole!r}")


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def comment(text):
    for line in text.splitlines():
        print(f"# {line}")


def run_one(number, name, function):
    try:
        with contextlib.ExitStack() as opened:
            function(opened)
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return True
    except Exception:
        print(f"not ok {number} - {name}")
        comment(traceback.format_exc())
        sys.stdout.flush()
        return False
    print(f"ok {number} - {name}", flush=True)
    return True


def run(only=""):
    """Runs the declared cases, those whose name contains `only`."""
    chosen = [(name, function) for name, function in declared if only in name]
    print(f"1..{len(chosen)}", flush=True)
    results = [run_one(number, name, function)
               for number, (name, function) in enumerate(chosen, 1)]
    sys.exit(0 if all(results) else 1)

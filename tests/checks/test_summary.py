#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The summary decides whether a change lands, so it is tested too."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import summary
from tap import Tap, expect


def judged(stdout, returncode=0, stderr=""):
    totals = summary.judge_tap("x", stdout, stderr, returncode)
    return totals.passed, len(totals.failed), len(totals.skipped)


def judged_entry(**entry):
    totals = summary.judge("b", {"name": "x", **entry})
    return totals.passed, len(totals.failed), len(totals.skipped)


def test_cases():
    return (expect("two pass", judged("1..2\nok 1 - a\nok 2 - b\n"), (2, 0, 0)) +
            expect("one fails", judged("1..2\nok 1 - a\nnot ok 2 - b\n", 1), (1, 1, 0)) +
            expect("late plan", judged("ok 1 - a\n1..1\n"), (1, 0, 0)) +
            expect("names with 'ok'", judged("1..1\nokay then\nok 1 - a\n"), (1, 0, 0)))


def test_skips():
    cmocka = summary.judge_tap("x", "1..1\n# skip: no netns\nnot ok 1 # SKIP a_case\n", "", 0)
    usual = summary.judge_tap("x", "1..1\nok 1 - a_case # SKIP no netns\n", "", 0)
    return (expect("cmocka", cmocka.skipped, [("x: a_case", "no netns")]) +
            expect("usual", usual.skipped, [("x: a_case", "no netns")]) +
            expect("no failure", cmocka.failed + usual.failed, []) +
            expect("whole test", judged("1..0 # SKIP no netns\n"), (0, 0, 1)))


def test_silence():
    return (expect("no plan", judged("ok 1 - a\n"), (1, 1, 0)) +
            expect("too few", judged("1..3\nok 1 - a\n"), (1, 1, 0)) +
            expect("bad end", judged("1..1\nok 1 - a\n", 1), (1, 1, 0)) +
            expect("crash", judged("1..2\nok 1 - a\n", -11), (1, 1, 0)) +
            expect("no build", summary.read_build("b=/nonexistent/testlog.json")[1].count(), 1) +
            expect("not built", len(summary.read_build("b=failed to build")[1].failed), 1))


def test_plain():
    return (expect("ok", judged_entry(result="OK", stdout="hello"), (1, 0, 0)) +
            expect("fail", judged_entry(result="FAIL", stdout="", returncode=1), (0, 1, 0)) +
            expect("skip", judged_entry(result="SKIP", stdout="no root"), (0, 0, 1)) +
            expect("timeout", judged_entry(result="TIMEOUT", stdout="1..1\nok 1 - a\n"), (0, 1, 0)) +
            expect("tap", judged_entry(result="OK", stdout="1..1\nok 1 - a\n", returncode=0),
                   (1, 0, 0)))


def main():
    tap = Tap()
    tap.case("cases_are_counted_one_by_one", test_cases())
    tap.case("skipped_cases_keep_their_reason", test_skips())
    tap.case("a_test_that_says_too_little_fails", test_silence())
    tap.case("tests_without_tap_count_one", test_plain())
    tap.done()


if __name__ == "__main__":
    main()

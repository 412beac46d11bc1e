#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the test cases of one or more builds and says how it went.

    summary.py NAME=LOG...

A LOG is meson's testlog.json, or the TAP output of a script (*.tap, with its
talk in *.err beside it). Each case of a TAP test counts; any other test counts
as one case. What is shown of a failure is what its author needs: the failing
cases and the end of the output. The last line is

    N passed, N failed, N skipped

and the exit status is non-zero when something failed, or when a build ran no
test at all: silence is not success.
"""
import json
import os
import re
import sys

CASE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?([^#]*)(?:#\s*(\w+)\S*\s*(.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*SKIP\S*\s*(.*))?$", re.IGNORECASE)
OUTPUT_LINES = 60


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = []  # (where, output)
        self.skipped = []  # (where, reason)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def count(self):
        return self.passed + len(self.failed) + len(self.skipped)


def tail(text):
    lines = text.strip().splitlines()
    if len(lines) > OUTPUT_LINES:
        lines = [f"... {len(lines) - OUTPUT_LINES} lines above ..."] + lines[-OUTPUT_LINES:]
    return lines


def read_case(line):
    """(result, name, reason) of a TAP line, or None. cmocka writes skipped
    cases as `not ok 3 # SKIP name`; a line `# skip: reason` before it tells why."""
    match = CASE.match(line)
    if not match:
        return None
    failed, _, name, directive, rest = match.groups()
    name = name.strip()
    directive = (directive or "").upper()
    if directive.startswith("SKIP"):
        if not name:
            return "skipped", rest.strip(), ""
        return "skipped", name, rest.strip()
    if failed:
        return "failed", name, ""
    return "passed", name, ""


def judge_tap(where, stdout, stderr, returncode):
    """Totals of one TAP test: its cases, and what they do not say."""
    totals = Totals()
    planned = None
    remark = ""
    wrong = []
    for line in stdout.splitlines():
        if line.startswith("# skip: "):
            remark = line[len("# skip: "):]
            continue
        plan = PLAN.match(line)
        if plan:
            planned = int(plan.group(1))
            if planned == 0:
                totals.skipped.append((where, plan.group(2) or "no reason given"))
            continue
        case = read_case(line)
        if case is None:
            continue
        result, name, reason = case
        if result == "passed":
            totals.passed += 1
        elif result == "skipped":
            totals.skipped.append((f"{where}: {name}", reason or remark))
            remark = ""
        else:
            wrong.append(name)
    seen = totals.passed + len(totals.skipped) + len(wrong)
    if planned is None:
        wrong.append("ended without a plan")
    elif planned > 0 and seen != planned:
        wrong.append(f"planned {planned} cases and ran {seen}")
    elif returncode != 0 and not wrong:
        wrong.append(f"ended with status {returncode}")
    talk = [line for line in stdout.splitlines()
            if (read_case(line) or ("failed",))[0] == "failed" and not PLAN.match(line)]
    output = tail("\n".join(talk) + "\n" + stderr) if wrong else []
    for i, name in enumerate(wrong):
        # the output belongs to all cases of the test: shown once, with the last
        totals.failed.append((f"{where}: {name}", output if i == len(wrong) - 1 else []))
    return totals


def judge_plain(where, entry):
    totals = Totals()
    result = entry["result"]
    if result in ("OK", "EXPECTEDFAIL"):
        totals.passed = 1
    elif result == "SKIP":
        lines = tail(entry.get("stdout") or "")
        totals.skipped.append((where, lines[-1] if lines else "no reason given"))
    else:
        output = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
        totals.failed.append((f"{where}: {result.lower()}", tail(output)))
    return totals


def judge(build, entry):
    """Totals of one line of testlog.json."""
    where = f"[{build}] {entry['name'].split(' / ')[-1]}"
    stdout = entry.get("stdout") or ""
    stderr = entry.get("stderr") or ""
    is_tap = any(PLAN.match(line) for line in stdout.splitlines())
    if entry["result"] in ("TIMEOUT", "INTERRUPT") or not is_tap:
        return judge_plain(where, entry)
    return judge_tap(where, stdout, stderr, entry.get("returncode", 0))


def read_log(build, path):
    totals = Totals()
    if path.endswith(".tap"):
        with open(path, encoding="utf-8", errors="replace") as file:
            stdout = file.read()
        with open(path[:-4] + ".err", encoding="utf-8", errors="replace") as file:
            stderr = file.read()
        return judge_tap(f"[{build}]", stdout, stderr, 0)
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            totals.add(judge(build, json.loads(line)))
    return totals


def read_build(argument):
    build, _, path = argument.partition("=")
    if not os.path.exists(path):
        totals = Totals()
        why = path if not path.endswith((".json", ".tap")) else "no test was run"
        totals.failed.append((f"[{build}]: {why}", []))
        return build, totals
    totals = read_log(build, path)
    if totals.count() == 0:
        totals.failed.append((f"[{build}]: no test was run", []))
    return build, totals


def main(arguments):
    everything = Totals()
    print("\n== summary")
    for build, totals in map(read_build, arguments):
        print(f"{build:16} {totals.passed} passed, {len(totals.failed)} failed, "
              f"{len(totals.skipped)} skipped")
        everything.add(totals)
    if everything.skipped:
        print("\nSkipped:")
        for where, reason in everything.skipped:
            print(f"  {where}" + (f" ({reason})" if reason else ""))
    if everything.failed:
        print("\nFailed:")
        for where, output in everything.failed:
            print(f"  {where}")
            for line in output:
                print(f"      {line}")
    if everything.count() == 0:
        everything.failed.append(("no build was given", []))
    print()
    print(f"{everything.passed} passed, {len(everything.failed)} failed, "
          f"{len(everything.skipped)} skipped")
    return 1 if everything.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

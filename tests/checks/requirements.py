#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which test shows which requirement, and which requirement no test shows.

requirements.txt lists what RFC 6886 and RFC 6887 ask, a line each. An id counts
as shown when it stands in the comment right above a test that is registered, or
in its name (np_c_12_...): C tests are functions `static void name(void **state)`
named a second time in their file, Python tests functions `test_...`. An id
anywhere else counts for nothing.

Requirements that cannot be shown yet stand in requirements-later.txt with the
reason, clients' ones never.

    requirements.py            TAP: fails when something is missing or unknown
    requirements.py --table    the whole table, for people
"""
import os
import re
import sys

import source
from tap import Tap, expect

# A family that is complete fails the check when one of its ids has no test; one
# that is not is reported as skipped, with how many are missing.
COMPLETE = {
    "NP-C": True,
    "PCP-C": True,
    "NP-G": True,
    "PCP-G": True,
}
LATER_ALLOWED = ("NP-G", "PCP-G")

HERE = os.path.dirname(os.path.abspath(__file__))
ID = re.compile(r"\b(?:NP|PCP)-[CG]-\d+\b")
ID_IN_NAME = re.compile(r"(?:^|_)(np|pcp)_([cg])_(\d+)(?=_|$)")
C_TEST = re.compile(r"(?P<comment>/\*(?:[^*]|\*(?!/))*\*/[ \t]*\n)?"
                    r"static void (?P<name>\w+)\(void \*\*\w+\)\s*\{")
PY_TEST = re.compile(r"(?P<comment>(?:^[ \t]*#[^\n]*\n)+)?^[ \t]*def (?P<name>test_\w+)\(",
                     re.MULTILINE)


def family(ident):
    return ident.rsplit("-", 1)[0]


def ids_of(comment, name):
    found = set(ID.findall(comment or ""))
    for protocol, side, number in ID_IN_NAME.findall(name):
        found.add(f"{protocol.upper()}-{side.upper()}-{number}")
    return found


def tests_in(name, text):
    """(test name, ids) of each registered test of a file."""
    if name.endswith(".py"):
        for match in PY_TEST.finditer(text):
            yield match["name"], ids_of(match["comment"], match["name"])
        return
    for match in C_TEST.finditer(text):
        if len(re.findall(rf"\b{match['name']}\b", text)) > 1:
            yield match["name"], ids_of(match["comment"], match["name"])


def read_requirements(text):
    """{id: (requirement, strength, section)}; a repeated id is our mistake."""
    table = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        ident, requirement, strength, section = (part.strip() for part in line.split(" | "))
        if ident in table:
            raise ValueError(f"{ident} stands twice in requirements.txt")
        table[ident] = (requirement, strength, section)
    return table


def read_later(text):
    """{id: reason} of requirements-later.txt."""
    later = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            ident, _, reason = (part.strip() for part in line.partition(" | "))
            later[ident] = reason
    return later


def collect():
    """{id: [tests]} over all test files."""
    shown = {}
    for name in source.tracked(".c", ".py"):
        if not name.startswith("tests/") or name.startswith("tests/checks/"):
            continue
        for test, ids in tests_in(name, source.read(name)):
            for ident in ids:
                shown.setdefault(ident, []).append(f"{name[6:]}:{test}")
    return shown


def missing(table, shown, later, prefix):
    return [ident for ident in table
            if family(ident) == prefix and ident not in shown and ident not in later]


def wrong_later(table, shown, later):
    for ident, reason in later.items():
        if ident not in table:
            yield f"{ident}: stands in requirements-later.txt, but there is no such requirement"
        elif family(ident) not in LATER_ALLOWED:
            yield f"{ident}: a client's requirement cannot wait"
        elif ident in shown:
            yield f"{ident}: has a test, take it out of requirements-later.txt"
        elif not reason:
            yield f"{ident}: stands in requirements-later.txt without a reason"


def print_table(table, shown, later):
    for prefix in COMPLETE:
        mine = [ident for ident in table if family(ident) == prefix]
        count = sum(ident in shown for ident in mine)
        print(f"\n{prefix}: {count} of {len(mine)} shown by tests")
        for ident in mine:
            requirement, strength, _ = table[ident]
            print(f"{ident:9} {strength:14} {requirement}")
            for test in shown.get(ident, []):
                print(f"{'':9} {'':14}   {test}")
            if ident in later:
                print(f"{'':9} {'':14}   later: {later[ident]}")
            elif ident not in shown:
                print(f"{'':9} {'':14}   NO TEST")


FIXTURE = """
/* NP-C-90, PCP-C-91: two at once,
 * and NP-C-92 on another line */
static void shows_three(void **state)
{
}

/* NP-C-93 is said too far away */

static void shows_nothing(void **state)
{
	/* NP-C-94 stands inside */
}

/* NP-C-95: never registered */
static void forgotten(void **state)
{
}

static void np_c_96_in_its_name(void **state)
{
}

/* PCP-G-97: no test at all */
static void helper(int x)
{
}
	cmocka_unit_test(shows_three), cmocka_unit_test(shows_nothing),
	cmocka_unit_test_setup(np_c_96_in_its_name, helper),
"""
PY_FIXTURE = "# NP-G-98: said\n# here\ndef test_one():\n    # NP-G-99\n    pass\ndef other():\n    pass\n"


def self_test():
    found = {name: sorted(ids) for name, ids in tests_in("x.c", FIXTURE)}
    want = {"shows_three": ["NP-C-90", "NP-C-92", "PCP-C-91"], "shows_nothing": [],
            "np_c_96_in_its_name": ["NP-C-96"]}
    python = {name: sorted(ids) for name, ids in tests_in("x.py", PY_FIXTURE)}
    table = {"NP-C-01": ("", "", ""), "NP-G-01": ("", "", ""), "NP-G-02": ("", "", "")}
    later = {"NP-C-01": "x", "NP-G-01": "x", "NP-G-02": "", "NP-G-09": "x"}
    return (expect("ids in C", found, want) +
            expect("ids in Python", python, {"test_one": ["NP-G-98"]}) +
            expect("missing", missing(table, {"NP-G-01": []}, {}, "NP-G"), ["NP-G-02"]) +
            expect("wrong later", len(list(wrong_later(table, {"NP-G-01": []}, later))), 4))


def main():
    table = read_requirements(source.read("tests/checks/requirements.txt"))
    later = read_later(source.read("tests/checks/requirements-later.txt"))
    shown = collect()
    if sys.argv[1:] == ["--table"]:
        print_table(table, shown, later)
        return
    tap = Tap()
    tap.case("ids_count_only_above_a_registered_test", self_test())
    tap.case("every_id_in_a_test_is_a_requirement",
             [f"{ident}: unknown, in {', '.join(tests)}" for ident, tests in sorted(shown.items())
              if ident not in table])
    tap.case("what_waits_has_a_reason_and_no_test", list(wrong_later(table, shown, later)))
    for prefix, complete in COMPLETE.items():
        name = f"every_requirement_{prefix}_has_a_test"
        lacking = missing(table, shown, later, prefix)
        if complete:
            tap.case(name, [f"{ident}: {table[ident][0]}" for ident in lacking])
        else:
            tap.skip(name, f"{len(lacking)} without a test; see make requirements")
    tap.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything that doctor, check and exposure can find wrong is provoked for real.

The codes are read from the sources: the table of steps.c, and the findings of
findings.c. A code is shown when a test in network namespaces expects it: the code is
a literal of an expect() that looks at what was found, in a function that is a
@case of tests/netns or is called by one there. A healthy set-up in which nothing is
found belongs to each verb."""
import ast
import os
import re
import sys

import source
from tap import Tap, expect

ENTRY = re.compile(r'^\t\[(FOUND_\w+)\] = "([a-z-]+)",$', re.MULTILINE)
NAMED = re.compile(r"^\t(FOUND_\w+),", re.MULTILINE)
ADDED = re.compile(r'\badd\(findings, [^;"]*"([a-z-]+)"', re.DOTALL)
NAMELESS = re.compile(r"steps_add\([^;?]*STEP_BAD\)")
LOOKS_AT = {"found", "findings"}
# verb, the test that has its healthy set-up
HEALTHY = (("doctor", "tests/netns/test_doctor.py"), ("exposure", "tests/netns/test_exposure.py"))


def is_case(function):
    return any(isinstance(d, ast.Call) and getattr(d.func, "id", "") == "case"
               for d in function.decorator_list)


def names_in(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def run_functions(tree):
    """The cases of a test, and what they call in its file."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    wanted = [name for name, node in functions.items() if is_case(node)]
    reached = set()
    while wanted:
        name = wanted.pop()
        if name not in reached:
            reached.add(name)
            wanted += names_in(functions[name]) & functions.keys()
    return {name: functions[name] for name in reached}


def expectations(function):
    for node in ast.walk(function):
        if (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "expect" and
                len(node.args) > 1 and names_in(node.args[0]) & LOOKS_AT):
            yield node


def shown_by(text):
    """The words that the cases of a test expect to be found."""
    return {part.value for function in run_functions(ast.parse(text)).values()
            for call in expectations(function) for part in ast.walk(call.args[1])
            if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def has_healthy(text):
    """A case called healthy that expects nothing to be found."""
    function = run_functions(ast.parse(text)).get("healthy")
    return function is not None and is_case(function) and any(
        isinstance(part, ast.List) and not part.elts
        for call in expectations(function) for part in ast.walk(call.args[1]))


def unused(header, sources):
    return [f"{name}: named in steps.h, and nowhere found" for name in NAMED.findall(header)
            if name != "FOUND_NOTHING" and not re.search(rf"\b{name}\b", sources)]


def self_test(tap):
    test = ('@case("x")\ndef x(opened):\n    expect(found(told), ["a", "b"], "c")\n    help()\n'
            '    expect(other, ["d"], "found")\n'
            'def help():\n    expect((1, found(told)), (2, ["e"]))\n'
            'def nobody():\n    expect(found(told), ["f"])\n')
    tap.case("a_code_counts_where_a_case_expects_it",
             expect("shown", shown_by(test), {"a", "b", "e"}))
    well = '@case("x")\ndef healthy(opened):\n    expect(found(told), [])\n'
    tap.case("a_healthy_case_expects_an_empty_list",
             expect("well", has_healthy(well), True) +
             expect("ill", has_healthy(well.replace("[]", '["a"]')), False))
    tap.case("a_finding_without_a_use_is_seen",
             expect("unused", len(unused("\tFOUND_A, /* */\n\tFOUND_B, /* */\n", "FOUND_A")), 1))


def main():
    tap = Tap()
    self_test(tap)
    steps = source.read("src/cli/steps.c")
    looking = {name: source.read(name) for name in source.tracked(".c")
               if re.fullmatch(r"src/cli/(diagnose.*|heal|doctor|check)\.c", name)}
    tap.case("each_bad_step_says_what_was_found",
             [f"{name}: {told}" for name, text in looking.items()
              for told in NAMELESS.findall(text)] +
             unused(source.read("src/cli/steps.h"), "".join(looking.values())) +
             [f"{name}: has no code in steps.c"
              for name in NAMED.findall(source.read("src/cli/steps.h"))
              if name != "FOUND_NOTHING" and name not in dict(ENTRY.findall(steps))])
    codes = set(dict(ENTRY.findall(steps)).values())
    found = set(ADDED.findall(source.read("src/cli/findings.c")))
    tap.case("the_sources_have_findings",
             [] if len(codes) > 10 and len(found) > 5 else ["the expressions here see none"])
    tests = {name: source.read(name) for name in source.tracked(".py")
             if name.startswith("tests/netns/test_")}
    exposure = dict(HEALTHY)["exposure"]
    for verb, wanted, names in (("doctor", codes, tests.keys() - {exposure}),
                                ("exposure", found, {exposure})):
        shown = set().union(*(shown_by(tests[name]) for name in names))
        tap.case(f"every_finding_of_{verb}_is_provoked_in_namespaces",
                 [f"{code}: no case of tests/netns expects it" for code in sorted(wanted - shown)])
    for verb, name in HEALTHY:
        tap.case(f"a_healthy_set_up_yields_nothing_to_{verb}",
                 [] if has_healthy(tests[name]) else
                 [f"{os.path.basename(name)} has no such case called healthy"])
    tap.done()


if __name__ == "__main__":
    sys.exit(main())

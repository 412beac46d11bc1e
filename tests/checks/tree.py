#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every file of the tree must be: licensed, finished, readable in size, and
free of the machine it was written on. Headers compile alone."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import source
from tap import Tap, expect

FILE_LINES = 600
FUNCTION_LINES = 80
COLUMNS = 100

# Pieces, so that this file does not hold the words it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK",
                                           "place" "holder", r"not (yet )?imple" "mented",
                                           "for " "now")) + r")\b")
MACHINE = re.compile(r"(^|[^A-Za-z0-9_.-])/(wo" "rk|fa" "rm|ho" "me/[a-z]+)/")
SPDX = "SPDX-License-Identifier: MIT"

CODE = (".c", ".h", ".py", ".sh")
DATA = ("tests/vectors/", "tests/data/")  # tables, written by programs
SELF_CONTAINED = ("include/", "src/")
TESTED = ("src/base/", "src/wire/")  # rooms where every x.c has its test-x.c


def has_licence(text):
    return any(SPDX in line for line in text.splitlines()[:2])


def judge_words(name, text, expression, what):
    return [f"{name}:{number}: {what}: {line.strip()[:80]}"
            for number, line in enumerate(text.splitlines(), 1) if expression.search(line)]


def judge_size(name, text):
    problems = []
    count = text.count("\n")
    if count > FILE_LINES:
        problems.append(f"{name}: {count} lines, above {FILE_LINES}")
    if name.endswith(".c") and not name.startswith("tests/"):
        problems += [f"{name}:{line}: a function of {length} lines, above {FUNCTION_LINES}"
                     for line, length in source.functions(text) if length > FUNCTION_LINES]
    return problems


def judge_shape(name, text):
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if len(line.expandtabs(8)) > COLUMNS:
            problems.append(f"{name}:{number}: {len(line.expandtabs(8))} columns")
        if line != line.rstrip():
            problems.append(f"{name}:{number}: space at the end of the line")
    if text and not text.endswith("\n"):
        problems.append(f"{name}: no newline at the end")
    return problems


def judge_purpose(name, text):
    """A header says what it is for before anything else."""
    lines = text.splitlines()
    if len(lines) > 1 and lines[1].startswith("/*"):
        return []
    return [f"{name}: does not open with a paragraph that says what it is for"]


def judge_test(name, text):
    """A test waits for no clock, and can fail."""
    code = source.bare(text)
    problems = [f"{name}: calls {call}(): a test that waits for real time is in the wrong layer"
                for call in re.findall(r"(?<![\w.>])(u?sleep|nanosleep)\s*\(", code)]
    problems += [f"{name}: {match}: cannot fail" for match in
                 re.findall(r"assert_true\((?:1|true)\)|assert_false\((?:0|false)\)", code)]
    return problems


def lacks_test(name, tests):
    """No test file is named after the source file, or after its first words:
    test-client.c serves client.c and client-send.c."""
    room, stem = name.split("/")[1], os.path.basename(name)[:-2]
    words = stem.split("-")
    return not any(f"tests/{room}/test-{'-'.join(words[:count])}.c" in tests
                   for count in range(1, len(words) + 1))


def judge_alone(name, compiler):
    """A header, compiled with nothing before it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "alone.c")
        with open(path, "w", encoding="utf-8") as file:
            # included twice: its guard is tried too
            file.write(f'#include "{source.ROOT}/{name}"\n' * 2 + "typedef int not_empty;\n")
        command = compiler + ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                              "-I", os.path.join(source.ROOT, "include"),
                              "-I", os.path.join(source.ROOT, "src"), path]
        run = subprocess.run(command, capture_output=True, text=True)
    return [] if run.returncode == 0 else [f"{name}: {line}" for line in
                                           run.stderr.splitlines()[:6]]


def self_test():
    long_function = "int f(void)\n{\n" + "\tx();\n" * 90 + "}\n"
    return (expect("licence", has_licence("/* " + SPDX + " */\n"), True) +
            expect("no licence", has_licence("int x;\n\n/* " + SPDX + " */\n"), False) +
            expect("unfinished", len(judge_words("x", "a\n/* TO" "DO: b */\n", UNFINISHED, "")), 1) +
            expect("machine", len(judge_words("x", "cd /wo" "rk/x\n", MACHINE, "")), 1) +
            expect("not machine", judge_words("x", "src/wo" "rk/x, //network/x\n", MACHINE, ""), []) +
            expect("long file", len(judge_size("src/x.c", "\n" * 601)), 1) +
            expect("long function", len(judge_size("src/x.c", long_function)), 1) +
            expect("wide line", len(judge_shape("x.c", "\t" * 12 + "123456789\n")), 1) +
            expect("sleep", len(judge_test("x.c", "sle" "ep(1); a->sle" "ep(1);")), 1) +
            expect("cannot fail", len(judge_test("x.c", "assert_" "true(1);")), 1) +
            expect("no test", lacks_test("src/core/a-b.c", ["tests/core/test-b.c"]), True) +
            expect("tested", lacks_test("src/core/a-b.c", ["tests/core/test-a.c"]), False) +
            expect("purpose", len(judge_purpose("x.h", "/* SPDX */\n#ifndef X\n")), 1))


def over(names, judge):
    return [problem for name in names for problem in judge(name, source.read(name))]


def check_headers(tap, headers):
    public = [name for name in headers if name.startswith("include/")]
    gcc = shutil.which("gcc") or shutil.which("cc")
    tap.case("every_header_compiles_alone",
             [p for name in headers for p in judge_alone(name, [gcc, "-std=gnu17"])])
    clang = shutil.which("clang")
    if clang:
        tap.case("public_headers_compile_as_cxx",
                 [p for name in public for p in judge_alone(name, [clang, "-x", "c++", "-std=c++11",
                                                                   "-pedantic"])])
    else:
        tap.skip("public_headers_compile_as_cxx", "clang is not installed")


def main():
    tap = Tap()
    code = [name for name in source.tracked(*CODE) if not name.startswith(DATA)]
    c_files = [name for name in code if name.endswith((".c", ".h"))]
    text = source.tracked(*CODE, ".build", ".txt", ".md", ".scd", ".conf", "Makefile", ".ci/run")
    headers = [name for name in c_files
               if name.endswith(".h") and name.startswith(SELF_CONTAINED)]
    tap.case("a_file_that_breaks_a_rule_is_caught", self_test())
    tap.case("every_source_file_names_its_licence",
             [f"{name}: no SPDX line" for name in code if not has_licence(source.read(name))])
    tap.case("nothing_calls_itself_unfinished",
             over(text, lambda n, t: judge_words(n, t, UNFINISHED, "unfinished")))
    tap.case("nothing_names_the_machine_it_was_written_on",
             over(text, lambda n, t: judge_words(n, t, MACHINE, "a path of one machine")))
    tap.case("files_and_functions_keep_their_size", over(code, judge_size))
    tap.case("lines_fit_the_page", over(c_files, judge_shape))
    tap.case("every_header_says_what_it_is_for", over(headers, judge_purpose))
    tests = [name for name in c_files if name.startswith("tests/")]
    tap.case("no_test_waits_for_real_time_or_cannot_fail", over(tests, judge_test))
    tap.case("every_source_file_below_the_edge_has_a_test",
             [f"{name}: no test is named after it" for name in c_files
              if name.endswith(".c") and name.startswith(TESTED) and lacks_test(name, tests)])
    check_headers(tap, headers)
    tap.done()


if __name__ == "__main__":
    sys.exit(main())

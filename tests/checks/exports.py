#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shared library exports what exports.txt lists, nothing else, and needs no
other library than it may.

    exports.py LIBRARY.so LIST.txt... NEEDED...

NEEDED are the sonames allowed beside the C library's, up to their version. The lists hold
one symbol a line, in order; `#` starts a comment.
"""
import re
import subprocess
import sys

from tap import Tap, expect

C_LIBRARY = re.compile(r"^(libc|ld-linux[-\w]*|libgcc_s)\.so[.\w]*$")


def read_list(text):
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def read_exports(nm_output):
    """Names from `nm -D --defined-only`, without version suffixes; the absolute
    symbols of version nodes are no exports."""
    names = []
    for line in nm_output.splitlines():
        words = line.split()
        if len(words) >= 3 and words[-2] != "A":
            names.append(words[-1].split("@")[0])
    return names


def read_needed(readelf_output):
    return re.findall(r"\(NEEDED\).*\[([^\]]+)\]", readelf_output)


def compare(listed, exported):
    problems = [f"{name}: exported, but not in the list" for name in exported
                if name not in listed]
    problems += [f"{name}: in the list, but not exported" for name in listed
                 if name not in exported]
    problems += [f"{name}: stands twice in the list" for name in set(listed)
                 if listed.count(name) > 1]
    if listed != sorted(listed):
        problems.append("the list is not in alphabetical order")
    return problems


def self_test():
    nm_output = "0000000000001139 T tenf_open\n0000 A TENF_0\n00f1 T tenf_close@@TENF_0\n"
    return (expect("exports", read_exports(nm_output), ["tenf_open", "tenf_close"]) +
            expect("list", read_list("# x\n\nb # y\na\n"), ["b", "a"]) +
            expect("same", compare(["a", "b"], ["b", "a"]), []) +
            expect("more", len(compare(["a"], ["a", "b"])), 1) +
            expect("fewer", len(compare(["a", "b"], ["a"])), 1) +
            expect("order", len(compare(["b", "a"], ["a", "b"])), 1) +
            expect("needed", read_needed(" 0x1 (NEEDED) Shared library: [libmnl.so.0]\n"),
                   ["libmnl.so.0"]))


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    library, *others = sys.argv[1:]
    lists = [name for name in others if name.endswith(".txt")]
    allowed = tuple(name for name in others if name not in lists)
    tap = Tap()
    tap.case("a_difference_of_symbols_is_caught", self_test())
    listed = []
    for path in lists:
        with open(path, encoding="utf-8") as file:
            listed += read_list(file.read())
    listed.sort()
    exported = read_exports(output_of("nm", "-D", "--defined-only", library))
    tap.case("the_library_exports_exactly_the_list", compare(listed, exported))
    tap.case("every_export_bears_the_prefix",
             [f"{name}: does not begin with tenf_" for name in exported
              if not name.startswith("tenf_")])
    needed = read_needed(output_of("readelf", "-d", library))
    tap.case("the_library_needs_no_other_library",
             [f"{name}: linked in" for name in needed
              if not C_LIBRARY.match(name) and not name.startswith(allowed)])
    tap.done()


if __name__ == "__main__":
    main()

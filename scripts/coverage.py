#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints gcovr's summary as a table of rooms, the least covered files below.

    coverage.py COVERAGE.json
"""
import json
import sys


def room_of(name):
    return name.split("/")[1]


def percent(reached, total):
    return f"{100 * reached / total:5.1f} %" if total else "      –"


def main(path):
    with open(path, encoding="utf-8") as file:
        files = json.load(file)["files"]
    rooms = {}
    keys = ("line_covered", "line_total", "branch_covered", "branch_total")
    for entry in files:
        sums = rooms.setdefault(room_of(entry["filename"]), dict.fromkeys(keys, 0))
        for key in keys:
            sums[key] += entry[key]
    print(f"\n{'ROOM':10} {'LINES':>14} {'':>7}  {'BRANCHES':>14}")
    for room, s in sorted(rooms.items()):
        print(f"{room:10} {s['line_covered']:6}/{s['line_total']:<6} "
              f"{percent(s['line_covered'], s['line_total'])}  "
              f"{s['branch_covered']:6}/{s['branch_total']:<6} "
              f"{percent(s['branch_covered'], s['branch_total'])}")
    worst = sorted((f for f in files if f["branch_total"]),
                   key=lambda f: f["branch_covered"] / f["branch_total"])
    print("\nLeast covered branches:")
    for f in worst[:8]:
        print(f"  {f['filename']:36} {percent(f['branch_covered'], f['branch_total'])} of branches, "
              f"{percent(f['line_covered'], f['line_total'])} of lines")


if __name__ == "__main__":
    main(sys.argv[1])

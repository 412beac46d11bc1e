#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures against other programs, printed as one table. Run by scripts/bench.sh,
inside namespaces of its own. The exit status says whether it could measure, not
how the figures are: those are for people to judge.
"""
import argparse
import os
import sys
import tempfile

import agent
import client
import gateway
import size
from table import Table
from world import World

PARTS = {"client": client.measure, "size": size.measure, "agent": agent.measure,
         "gateway": gateway.measure}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help="which to measure: " + ", ".join(PARTS) + " (default: all)")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="only rows whose name contains TEXT")
    parser.add_argument("--silent-peer", action="store_true",
                        help="also wait the two minutes natpmpc takes on a silent gateway")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]}")
    build = os.path.realpath(os.environ.get("BUILD", "build"))
    table = Table(options.only)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder, \
            World(build, folder) as world:
        for name in options.parts or PARTS:
            PARTS[name](world, table, options)
    table.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

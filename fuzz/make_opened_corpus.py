#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz-opened: two octets a row, as read_row() takes them apart.

    make_opened_corpus.py FOLDER STAMP"""
import os
import sys

AGENT, LEASE, GATEWAY, ROUTER, PROBE = range(5)


def row(source, internal, external, tcp=True, named=False):
    a = (0x80 if tcp else 0) | (0x20 if named else 0)
    while a % 5 != source:
        a += 1  # the low bits choose the source alone
    return bytes([a, internal | external << 2])


SEEDS = {
    "lease-and-router": row(LEASE, 1, 1, named=True) + row(ROUTER, 1, 1),
    "router-first": row(ROUTER, 1, 1) + row(LEASE, 1, 1, named=True),
    "probe-between": row(ROUTER, 1, 2) + row(PROBE, 1, 0) + row(AGENT, 1, 2),
    "probe-alone": row(PROBE, 3, 0) + row(PROBE, 3, 0, tcp=False),
    "one-source-twice": row(ROUTER, 2, 2) + row(ROUTER, 2, 2) + row(GATEWAY, 2, 2),
    "two-outsides": row(ROUTER, 1, 1) + row(ROUTER, 1, 2) + row(PROBE, 1, 0) + row(LEASE, 1, 2),
    "many": b"".join(row(i % 5, i % 4, i // 4 % 4, i % 2 == 0) for i in range(64)),
}


def main():
    folder, stamp = sys.argv[1:3]
    os.makedirs(folder, exist_ok=True)
    for name, data in SEEDS.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    with open(stamp, "w", encoding="ascii") as file:
        file.write("made\n")


if __name__ == "__main__":
    main()

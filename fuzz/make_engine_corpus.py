#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes scripts for fuzz-engine: golden answers handed to an engine that has
asked, and lives of mappings.

usage: make_engine_corpus.py VECTORS.json DIRECTORY STAMP

The steps are those at the head of fuzz-engine.c.
"""
import json
import os
import shutil
import sys

PACKET, FOREIGN, ANNOUNCED, REPLY, WAIT, ADD, REMOVE, GATEWAY = range(8)
BOTH_METHODS, WATCH = 3, 8
TO_DEADLINE, RESTART = 30, 31


def step(what, more=0, *octets):
    return bytes([more << 3 | what, *octets])


def add(keep=True, exact=False, both=False, port=5, external=40, minutes=10):
    return step(ADD, 1 | exact << 1 | keep << 2 | both << 3, port, external, minutes)


def reply(result=0, port=4000, lifetime=4, same=False):
    return step(REPLY, result | same << 3, port >> 8, port & 255, lifetime)


def wait(more=TO_DEADLINE):
    return step(WAIT, more)


def lives():
    start = bytes([BOTH_METHODS])
    renewals = b"".join(wait() + reply(same=True) for _ in range(12))
    yield "kept", start + add() + reply() + renewals + step(REMOVE) + reply()
    yield "once", start + add(keep=False) + reply() + wait(7) + wait(7)
    yield "silent", bytes([BOTH_METHODS | WATCH]) + add() + wait() * 60
    yield "exact", start + add(exact=True) + reply(port=41) + wait() + reply() + wait() * 5
    yield "refused", start + add() + reply(result=2) + wait() + wait() + reply()
    yield "pair", start + add(both=True) + (reply() + wait(3)) * 3 + wait() + reply(port=77) * 4
    yield "restart", start + add() + reply() + wait(RESTART) + wait(6) + reply() + wait() * 9
    yield "sleep", start + add() + reply() + wait(8) + reply() + wait() * 4
    yield "roaming", (start + add(both=True) + reply() * 2 + step(GATEWAY) + wait() +
                      step(GATEWAY, 2) + reply() + step(GATEWAY, 5) + reply() + wait() * 4)
    yield "unreachable", start + add() + (wait() + step(GATEWAY, 1)) * 8 + reply()
    for methods in (1, 2):
        yield f"method{methods}", bytes([methods]) + add() + wait(3) + reply() + renewals


def golden(packets):
    for p in packets:
        data = bytes.fromhex(p["hex"])[:255]
        handed = bytes([len(data)]) + data
        yield p["name"], (bytes([BOTH_METHODS | WATCH]) + add() + step(PACKET) + handed + wait() +
                          step(FOREIGN) + handed + step(ANNOUNCED) + handed + wait() * 4)


def main():
    vectors, directory, stamp = sys.argv[1:4]
    with open(vectors, encoding="utf-8") as f:
        packets = json.load(f)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    scripts = list(lives()) + list(golden(packets))
    for name, script in scripts:
        with open(os.path.join(directory, name), "wb") as f:
            f.write(script)
    with open(stamp, "w", encoding="utf-8") as f:
        f.write("%d files\n" % len(scripts))


main()

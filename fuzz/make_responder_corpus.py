#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes scripts for fuzz-responder: every golden request alone, and stories of
several, with time, failed commits and reboots between them.

usage: make_responder_corpus.py VECTORS.json DIRECTORY STAMP
"""
import json
import os
import shutil
import struct
import sys

PACKET, BURST, COMMIT, FAIL, WAIT, SLEEP, REBOOT, EXTERNAL = range(8)
DEEDS = 10  # of an administrator, numbers of REBOOT
REVOKE, RULES, REAPPLY, REBUILD, POOL, RESTART, APPROVE, DENY, EXPLAIN = range(1, DEEDS)


def step(what, argument=0):
    return bytes([what | argument << 3])


def packet(hexadecimal, what=PACKET, who=0):
    data = bytes.fromhex(hexadecimal)[:1104]
    return step(what, who) + struct.pack(">H", len(data)) + data


def stories(requests):
    """Name and script; `requests` is name -> hex."""
    names = sorted(requests)
    for name in names:
        yield name, packet(requests[name], who=3 if name.endswith("v6") else 0)
    for start in range(0, len(names) - 8, 4):
        group = [requests[name] for name in names[start:start + 8]]
        yield f"burst-{start}", b"".join(packet(p, BURST, i % 4) for i, p in enumerate(group)) + \
            step(FAIL) + b"".join(packet(p, BURST, i % 4) for i, p in enumerate(group)) + step(COMMIT)
        yield f"days-{start}", b"".join(packet(p, PACKET, i % 4) + step(WAIT, 20)
                                        for i, p in enumerate(group)) + \
            step(SLEEP, 3) + b"".join(packet(p) for p in group) + step(EXTERNAL, start % 32) + \
            step(WAIT, 1) + step(REBOOT) + packet(group[0])
        again = b"".join(packet(p, PACKET, i % 4) for i, p in enumerate(group))
        deeds = (REVOKE, RESTART, REBUILD, POOL + 2 * DEEDS, APPROVE, POOL + DEEDS, DENY, EXPLAIN,
                 REAPPLY + DEEDS, POOL, RULES + 2 * DEEDS, RESTART)
        yield f"kept-{start}", b"".join(packet(p, BURST, i % 4) + step(COMMIT, i % 2)
                                        for i, p in enumerate(group)) + step(FAIL)
        yield f"deeds-{start}", again + b"".join(step(REBOOT, d) + step(FAIL if i % 2 else COMMIT) +
                                                 again for i, d in enumerate(deeds))


def main():
    vectors, directory, stamp = sys.argv[1:4]
    with open(vectors, encoding="utf-8") as file:
        packets = json.load(file)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    requests = {p["name"]: p["hex"] for p in packets if p["direction"] == "request"}
    count = 0
    for name, script in stories(requests):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(script)
        count += 1
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(f"{count} files\n")


if __name__ == "__main__":
    main()

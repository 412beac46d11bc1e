#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes golden packets as the files of a corpus, one packet a file.

usage: make_corpus.py VECTORS.json PROTOCOL DIRECTORY STAMP

PROTOCOL is nat-pmp, pcp or all. The directory is made anew; STAMP tells the
build system that it is done.
"""
import json
import os
import shutil
import sys


def main():
    vectors, protocol, directory, stamp = sys.argv[1:5]
    with open(vectors, encoding="utf-8") as f:
        packets = json.load(f)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    wanted = [p for p in packets if protocol in ("all", p["protocol"]) or p["protocol"] == "either"]
    if not wanted:
        sys.exit("no packets of protocol " + protocol)
    for p in wanted:
        with open(os.path.join(directory, p["name"]), "wb") as f:
            f.write(bytes.fromhex(p["hex"]))
    with open(stamp, "w", encoding="utf-8") as f:
        f.write("%d files\n" % len(wanted))


main()

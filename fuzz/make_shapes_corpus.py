#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes JSON shapes and streams of events as the files of a corpus.

usage: make_shapes_corpus.py DIRECTORY STAMP

The directory is made anew; STAMP tells the build system that it is done.
"""
import json
import os
import shutil
import sys

ERROR = {"code": "refused", "result": 2, "text": "not allowed here"}
MAPPING = {
    "id": "m1", "name": "web", "protocol": "tcp", "internal_address": "192.168.1.20",
    "internal_port": 8080, "external_address": "203.0.113.7", "external_port": 80,
    "requested_external_port": 80, "lifetime": 7200, "expires_at": "2026-11-22T07:00:00Z",
    "renews_at": "2026-11-22T06:00:00Z", "state": "mapped", "method": "pcp",
    "gateway": "fe80::1%eth0", "source": "agent", "error": None,
    "delivery": {"state": "confirmed", "at": "2026-11-22T05:00:00Z"}}
GATEWAY = {
    "address": "192.168.1.1", "port": 5351, "interface": "eth0", "source": "192.168.1.20",
    "methods": [{"name": "pcp", "version": 2}, {"name": "natpmp", "version": 0},
                {"name": "igd", "version": 1}],
    "external_address": "100.64.0.1", "address_class": "carrier", "epoch": 438,
    "up_since": "2026-11-22T04:59:43Z", "rtt_ms": 0.4, "error": ERROR}


def event(kind, **more):
    return {"event": kind, "at": "2026-11-22T06:30:00Z", **more}


def shapes():
    refused = dict(MAPPING, state="refused", error=ERROR, external_port=None, method=None)
    yield "mapping", MAPPING
    yield "mapping-refused", refused
    yield "gateway", GATEWAY
    yield "event-mapped", event("mapped", mapping=MAPPING, before=None)
    yield "event-changed", event("changed", mapping=MAPPING, before=refused)
    yield "event-gateway", event("gateway", gateway=GATEWAY, mapping=None, before=None)
    yield "event-address", event("address", gateway=GATEWAY, external_address="203.0.113.7",
                                 external_address_before="203.0.113.6")
    yield "event-pending", event("pending", client="192.168.1.61")
    yield "failure", {"error": {"code": "not-found", "text": "there is nothing at this path"}}


def main():
    directory, stamp = sys.argv[1:3]
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    texts = {name: json.dumps(shape) for name, shape in shapes()}
    texts["stream"] = "retry: 2000\n\n:\n\n" + "".join(
        f"id: {number}\nevent: {json.loads(text)['event']}\ndata: {text}\n\n"
        for number, (name, text) in enumerate(texts.items()) if name.startswith("event-"))
    for name, text in texts.items():
        with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
            f.write(text)
    with open(stamp, "w", encoding="utf-8") as f:
        f.write("%d files\n" % len(texts))


main()

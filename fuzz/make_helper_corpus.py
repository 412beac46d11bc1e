#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes messages of the gateway's helper, one a file, and a stamp.

    make_helper_corpus.py DIRECTORY STAMP"""
import os
import socket
import struct
import sys

SETUP, BATCH, FLOW, DONE, FOUND = 1, 2, 4, 6, 8
INSTALL, RENEW, REMOVE, FLUSH, EPOCH = 1, 2, 3, 4, 5


def head(kind, count=0):
    return struct.pack("!BBHI", kind, 0, count, 7)


def v4(text):
    return bytes(10) + b"\xff\xff" + socket.inet_aton(text)


def v6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def endpoint(address, port):
    return address + struct.pack("!H", port)


def mapping(protocol, external, internal, remote=b"", name=b"", filters=()):
    return (struct.pack("!BB", protocol, 2) + external + internal +
            (b"\1" + remote if remote else b"\0") +
            struct.pack("!qq12sIIIhBB", 5, 9 * 10**9, b"nonce nonce ", 7200, 3, 9, 1, len(name),
                        len(filters)) + name + b"".join(filters))


def change(kind, body=b"", flags=0):
    return bytes([kind, flags]) + body


def names(*each):
    return struct.pack("!H", len(each)) + b"".join(n.encode().ljust(16, b"\0") for n in each)


def messages():
    four = mapping(6, endpoint(v4("203.0.113.7"), 443), endpoint(v4("10.0.0.5"), 8443),
                   name=b'a "name"', filters=[bytes([120]) + struct.pack("!H", 0) +
                                              v4("198.51.100.0")])
    six = endpoint(v6("2001:db8::5"), 9000)
    yield head(BATCH, 4) + change(FLUSH) + change(EPOCH, struct.pack("!q", 77)) + \
        change(INSTALL, four) + change(INSTALL, mapping(17, six, six))
    yield head(BATCH, 2) + change(RENEW, four, 1) + change(REMOVE, four, 2)
    yield head(BATCH, 1) + change(INSTALL, mapping(
        17, endpoint(v4("203.0.113.7"), 4000), endpoint(v4("10.0.0.5"), 9),
        endpoint(v4("192.0.2.1"), 53)))
    yield head(SETUP) + names("wan0", "ppp0") + names("lan0") + struct.pack("!H", 1) + \
        b"lan0".ljust(16, b"\0") + endpoint(v4("10.0.0.1"), 5351) + v4("10.0.0.0") + \
        bytes([120]) + struct.pack("!IB", 1000, 1)
    yield head(FLOW) + b"\x11" + endpoint(v4("10.0.0.5"), 9) + endpoint(v4("192.0.2.1"), 53)
    yield head(DONE) + struct.pack("!BBiH", 1, 0, 105, 5) + b"words"
    yield head(FOUND) + b"\1" + endpoint(v4("203.0.113.7"), 4000) + struct.pack("!I", 60)
    yield (b"table inet filter {\n\tchain forward { # handle 1\n\t\ttype filter hook forward "
           b"priority filter; policy drop;\n\t\tct status dnat accept comment \"tenforward\" "
           b"# handle 12\n\t}\n}\n")


def main():
    directory, stamp = sys.argv[1:3]
    os.makedirs(directory, exist_ok=True)
    for number, message in enumerate(messages()):
        with open(os.path.join(directory, f"message-{number}"), "wb") as file:
            file.write(message)
    with open(stamp, "w", encoding="ascii"):
        pass


if __name__ == "__main__":
    sys.exit(main())

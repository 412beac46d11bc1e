#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program with a name of its own that listens on TCP and UDP ports, until it is
killed: listener.py NAME PORT... It says `ready` when it does."""
import signal
import socket
import sys


def main():
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(sys.argv[1])
    opened = []
    for port in map(int, sys.argv[2:]):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            made = socket.socket(socket.AF_INET6, kind)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(("::", port))
            if kind == socket.SOCK_STREAM:
                made.listen()
            opened.append(made)
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()

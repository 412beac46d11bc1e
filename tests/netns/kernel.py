# SPDX-License-Identifier: MIT
"""Hosts and the links between them, as network namespaces.

enter() starts the program again as the first process of namespaces of its own
(processes, mounts, network; as root directly, else with a user namespace). The
kernel then ends every process and every link with it, however it ends, and no
name of ours is seen from outside: concurrent runs cannot meet.

A host is a descriptor of a network namespace. `with host:` puts this thread
there: sockets and programs made inside stay there."""
import ctypes
import fcntl
import itertools
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from cases import Skip, skip_all
from programs import PATIENCE_S

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40
RTMGRP_LINK = 1
TUNSETIFF = 0x400454ca
IFF_TUN_NO_PI = 0x1001

MARK = "TENF_TEST_INSIDE"
TOP = "/run"  # a file system of our own is there, gone with us

indexes = itertools.count(100)
libc = ctypes.CDLL(None, use_errno=True)


def ways():
    """Namespaces to ask for, the most direct first."""
    common = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    if os.geteuid() == 0:
        yield common
    yield common + ["--user", "--map-root-user"]


def search_path():
    """Where ip and nft are, for users too."""
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"


def enter(*tools):
    """Returns inside the namespaces, or ends with a skip that says why."""
    search_path()
    if MARK in os.environ:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the first process has no default
        call(libc.mount, b"tmpfs", TOP.encode(), b"tmpfs", 0, b"mode=755")
        # Processes as we see them; the leak sanitizer looks there. Some containers
        # forbid it, and the rest does without.
        libc.mount(b"proc", b"/proc", b"proc", 0, None)
        return
    for tool in ("unshare", "ip", *tools):
        if shutil.which(tool) is None:
            skip_all(f"{tool} is not installed")
    why = ""
    for way in ways():
        probe = "mount -t tmpfs tmpfs /run && ip link add left0 type veth peer name right0"
        tried = subprocess.run(way + ["sh", "-c", probe], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            os.environ[MARK] = "1"
            os.execvp(way[0], way + [sys.executable, *sys.argv])
        why = tried.stderr.strip().replace("\n", "; ")
    skip_all(f"no network namespaces here: {why}")


def call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Host:
    def __init__(self, name):
        self.name = name
        self.back = []
        before = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        call(libc.unshare, CLONE_NEWNET)
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.back.append(before)
        self.__exit__()
        self.ip("link set lo up")

    def __enter__(self):
        self.back.append(os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        call(libc.setns, self.fd, CLONE_NEWNET)
        return self

    def __exit__(self, *_):
        before = self.back.pop()
        call(libc.setns, before, CLONE_NEWNET)
        os.close(before)

    def close(self):
        os.close(self.fd)

    def _feed(self, argv, text, pass_fds=()):
        with self:
            done = subprocess.run(argv, input=text, text=True, capture_output=True,
                                  pass_fds=pass_fds, check=False)
        if done.returncode != 0:
            raise OSError(f"{' '.join(argv)} on {self.name}: {done.stderr.strip()}")

    def ip(self, *lines, pass_fds=()):
        self._feed(["ip", "-batch", "-"], "\n".join(lines) + "\n", pass_fds)

    def nft(self, rules):
        try:
            self._feed(["nft", "-f", "-"], rules)
        except OSError as error:
            raise Skip(f"no nftables here: {error}".replace("\n", " ")) from None

    def sysctl(self, name, value):
        with self:
            try:
                with open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as file:
                    file.write(value)
            except OSError as error:
                raise Skip(f"cannot set {name}: {error.strerror}") from None

    def socket(self, kind):
        with self:
            made = socket.socket(socket.AF_INET, kind)
        made.settimeout(PATIENCE_S)
        return made

    def _is_running(self, name):
        with self.socket(socket.SOCK_DGRAM) as probe:
            request = struct.pack("16sh22x", name.encode(), 0)
            answer = fcntl.ioctl(probe, SIOCGIFFLAGS, request)
        return struct.unpack("16sH22x", answer)[1] & IFF_RUNNING != 0

    def wait_running(self, names, events, is_running=True):
        """A carrier is noticed a moment after a link is set up; packets before
        that are lost. `events` hears of links."""
        deadline = time.monotonic() + PATIENCE_S
        while any(self._is_running(name) != is_running for name in names):
            events.settimeout(max(deadline - time.monotonic(), 0.001))
            events.recv(65536)

    def listen_links(self):
        with self:
            events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
        events.bind((0, RTMGRP_LINK))
        return events


def link(a, a_name, a_address, b, b_name, b_address):
    """A cable from host to host; addresses with their prefix length."""
    # The kernel tells a carrier at once where both ends have different numbers,
    # else up to a second later.
    a_index, b_index = next(indexes), next(indexes)
    a.ip(f"link add {a_name} index {a_index} type veth "
         f"peer name {b_name} index {b_index} netns /proc/self/fd/{b.fd}", pass_fds=(b.fd,))
    with a.listen_links() as a_events, b.listen_links() as b_events:
        a.ip(f"address add {a_address} dev {a_name}", f"link set {a_name} up")
        b.ip(f"address add {b_address} dev {b_name}", f"link set {b_name} up")
        a.wait_running([a_name], a_events)
        b.wait_running([b_name], b_events)


def open_tun(host, name, address):
    with host:  # the device belongs where it is opened
        try:
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise Skip(f"/dev/net/tun: {error.strerror}") from None
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_NO_PI))
    host.ip(f"link set {name} addrgenmode none", f"address add {address} dev {name}",
            f"link set {name} up")
    return fd


class Tunnel:
    """Two point-to-point interfaces with a wire between them, as a VPN makes
    them: no hardware address, no next hop. `sent` are the packets of `a`."""

    def __init__(self, a, a_name, a_address, b, b_name, b_address):
        self.ends = [open_tun(a, a_name, a_address), open_tun(b, b_name, b_address)]
        self.sent = []
        self.cut, self.cutter = os.pipe()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        other = {self.ends[0]: self.ends[1], self.ends[1]: self.ends[0]}
        while True:
            ready, _, _ = select.select([self.cut, *self.ends], [], [])
            if self.cut in ready:
                return
            for end in ready:
                packet = os.read(end, 65536)
                if end == self.ends[0]:
                    self.sent.append(packet)
                os.write(other[end], packet)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.cutter)  # readable at the other end
        self.thread.join(PATIENCE_S)
        for fd in (self.cut, *self.ends):
            os.close(fd)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check --from-url: a check service on the internet, over HTTPS with a certificate of its
own, that tries the port and tells; and services that are not what they should be.

    test_service.py COMMAND DAEMON [ONLY]"""
import http.server
import json
import os
import shutil
import socket
import ssl
import sys
import threading
import urllib.parse

import kernel
from cases import Skip, case, expect, expect_in, run
from diagnosis import PORT, examine, healthy_home, listen, step_of
from programs import finish

PATHS = sys.argv[1:3]
HOST = "11.0.113.2"
TRUST = "/etc/ssl/certs"
MS_BIND = 4096
QUERY = "/check?address={address}&port={port}&protocol={protocol}"


class Authority:
    """Signs certificates; `trusted` makes it one of this computer's, in the mounts that
    the namespaces of the test have to themselves."""

    def __init__(self, home, name):
        if shutil.which("openssl") is None:
            raise Skip("openssl is not installed")
        self.home = home
        self.name = name
        self.key, self.certificate = home.file(f"{name}.key"), home.file(f"{name}.crt")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key,
                     "-out", self.certificate)

    @staticmethod
    def openssl(*words):
        done = finish(["openssl", *words])
        expect(done.status, 0, done.err)

    def trusted(self):
        if not os.path.isdir(TRUST):
            raise Skip(f"there is no {TRUST}")
        kernel.call(kernel.libc.mount, b"tmpfs", TRUST.encode(), b"tmpfs", 0, b"mode=755")
        self.home.opened.callback(kernel.libc.umount, TRUST.encode())
        shutil.copy(self.certificate, f"{TRUST}/ca-certificates.crt")
        return self

    def sign(self, subject, days="2"):
        """A context for a server that shows this certificate."""
        key, request, signed = (self.home.file(f"server.{end}") for end in ("key", "csr", "crt"))
        names = self.home.file("names", f"subjectAltName={subject}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", "/CN=service", "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                     "-CAcreateserial", "-days", days, "-extfile", names, "-out", signed)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(signed, key)
        return context


class Service(http.server.ThreadingHTTPServer):
    """A check service on the internet's host; without a context it speaks plain HTTP."""
    daemon_threads = True

    def __init__(self, home, context, status=200):
        self.home, self.context, self.status, self.asked = home, context, status, []
        with home.internet:
            super().__init__((HOST, 0), Handler)
        self.url = f"https://{HOST}:{self.server_address[1]}{QUERY}"
        threading.Thread(target=self.serve_forever, daemon=True).start()
        home.opened.callback(self.server_close)
        home.opened.callback(self.shutdown)

    def finish_request(self, request, client_address):
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError):
                return  # who asks hung up: it does not trust us
        super().finish_request(request, client_address)
        if self.context is not None:
            request.close()

    def is_open(self, wanted):
        with self.home.internet.socket(socket.SOCK_STREAM) as caller:
            caller.settimeout(1)
            return caller.connect_ex((wanted["address"], int(wanted["port"]))) == 0


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.urlsplit(self.path).query
        wanted = dict(urllib.parse.parse_qsl(query))
        self.server.asked.append(wanted)
        body = json.dumps({"open": self.server.is_open(wanted)}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def without_names(home):
    """The only name server is one that is not there, which is noticed at once."""
    own, everybodys = home.file("resolv.conf", "nameserver 127.0.0.1\n"), "/etc/resolv.conf"
    if not os.path.isfile(everybodys):
        raise Skip(f"there is no {everybodys}")
    kernel.call(kernel.libc.mount, own.encode(), everybodys.encode(), b"none", MS_BIND, None)
    home.opened.callback(kernel.libc.umount, everybodys.encode())


def home_with_game(opened):
    home = healthy_home(opened, PATHS)
    listen(home, "minecraft", PORT)
    return home


def ask(home, url, status=0):
    steps, told = examine(home, f"{PORT}/tcp", "--from-url", url, "--timeout", "3s",
                          verb="check", status=status)
    return steps["outside"], step_of(told, "outside")["seen"]


@case("a service that this computer trusts is believed: open, and closed")
def believed(opened):
    home = home_with_game(opened)
    service = Service(home, Authority(home, "known").trusted().sign(f"IP:{HOST}"))
    expect(ask(home, service.url), (True, "11.0.113.1:4080 was reached from the check service"),
           "open")
    expect(service.asked[0], {"address": "11.0.113.1", "port": "4080", "protocol": "tcp"}, "asked")
    home.gateway.nft("table inet provider {\n chain forward {\n  type filter hook forward "
                     "priority -10;\n  iifname \"wan0\" tcp dport 8080 drop\n }\n}\n")
    ok, seen = ask(home, service.url, status=11)
    expect((ok, seen), (False, "11.0.113.1:4080 refuses, asked from the check service"), "closed")


@case("whose certificate is not trusted is not asked, and told why")
def not_trusted(opened):
    home = home_with_game(opened)
    known, stranger = Authority(home, "known").trusted(), Authority(home, "stranger")
    for context, why in ((stranger.sign(f"IP:{HOST}"), "certificate"),
                         (known.sign(f"IP:{HOST}", days="-1"), "expired"),
                         (known.sign("IP:11.0.113.77,DNS:other.example"), HOST)):
        service = Service(home, context)
        ok, seen = ask(home, service.url)
        expect((ok, service.asked), (None, []), seen)
        expect_in("its certificate is not trusted", seen, "seen")
        expect_in(why, seen, "reason")


@case("services that do not speak TLS, are not there, are silent, or fail, are told apart")
def not_there(opened):
    home = home_with_game(opened)
    context = Authority(home, "known").trusted().sign(f"IP:{HOST}")
    plain = Service(home, None)
    expect_in("it does not speak TLS", ask(home, plain.url)[1], "plain")
    broken = Service(home, context, status=503)
    expect_in("it answered with status 503", ask(home, broken.url)[1], "broken")
    with home.internet.socket(socket.SOCK_STREAM) as silent:
        silent.bind((HOST, 0))
        silent.listen()
        url = f"https://{HOST}:{silent.getsockname()[1]}/"
        expect_in("it did not answer in time", ask(home, url)[1], "silent")
    ok, seen = ask(home, url)
    expect(ok, None, "nobody")
    expect_in("it cannot be reached", seen, "nobody")
    without_names(home)
    expect_in("its name is not known", ask(home, "https://check.example/")[1], "no name")


kernel.enter("nft", "miniupnpd")
run("".join(sys.argv[3:4]))

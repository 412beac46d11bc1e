# SPDX-License-Identifier: MIT
"""The real applications, each with a configuration of its own, on loopback in a
network namespace; what port they have is asked of their own API, here and not
by the code under test."""
import base64
import hashlib
import http.cookiejar
import json
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request

from cases import Skip
from programs import PATIENCE_S, Program

USER = "somebody"
PASSWORD = "pass word&x"


def until(found, what):
    """The first value of found() that is something; there is no event to wait
    for in another program, so it is asked again and again."""
    deadline = time.monotonic() + PATIENCE_S
    last = None
    while time.monotonic() < deadline:
        try:
            value = found()
            if value:
                return value
        except (OSError, urllib.error.URLError, ValueError, KeyError) as problem:
            last = problem
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}: {last}")


class Application:
    """A program that is started, asked, killed and started again."""
    programs = ()

    def __init__(self, opened, folder, rpc_port):
        for program in self.programs:
            if shutil.which(program) is None:
                raise Skip(f"{program} is not installed")
        os.makedirs(folder)
        self.folder = folder
        self.rpc_port = rpc_port
        self.url = f"http://127.0.0.1:{rpc_port}"
        self.running = []
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        opened.callback(self.kill)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *argv):
        env = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8",
               "XDG_CONFIG_HOME": self.folder, "XDG_CACHE_HOME": self.folder,
               "XDG_DATA_HOME": self.folder}
        self.running.append(Program(list(argv), env))

    def post(self, path, body, headers=()):
        request = urllib.request.Request(self.url + path, body.encode(), dict(headers))
        with self.opener.open(request, timeout=5) as answer:
            return answer.read().decode()

    def start(self, port):
        """Returns when it answers; one that never does is no fault of ours."""
        self.configure(port)
        self.launch()
        try:
            until(self.port, f"an answer of {self.programs[0]}")
        except AssertionError as problem:
            said = "; ".join(line for p in self.running for line in p.lines[-3:])
            raise Skip(f"{self.programs[0]} does not start here: {problem} {said}") from None

    def kill(self):
        for program in self.running:
            program.kill()
        self.running = []

    def restart(self, port):
        self.kill()
        self.start(port)


class Transmission(Application):
    programs = ("transmission-daemon",)
    kind = "transmission"

    def configure(self, port):
        self.write("settings.json", json.dumps({
            "rpc-enabled": True, "rpc-bind-address": "127.0.0.1", "rpc-port": self.rpc_port,
            "rpc-authentication-required": True, "rpc-username": USER, "rpc-password": PASSWORD,
            "rpc-whitelist-enabled": False, "peer-port": port, "dht-enabled": False,
            "lpd-enabled": False, "utp-enabled": False, "port-forwarding-enabled": False,
            "peer-port-random-on-start": False, "download-dir": self.folder}))

    def launch(self):
        self.run("transmission-daemon", "--foreground", "--config-dir", self.folder)

    def port(self):
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": "Basic " + token}
        try:
            self.post("/transmission/rpc", "{}", headers.items())
        except urllib.error.HTTPError as error:
            headers["X-Transmission-Session-Id"] = error.headers["X-Transmission-Session-Id"]
        answer = self.post("/transmission/rpc", '{"method": "session-get"}', headers.items())
        return json.loads(answer)["arguments"]["peer-port"]


class QBittorrent(Application):
    programs = ("qbittorrent-nox",)
    kind = "qbittorrent"

    def configure(self, port):
        salt = b"sixteen octets.."
        key = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 100000, 64)
        secret = base64.b64encode(salt).decode() + ":" + base64.b64encode(key).decode()
        self.write("qBittorrent/config/qBittorrent.conf", "\n".join([
            "[LegalNotice]", "Accepted=true", "[BitTorrent]", f"Session\\Port={port}",
            "Session\\DHTEnabled=false", "Session\\LSDEnabled=false", "[Network]",
            "PortForwardingEnabled=false", "[Preferences]", "WebUI\\Address=127.0.0.1",
            f"WebUI\\Port={self.rpc_port}", "WebUI\\UseUPnP=false", "WebUI\\LocalHostAuth=true",
            f"WebUI\\Username={USER}", f'WebUI\\Password_PBKDF2="@ByteArray({secret})"', ""]))

    def launch(self):
        self.run("qbittorrent-nox", f"--profile={self.folder}")

    def port(self):
        form = urllib.parse.urlencode({"username": USER, "password": PASSWORD})
        self.post("/api/v2/auth/login", form)
        return json.loads(self.post("/api/v2/app/preferences", ""))["listen_port"]


class Deluge(Application):
    programs = ("deluged", "deluge-web")
    kind = "deluge"
    secret = "deluge"  # what its web part has until it is changed

    def configure(self, port):
        head = json.dumps({"file": 1, "format": 1})
        daemon_port = self.rpc_port + 1
        self.write("auth", "localclient:abc:10\n")
        self.write("core.conf", head + json.dumps({
            "daemon_port": daemon_port, "listen_ports": [port, port], "random_port": False,
            "dht": False, "upnp": False, "natpmp": False, "lsd": False, "utpex": False,
            "new_release_check": False, "download_location": self.folder}))
        self.write("hostlist.conf", json.dumps({"file": 3, "format": 1}) + json.dumps({
            "hosts": [["0123456789abcdef", "127.0.0.1", daemon_port, "localclient", "abc"]]}))

    def launch(self):
        self.run("deluged", "-d", "-c", self.folder, "-p", str(self.rpc_port + 1),
                 "-u", "127.0.0.1")
        self.run("deluge-web", "-d", "-c", self.folder, "-p", str(self.rpc_port),
                 "-i", "127.0.0.1")

    def ask(self, method, *values):
        body = json.dumps({"method": method, "params": values, "id": 1})
        return json.loads(self.post("/json", body, [("Content-Type", "application/json")]))

    def port(self):
        self.ask("auth.login", self.secret)
        if not self.ask("web.connected")["result"]:
            host = self.ask("web.get_hosts")["result"][0][0]
            self.ask("web.connect", host)
        answer = self.ask("core.get_config_value", "listen_ports")
        return answer["result"] and answer["result"][0]

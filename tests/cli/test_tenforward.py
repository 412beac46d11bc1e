#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command as it is installed, against the gateway daemon with its memory
backend: real sockets on the loopback address, no root.

    test_tenforward.py TENFORWARD TENFORWARD-GATEWAYD
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

COMMAND, DAEMON = sys.argv[1:3]
TIMEOUT = 20  # of what must happen; nothing waits for it to pass

CONFIG = """[Gateway]
Backend=memory
Listen=127.0.0.1:0
ExternalAddress=203.0.113.7
"""
DENY = "[Rule]\nAction=deny\nExternalPort=23\n[Rule]\nAction=deny\nInternalPort=666\n"
ALLOW = "[Rule]\nAction=allow\n"

MAPPING_KEYS = {"id", "name", "protocol", "internal_address", "internal_port", "external_address",
                "external_port", "requested_external_port", "lifetime", "expires_at", "renews_at",
                "state", "method", "gateway", "source", "error"}
GATEWAY_KEYS = {"address", "port", "interface", "source", "methods", "external_address",
                "address_class", "epoch", "up_since", "rtt_ms", "error"}


class Gateway:
    """A running daemon, and a state folder for the commands that ask it."""

    def __init__(self, rules=DENY + ALLOW, extra=""):
        self.folder = tempfile.mkdtemp(prefix="tenforward-test-")
        config = os.path.join(self.folder, "gateway.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG + rules + extra)
        ready, far = os.pipe()
        self.process = subprocess.Popen([DAEMON, "--config", config, "--ready-fd", str(far)],
                                        pass_fds=[far], stderr=subprocess.DEVNULL)
        os.close(far)
        with os.fdopen(ready) as lines:
            self.port = int(re.search(r"listening on \S+:(\d+) ", lines.read())[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT)
        shutil.rmtree(self.folder)

    def words(self, *words):
        return [COMMAND, "-g", f"127.0.0.1:{self.port}", *words]

    def environment(self):
        return dict(os.environ, XDG_STATE_HOME=self.folder, TZ="UTC")

    def run(self, *words):
        return subprocess.run(self.words(*words), env=self.environment(), capture_output=True,
                              text=True, timeout=TIMEOUT)

    def start(self, *words):
        return subprocess.Popen(self.words(*words), env=self.environment(), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def json(self, *words, status=0):
        done = self.run("--json", *words)
        assert done.returncode == status, (done.returncode, done.stderr)
        return json.loads(done.stdout)


def silent_socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    return s


def run_at(port, *words, folder="/nonexistent"):
    """Against any port of the loopback address."""
    began = time.monotonic()
    done = subprocess.run([COMMAND, "-g", f"127.0.0.1:{port}", *words], capture_output=True,
                          text=True, timeout=TIMEOUT, env=dict(os.environ, XDG_STATE_HOME=folder))
    return done, time.monotonic() - began


def test_status_and_discover_tell_what_the_gateway_is():
    with Gateway() as gateway:
        for verb in ("status", "discover"):
            found = gateway.json(verb)
            assert set(found) == {"gateways", "agent", "mappings"}, found
            assert found["agent"] == {"running": False} and found["mappings"] == 0
            one = found["gateways"][0]
            assert set(one) == GATEWAY_KEYS, one
            assert one["address"] == "127.0.0.1" and one["port"] == gateway.port
            assert [(m["name"], m["version"]) for m in one["methods"]] == [("pcp", 2),
                                                                            ("natpmp", 0)]
            assert one["external_address"] == "203.0.113.7" and one["error"] is None
            assert one["rtt_ms"] > 0 and one["epoch"] >= 0
        text = gateway.run("status").stdout
        assert "PCP and NAT-PMP" in text and "Outside   203.0.113.7 (public)\n" in text


def test_a_mapping_is_added_listed_and_removed():
    with Gateway() as gateway:
        made = gateway.json("add", "8080:80/udp", "--name", "dns", "--lifetime", "10m")
        mapping = made["mappings"][0]
        assert set(mapping) == MAPPING_KEYS, mapping
        assert (mapping["external_port"], mapping["internal_port"]) == (8080, 80)
        assert mapping["state"] == "mapped" and mapping["lifetime"] == 600
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", mapping["expires_at"])
        listed = gateway.json("list")["mappings"]
        assert [m.pop("sources") for m in listed] == [["lease"]]
        assert [m.pop("description") for m in listed] == [None]
        assert listed == made["mappings"]
        gone = gateway.json("remove", mapping["id"])["mappings"][0]
        assert gone["state"] == "removed" and gone["error"] is None
        assert gateway.json("list") == {"mappings": []}


def test_each_method_makes_and_removes():
    with Gateway() as gateway:
        for method in ("pcp", "natpmp"):
            made = gateway.json("--method", method, "add", "any:7000/both")["mappings"]
            assert [m["method"] for m in made] == [method] * 2
            assert made[0]["external_port"] == made[1]["external_port"]
            assert gateway.run("remove", "7000/both").returncode == 0


def test_asking_again_renews_with_the_recorded_nonce():
    with Gateway() as gateway:
        first = gateway.json("add", "any:7000", "--lifetime", "5m")["mappings"][0]
        again = gateway.json("add", "any:7000", "--lifetime", "20m")["mappings"][0]
        assert again["id"] == first["id"] and again["external_port"] == first["external_port"]
        assert again["lifetime"] == 1200


def test_both_halves_of_a_pair_are_renewed_each_with_its_own_nonce():
    with Gateway() as gateway:
        first = gateway.json("--method", "pcp", "add", "7000/both")["mappings"]
        assert [m["protocol"] for m in first] == ["tcp", "udp"]
        again = gateway.json("--method", "pcp", "add", "7000/both")["mappings"]
        assert [m["id"] for m in again] == [m["id"] for m in first]
        # What is recorded of one half alone, here of udp, is gone on with too.
        assert gateway.run("--method", "pcp", "remove", "7000/tcp").returncode == 0
        again = gateway.json("--method", "pcp", "add", "7000/both")["mappings"]
        assert [m["state"] for m in again] == ["mapped"] * 2
        assert again[1]["id"] == first[1]["id"]


def test_each_reason_has_its_exit_status():
    with Gateway() as gateway:
        refused = gateway.json("add", "666", status=6)["mappings"][0]
        assert refused["state"] == "refused" and refused["error"]["code"] == "refused"
        assert refused["id"] is None and refused["external_port"] is None
        assert gateway.run("add", "23", "--exact").returncode in (6, 9)
        assert gateway.run("add", "666", "8080").returncode == 6
        assert len(gateway.json("list")["mappings"]) == 1
    done, seconds = run_at(1, "add", "80")
    assert done.returncode == 5 and seconds < 2, (done, seconds)
    with silent_socket() as s:
        done, seconds = run_at(s.getsockname()[1], "--timeout", "1s", "add", "80", "81/udp")
        assert done.returncode == 4 and 0.9 < seconds < 2, (done, seconds)
        done, seconds = run_at(s.getsockname()[1], "--timeout", "1s", "remove", "80")
        assert done.returncode == 4 and seconds < 2, (done, seconds)
        for line in done.stderr.splitlines():
            assert len(line) <= 100, line


def test_lost_packets_are_asked_for_again():
    with Gateway(extra="[Faults]\nLoss=30%\nSeed=7\n") as gateway:
        made = gateway.json("--timeout", "15s", "add", "7000-7004/udp")["mappings"]
        assert [m["state"] for m in made] == ["mapped"] * 5


def read_event(process):
    return json.loads(process.stdout.readline())


def read_until(process, kind):
    """The next event of a kind; what is learned of the gateway meanwhile passes."""
    while True:
        event = read_event(process)
        if event["event"] == kind:
            return event
        assert event["event"] in ("gateway", "address"), event


def test_keep_holds_until_a_signal_and_removes():
    with Gateway() as gateway:
        kept = gateway.start("--json", "keep", "any:7000/both")
        mapped = [read_until(kept, "mapped")["mapping"] for _ in range(2)]
        assert sorted(m["protocol"] for m in mapped) == ["tcp", "udp"], mapped
        assert mapped[0]["external_port"] == mapped[1]["external_port"]
        assert "held" in gateway.run("list").stdout
        kept.send_signal(signal.SIGTERM)
        out, _ = kept.communicate(timeout=TIMEOUT)
        assert kept.returncode == 0
        events = [json.loads(line)["event"] for line in out.splitlines()]
        assert [e for e in events if e not in ("gateway", "address")] == ["removed"] * 2, events
        assert gateway.json("list") == {"mappings": []}


def test_keep_ends_within_two_seconds_when_the_gateway_died():
    with Gateway() as gateway:
        kept = gateway.start("keep", "7000")
        assert "held" in kept.stdout.readline()
        gateway.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        kept.send_signal(signal.SIGINT)
        out, _ = kept.communicate(timeout=TIMEOUT)
        assert time.monotonic() - began < 2.3
        gateway.process.send_signal(signal.SIGCONT)
        assert kept.returncode == 4 and "not removed" in out, out
        assert gateway.run("remove", "--all").returncode == 0


def test_port_file_and_hook_follow_the_mapping():
    with Gateway() as gateway:
        path = os.path.join(gateway.folder, "port")
        told = os.path.join(gateway.folder, "told")
        kept = gateway.start("keep", "any:7000", "--name", "torrent", "--port-file", path,
                             "--on-change",
                             f"echo $TENFORWARD_EVENT $TENFORWARD_NAME $TENFORWARD_EXTERNAL_PORT "
                             f">> {told}; echo told")
        port = re.search(r"203\.0\.113\.7:(\d+)/tcp", kept.stdout.readline())[1]
        assert kept.stderr.readline() == "told\n"
        with open(path, encoding="utf-8") as file:
            assert file.read() == port + "\n"
        kept.send_signal(signal.SIGTERM)
        kept.communicate(timeout=TIMEOUT)
        with open(told, encoding="utf-8") as file:
            assert file.read().splitlines() == [f"{event} torrent {port}"
                                                for event in ("mapped", "removed")]
        assert not os.path.exists(path)


def test_run_gives_the_port_to_the_command_and_its_status_back():
    with Gateway() as gateway:
        done = gateway.run("run", "any:7000", "--", "sh", "-c",
                           "echo {external_address} $TENFORWARD_EXTERNAL_PORT \"$1\"; exit 3",
                           "x", "{external_port}")
        assert done.returncode == 3
        address, first, second = done.stdout.split()
        assert address == "203.0.113.7" and first == second and int(first) > 0
        assert gateway.json("list") == {"mappings": []}
        assert gateway.run("run", "666", "--", "true").returncode == 6


def test_monitor_tells_what_other_runs_do():
    with Gateway() as gateway:
        monitor = gateway.start("--json", "monitor")
        told = read_until(monitor, "address")
        assert told["external_address"] == "203.0.113.7", told
        made = gateway.json("add", "7000")["mappings"][0]
        told = read_until(monitor, "mapped")
        assert told["mapping"] == made, (told, made)
        assert gateway.run("remove", "7000").returncode == 0
        told = read_until(monitor, "removed")
        assert told["mapping"]["id"] == made["id"]
        monitor.send_signal(signal.SIGTERM)
        monitor.communicate(timeout=TIMEOUT)
        assert monitor.returncode == 0


def test_raw_shows_every_kind_of_request_with_its_answer():
    with Gateway() as gateway:
        for words in (["natpmp-address"], ["natpmp-map", "80"], ["pcp-announce"],
                      ["pcp-map", "80/udp", "--nonce", "00" * 12], ["hex", "0000"],
                      ["pcp-peer", "80", "--remote", "198.51.100.7:443"]):
            shown = gateway.json("raw", *words)
            assert shown["gateway"] == "127.0.0.1" and shown["error"] is None, shown
            assert bytes.fromhex(shown["answer"]["hex"]) and shown["answer"]["fields"]
        done = gateway.run("raw", "hex", "00 00")
        assert done.returncode == 0 and "00 80 00 00" in done.stdout


def test_closed_and_full_outputs_are_failures():
    with Gateway() as gateway:
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(gateway.words("status"), stdout=full, stderr=subprocess.PIPE,
                                  env=gateway.environment(), timeout=TIMEOUT, check=False)
        assert done.returncode == 1 and b"cannot write" in done.stderr
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(gateway.words("list", "--json"), stdout=writing,
                              stderr=subprocess.PIPE, env=gateway.environment(), timeout=TIMEOUT,
                              check=False)
        os.close(writing)
        assert done.returncode == 1


def complete(shell, script):
    done = subprocess.run([COMMAND, "completion", shell], capture_output=True, text=True,
                          check=True)
    return subprocess.run([shell, *script(done.stdout)], capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)


class Skip(Exception):
    """The machine cannot do what this test needs."""


def test_completion_scripts_work_in_their_shells():
    missing = [shell for shell in ("bash", "zsh", "fish") if shutil.which(shell) is None]
    if shutil.which("bash"):
        done = complete("bash", lambda text: ["-c", text + """
COMP_WORDS=(tenforward mon); COMP_CWORD=1; _tenforward; echo "${COMPREPLY[@]}"
COMP_WORDS=(tenforward keep --on); COMP_CWORD=2; _tenforward; echo "${COMPREPLY[@]}"
COMP_WORDS=(tenforward --method nat); COMP_CWORD=2; _tenforward; echo "${COMPREPLY[@]}"
"""])
        assert done.stdout.split() == ["monitor", "--on-change", "natpmp"], done
    if shutil.which("zsh"):
        done = complete("zsh", lambda text: ["-n", "-c", text])
        assert done.returncode == 0 and done.stderr == "", done
    if shutil.which("fish"):
        done = complete("fish", lambda text: ["-c", text + "complete -C 'tenforward mon'"])
        assert done.returncode == 0 and done.stdout.startswith("monitor"), done
    if missing:
        raise Skip(f"not installed: {', '.join(missing)}")


def test_without_a_network_there_is_no_gateway():
    words = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run(words + ["true"], capture_output=True, check=False).returncode != 0:
        raise Skip("network namespaces are not allowed here")
    for verb in (["status"], ["discover"], ["add", "80"], ["--json", "status"]):
        done = subprocess.run(words + [COMMAND, *verb], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False,
                              env=dict(os.environ, XDG_STATE_HOME="/nonexistent"))
        assert done.returncode == 3, (verb, done)


def main():
    tests = [(name, value) for name, value in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} {name}")
        except Skip as reason:
            print(f"ok {number} {name} # SKIP {reason}")
        except Exception:  # pylint: disable=broad-except
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} {name}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

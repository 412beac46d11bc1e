# SPDX-License-Identifier: MIT
"""Programs under test: those that run to their end, and those that stay and
are watched line by line.

Nothing here sleeps. Waiting is for a line, an end or an answer, and patience
is what a slow machine with sanitizers needs many times over: to run out of it
is a failure, never a way to go on."""
import collections
import contextlib
import json
import os
import signal
import subprocess
import threading
import time

PATIENCE_S = 30

Result = collections.namedtuple("Result", "status out err seconds")


class Program:
    """A program that stays. Its lines are kept as they come, both streams in
    one list; leaving the `with` block kills it."""

    def __init__(self, argv, env=None, inside=None, pass_fds=()):
        self.argv = argv
        self.lines = []
        self.news = threading.Condition()
        with inside or contextlib.nullcontext():
            self.process = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, pass_fds=pass_fds)
        self.readers = [threading.Thread(target=self._read, args=(stream,), daemon=True)
                        for stream in (self.process.stdout, self.process.stderr)]
        for reader in self.readers:
            reader.start()

    def _read(self, stream):
        for line in stream:
            with self.news:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def transcript(self):
        return f"{' '.join(self.argv)} said:\n" + "\n".join(self.lines)

    def _ended(self):
        return not any(reader.is_alive() for reader in self.readers)

    def wait_line(self, is_it, after=0, patience_s=PATIENCE_S):
        """Number of the first line from `after` on that is_it(line)."""
        deadline = time.monotonic() + patience_s
        with self.news:
            while True:
                for number in range(after, len(self.lines)):
                    if is_it(self.lines[number]):
                        return number
                after = len(self.lines)
                left = deadline - time.monotonic()
                if left <= 0 or (self._ended() and after == len(self.lines)):
                    raise AssertionError(f"waited in vain: {self.transcript()}")
                # The end of a stream wakes us up just before its reader ends.
                self.news.wait(min(left, 0.5))

    def wait_text(self, text, after=0):
        return self.wait_line(lambda line: text in line, after)

    def wait_event(self, kind, after=0):
        """(object, number of its line) of the first JSON event of this kind."""
        def is_it(line):
            return line.startswith("{") and json.loads(line).get("event") == kind
        number = self.wait_line(is_it, after)
        return json.loads(self.lines[number]), number

    def send(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Exit status, with all lines read."""
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not end: {self.transcript()}") from None
        self._close()
        return status

    def end(self, number=signal.SIGTERM):
        self.send(number)
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self):
        for reader in self.readers:
            reader.join(PATIENCE_S)
            if reader.is_alive():  # its streams cannot even be closed then
                raise AssertionError(f"left a process behind: {self.transcript()}")
        self.process.stdout.close()
        self.process.stderr.close()


def finish(argv, env=None, inside=None, patience_s=PATIENCE_S):
    """Runs a program to its end: its exit status and what it printed."""
    start = time.monotonic()
    with inside or contextlib.nullcontext():
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"{' '.join(argv)} does not end: {out}{err}") from None
    return Result(process.returncode, out, err, time.monotonic() - start)


class Command:
    """`tenforward` as one user on one host has it."""

    def __init__(self, path, state, inside=None):
        os.makedirs(state, exist_ok=True)
        self.path = path
        self.inside = inside
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("XDG_", "TENFORWARD_"))}
        self.env = kept | {"XDG_STATE_HOME": state, "XDG_RUNTIME_DIR": state,
                           "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}

    def __call__(self, *words, status=0):
        """Runs it and expects this exit status."""
        result = finish([self.path, *words], self.env, self.inside)
        if result.status != status:
            raise AssertionError(f"tenforward {' '.join(words)}: wanted exit status {status}, "
                                 f"got {result.status}\n{result.out}{result.err}")
        return result

    def json(self, *words, status=0):
        return json.loads(self("--json", *words, status=status).out)

    def start(self, *words):
        return Program([self.path, *words], self.env, self.inside)


def daemon(path, config_path, config, env=None, inside=None):
    """A daemon of ours with this configuration, returned when it serves or has
    ended; what it told about its readiness is in its `ready`."""
    with open(config_path, "w", encoding="utf-8") as file:
        file.write(config)
    ready, tell = os.pipe()
    try:
        program = Program([path, "--config", config_path, "--ready-fd", str(tell)], env,
                          inside=inside, pass_fds=(tell,))
    finally:
        os.close(tell)
    with open(ready, encoding="utf-8") as lines:
        program.ready = lines.readline()
    return program


def gatewayd(path, config_path, config, inside=None):
    """tenforward-gatewayd, returned when it serves."""
    program = daemon(path, config_path, config, inside=inside)
    # Without any protocol there is nothing to listen on, and nothing said.
    if not program.ready and "Protocols=none" not in config:
        program.kill()
        raise AssertionError(program.transcript())
    return program

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds a running daemon against docs/openapi.yaml, and the file against itself.

usage: api.py OPENAPI.yaml [agent|gateway SOCKET]
       api.py OPENAPI.yaml --run TENFORWARDD
       api.py OPENAPI.yaml --run-gateway TENFORWARD-GATEWAYD

Every operation is asked for, with ids that do not exist and bodies that are
wrong; each answer's status must be documented, and its body be of its schema.
Then a mapping is made, changed, and removed again. With --run the agent is
started in a folder of its own, with a gateway on the loopback that is not there.
"""
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "checks"))

from schema import Book  # noqa: E402
from tap import Tap, expect  # noqa: E402

METHODS = ("get", "post", "put", "patch", "delete")
NOBODY = "m4294967295"  # an id that no mapping has
WISHES = {"agent": {"forward": "any:49152/tcp", "name": "api test"},
          "gateway": {"forward": "49152/both", "for": "127.0.0.9", "name": "api test"}}


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, path, method, target, body=None):
        connection = Connection(path)
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        connection.request(method.upper(), target, text)
        answer = connection.getresponse()
        self.status = answer.status
        self.allow = answer.getheader("Allow", "")
        self.type = answer.getheader("Content-Type", "").split(";")[0]
        self.text = b"" if self.type == "text/event-stream" else answer.read()
        connection.close()

    def json(self):
        return json.loads(self.text)


def operations(book):
    for path, item in book.document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def judge_answer(book, operation, answer):
    """Whether the status is documented and the body of the schema that goes with it."""
    responses = operation["responses"]
    if str(answer.status) not in responses:
        return [f"status {answer.status} is not documented: {answer.text[:200]!r}"]
    content = book.resolve(responses[str(answer.status)]).get("content")
    if content is None:
        return [f"a body came: {answer.text[:80]!r}"] if answer.text else []
    if answer.type not in content:
        return [f"content type {answer.type!r}, none of {list(content)}"]
    if answer.type != "application/json":
        return []
    return book.judge(answer.json(), content[answer.type]["schema"])


def judge_failure(book, answer, status):
    problems = expect("status", answer.status, status)
    if not problems:
        problems = book.judge(answer.json(), {"$ref": "#/components/schemas/Failure"})
    return problems


# ---- A running daemon -----------------------------------------------------------

def check_operation(book, path, socket_path, method, operation):
    """With an id that is not there, and with nothing where a body is needed."""
    target = path.replace("{id}", NOBODY)
    needs_body = "requestBody" in operation
    answer = Answer(socket_path, method, target, {"name": "x"} if needs_body else None)
    problems = judge_answer(book, operation, answer)
    if "{id}" in path:
        problems += expect(f"{method} of an unknown id", answer.status, 404)
    if needs_body and "{id}" not in path:
        broken = Answer(socket_path, method, target, "{")
        problems += judge_failure(book, broken, 400)
    if method == "get":
        head = Answer(socket_path, "head", target)
        problems += expect("status of HEAD", head.status, answer.status)
        problems += expect("body of HEAD", head.text, b"")
    return problems


def check_allow(path, item, socket_path, daemon):
    served = {m.upper() for m in METHODS if daemon in item.get(m, {}).get("x-daemons", ())}
    answer = Answer(socket_path, "options", path.replace("{id}", NOBODY))
    if not served:
        return expect("status", answer.status, 404)
    served |= {"HEAD"} if "GET" in served else set()
    return (expect("status of OPTIONS", answer.status, 405) +
            expect("Allow", set(answer.allow.split(", ")), served))


def check_life(book, daemon, socket_path):
    """A mapping from its making to its end."""
    paths = book.document["paths"]
    one = paths["/v1/mappings/{id}"]
    made = Answer(socket_path, "post", "/v1/mappings", WISHES[daemon])
    problems = judge_answer(book, paths["/v1/mappings"]["post"], made)
    problems += expect("status of the making", made.status, 201)
    if problems:
        return problems
    target = "/v1/mappings/" + made.json()["mappings"][0]["id"]
    for method, body in (("get", None), ("patch", {"name": "another"}), ("delete", None)):
        if daemon not in one.get(method, {}).get("x-daemons", ()):
            continue
        answer = Answer(socket_path, method, target, body)
        problems += judge_answer(book, one[method], answer)
        problems += expect(method, answer.status, 200)
    return problems


def check_daemon(tap, book, daemon, socket_path):
    for path, method, operation in operations(book):
        if daemon in operation["x-daemons"]:
            tap.case(f"{method}_{path}_answers_as_documented",
                     check_operation(book, path, socket_path, method, operation))
    for path, item in book.document["paths"].items():
        tap.case(f"{path}_takes_the_documented_methods_alone",
                 check_allow(path, item, socket_path, daemon))
    tap.case("an_unknown_path_is_not_found",
             judge_failure(book, Answer(socket_path, "get", "/v1/nothing"), 404))
    tap.case("a_mapping_is_made_changed_and_removed", check_life(book, daemon, socket_path))


CONFIGS = {
    "agent": "[Agent]\nSocket={path}\nState={folder}/state\nGateway=127.0.0.1\n",
    "gateway": "[Gateway]\nBackend=memory\nListen=127.0.0.1:0\nSocket={path}\nState={folder}/state\n[Rule]\nAction=allow\n",
}


@contextlib.contextmanager
def running(daemon, program):
    """The socket of a daemon that serves, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tenforward-api-") as folder:
        os.chmod(folder, 0o755)  # started as root, a gateway becomes somebody else
        config, path = os.path.join(folder, "our.conf"), os.path.join(folder, "run/our.sock")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIGS[daemon].format(path=path, folder=folder))
        ready, told = os.pipe()
        process = subprocess.Popen([program, "--config", config, "--ready-fd", str(told)],
                                   pass_fds=[told], stderr=subprocess.DEVNULL)
        os.close(told)
        try:
            os.read(ready, 1)  # a line when it serves, the end when it could not
            yield path
        finally:
            os.close(ready)
            process.terminate()
            process.wait(timeout=10)


# ---- The file itself ------------------------------------------------------------

MAPPING = {"id": "m1", "name": None, "protocol": "tcp", "internal_address": "192.168.1.20",
           "internal_port": 8080, "external_address": None, "external_port": 80,
           "requested_external_port": None, "lifetime": 7200,
           "expires_at": "2026-11-22T07:00:00Z", "renews_at": None, "state": "mapped",
           "method": "pcp", "gateway": "192.168.1.1", "source": "agent", "error": None}

WRONG = (({"protocol": "both"}, "body.protocol is 'both'"),
         ({"internal_port": 0}, "body.internal_port is 0"),
         ({"internal_port": True}, "body.internal_port is True"),
         ({"state": None}, "body.state is null"),
         ({"expires_at": "soon"}, "body.expires_at is 'soon'"),
         ({"error": {"code": "refused"}}, "body.error.result is missing"),
         ({"lifetime": "2h"}, "body.lifetime is '2h'"))


def self_test(book):
    schema = {"$ref": "#/components/schemas/Mapping"}
    problems = book.judge(MAPPING, schema)
    problems += book.judge(dict(MAPPING, unknown=1), schema)
    for change, sentence in WRONG:
        found = book.judge(dict(MAPPING, **change), schema)
        if not any(p.startswith(sentence) for p in found):
            problems.append(f"not caught: {change}: {found}")
    missing = {key: MAPPING[key] for key in MAPPING if key != "id"}
    problems += expect("a key is missing", book.judge(missing, schema), ["body.id is missing"])
    return problems


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from references(part)


def unresolved(book):
    problems = []
    for node in references(book.document):
        try:
            book.resolve(node)
        except KeyError:
            problems.append(f"{node['$ref']} leads nowhere")
    return problems


def incomplete(book):
    problems = []
    for path, method, operation in operations(book):
        if not operation.get("summary") or not operation.get("x-daemons"):
            problems.append(f"{method} {path}: summary and x-daemons are needed")
        if not any(status.startswith("2") for status in operation.get("responses", ())):
            problems.append(f"{method} {path}: no status of success")
        if "{id}" in path and "404" not in operation["responses"]:
            problems.append(f"{method} {path}: an unknown id is not documented")
    return problems


def main():
    tap = Tap()
    try:
        import yaml  # Debian: python3-yaml
    except ImportError:
        tap.skip("the_control_api_is_as_documented", "python3-yaml is not installed")
        return tap.done()
    with open(sys.argv[1], encoding="utf-8") as file:
        book = Book(yaml.safe_load(file))
    tap.case("what_does_not_fit_a_schema_is_caught", self_test(book))
    tap.case("every_reference_leads_somewhere", unresolved(book))
    tap.case("every_operation_is_documented_whole", incomplete(book))
    runs = {"--run": "agent", "--run-gateway": "gateway"}
    if len(sys.argv) > 3 and sys.argv[2] in runs:
        with running(runs[sys.argv[2]], sys.argv[3]) as socket_path:
            check_daemon(tap, book, runs[sys.argv[2]], socket_path)
    elif len(sys.argv) > 3:
        check_daemon(tap, book, sys.argv[2], sys.argv[3])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the one-way order of the rooms: who may include what, and what no room
below the edge may call. With --objects BUILD it looks at the compiled code too,
which cannot be talked round by a macro: symbols a room needs, and data it could
write to.

The tables below are the whole rule. A room that needs more is the wrong room
for that code, or a small type belongs in a lower one.
"""
import argparse
import os
import re
import subprocess
import sys

import source
from tap import Tap, expect

# Rooms each room may include besides itself.
MAY_INCLUDE = {
    "base": (),
    "wire": ("base",),
    "core": ("wire", "base"),
    "keeper": ("core", "wire", "base"),
    "net": ("base",),
    "igd": ("base",),
    "lib": ("core", "keeper", "wire", "net", "igd", "base"),
    "control": ("files", "base"),
    "database": ("base",),
    "files": ("base",),
    "hops": ("base",),
    "hooks": ("base",),
    "service": ("base",),
    "agent": ("control", "database", "files", "hooks", "hops", "service", "base"),
    "gateway": ("wire", "base"),
    "gateway-edge": ("gateway", "wire", "base", "net", "control", "database",
                     "hooks", "service"),
    "host": ("hops", "base"),
    "cli": ("control", "files", "hops", "host", "base"),
    "quick": ("cli", "control", "files", "base"),
}

# The public API is for those who could be somebody else's program; control and hooks use
# its structs and constants alone, and links none of it.
MAY_USE_PUBLIC_API = ("lib", "cli", "agent", "control", "hooks", "hops")

# The gateway's pure files, by the first word of their name; its others are edge.
GATEWAY_PURE = ("responder", "policy", "ledger", "ports", "announcer", "faults", "pending",
                "peers")

# Rooms below the edge: no clock, no socket, no file, no printing, no chance of
# their own, no allocator but the one they are handed.
PURE = ("base", "wire", "core", "keeper", "gateway")
PURE_HEADERS = ("assert.h", "limits.h", "stdalign.h", "stdbool.h", "stddef.h", "stdint.h",
                "string.h")
PURE_HEADERS_OF_FILE = {
    "src/base/address.c": ("arpa/inet.h",),  # inet_pton and inet_ntop
    "src/base/memory.c": ("stdlib.h",),  # realloc behind tenf_memory_libc
}
ALLOCATORS = ("malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup")
PURE_FORBIDDEN = ALLOCATORS + (
    "rand", "random", "srand", "getrandom", "getentropy", "time", "clock", "clock_gettime",
    "gettimeofday", "localtime", "gmtime", "printf", "fprintf", "sprintf", "snprintf", "vsnprintf",
    "puts", "exit", "_exit", "abort", "getenv", "strtok", "strerror")

# Rooms of the library: they never print, never exit, and leave the process as it is.
LIBRARY = ("base", "wire", "core", "keeper", "net", "igd", "lib")
LIBRARY_FORBIDDEN = ("printf", "vprintf", "puts", "putchar", "perror", "err", "errx", "warn",
                     "warnx", "exit", "_exit", "abort", "syslog", "signal", "sigaction", "setlocale",
                     "setenv", "putenv", "chdir", "umask", "fork", "system", "popen")
LIBRARY_FORBIDDEN_WORDS = ("stdout", "stderr")
LIBRARY_EXCEPTIONS = {
    "src/net/clock.c": ("abort",),  # a kernel without random numbers: no safe way on
}

# What the compiled code of a pure room may need from the C library.
PURE_SYMBOLS = re.compile(
    r"^(tenf_\w+|bcmp|mem(cpy|move|set|cmp|chr)|str(len|n?cmp|n?cpy|n?len|r?chr|n?cat|str|spn|cspn)"
    r"|__(memcpy|memmove|memset|str\w+)_chk|__stack_chk_fail|__assert_fail"
    r"|_GLOBAL_OFFSET_TABLE_|__gcov\w*|_GLOBAL__\w+)$")
PURE_SYMBOLS_OF_FILE = {
    "src/base/address.c": ("inet_pton", "inet_ntop"),
    "src/base/memory.c": ("realloc", "free"),
}


def room_of(name):
    """The room of a file under src/: its folder, the gateway cut in two."""
    parts = name.split("/")
    if len(parts) < 3 or parts[0] != "src":
        return None
    if parts[1] != "gateway":
        return parts[1]
    stem = os.path.splitext(parts[2])[0]
    is_pure = len(parts) == 3 and stem.split("-")[0] in GATEWAY_PURE
    return "gateway" if is_pure else "gateway-edge"


def calls(code, names):
    """Which of the names the code calls; a member of a struct is not a call."""
    for match in re.finditer(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(", code):
        yield match.group(1), code.count("\n", 0, match.start()) + 1


def judge_quoted(room, target):
    parts = target.split("/")
    if len(parts) < 2:
        return f"includes \"{target}\": write its folder too"
    other = room_of("src/" + target)
    if other != room and other not in MAY_INCLUDE[room]:
        return f"includes \"{target}\", which {room} may not see"
    return None


def judge_angled(name, room, target):
    if target == "tenforward/types.h":
        return None
    if target.startswith("tenforward/"):
        return None if room in MAY_USE_PUBLIC_API else f"includes <{target}>: public API alone"
    if room in PURE and target not in PURE_HEADERS + PURE_HEADERS_OF_FILE.get(name, ()):
        return f"includes <{target}>, which nothing below the edge may"
    return None


def judge(name, text):
    """What a source file breaks, one sentence each."""
    room = room_of(name)
    if room not in MAY_INCLUDE:
        return [f"{name}: no room of this name is known to tests/checks/layers.py"]
    problems = []
    for mark, target in source.includes(text):
        found = (judge_quoted(room, target) if mark == '"' else judge_angled(name, room, target))
        if found:
            problems.append(f"{name}: {found}")
    code = source.bare(text)
    forbidden = ()
    if room in PURE and name not in PURE_SYMBOLS_OF_FILE:
        forbidden += PURE_FORBIDDEN
    if room in LIBRARY:
        forbidden += LIBRARY_FORBIDDEN
    if forbidden:
        problems += [f"{name}:{line}: calls {call}()" for call, line in calls(code, forbidden)
                     if call not in LIBRARY_EXCEPTIONS.get(name, ())]
    if room in LIBRARY:
        problems += [f"{name}: uses {word}" for word in LIBRARY_FORBIDDEN_WORDS
                     if re.search(rf"\b{word}\b", code)]
    return problems


# Each breaks one rule, and the sentence that must come of it.
VIOLATIONS = (
    ("src/wire/x.c", '#include "core/client.h"\n', "wire may not see"),
    ("src/base/x.c", '#include "wire/pcp.h"\n', "base may not see"),
    ("src/core/x.h", '#include "keeper/keeper.h"\n', "core may not see"),
    ("src/net/x.c", '#include "wire/pcp.h"\n', "net may not see"),
    ("src/cli/x.c", '#include "core/client.h"\n', "cli may not see"),
    ("src/host/x.c", '#include "net/udp.h"\n', "host may not see"),
    ("src/agent/x.c", '#include "host/host.h"\n', "agent may not see"),
    ("src/agent/x.c", '#include "lib/private.h"\n', "agent may not see"),
    ("src/gateway/ledger-batch.c", '#include "net/udp.h"\n', "gateway may not see"),
    ("src/gateway/responder.c", '#include "gateway/main.h"\n', "gateway may not see"),
    ("src/gateway/serve.c", '#include "core/client.h"\n', "gateway-edge may not see"),
    ("src/core/x.c", '#include "client.h"\n', "write its folder"),
    ("src/core/x.c", "#  include <time.h>\n", "nothing below the edge"),
    ("src/wire/x.c", "#include <stdio.h>\n", "nothing below the edge"),
    ("src/keeper/x.c", "#include <sys/socket.h>\n", "nothing below the edge"),
    ("src/base/text.c", "#include <stdlib.h>\n", "nothing below the edge"),
    ("src/core/x.c", "#include <tenforward/tenforward.h>\n", "public API"),
    ("src/gateway/main.c", "#include <tenforward/tenforward.h>\n", "public API"),
    ("src/core/x.c", "p = malloc(4);\n", "calls malloc()"),
    ("src/keeper/x.c", "now = time (NULL);\n", "calls time()"),
    ("src/gateway/policy.c", "\nx = rand();\n", "policy.c:2: calls rand()"),
    ("src/net/x.c", "printf(hello);\n", "calls printf()"),
    ("src/lib/x.c", "fputs(hello, stderr);\n", "uses stderr"),
    ("src/attic/x.c", "\n", "no room of this name"),
)

# Nothing of these is wrong.
INNOCENT = (
    ("src/wire/x.c", '#include "wire/pcp.h"\n#include "base/bytes.h"\n#include <string.h>\n'),
    ("src/core/x.c", "/* not printf(), nor #include <time.h> */ const char *s = \"exit(1)\";\n"),
    ("src/base/x.c", "memory->resize(c, p, 0); m.free(p); tenf_random_fill(r); my_time(1);\n"),
    ("src/base/memory.c", "#include <stdlib.h>\nfree(old);\n"),
    ("src/cli/x.c", "#include <stdio.h>\n#include <tenforward/tenforward.h>\nprintf(hello);\n"),
    ("src/gateway/main.c", '#include "gateway/ledger.h"\n#include "net/udp.h"\nexit(1);\n'),
    ("src/gateway/backend/memory.c", '#include "gateway/backend/memory.h"\nfree(p);\n'),
    ("src/net/x.c", "#include <unistd.h>\nclose(fd); free(p);\n"),
)


def self_test():
    problems = []
    for name, text, sentence in VIOLATIONS:
        found = judge(name, text)
        if not any(sentence in problem for problem in found):
            problems.append(f"not caught: {name}: {text.strip()}: {found}")
    for name, text in INNOCENT:
        problems += expect(f"{name}: {text.strip()}", judge(name, text), [])
    return problems


def objects_of(build):
    """(source name, object path) of each compiled file of the rooms."""
    for folder, _, files in os.walk(os.path.join(build, "src")):
        for file in files:
            if file.endswith(".c.o"):
                room = os.path.relpath(folder, build).split("/")[:2]
                yield "/".join(room + [file[:-2]]), os.path.join(folder, file)


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed_symbols(path):
    return [line.split()[-1] for line in output_of("nm", "-u", path).splitlines() if line.strip()]


def writable_bytes(path):
    """Size of the data an object could write to; constant pointers that need
    relocation (.data.rel.ro) are made read-only before main."""
    total = 0
    for line in output_of("size", "-A", path).splitlines():
        words = line.split()
        if words and re.match(r"^\.(data|bss|tdata|tbss)(\.|$)", words[0]) and \
                not words[0].startswith(".data.rel.ro"):
            total += int(words[1])
    return total


def judge_object(name, path, own):
    room = room_of(name)
    problems = []
    symbols = needed_symbols(path)
    if room in PURE:
        allowed = PURE_SYMBOLS_OF_FILE.get(name, ())
        problems += [f"{name}: needs {s} of the system" for s in symbols
                     if not PURE_SYMBOLS.match(s) and s not in allowed and s not in own]
    if room in LIBRARY:
        forbidden = LIBRARY_FORBIDDEN + LIBRARY_FORBIDDEN_WORDS
        problems += [f"{name}: needs {s}, which a library does not use" for s in symbols
                     if s in forbidden and s not in LIBRARY_EXCEPTIONS.get(name, ())]
        if writable_bytes(path):
            problems.append(f"{name}: has {writable_bytes(path)} octets of global state")
    return problems


def own_symbols(objects):
    """What our own pure objects define: calls between them are no business of
    the system's."""
    own = set()
    for name, path in objects:
        if room_of(name) in PURE:
            own |= {line.split()[-1] for line in
                    output_of("nm", "--defined-only", "-g", path).splitlines() if line.strip()}
    return own


def check_objects(tap, build):
    objects = sorted(objects_of(build))
    own = own_symbols(objects)
    tap.case("objects_of_the_lower_rooms_are_there",
             [] if any(room_of(name) == "base" for name, _ in objects) else [f"none in {build}"])
    for room in MAY_INCLUDE:
        mine = [(name, path) for name, path in objects if room_of(name) == room]
        if mine and (room in PURE or room in LIBRARY):
            problems = [p for name, path in mine for p in judge_object(name, path, own)]
            tap.case(f"compiled_{room}_needs_only_what_it_may", problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", metavar="BUILD", help="look at the objects of this build too")
    arguments = parser.parse_args()
    tap = Tap()
    tap.case("a_file_that_breaks_the_order_is_caught", self_test())
    files = [name for name in source.tracked(".c", ".h") if room_of(name)]
    for room in MAY_INCLUDE:
        mine = [name for name in files if room_of(name) == room]
        if mine:
            tap.case(f"{room}_includes_and_calls_only_what_it_may",
                     [p for name in mine for p in judge(name, source.read(name))])
    tap.case("every_folder_of_src_is_a_room_with_rules",
             [f"{name}: unknown room" for name in files if room_of(name) not in MAY_INCLUDE])
    if arguments.objects:
        check_objects(tap, arguments.objects)
    tap.done()


if __name__ == "__main__":
    sys.exit(main())

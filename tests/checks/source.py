# SPDX-License-Identifier: MIT
"""Reading the project's own sources: which files there are, C without its
comments and strings, and where functions begin and end."""
import os
import re
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))

TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)[>\"]", re.MULTILINE)


def tracked(*suffixes):
    """Paths of the project's files from its root, sorted. Without git (a
    released archive) every file outside build directories."""
    try:
        listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                                  "--exclude-standard"],
                                 check=True, capture_output=True).stdout.decode().split("\0")
        names = [name for name in listing if name]
    except (OSError, subprocess.CalledProcessError):
        names = walk()
    return sorted(name for name in names
                  if name.endswith(suffixes or "") and os.path.isfile(os.path.join(ROOT, name)))


def walk():
    names = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(("build", ".git", "__pycache__"))]
        names += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files]
    return names


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def bare(text):
    """C without what stands in comments and literals; lines stay lines."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] * 2
        return "\n" * token.count("\n") or " "
    return TOKEN.sub(blank, text)


def includes(text):
    """The includes of C text: ("<", "string.h") or ('"', "base/text.h")."""
    return INCLUDE.findall(re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL))


def functions(text):
    """(first line, length) of each function, by the braces in column one."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start + 1
            start = None

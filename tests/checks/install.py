#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is installed works for somebody who has nothing but that: installs into
an empty directory, finds the library there by pkg-config, and builds and runs
programs with it, shared, static and as C++.

    install.py BUILD
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Tap, expect

# Names of an unrelated application: never ours.
FOREIGN = re.compile(r"(^|/)(ten-forward|fr\.sgued\.ten_forward)([./]|$)")
PUBLIC_HEADERS = ["tenforward.h", "types.h"]

PROGRAM = """
#include <tenforward/tenforward.h>
#include <string.h>

int main(void)
{
	return strcmp(tenf_version(), VERSION) != 0 || strcmp(tenf_status_text(TENF_OK), "") == 0;
}
"""


def run(command, **keywords):
    done = subprocess.run(command, capture_output=True, text=True, **keywords)
    if done.returncode == 0:
        return []
    return [f"{' '.join(command)}: status {done.returncode}"] + \
        (done.stdout + done.stderr).splitlines()[-8:]


class Installed:
    def __init__(self, build, root):
        self.build = build
        self.root = root
        self.problems = run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", root])
        self.files = sorted(os.path.relpath(os.path.join(folder, name), root)
                            for folder, _, names in os.walk(root) for name in names)

    def folder_of(self, name):
        for path in self.files:
            if os.path.basename(path) == name:
                return os.path.join(self.root, os.path.dirname(path))
        return None

    def pkg_config(self, *words):
        environment = dict(os.environ, PKG_CONFIG_PATH=self.folder_of("tenforward.pc") or "",
                           PKG_CONFIG_SYSROOT_DIR=self.root)
        return subprocess.run(["pkg-config", *words, "tenforward"], env=environment, check=True,
                              capture_output=True, text=True).stdout.split()

    def try_program(self, compiler, libraries, environment=None):
        """Problems of building PROGRAM in an empty directory, and running it."""
        version = self.pkg_config("--modversion")[0]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.c")
            with open(path, "w", encoding="utf-8") as file:
                file.write(PROGRAM)
            binary = os.path.join(folder, "program")
            command = compiler + [f'-DVERSION="{version}"', "-Wall", "-Wextra", "-Werror",
                                  *self.pkg_config("--cflags"), path, "-o", binary, *libraries]
            return run(command) or run([binary], env=dict(os.environ, **(environment or {})))


def check_library(tap, installed):
    folder = installed.folder_of("libtenforward.so")
    if folder is None or installed.folder_of("tenforward.pc") is None:
        tap.case("library_and_pkg_config_file_are_installed", ["not among the installed files"])
        return
    headers = sorted(os.path.basename(path) for path in installed.files
                     if "/include/" in "/" + path)
    tap.case("library_and_pkg_config_file_are_installed", [])
    tap.case("public_headers_alone_are_installed", expect("headers", headers, PUBLIC_HEADERS))
    tap.case("a_program_links_with_the_shared_library",
             installed.try_program(["gcc", "-std=c99"], installed.pkg_config("--libs"),
                                   {"LD_LIBRARY_PATH": folder}))
    static = [os.path.join(folder, "libtenforward.a")] + \
        [word for word in installed.pkg_config("--libs", "--static")
         if word.startswith("-l") and word != "-ltenforward"]
    tap.case("a_program_links_with_the_static_library",
             installed.try_program(["gcc", "-std=c17"], static))
    if shutil.which("clang++"):
        tap.case("a_cxx_program_links_too",
                 installed.try_program(["clang++", "-x", "c++", "-std=c++11", "-Wno-deprecated"],
                                       ["-x", "none", *installed.pkg_config("--libs")],
                                       {"LD_LIBRARY_PATH": folder}))
    else:
        tap.skip("a_cxx_program_links_too", "clang++ is not installed")


def main():
    build = sys.argv[1]
    tap = Tap()
    with tempfile.TemporaryDirectory() as root:
        installed = Installed(build, root)
        tap.case("everything_installs_below_destdir",
                 installed.problems or ([] if installed.files else ["nothing was installed"]))
        tap.case("no_name_of_the_other_ten_forward_is_taken",
                 [path for path in installed.files if FOREIGN.search(path)] +
                 expect("self-test", bool(FOREIGN.search("usr/bin/ten-forward")), True))
        check_library(tap, installed)
    tap.done()


if __name__ == "__main__":
    main()

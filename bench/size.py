# SPDX-License-Identifier: MIT
"""The shared library, stripped, against the others of its kind."""
import glob
import os
import shutil

from world import Missing, need, run

# Not a Debian package; as its own build makes it.
LIBPLUM = "72,216 quoted"
LIBNATPMP = "14,360 quoted"

# The library alone, without UPnP, and in the two ways it is built: as `make` does and as
# distributed.
PARTS_OFF = ("-Digd=disabled", "-Dcli=disabled", "-Dgateway=disabled", "-Dexamples=disabled", "-Dman=disabled",
             "-Dtests=false")


def stripped(world, path):
    need("strip")
    out = world.path("stripped.so")
    run("strip", "-o", out, path)
    return os.path.getsize(out)


def libnatpmp(world):
    for path in glob.glob("/usr/lib/*/libnatpmp.so.1"):
        return stripped(world, path)
    return LIBNATPMP


def build(world, buildtype):
    need("meson", "ninja")
    folder = world.path(f"build-{buildtype}")
    run("meson", "setup", folder, f"--buildtype={buildtype}", *PARTS_OFF)
    run("ninja", "-C", folder, "src/lib/libtenforward.so.0.1.0")
    found = stripped(world, os.path.join(folder, "src/lib/libtenforward.so.0.1.0"))
    shutil.rmtree(folder)
    return found


def measure(world, table, _):
    for buildtype in ("debugoptimized", "release"):
        for peer in ("libplum", "libnatpmp"):
            what = f"libtenforward.so, stripped, {buildtype}, octets ({peer})"
            if not table.wants(what):
                continue
            try:
                table.add(what, LIBPLUM if peer == "libplum" else libnatpmp(world),
                          build(world, buildtype), at_most=65536)
            except Missing as why:
                table.skip(what, str(why))

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the library alone with musl, links a program with it statically and
# runs that: the portable rooms must not lean on glibc. Prints TAP.
#
#   scripts/check-musl.sh BUILD-DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1

if ! command -v musl-gcc >/dev/null; then
	echo "1..0 # SKIP musl-gcc is not installed (musl-tools)"
	exit 0
fi

# result COMMAND...: one TAP line, the command's talk to stderr.
number=0 failed=0
result() {
	local title=$1
	shift
	number=$((number + 1))
	if "$@" >&2; then
		echo "ok $number - $title"
	else
		echo "not ok $number - $title"
		failed=1
	fi
}

build_library() {
	rm -rf "$build"
	CC=musl-gcc meson setup "$build" --werror -Dnetlink=disabled -Digd=disabled -Dcli=disabled \
		-Dgateway=disabled -Dcontrol=disabled -Dagent=disabled -Dexamples=disabled -Dman=disabled -Dtests=false &&
		ninja -C "$build" -j "${JOBS:-2}"
}

link_program() {
	cat >"$build/program.c" <<'C'
#include <tenforward/tenforward.h>
#include <string.h>

int main(void)
{
	return strcmp(tenf_version(), VERSION) != 0;
}
C
	musl-gcc -static -o "$build/program" -DVERSION="\"$(cat "$build/version")\"" -Iinclude \
		"$build/program.c" "$build/src/lib/libtenforward.a"
}

run_program() { "$build/program"; }

version_of_project() {
	meson introspect --projectinfo "$build" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])' >"$build/version"
}

result the_library_builds_with_musl build_library
if [ -f src/lib/tenforward.c ] || grep -q library src/lib/meson.build; then
	result a_static_program_links_with_it eval 'version_of_project && link_program'
	result the_static_program_runs run_program
fi
echo "1..$number"
exit "$failed"

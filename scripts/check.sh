#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds and runs all tests in two builds that complete each other, builds the
# library static with musl, and ends with one line: N passed, N failed, N skipped.
#
#   gcc    -O2, hardened, as distributed; warnings are errors
#   clang  AddressSanitizer and UndefinedBehaviorSanitizer, fuzz targets
#          replaying their corpus; warnings are errors
#
# WERROR= (empty) lets warnings pass, for compilers newer than ours.
set -uo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

werror=${WERROR---werror}
jobs=${JOBS:-$(nproc)}
logs=()

say() { printf '\n== %s\n' "$*"; }

# configure DIR OPTIONS...: as it is when already configured the same way.
configure() {
	local dir=$1
	shift
	if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/.configured" 2>/dev/null)" = "$*" ]; then
		return 0
	fi
	rm -rf "$dir"
	meson setup "$dir" $werror "$@" && echo "$*" >"$dir/.configured"
}

# build DIR OPTIONS...
build() {
	local dir=$1
	configure "$@" && ninja -C "$dir" -j "$jobs"
}

# run_tests NAME DIR BUILT; $only narrows down what is run. Twice as many at a time
# as there are cores: most tests of processes wait, for time or for each other.
run_tests() {
	local name=$1 dir=$2 built=$3
	if [ "$built" -ne 0 ]; then
		logs+=("$name=failed to build")
		return
	fi
	say "$name: test"
	rm -f "$dir/meson-logs/testlog.json"
	meson test -C "$dir" --no-rebuild --num-processes $((2 * jobs)) \
		--timeout-multiplier 4 $only
	logs+=("$name=$dir/meson-logs/testlog.json")
}

scripts/setup.sh build test || exit 1

say "gcc: build"
CC=gcc build build-gcc
built=$?

# The second build fills the pauses of the first one's tests, and gives way to them.
# Undefined symbols cannot be refused at link time there: the sanitizers' run-time
# part is in the executable alone. The tree itself is checked by the first.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(
	renice -n 19 "$BASHPID" >/dev/null
	CC=clang CC_LD=lld build build-clang \
		-Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 -Dfuzz=true
) >"$log" 2>&1 &
clang=$!

only=
run_tests gcc build-gcc $built
say "clang-sanitized: build"
wait $clang
built=$?
cat "$log"
only='--no-suite checks'
run_tests clang-sanitized build-clang $built

say "musl: static build of the library"
mkdir -p build-musl
JOBS=$jobs scripts/check-musl.sh build-musl/build >build-musl/check.tap 2>build-musl/check.err
logs+=("musl=build-musl/check.tap")

python3 scripts/summary.py "${logs[@]}"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs the tests in a build that counts, and prints lines and branches reached
# for each room.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build-coverage

if [ ! -f "$build/build.ninja" ]; then
	CC=gcc meson setup "$build" -Db_coverage=true -Doptimization=0
fi
ninja -C "$build" -j "${JOBS:-$(nproc)}"
find "$build" -name '*.gcda' -delete
meson test -C "$build" --no-rebuild --num-processes "${JOBS:-$(nproc)}" || true
gcovr --root . --filter 'src/' --exclude-throw-branches --json-summary "$build/coverage.json" \
	--html-details "$build/coverage.html" "$build" >/dev/null
python3 scripts/coverage.py "$build/coverage.json"
echo "Line by line: $build/coverage.html"

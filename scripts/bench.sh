#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Figures against other programs: builds what measures, enters namespaces of its
# own (network, mounts, processes; a user namespace too when not root), and runs
# bench/bench.py there. Nothing in there reaches any other network, and
# nothing of it is left when it ends. Options are passed on: see --help.
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILD=${BUILD:-build}
export PATH=$PATH:/usr/sbin:/sbin

ninja -C "$BUILD" bench-tools >/dev/null

spaces=(--mount --net --pid --fork --mount-proc --kill-child)
[ "$(id -u)" -eq 0 ] || spaces=(--user --map-root-user "${spaces[@]}")
if ! unshare "${spaces[@]}" true 2>/dev/null; then
	echo "bench: this kernel does not allow namespaces here; nothing was measured" >&2
	exit 1
fi
exec unshare "${spaces[@]}" python3 bench/bench.py "$@"

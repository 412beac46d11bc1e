#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Finds which Debian packages of scripts/packages.txt are missing for the
# purposes named, says which and why, and installs them. With --dry it only
# says so and fails. Does nothing when all is there.
#
#   scripts/setup.sh [--dry] PURPOSE...
set -euo pipefail
cd "$(dirname "$0")/.."

dry=false
if [ "${1:-}" = --dry ]; then
	dry=true
	shift
fi
wanted=" ${*:-build test} "

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints "package why" of each line that serves one of the purposes.
packages() {
	local package purposes why purpose
	while IFS='|' read -r package purposes why; do
		package=${package// /}
		case $package in '' | '#'*) continue ;; esac
		for purpose in $purposes; do
			if [[ $wanted == *" $purpose "* ]]; then
				echo "$package ${why# }"
				break
			fi
		done
	done <scripts/packages.txt
}

if ! command -v dpkg-query >/dev/null; then
	echo "setup: not a Debian system; these have to be there under their names here:" >&2
	packages | sed 's/^/  /' >&2
	exit 0
fi

missing=()
while read -r package why; do
	if ! installed "$package"; then
		[ ${#missing[@]} -gt 0 ] || echo "Missing for$wanted(Debian packages):"
		printf '  %-20s %s\n' "$package" "$why"
		missing+=("$package")
	fi
done < <(packages)
[ ${#missing[@]} -gt 0 ] || exit 0

if $dry; then
	echo "Install them with: make setup" >&2
	exit 1
fi

# RUNLEVEL=1 keeps packages from starting daemons: nothing here needs one.
as_root=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1)
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: not root and no sudo; as root run:" >&2
		echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo "${as_root[@]}")
fi

# Services that come with packages: Debian would start them now and at each boot,
# and the tests bring their own. Only of packages that are installed here.
services=()
for package in "${missing[@]}"; do
	case $package in
	transmission-daemon | deluged | deluge-web) services+=("$package.service") ;;
	miniupnpd-nftables) services+=(miniupnpd.service) ;;
	esac
done
command -v systemctl >/dev/null || services=()

# Masked while they are installed; then not enabled.
forbid_services() {
	[ ${#services[@]} -eq 0 ] ||
		"${as_root[@]}" systemctl --quiet --runtime mask "${services[@]}" || true
}
disable_services() {
	[ ${#services[@]} -eq 0 ] && return
	"${as_root[@]}" systemctl --quiet --runtime unmask "${services[@]}" || true
	"${as_root[@]}" systemctl --quiet disable "${services[@]}" || true
}

echo "Installing ${#missing[@]} package(s)..."
apt=("${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300)
if ! "${apt[@]}" update </dev/null; then
	echo "setup: apt-get update failed; see above (network, sources, rights)" >&2
	exit 1
fi
forbid_services
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null; then
	disable_services
	echo "setup: apt-get install failed; see above. Wanted: ${missing[*]}" >&2
	exit 1
fi
disable_services

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The command and the gateway daemon at work, on the loopback address of this
# machine: no root, no change to its network, nothing left behind. Each command
# is shown as typed, with what it prints. Ends with status 0 when all went well.
#
#   BUILD=build scripts/demo.sh
set -euo pipefail
build=$(cd "${BUILD:-$(dirname "$0")/../build}" && pwd)
patience=30 # seconds, for machines that are slow; nothing here takes one

dir=$(mktemp -d "${TMPDIR:-/tmp}/tenforward-demo.XXXXXX")
gateway= holder= monitor=
clean_up() {
	local status=$?
	for pid in $monitor $holder $gateway; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	rm -rf "$dir"
	[ "$status" = 0 ] || echo "demo: failed, see above" >&2
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# Records of leases go here, not into those of who runs this.
export XDG_STATE_HOME=$dir XDG_RUNTIME_DIR=$dir
export PATH=$build/src/quick:$build/src/cli:$build/src/gateway:$PATH
cd "$dir"

steps=0
typed() {
	steps=$((steps + 1))
	printf '\n$ %s\n' "$*"
}
show() {
	typed "$@"
	"$@" 2>&1
}

# The daemon tells the descriptor when it serves, and where.
start_gateway() {
	typed "tenforward-gatewayd --config gateway.conf &"
	exec 3< <(exec tenforward-gatewayd --config gateway.conf --ready-fd 3 3>&1 >>log 2>&1)
	gateway=$!
	if ! read -r -t "$patience" line <&3; then
		cat log
		return 1
	fi
	echo "$line"
	where=${line#listening on }
	where=${where%% *}
}

stop_gateway() {
	typed "kill -KILL %1"
	kill -KILL "$gateway"
	wait "$gateway" 2>/dev/null || true
	gateway=
	echo "(the gateway has forgotten everything)"
}

write_config() {
	cat >gateway.conf <<CONF
[Gateway]
Backend=memory
Listen=$1

[Rule]
Action=allow
Client=127.0.0.0/8
ExternalPort=1024-65535
CONF
}

# Prints what the program in the background says, until it says this.
until_it_says() {
	local line
	while read -r -t "$patience" line <&4; do
		echo "$line"
		[[ $line != *"$1"* ]] || return 0
	done
	echo "demo: nothing said \"$1\"" >&2
	return 1
}

echo "A gateway that opens no real port, on this machine alone:"
write_config 127.0.0.1:0 # any port that is free
typed "cat gateway.conf"
cat gateway.conf
start_gateway
write_config "$where" # the same one after a restart
tenforward=(tenforward -g "$where")

show "${tenforward[@]}" discover
show "${tenforward[@]}" status

# It goes on while the next ones are typed, and until the gateway is old enough
# for a restart to be seen by its epoch.
typed "${tenforward[*]} monitor --for 5s &"
exec 4< <(exec "${tenforward[@]}" monitor --for 5s 2>&1)
monitor=$!
until_it_says "outside address"

show "${tenforward[@]}" add 8080 --name web
until_it_says "203.0.113.1:8080/tcp"
show "${tenforward[@]}" add any:51413/both --lifetime 10m
show "${tenforward[@]}" list
show "${tenforward[@]}" --json list

typed "wait %2"
cat <&4
wait "$monitor"
monitor=

typed "${tenforward[*]} keep 27015/both -v &"
exec 4< <(exec "${tenforward[@]}" keep 27015/both -v 2>&1)
holder=$!
until_it_says held
stop_gateway
start_gateway
until_it_says "gateway restarted"
until_it_says renewed
typed "kill %2"
kill -TERM "$holder"
until_it_says removed
wait "$holder"
holder=

show "${tenforward[@]}" remove --all
show "${tenforward[@]}" list

kill -TERM "$gateway"
wait "$gateway"
gateway=
printf '\ndemo: %s steps, all done; nothing is left running\n' "$steps"

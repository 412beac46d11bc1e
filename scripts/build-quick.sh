#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the short way of `add` with musl in a build of its own, and puts the whole
# command where it looks for it: FOLDER/../libexec/tenforward, as in an installation.
#
#   scripts/build-quick.sh MUSL-GCC SOURCE FOLDER/tenforward WHOLE PREFIX LIBEXECDIR
set -eu
compiler=$1 source=$2 output=$3 whole=$4 prefix=$5 libexecdir=$6
folder=$(dirname "$output")
build=$folder/build
libexec=$folder/../libexec/tenforward

if [ "$(cat "$build/.given" 2>/dev/null)" != "$*" ]; then
	rm -rf "$build"
	# The kernel's headers stand behind musl's own.
	CC=$compiler meson setup "$build" "$source" -Dquick=here \
		--prefix="$prefix" --libexecdir="$libexecdir" \
		-Dc_args="-idirafter /usr/include -idirafter /usr/include/$($compiler -print-multiarch)" \
		-Digd=disabled -Dcli=disabled -Dcontrol=disabled -Dagent=disabled \
		-Dgateway=disabled -Dexamples=disabled -Dman=disabled -Dtests=false \
		>"$folder/setup.log" || {
		cat "$folder/setup.log"
		exit 1
	}
fi
echo "$*" >"$build/.given"
ninja --quiet -C "$build" src/quick/tenforward
mkdir -p "$libexec"
ln -sf "$(realpath "$whole")" "$libexec/tenforward"
cmp -s "$build/src/quick/tenforward" "$output" || cp "$build/src/quick/tenforward" "$output"

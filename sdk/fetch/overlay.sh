#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# overlay.sh begin|end SUBPROJECTS NAME FOLDER: meson unpacks the source of NAME into FOLDER and lays
# our files over it, once. `begin`, before that, removes a FOLDER that was made with other files than
# there are now; `end` notes them in it.
set -eu
step=$1 name=$3 folder=$2/$4
cd "$2"
sum=$(find "$name.wrap" "packagefiles/$name"* -type f ! -name '*.tar' ! -name '*.tar.*' | LC_ALL=C sort | xargs cat | sha256sum)
case $step in
begin) [ ! -d "$folder" ] || [ "$(cat "$folder/.overlay" 2>/dev/null)" = "$sum" ] || rm -rf "${folder:?}" ;;
end) [ ! -d "$folder" ] || printf '%s\n' "$sum" >"$folder/.overlay" ;;
esac

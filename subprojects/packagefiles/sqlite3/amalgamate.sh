#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# amalgamate.sh CC TCLSH OUT: makes OUT/sqlite3.c and OUT/sqlite3.h of the source tree that this file
# lies in. The steps are those of its Makefile for the target sqlite3.c, without its configure, which
# would look at this machine for half a minute and needs make.
set -eu
cc=$1 tclsh=$2 out=$3
top=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$out/amalgamate.work
features=-DSQLITE_ENABLE_MATH_FUNCTIONS
rm -rf "$work"
mkdir -p "$work/tsrc"
cd "$work"

for tool in mkkeywordhash lemon mksourceid; do
    "$cc" -O1 -w "$features" -o "$tool" "$top/tool/$tool.c"
done
cp "$top/tool/lempar.c" "$top/src/parse.y" "$top/ext/fts5/fts5parse.y" .
./mkkeywordhash >keywordhash.h
./lemon "$features" -S parse.y
cat parse.h "$top/src/vdbe.c" | "$tclsh" "$top/tool/mkopcodeh.tcl" >opcodes.h
"$tclsh" "$top/tool/mkopcodec.tcl" opcodes.h >opcodes.c
# It runs ./mksourceid.
"$tclsh" "$top/tool/mksqlite3h.tcl" "$top" >sqlite3.h
./lemon -S fts5parse.y
"$tclsh" "$top/ext/fts5/tool/mkfts5c.tcl"
for folder in src ext/fts3 ext/icu ext/rtree ext/session ext/userauth ext/rbu ext/misc; do
    cp "$top/$folder"/*.[ch] tsrc
done
cp keywordhash.h opcodes.c opcodes.h parse.c parse.h sqlite3.h fts5.c "$top/ext/fts5/fts5.h" tsrc
"$tclsh" "$top/tool/vdbe-compress.tcl" <"$top/src/vdbe.c" >tsrc/vdbe.c
"$tclsh" "$top/tool/mksqlite3c.tcl" --linemacros=0
mv sqlite3.c sqlite3.h "$out"
rm -rf "$work"

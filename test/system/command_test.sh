#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of the command line ./tessera: command_test.sh [PROGRAM]
#
# Programs that would build, boot, fetch or install are stand-ins that only note how they were
# called, and the program under test works in a folder of its own, so nothing here needs a network,
# a build or rights, and nothing of the machine changes.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(readlink -f "${1:-$here/../../tessera}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree calls=$scratch/calls output=$scratch/output
passed=0 failed=0

judge() { # TEXT STATUS
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$1"
        sed 's/^/    | /' "$output"
    fi
}

# is TEXT WANTED GOT
is() {
    printf 'wanted: %s\ngot:    %s\n' "$2" "$3" >"$output"
    [ "$2" = "$3" ]
    judge "$1" $?
}

# --- the stand-ins -------------------------------------------------------------------------------

# stand_in NAME: a program that notes its arguments, then does what standard input says.
stand_in() {
    {
        printf '#!/bin/bash\nprintf "%%s %%s\\n" "%s" "$*" >>"%s"\n' "$1" "$calls"
        cat
    } >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}

make_stand_ins() {
    mkdir -p "$scratch/bin" "$tree/elsewhere" "$tree/firmware"
    cp "$program" "$tree/tessera"
    touch "$tree/firmware/start4.elf" "$tree/firmware/fixup4.dat"
    stand_in meson <<'TEXT'
[ "$1" = setup ] || exit 0
mkdir -p "$2/sdk/imagec/images"
touch "$2/build.ninja"
printf '  {"name": "%s", "board": "%s", "image": ""},\n' plant virt plant rpi4 bench virt >"$2/sdk/imagec/images/images.json"
printf '#!/bin/bash\nprintf "imagec %%s\\n" "$*" >>"$CALLS"\n' >"$2/sdk/imagec/imagec"
chmod +x "$2/sdk/imagec/imagec"
TEXT
    stand_in ninja </dev/null
    stand_in python3 </dev/null
    stand_in apt-get </dev/null
    stand_in qemu-system-aarch64 <<'TEXT'
if [ "$1" = --version ]; then
    echo "QEMU emulator version ${QEMU_VERSION:-8.2.0} (Debian)"
elif (exec 3<&0) 2>/dev/null; then
    echo standard input is open
fi
TEXT
    stand_in apt-cache <<'TEXT'
printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "$2" "$CANDIDATE"
TEXT
}

# Runs the program under test; its output is in $output, what it called in $calls.
tessera() {
    : >"$calls"
    (cd "$tree/elsewhere" && PATH=$scratch/bin:$PATH CALLS=$calls TESSERA_JOBS=1 "$tree/tessera" "$@") \
        >"$output" 2>&1
}

# Programs that only tell a version are no work.
worked() { grep -Eqv '^qemu-system-aarch64 --version|^meson --version' "$calls"; }

# refuses PATTERN ARGUMENTS...: ends with 1, says why once, and does nothing before.
refuses() {
    local pattern=$1 status
    shift
    tessera "$@" </dev/null
    status=$?
    printf 'status %d, called: %s\n' "$status" "$(paste -s -d ';' "$calls")" >>"$output"
    [ "$status" -eq 1 ] && [ "$(grep -c '^tessera: ' "$output")" -eq 1 ] &&
        grep -Eq -- "^tessera: .*$pattern" "$output" && ! worked
    judge "refuses '$*' saying '$pattern'" $?
}

# calls_for PATTERN ARGUMENTS...: ends with 0 and has called what matches.
calls_for() {
    local pattern=$1 status
    shift
    tessera "$@" </dev/null
    status=$?
    printf 'status %d, called:\n%s\n' "$status" "$(cat "$calls")" >>"$output"
    [ "$status" -eq 0 ] && grep -Eq -- "$pattern" "$calls"
    judge "'$*' calls '$pattern'" $?
}

# within COMMAND...: the functions of the program, in a shell of their own.
within() {
    (
        PATH=$scratch/bin:$PATH
        # shellcheck source=/dev/null
        . "$tree/tessera"
        "$@"
    )
}

# --- options -------------------------------------------------------------------------------------

test_options() {
    local command option
    for command in 'run --board' 'run --cpus' 'run --gic' 'run --image' 'test --minutes' 'test --seed' \
        'bench --json' 'image --board' 'image -o' 'image --output' 'image --firmware' 'image --image' \
        'symbolise --board' 'symbolise --image'; do
        option=${command#* }
        # shellcheck disable=SC2086 # two words
        refuses "option $option needs a value" $command
        # shellcheck disable=SC2086
        refuses "option $option needs a value" $command ''
        # shellcheck disable=SC2086
        refuses "option $option needs a value" $command --
    done
    for command in run test bench image symbolise; do
        refuses "$command does not know '--nonsense'" "$command" --nonsense
    done
    for command in doctor clean; do
        refuses "$command takes no arguments" "$command" all
    done
    refuses "no command 'walk'" walk
    refuses "no command 'run test'" 'run test'
    refuses "no command 'walk'" help walk
    refuses 'cpus 5 is not' run --cpus 5
    refuses 'cpus 0 is not' run --cpus 0
    refuses 'gic 4 is neither' run --gic 4
    refuses "unknown board 'pc'" run --board pc
    refuses "unknown board 'pc'" image --board pc
    refuses '--gic is for the virt board' run --board raspi4b --gic 3
    refuses '--el2 is for the virt board' run --el2 --board raspi4b
    refuses "needs a number, not 'ten'" test --long --minutes ten
    refuses "needs a number, not '1234567'" test --seed 1234567
    refuses '--minutes is for --long' test --minutes 5
    refuses '--firmware is for the rpi4 board' image --board virt --firmware ../firmware
    refuses 'no file .*/nowhere/start4.elf' image --firmware nowhere
    refuses 'no folder .*/nowhere' bench --json nowhere/figures.json
    refuses 'no file .*/nowhere.log' symbolise nowhere.log
    refuses 'nothing is built' symbolise
}

test_commands() {
    calls_for 'virt,gic-version=2 -cpu .*-smp 4 .*images/plant-virt.img$' run
    calls_for 'virt,gic-version=3,virtualization=on .*-smp 2' run --cpus 2 --gic 3 --el2
    calls_for '^qemu.* -m 1024$' run -- -m 1024
    calls_for 'raspi4b .*tessera.cpus=3' run --board raspi4b --cpus 3
    calls_for "imagec sdcard .*-o $tree/elsewhere/card.img --firmware $tree/elsewhere/../firmware" \
        image -o card.img --firmware ../firmware
    calls_for "bench.py --build build/gcc --peer --json $tree/elsewhere/f.json" bench --json f.json --peer
    calls_for 'suites.py .*--long --minutes 5 --seed 9 unit$' test --long --minutes 5 --seed 9 unit
    calls_for "symbolise.py .*--board rpi4 --image trial $tree/elsewhere/../tessera" \
        symbolise --board raspi4b --image trial ../tessera
    tessera image -o "two words" </dev/null
    grep -qF 'dd if='"$tree"'/elsewhere/two\ words of=' "$output"
    judge 'the name of a card image is quoted' $?
}

test_unknown_image() {
    tessera run --image nope </dev/null
    [ $? -eq 1 ] && grep -q "no image 'nope' for virt" "$output" && grep -q 'one of: bench plant$' "$output" &&
        ! grep -q '^qemu.* -M' "$calls"
    judge 'an unknown image is refused with those there are' $?
}

test_help() {
    local command
    for command in run test bench image policy symbolise doctor clean; do
        tessera help </dev/null
        grep -q "^./tessera $command" "$output"
        judge "help names $command" $?
        is "help $command" "$(tessera help "$command"; grep -c "^    ./tessera $command" "$output")" \
            "$(within show_usage "$command" | grep -c "^    ./tessera $command")"
        [ "$command" = policy ] && continue
        tessera "$command" --help </dev/null
        [ $? -eq 0 ] && grep -q '^examples:' "$output" && ! worked
        judge "$command --help gives examples and does nothing" $?
    done
    tessera help </dev/null
    for command in TESSERA_JOBS TESSERA_CROSS_FILE NO_COLOR 'image .*--image NAME'; do
        grep -q -- "$command" "$output"
        judge "help names $command" $?
    done
}

# --- terminals -----------------------------------------------------------------------------------

test_terminals() {
    tessera run <&-
    [ $? -eq 0 ] && grep -q 'standard input is open' "$output"
    judge 'run gives QEMU an open standard input when its own is closed' $?
    tessera run </dev/null
    ! grep -q $'\e' "$output"
    judge 'no colours without a terminal' $?
    export TREE=$tree BIN=$scratch/bin
    script -qec 'PATH=$BIN:$PATH NO_COLOR= CALLS=/dev/null "$TREE/tessera" run' /dev/null >"$output" 2>&1 </dev/null
    grep -q $'\e\\[1m' "$output"
    judge 'colours on a terminal' $?
    script -qec 'PATH=$BIN:$PATH NO_COLOR=1 CALLS=/dev/null "$TREE/tessera" run' /dev/null >"$output" 2>&1 </dev/null
    grep -q 'the console is yours' "$output" && ! grep -q $'\e' "$output"
    judge 'NO_COLOR keeps a terminal plain' $?
}

# --- functions -----------------------------------------------------------------------------------

fifty_lines() { seq 50 && return 3; }

test_step() {
    within step 'do a thing' true >"$output" 2>&1
    [ $? -eq 0 ] && grep -Eq '^do a thing \.\.\. done in [0-9]+\.[0-9] s$' "$output"
    judge 'a step says what it does and how long it took' $?
    within step 'count up' fifty_lines >"$output" 2>&1
    [ $? -eq 1 ] && grep -Eq '^count up \.\.\. failed after [0-9]+ s$' "$output" && grep -qx 11 "$output" &&
        grep -qx 50 "$output" && ! grep -qx 10 "$output" && grep -q '^tessera: count up failed' "$output" &&
        grep -q 'the whole output is in build/logs/count-up.log' "$output"
    judge 'a failed step shows the end of its output and where the rest is' $?
    is 'the log holds the whole output' 50 "$(wc -l <"$tree/build/logs/count-up.log")"
}

test_boards() {
    is 'board virt' virt "$(within board_name virt)"
    is 'board raspi4b' rpi4 "$(within board_name raspi4b)"
    is 'board rpi4' rpi4 "$(within board_name rpi4)"
    within board_name pc >"$output" 2>&1
    is 'board pc' 1 $?
}

test_packages() {
    local needs=$'bash bash\nno-such-command-here one\n/no/such/file* two\n/etc/pass* three\n'
    is 'commands and file patterns' 'one two' "$(within missing_packages "$needs")"
    is 'QEMU is recent enough' '' "$(within missing_packages '')"
    is 'QEMU is too old' qemu-system-arm "$(QEMU_VERSION=7.2.9 within missing_packages '')"
    is 'every need is told once' one "$(within missing_packages $'no-such-a one\nno-such-b one\n')"
}

# recent PACKAGE CANDIDATE
recent() {
    CANDIDATE=$2 within is_recent "$1" >/dev/null 2>&1 && printf yes || printf no
}

test_recent() {
    is 'QEMU 7.2' no "$(recent qemu-system-arm 1:7.2+dfsg-7)"
    is 'QEMU 8.2' yes "$(recent qemu-system-arm 1:8.2.1+ds-1~bpo12+1)"
    is 'QEMU 10' yes "$(recent qemu-system-arm 1:10.0.2)"
    is 'Catch2 2.13' no "$(recent catch2 2.13.10-1)"
    is 'Catch2 3.4' yes "$(recent catch2 3.4.0-1)"
    is 'a package that apt does not know' no "$(recent catch2 '')"
}

install_two() {
    missing_packages() { [ -e "$scratch/asked" ] || printf 'catch2 meson'; touch "$scratch/asked"; }
    add_backports() { printf 'backports added\n'; }
    id() { printf 0; }
    need_packages ''
}

test_installation() {
    : >"$calls"
    CANDIDATE=2.13 within install_two >"$output" 2>&1
    [ $? -eq 0 ] && grep -q '^to be installed: catch2 meson$' "$output" && grep -q 'backports added' "$output" &&
        grep -Eq '^apt-get .*install -y --no-install-recommends meson$' "$calls" &&
        grep -Eq '^apt-get .*install -y .*-t [a-z]*-backports catch2$' "$calls"
    judge 'what is too old comes from backports, the rest does not' $?
}

# apt_entry FILE: what is derived when apt has only this file, with the content of standard input.
apt_entry() {
    rm -rf "$scratch/apt"
    mkdir -p "$scratch/apt/sources.list.d"
    cat >"$scratch/apt/$1"
    within derive_backports bookworm "$scratch/apt"
}

test_apt_lines() {
    is 'a plain line' $'tessera-backports.list\ndeb http://example.test/d bookworm-backports main' \
        "$(apt_entry sources.list <<<'deb http://example.test/d bookworm main contrib')"
    is 'options are kept' \
        $'tessera-backports.list\ndeb [arch=amd64 signed-by=/k.gpg] http://example.test/d bookworm-backports main' \
        "$(apt_entry sources.list.d/a.list <<<'deb [arch=amd64 signed-by=/k.gpg]  http://example.test/d  bookworm main')"
    is 'comments, sources, other suites and components are passed over' \
        $'tessera-backports.list\ndeb http://example.test/5 bookworm-backports main' "$(apt_entry sources.list <<'TEXT'
# deb http://example.test/0 bookworm main
deb-src http://example.test/1 bookworm main
deb http://example.test/2 bookworm-updates main
deb http://example.test/3 bookworm contrib
deb http://example.test/4 bookworm contrib # main
deb http://example.test/5 bookworm contrib main # the one
TEXT
)"
    is 'no entry' '' "$(apt_entry sources.list <<<'deb http://example.test/d trixie main')"
}

test_apt_stanzas() {
    is 'a stanza with several suites and a key' "$(printf '%s\n' tessera-backports.sources 'Types: deb' \
        'URIs: http://example.test/d' 'Signed-By: /k.gpg' 'Suites: bookworm-backports' 'Components: main')" \
        "$(apt_entry sources.list.d/a.sources <<'TEXT'
# the release
Types: deb deb-src
URIs: http://example.test/d
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /k.gpg
TEXT
)"
    is 'disabled and other stanzas are passed over' "$(printf '%s\n' tessera-backports.sources 'Types: deb' \
        'URIs: http://example.test/4' 'Suites: bookworm-backports' 'Components: main')" \
        "$(apt_entry sources.list.d/a.sources <<'TEXT'
Enabled: no
Types: deb
URIs: http://example.test/1
Suites: bookworm
Components: main

Types: deb-src
URIs: http://example.test/2
Suites: bookworm
Components: main

Types: deb
URIs: http://example.test/3
Suites: bookworm-security
Components: main

types: deb
URIs: http://example.test/4
suites: bookworm
components: main
enabled: yes
TEXT
)"
    is 'a value on several lines, an embedded key' "$(printf '%s\n' tessera-backports.sources 'Types: deb' \
        'URIs: http://example.test/d' 'Signed-By:' ' -----BEGIN KEY-----' ' .' ' abc' \
        'Suites: bookworm-backports' 'Components: main')" "$(apt_entry sources.list.d/a.sources <<'TEXT'
Types: deb
URIs: http://example.test/d
Suites: bookworm-updates
 bookworm
Components: main
Signed-By:
 -----BEGIN KEY-----
 .
 abc
TEXT
)"
    is 'only a disabled stanza' '' "$(apt_entry sources.list.d/a.sources <<'TEXT'
Types: deb
URIs: http://example.test/d
Suites: bookworm
Components: main
Enabled: No
TEXT
)"
}

make_stand_ins
for name in options commands unknown_image help terminals step boards packages recent installation \
    apt_lines apt_stanzas; do
    "test_$name"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

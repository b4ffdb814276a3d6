#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the sources of libc.a, one a line: those for all machines, without those that AArch64 has a
# file of its own for, without what is left out below. Run in musl's top folder.
set -eu

# Their headers are not installed (headers.sh), or they cannot work without fork, or sdk/runtime
# has its own (the canary, which the start code chooses before anything else).
left_out='
src/env/__stack_chk_fail.c
src/legacy/daemon.c
src/linux/acct.c src/linux/arch_prctl.c src/linux/cache.c src/linux/cap.c src/linux/chroot.c
src/linux/clone.c src/linux/epoll.c src/linux/eventfd.c src/linux/fanotify.c src/linux/inotify.c
src/linux/ioperm.c src/linux/iopl.c src/linux/klogctl.c src/linux/module.c src/linux/mount.c
src/linux/name_to_handle_at.c src/linux/open_by_handle_at.c src/linux/personality.c
src/linux/pivot_root.c src/linux/prctl.c src/linux/process_vm.c src/linux/ptrace.c
src/linux/quotactl.c src/linux/reboot.c src/linux/remap_file_pages.c src/linux/setfsgid.c
src/linux/setfsuid.c src/linux/setns.c src/linux/signalfd.c src/linux/splice.c src/linux/swap.c
src/linux/tee.c src/linux/timerfd.c src/linux/unshare.c src/linux/vhangup.c src/linux/vmsplice.c
src/linux/xattr.c
src/misc/forkpty.c src/misc/wordexp.c
src/process/_Fork.c src/process/fork.c src/process/vfork.c
'

folders='src/*/ src/malloc/mallocng/'
for folder in $folders; do
    case $folder in
    src/include/ | src/internal/*/) continue ;;
    esac
    for file in "$folder"*.c; do
        [ -f "$file" ] || continue
        name=${file##*/}
        own="${folder}aarch64/${name%.c}"
        [ -f "$own.c" ] || [ -f "$own.s" ] || [ -f "$own.S" ] || printf '%s\n' "$file"
    done
    for file in "${folder}aarch64/"*.[csS]; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done
done | grep -vxF "$(printf '%s\n' $left_out)"

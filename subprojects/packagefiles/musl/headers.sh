#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# headers.sh MUSL ALLTYPES SYSCALL TARGET STAMP: copies the headers for programs into the folder
# TARGET, made anew. What nothing here can ever back is left out, so that programs that look for it
# do not find it.
set -eu
musl=$1 alltypes=$2 syscall=$3 target=$4 stamp=$5

left_out='
alltypes.h.in pty.h
scsi netpacket
sys/acct.h sys/cachectl.h sys/epoll.h sys/eventfd.h sys/fanotify.h sys/fsuid.h sys/inotify.h sys/io.h
sys/kd.h sys/klog.h sys/membarrier.h sys/mount.h sys/mtio.h sys/personality.h sys/prctl.h
sys/procfs.h sys/ptrace.h sys/quota.h sys/reboot.h sys/reg.h sys/sendfile.h sys/signalfd.h
sys/soundcard.h sys/swap.h sys/timerfd.h sys/user.h sys/vt.h sys/xattr.h
bits/alltypes.h.in bits/syscall.h.in bits/hwcap.h bits/reg.h bits/user.h bits/ptrace.h bits/kd.h
bits/link.h.in bits/mtio.h bits/soundcard.h bits/vt.h bits/io.h
'

rm -rf "$target"
mkdir -p "$target/bits"
cp -R "$musl/include/." "$target/"
cp "$musl/arch/generic/bits/"*.h "$target/bits/"
cp "$musl/arch/aarch64/bits/"*.h "$target/bits/"
for file in $left_out; do
    rm -rf "${target:?}/$file"
done
cp "$alltypes" "$target/bits/alltypes.h"
cp "$syscall" "$target/bits/syscall.h"
printf '// Made by headers.sh: the headers of the C library are in place.\n' >"$stamp"

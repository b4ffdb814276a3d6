// SPDX-License-Identifier: Apache-2.0
// The ways from musl into this library and, for threads, back. A call of the kernel clobbers all
// vector registers, of which a function must keep d8 to d15; the code in C++ has no word for them.
// [ARM-AAPCS64] "SIMD and Floating-Point registers"

#include "entry_macros.S"

// Entry   x0 = number, x1 to x6 = words.
// Exit    x0 = result, or a negative errno.
BEGIN __tessera_syscall
    mov     x7, xzr
    KEEP_VECTORS
    bl      tessera_posix_call
    RESTORE_VECTORS
    autiasp
    ret
END __tessera_syscall

// The same; x7 = address of the flag that says that the thread was cancelled.
BEGIN __tessera_syscall_cp
    KEEP_VECTORS
    bl      tessera_posix_call
    RESTORE_VECTORS
    autiasp
    ret
END __tessera_syscall_cp

// Entry   x0 = function, x1 = stack, w2 = flags, x3 = argument, x4 = where the id goes, x5 = TLS,
//         x6 = word to clear at the end.
// Exit    x0 = id of the thread, or a negative errno.
BEGIN __tessera_clone
    KEEP_VECTORS
    bl      tessera_posix_clone
    RESTORE_VECTORS
    autiasp
    ret
END __tessera_clone

// Entry   x0 = TPIDR_EL0 from now on.
// Exit    w0 = 0.
BEGIN __tessera_set_thread_area
    KEEP_VECTORS
    bl      tessera_posix_set_thread_area
    RESTORE_VECTORS
    autiasp
    ret
END __tessera_set_thread_area

// Entry   x0, x1 = begin and size of the memory that the thread's stack is in.
// Exit    never returns.
BEGIN __tessera_unmap_self
    mov     x29, xzr
    mov     x30, xzr
    bl      tessera_posix_unmap_self
    brk     #1
END __tessera_unmap_self

// First instruction of a further thread.
// Entry   x0 = what tessera_posix_clone put on the stack; SP = the same, 16-aligned.
// Exit    never returns.
BEGIN tessera_posix_thread
    mov     x29, xzr
    mov     x30, xzr
    bl      tessera_posix_run_thread
    brk     #1
END tessera_posix_thread

// The end of a thread, of whose stack nothing may be touched any more: from the moment the word is
// cleared it may be somebody else's.
// Entry   x0, x1 = memory to free, or 0, 0; x2 = word to clear, or 0; x3 = tags of VMM.Free,
//         Sync.Wake, Thread.Exit; x4 = kernel handle.
// Exit    never returns.
BEGIN tessera_posix_leave
    mov     x19, x2
    mov     x20, x4
    ldp     x21, x22, [x3]
    ldr     x23, [x3, #16]
    cbz     x1, 1f
    mov     x10, x0
    mov     x11, x1
    mov     x0, x20
    mov     x9, x21
    svc     #0
1:  cbz     x19, 2f
    stlr    wzr, [x19]
    mov     x0, x20
    mov     x9, x22
    mov     x10, x19
    mov     x11, #1
    svc     #0
2:  mov     x0, x20
    mov     x9, x23
    mov     x10, xzr
    svc     #0
    brk     #1
END tessera_posix_leave

    .section .note.GNU-stack, "", %progbits

/* SPDX-License-Identifier: Apache-2.0 */
/* Every call of musl ends in sdk/posix, an ordinary function that returns a result or a negative
   errno. It has one symbol and is declared once for each number of arguments: those that a call does
   not have are never looked at, so they need not be passed. */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

#define __TESSERA __asm__("__tessera_syscall") __attribute__((__visibility__("hidden")))
long __tessera_syscall0(long) __TESSERA;
long __tessera_syscall1(long, long) __TESSERA;
long __tessera_syscall2(long, long, long) __TESSERA;
long __tessera_syscall3(long, long, long, long) __TESSERA;
long __tessera_syscall4(long, long, long, long, long) __TESSERA;
long __tessera_syscall5(long, long, long, long, long, long) __TESSERA;
long __tessera_syscall6(long, long, long, long, long, long, long) __TESSERA;

static inline long __syscall0(long n) { return __tessera_syscall0(n); }
static inline long __syscall1(long n, long a) { return __tessera_syscall1(n, a); }
static inline long __syscall2(long n, long a, long b) { return __tessera_syscall2(n, a, b); }
static inline long __syscall3(long n, long a, long b, long c) {
    return __tessera_syscall3(n, a, b, c);
}
static inline long __syscall4(long n, long a, long b, long c, long d) {
    return __tessera_syscall4(n, a, b, c, d);
}
static inline long __syscall5(long n, long a, long b, long c, long d, long e) {
    return __tessera_syscall5(n, a, b, c, d, e);
}
static inline long __syscall6(long n, long a, long b, long c, long d, long e, long f) {
    return __tessera_syscall6(n, a, b, c, d, e, f);
}

#define IPC_64 0

// SPDX-License-Identifier: Apache-2.0
// A guest that does what its UART tells it, so that the runner itself can be tested: it passes,
// fails, panics, hangs, echoes or powers off. QEMU virt only; no part of the system.
#define UART ((volatile unsigned int*)0x09000000)

static void print(const char* text) {
    for (; *text != 0; ++text) {
        UART[0] = (unsigned char)*text;
    }
}

static int get(void) {
    while ((UART[6] & 0x10) != 0) {
    }
    return (int)(UART[0] & 0xff);
}

static void power_off(void) {
    register unsigned long x0 __asm__("x0") = 0x84000008;
    __asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
}

static void print_address(unsigned long address) {
    print("0x");
    for (int shift = 60; shift >= 0; shift -= 4) {
        UART[0] = (unsigned int)"0123456789abcdef"[(address >> shift) & 15];
    }
}

void standin_broken(void);

void standin_broken(void) {
    print("panic: stand-in pc=");  // in the middle of a line, on purpose
    print_address((unsigned long)&standin_broken + 4);
    print("\nbacktrace: ");
    print_address((unsigned long)&standin_broken + 8);
    print("\n");
    for (;;) {
    }
}

void standin_main(unsigned long x0);

void standin_main(unsigned long x0) {
    print("\x1b[1mstand-in\x1b[0m ready\r\nx0=");
    print_address(x0);
    print("\n");
    for (;;) {
        print("standin> ");
        switch (get()) {
        case 'p':
            print("\nTEST alpha PASS\nTEST beta PASS with detail\n");
            break;
        case 'f':
            print("\nTEST alpha PASS\nTEST gamma FAIL because\n");
            break;
        case 'x':
            standin_broken();
            break;
        case 'o':
            power_off();
            break;
        case 'h':
            for (;;) {
            }
        default:
            print("\nwhat?\n");
        }
    }
}

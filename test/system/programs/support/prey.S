// SPDX-License-Identifier: Apache-2.0
// Work whose code or registers somebody outside flips bits of (flips.cpp): it asks the server the
// same thing for ever, needs no memory, and runs wherever it stands.

// trial_prey_enter - Entry: x0..x2 = handle, tag and first word of the call, x3 = where to run,
//   x4, x5 = what x23 and x24 hold meanwhile.   Exit: none.
    .section .text.trial_prey_enter, "ax", %progbits
    .global trial_prey_enter
    .type trial_prey_enter, %function
trial_prey_enter:
    mov     x19, x0
    mov     x20, x1
    mov     x21, x2
    mov     x23, x4
    mov     x24, x5
    mov     x16, x3
    br      x16
    .size trial_prey_enter, . - trial_prey_enter

// trial_prey_code - Uses: x0..x22. The last word is a branch, which a copy may change.
    .section .text.trial_prey_code, "ax", %progbits
    .global trial_prey_code
    .global trial_prey_code_end
    .balign 8
trial_prey_code:
    hint    #36                           // a landing pad: BTI J
    .rept 160
    mov     x0, x19
    mov     x9, x20
    mov     x10, x21
    svc     #0
    add     x22, x22, #1
    .endr
    b       trial_prey_code
trial_prey_code_end:

// SPDX-License-Identifier: Apache-2.0
// The measured loops: nothing but what an operation needs, so that a figure is the operation's. The
// time is CNTVCT, which under icount advances by one in 16 instructions; a loop is long enough for
// that not to matter. Hints tell test/plugins/insncount.c where a region begins (0x70 + region) and
// ends (0x78 + region); to the machine they are nothing.

.macro FUNC name
        .section .text.\name, "ax", %progbits
        .global \name
        .type   \name, %function
        .balign 64
\name:
.endm

.macro END name
        .size   \name, . - \name
.endm

// CALL_LOOP - `count` Calls with the same arguments.
//   Entry   x0 = Loop* (handle, tag, fixed, arena, count). Payload registers start as zero and then
//           carry back what the last answer brought.
//   Exit    x0 = ticks, x1 = status of the last Call.
.macro CALL_LOOP name, region, is_long
FUNC \name
        stp     x19, x20, [sp, #-64]!
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x30, [sp, #48]
        ldp     x19, x20, [x0]
        ldp     x21, x22, [x0, #16]
        ldr     x23, [x0, #32]
        mov     x10, #0
        mov     x11, #0
        mov     x12, #0
        mov     x13, #0
        mov     x14, #0
        mov     x15, #0
        mov     x18, #0
        .if     \region < 8
        hint    #(0x70 + \region)
        .endif
        isb
        mrs     x24, cntvct_el0
1:      mov     x0, x19
        .if     \is_long
        mov     x3, x21
        mov     x4, x22
        .endif
        mov     x9, x20
        svc     #0
        subs    x23, x23, #1
        b.ne    1b
        mrs     x25, cntvct_el0
        .if     \region < 8
        hint    #(0x78 + \region)
        .endif
        mov     x1, x0
        sub     x0, x25, x24
        ldp     x25, x30, [sp, #48]
        ldp     x23, x24, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp], #64
        ret
END \name
.endm

        CALL_LOOP bench_call_short, 0, 0
        CALL_LOOP bench_call_64b, 1, 1
        CALL_LOOP bench_call_4k, 2, 1
        CALL_LOOP bench_call_64k, 3, 1
        CALL_LOOP bench_call_kernel, 4, 0
        CALL_LOOP bench_call_sleep, 6, 0
        CALL_LOOP bench_call_warm, 8, 1

// TURN_LOOP - `count` times: changes the other's word and waits for the own word to change.
//   Entry   x0 = TurnTaking* (handle, tag of Wake, of Wait, of WakeAndWait, own word, other's word,
//           turn, count).
//   Exit    x0 = ticks, x1 = status of the last Call. TurnTaking.turn has gone on by count.
.macro TURN_LOOP name, in_one
FUNC \name
        stp     x19, x20, [sp, #-80]!
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        mov     x27, x0
        ldp     x19, x20, [x0]
        ldp     x21, x28, [x0, #16]
        ldp     x22, x23, [x0, #32]
        ldp     x24, x25, [x0, #48]
        isb
        mrs     x26, cntvct_el0
1:
.ifeq \in_one
        mov     x0, x19
        mov     x9, x21
        mov     x10, x22
        mov     x11, x24                   // what the word was before the turn
        mov     x12, #0
        svc     #0
.endif
        ldr     w1, [x23]
        add     w1, w1, #1
        str     w1, [x23]
        mov     x0, x19
        mov     x10, x23
.if \in_one
        mov     x9, x28
        mov     x11, x22
        mov     x12, x24
.else
        mov     x9, x20
        mov     x11, #1
.endif
        svc     #0
        add     w24, w24, #1
        subs    x25, x25, #1
        b.ne    1b
        mrs     x1, cntvct_el0
        sub     x26, x1, x26
        str     x24, [x27, #48]
        mov     x1, x0
        mov     x0, x26
        ldp     x27, x28, [sp, #64]
        ldp     x25, x26, [sp, #48]
        ldp     x23, x24, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp], #80
        ret
END \name
.endm

        TURN_LOOP bench_take_turns, 0
        TURN_LOOP bench_hand_over, 1

// bench_serve_short - answers every request with the words that came. Never returns.
//   Entry   x0 = listener, x1 = tag of the answer.
FUNC bench_serve_short
        mov     x19, x0
        mov     x20, x1
        mov     x5, #0
        mov     x9, #0
        svc     #1
1:      mov     x0, x19                    // x2 is the token, x5 is zero
        mov     x9, x20
        svc     #2
        b       1b
END bench_serve_short

// bench_serve_long - answers every request with an empty response. Never returns.
//   Entry   x0 = listener, x1 = room for a fixed part, x2 = room for an arena.
FUNC bench_serve_long
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        mov     x5, x20
        mov     x6, x21
        mov     x9, #0
        svc     #1
1:      mov     x0, x19
        mov     x5, x20
        mov     x6, x21
        and     x9, x9, #0xFFFFFFFF0       // endpoint and method
        orr     x9, x9, #(1 << 62)         // a response without words
        svc     #2
        b       1b
END bench_serve_long

// ROOM_LOOP - Calls with room for a long answer where the arena is, or each with the next arena.
//   Entry and exit as CALL_LOOP; the first payload register is Loop.word.
.macro ROOM_LOOP name, advances
FUNC \name
        stp     x19, x20, [sp, #-64]!
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x30, [sp, #48]
        ldp     x19, x20, [x0]
        ldp     x21, x22, [x0, #16]
        ldp     x23, x25, [x0, #32]
        isb
        mrs     x24, cntvct_el0
1:      mov     x0, x19
        mov     x3, x21
        mov     x4, x22
        mov     x5, x21
        mov     x6, x22
        mov     x9, x20
        mov     x10, x25
        svc     #0
        .if     \advances
        add     x22, x22, #0x10, lsl #12   // 64 KiB
        .endif
        subs    x23, x23, #1
        b.ne    1b
        mrs     x25, cntvct_el0
        mov     x1, x0
        sub     x0, x25, x24
        ldp     x25, x30, [sp, #48]
        ldp     x23, x24, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp], #64
        ret
END \name
.endm

        ROOM_LOOP bench_call_room, 0
        ROOM_LOOP bench_call_giving, 1

// bench_serve_pages - answers a short request with as many bytes of `data` as it asks for, a long
// one of method 1 with nothing, taking the next into the next part of the room, any other with the
// pages that came. Never returns.
//   Entry   x0 = listener, x1 = room for a fixed part, x2 = room for an arena, x3 = data.
FUNC bench_serve_pages
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        mov     x22, x3
        ubfx    x23, x1, #0, #39           // address of the fixed part: a range of the arena
        mov     x26, #(8 << 39)
        orr     x26, x26, x23              // what an answer has there
        mov     x25, #(1 << 48)            // tag of an answer: with an arena, long, ...
        orr     x25, x25, #(1 << 39)
        orr     x25, x25, #(1 << 62)
        mov     x5, x20
        mov     x6, x21
        mov     x9, #0
        svc     #1
1:      mov     x0, x19
        tbnz    x9, #39, 2f
        lsl     x7, x10, #32
        str     x7, [x23]
        mov     x3, x26
        orr     x4, x22, x10, lsl #39
        mov     x5, x20
        mov     x6, x21
        and     x9, x9, #0xFFFFFFFF0       // endpoint and method
        orr     x9, x9, x25
        svc     #2
        b       1b
2:      tbz     x9, #4, 3f
        add     x21, x21, #0x10, lsl #12   // 64 KiB
        mov     x5, x20
        mov     x6, x21
        and     x9, x9, #0xFFFFFFFF0
        orr     x9, x9, #(1 << 62)         // a response without words
        svc     #2
        b       1b
3:      ubfx    x24, x21, #0, #39
        orr     x4, x24, x4, lsl #39
        mov     x3, x26
        mov     x5, x20
        mov     x6, x21
        and     x9, x9, #0xFFFFFFFF0
        orr     x9, x9, x25
        orr     x9, x9, #(1 << 58)         // whose pages may move
        svc     #2
        b       1b
END bench_serve_pages

// bench_take_interrupts - notes the time of interrupts until something else arrives.
//   Entry   x0 = listener, x1 = registers of the PL031, x2 = tag of the requests to take,
//           x3 = Arrival* (ticks, count, token, first payload word).
//   Exit    arrival.token and arrival.word are those of the other request.
        .equ    RTC_ICR, 0x1C              // [PL031] "RTCICR": writing 1 clears the interrupt
FUNC bench_take_interrupts
        stp     x19, x20, [sp, #-48]!
        stp     x21, x22, [sp, #16]
        stp     x23, x30, [sp, #32]
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        mov     x22, x3
        mov     x23, #1
        mov     x5, #0
        mov     x9, #0
        svc     #1
1:      hint    #(0x78 + 5)
        mrs     x3, cntvct_el0
        cmp     x9, x21
        b.ne    2f
        str     w23, [x20, #RTC_ICR]
        ldr     x4, [x22, #8]
        add     x4, x4, #1
        stp     x3, x4, [x22]
        and     x9, x9, #0xFFFFFFFF0
        orr     x9, x9, #(1 << 62)
        mov     x0, x19
        svc     #2
        b       1b
2:      stp     x2, x10, [x22, #16]
        ldp     x23, x30, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp], #48
        ret
END bench_take_interrupts

// bench_raise - makes the alarm due, after some instructions that move the start against the tick.
//   Entry   x0 = registers of the PL031, x1 = 1..16.
//   Exit    x0 = CNTVCT right before the store that raises the interrupt.
        .equ    RTC_DR, 0x00               // [PL031] "RTCDR": seconds
        .equ    RTC_MR, 0x04               // [PL031] "RTCMR": seconds at which it interrupts
FUNC bench_raise
1:      subs    x1, x1, #1
        b.ne    1b
        ldr     w1, [x0, #RTC_DR]
        hint    #(0x70 + 5)
        mrs     x2, cntvct_el0
        str     w1, [x0, #RTC_MR]
        mov     x0, x2
        ret
END bench_raise

// bench_begin_start - marks the begin of the start of a process. Exit: x0 = CNTVCT.
FUNC bench_begin_start
        hint    #(0x70 + 7)
        mrs     x0, cntvct_el0
        ret
END bench_begin_start

// bench_child - the whole program of the process that is started; runs wherever it is copied.
//   Entry   x0 = ChildPage* (ticks, tag of Task.Exit, kernel channel).
FUNC bench_child
        hint    #(0x78 + 7)
        mrs     x1, cntvct_el0
        str     x1, [x0]
        ldp     x9, x0, [x0, #8]
        mov     x10, #0
        svc     #0
        brk     #0
        .global bench_child_end
bench_child_end:
END bench_child

        .section .note.GNU-stack, "", %progbits

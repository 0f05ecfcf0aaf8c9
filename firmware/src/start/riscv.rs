//! RISC-V, one hart in machine mode.
#![allow(unsafe_code)]

use core::arch::{asm, global_asm};
use core::ptr::addr_of;

// Linked for what it provides: critical sections.
use ::riscv as _;

/// Marks the entry point.
pub use riscv_rt::entry;

/// What the stack is filled with before the entry point.
pub const STACK_PAINT: u32 = 0xCCCC_CCCC;

unsafe extern "C" {
    static __stext: u32;
}

/// Where the image begins.
pub fn image_start() -> usize {
    addr_of!(__stext) as usize
}

/// Starts the whole machine anew; RAM keeps what it holds. The architecture has nothing for it.
pub fn reset() -> ! {
    crate::boards::reset()
}

/// Faults.
pub fn undefined_instruction() {
    // SAFETY: it does nothing but fault.
    unsafe { asm!("unimp") }
}

/// Instructions of [`known_loop`].
pub const LOOP_INSTRUCTIONS: u64 = 1 + 2 * (125 << 13);

/// A loop of known length.
#[inline(always)]
pub fn known_loop() {
    // SAFETY: it changes one register, which the compiler is told of, and ends after 250 · 2^12 turns.
    unsafe {
        asm!(
            "lui {turns}, 250",
            "2: addi {turns}, {turns}, -1",
            "bnez {turns}, 2b",
            turns = out(reg) _,
            options(nomem, nostack),
        );
    }
}

// `riscv-rt` calls `__pre_init` once, before it sets statics up, with the stack pointer at `_stack_start` and nothing on the stack.
//
// First it makes everything from `__stext` to `_stack_end` readable and executable only, by a rule of the physical memory
// protection that is locked, since only such rules bind machine mode. The image lies there, and the stack ends where it does, so
// that a stack that overflows is a fault instead of another program.
//
// Then it paints the stack.
//
// SAFETY: it changes only registers that a called function may change, and memory from `_stack_end` to the stack pointer, of
// which the linker script sees to it that it is the stack's and 4-byte aligned: no Rust object lies there, since no Rust code has
// run. What the rule forbids, nothing does: the image's writable statics lie above the stack.
global_asm!(
    ".section .init.pre_init, \"ax\"",
    ".global __pre_init",
    "__pre_init:",
    "la t0, __stext",
    "srli t0, t0, 2",
    "csrw pmpaddr0, t0",
    "la t0, _stack_end",
    "srli t1, t0, 2",
    "csrw pmpaddr1, t1",
    "li t1, {locked_from_0_to_1} << 8",
    "csrw pmpcfg0, t1",
    "li t1, {paint}",
    "2: bgeu t0, sp, 3f",
    "sw t1, 0(t0)",
    "addi t0, t0, 4",
    "j 2b",
    "3: ret",
    locked_from_0_to_1 = const 0x80 | 1 << 3 | 1 << 2 | 1,
    paint = const STACK_PAINT,
);

// `riscv-rt` puts `_start_trap` into `mtvec` before the entry point. No interrupt is ever enabled, so each trap is a fault, and nothing
// goes on after it: no register needs to be kept.
//
// SAFETY: the handler never returns, so what the interrupted program had on its stack is dead, and the stack may start anew: there
// is room even if it was the stack that overflowed. `trident_fault` takes four words and is `extern "C"`; `gp` and `tp` are as
// they were, since no code of the image changes them.
global_asm!(
    ".section .trap.start, \"ax\"",
    ".balign 4",
    ".global _start_trap",
    "_start_trap:",
    "mv a3, ra",
    "csrr a0, mcause",
    "csrr a1, mepc",
    "csrr a2, mtval",
    "la sp, _stack_start",
    "j trident_fault",
);

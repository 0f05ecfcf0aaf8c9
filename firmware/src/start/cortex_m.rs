//! Cortex-M.
#![allow(unsafe_code)]

use core::arch::asm;
use core::ptr::addr_of;

/// Marks the entry point.
pub use cortex_m_rt::entry;

/// What start-up code fills the stack with.
pub const STACK_PAINT: u32 = cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    static __vector_table: u32;
}

/// Where the image begins.
pub fn image_start() -> usize {
    addr_of!(__vector_table) as usize
}

/// Starts the whole chip anew; RAM keeps what it holds. (That `cortex_m` is linked gives the image its critical sections too.)
pub fn reset() -> ! {
    ::cortex_m::peripheral::SCB::sys_reset()
}

/// Faults.
pub fn undefined_instruction() {
    // SAFETY: it does nothing but fault.
    unsafe { asm!("udf #0") }
}

/// Instructions of [`known_loop`].
pub const LOOP_INSTRUCTIONS: u64 = 2 + 2 * (125 << 13);

/// A loop of known length.
#[inline(always)]
pub fn known_loop() {
    // SAFETY: it changes one register and the flags, which the compiler is told of, and ends after 125 · 2^13 turns.
    unsafe {
        asm!(
            "movs {turns}, #125",
            "lsls {turns}, {turns}, #13",
            "2: subs {turns}, {turns}, #1",
            "bne 2b",
            turns = out(reg) _,
            options(nomem, nostack),
        );
    }
}

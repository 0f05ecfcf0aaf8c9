//! Where the core goes when it cannot go on, or is interrupted.
//!
//! `HardFault` may come because there is no stack left, so its entry touches none: it takes what it needs of the interrupted program
//! out of the frame that the core stored, if that lies within the stack at all, and goes on with the stack's whole memory to
//! itself, since nothing returns from there.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use cortex_m_rt::ExceptionFrame;
use trident::wire::Text;

use super::super::record::{Kind, Record};
use super::super::recovery::{end, interrupted};
use super::guard::{stack_end, stack_start};

unsafe extern "C" {
    static _stack_start: u32;
    static _stack_end: u32;
}

/// Bytes of a frame without floating-point registers, which lies lowest in any frame.
const FRAME_LEN: usize = 32;

/// The processor's last resort.
///
/// # Safety
/// Only the core may enter it.
// SAFETY: the vector table wants this name, and nothing else has it.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn HardFault() -> ! {
    // `pc` and `lr` of the interrupted program are the frame's seventh and sixth word.
    naked_asm!(
        "mrs r0, msp",
        "movs r1, #0",
        "movs r2, #0",
        "ldr r3, 3f",
        "cmp r0, r3",
        "blo 2f",
        "ldr r3, 4f",
        "cmp r0, r3",
        "bhi 2f",
        "ldr r1, [r0, #24]",
        "ldr r2, [r0, #20]",
        "2:",
        "ldr r3, 5f",
        "msr msp, r3",
        "isb",
        "ldr r3, 6f",
        "bx r3",
        ".p2align 2",
        "3: .word {end}",
        "4: .word {start} - {frame_len}",
        "5: .word {start}",
        "6: .word {handler}",
        end = sym _stack_end,
        start = sym _stack_start,
        frame_len = const FRAME_LEN,
        handler = sym hard_fault,
    )
}

/// `stack_pointer` is where the core left the frame; `pc` and `lr` mean something only if that is within the stack.
extern "C" fn hard_fault(stack_pointer: usize, pc: u32, lr: u32) -> ! {
    let within = (stack_end()..=stack_start() - FRAME_LEN).contains(&stack_pointer);
    #[cfg(not(armv6m))]
    let (stored, overflow, message) = {
        let cause = super::cause::Cause::read();
        (cause.frame_stored(stack_pointer), cause.is_overflow(), cause.words())
    };
    #[cfg(armv6m)]
    let (stored, overflow, message) = (true, false, Text::new());
    let overflow = overflow || stack_pointer < stack_end();
    let known = |address| (within && stored).then_some(address);
    end(Record {
        kind: if overflow { Kind::StackOverflow } else { Kind::HardFault },
        pc: known(pc),
        lr: known(lr),
        message: if overflow { Text::new() } else { message },
    })
}

/// The watchdog's warning on most boards.
///
/// # Safety
/// Only the core may enter it.
// SAFETY: as for `HardFault`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn NonMaskableInt() {
    // With the link register as it is, the handler returns straight to what was interrupted.
    naked_asm!("mrs r0, msp", "ldr r3, 2f", "bx r3", ".p2align 2", "2: .word {handler}", handler = sym interrupt)
}

/// Every other exception and interrupt.
///
/// # Safety
/// Only the core may enter it.
// SAFETY: as for `HardFault`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn DefaultHandler() {
    naked_asm!("mrs r0, msp", "ldr r3, 2f", "bx r3", ".p2align 2", "2: .word {handler}", handler = sym interrupt)
}

/// `frame` is what the core stored: had it not been able to, it would have gone to `HardFault`.
extern "C" fn interrupt(frame: &ExceptionFrame) {
    interrupted(active(), frame.pc(), frame.lr());
}

/// The number of the exception that is being handled.
fn active() -> u32 {
    // SAFETY: the system control block lies there on every Cortex-M; the read changes nothing.
    let scb = unsafe { &*cortex_m::peripheral::SCB::PTR };
    scb.icsr.read() & 0x1ff
}

//! Where a panic or a processor fault ends in an image without a log: in the exit status.
#![allow(unsafe_code)]

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use semihosting::process::exit;

/// Exit statuses, which the host shows.
const PANIC: i32 = 101;
const HARD_FAULT: i32 = 102;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(PANIC)
}

// SAFETY: the attribute asks for `unsafe` because the handler may interrupt anything. It touches no memory at all.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    exit(HARD_FAULT)
}

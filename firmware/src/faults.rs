//! Where a panic or a processor fault ends: in the log, then out.
#![allow(unsafe_code)]

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

use crate::semihosting::exit;

/// Exit statuses, which the host shows.
const PANIC: i32 = 101;
const HARD_FAULT: i32 = 102;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    exit(PANIC)
}

// SAFETY: the attribute asks for `unsafe` because the handler may interrupt anything. It only reads its frame and logs; the
// logger's lock is taken only inside critical sections, and a fault inside one ends here in a panic, not in a torn state.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!(
        "hard fault at {=u32:#010x}, called from {=u32:#010x}",
        frame.pc(),
        frame.lr()
    );
    exit(HARD_FAULT)
}

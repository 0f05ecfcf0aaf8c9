//! Where a panic or a processor fault ends in an image without a log: in the exit status.

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv;

use core::panic::PanicInfo;

use semihosting::process::exit;

/// Exit statuses, which the host shows.
const PANIC: i32 = 101;
const HARD_FAULT: i32 = 102;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(PANIC)
}

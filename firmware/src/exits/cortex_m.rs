//! Cortex-M's last resort.
#![allow(unsafe_code)]

use cortex_m_rt::{ExceptionFrame, exception};
use semihosting::process::exit;

use super::HARD_FAULT;

// SAFETY: the attribute asks for `unsafe` because the handler may interrupt anything. It touches no memory at all.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    exit(HARD_FAULT)
}

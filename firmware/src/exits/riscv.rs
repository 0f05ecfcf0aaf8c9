//! RISC-V's exceptions.
#![allow(unsafe_code)]

use semihosting::process::exit;

use super::HARD_FAULT;

/// Where `start` leads every exception to.
// SAFETY: no other symbol of the image has this name. It touches no memory at all.
#[unsafe(no_mangle)]
extern "C" fn trident_fault(_cause: u32, _pc: u32, _address: u32, _ra: u32) -> ! {
    exit(HARD_FAULT)
}

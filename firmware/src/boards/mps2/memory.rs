//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance;
use core::slice::from_raw_parts;

use super::super::registers::Registers;

const PSRAM: usize = if cfg!(feature = "board-mps2-an500") {
    0x6000_0000
} else {
    0x2100_0000
};

/// Slots for blobs: the last megabyte of flash, then all of the PSRAM.
pub fn slots() -> [&'static [u8]; 2] {
    let flash = with_exposed_provenance::<u8>(0x0030_0000);
    let psram = with_exposed_provenance::<u8>(PSRAM);
    [
        // SAFETY: 0..4 MB is memory; `memory.x` keeps the image out of the last megabyte, so no Rust object lies there and
        // nothing writes to it while the image runs. Any byte is a valid u8.
        unsafe { from_raw_parts(flash, 1 << 20) },
        // SAFETY: the PSRAM is 16 MB at this address, outside every region of `memory.x`: no Rust object lies there and
        // nothing writes to it while the image runs. Any byte is a valid u8.
        unsafe { from_raw_parts(psram, 16 << 20) },
    ]
}

// SAFETY: the first UART's page in the board's map; no peripheral of these three masters the bus.
pub const UART0: Registers = unsafe { Registers::at(0x4000_4000) };
// SAFETY: as above, a 25 MHz down-counter.
pub const TIMER0: Registers = unsafe { Registers::at(0x4000_0000) };
// SAFETY: as above, two more timers with prescalers; the first is at the page's start.
pub const DUAL_TIMER: Registers = unsafe { Registers::at(0x4000_2000) };

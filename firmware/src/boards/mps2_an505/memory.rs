//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance;
use core::slice::from_raw_parts;

use super::super::registers::Registers;

/// Slots for blobs: the last megabyte of the first SSRAM, then all of the PSRAM.
pub fn slots() -> [&'static [u8]; 2] {
    let flash = with_exposed_provenance::<u8>(0x1030_0000);
    let psram = with_exposed_provenance::<u8>(0x8000_0000);
    [
        // SAFETY: 4 MB from 0x1000_0000 on are memory; `memory.x` keeps the image out of the last megabyte, so no Rust object
        // lies there and nothing writes to it while the image runs. Any byte is a valid u8.
        unsafe { from_raw_parts(flash, 1 << 20) },
        // SAFETY: the PSRAM is 16 MB at this address, outside every region of `memory.x`: no Rust object lies there and
        // nothing writes to it while the image runs. Any byte is a valid u8.
        unsafe { from_raw_parts(psram, 16 << 20) },
    ]
}

// SAFETY: the first UART's page in the board's map, seen by secure code; no peripheral of these three masters the bus.
pub const UART0: Registers = unsafe { Registers::at(0x5020_0000) };
// SAFETY: as above, a 20 MHz down-counter.
pub const TIMER0: Registers = unsafe { Registers::at(0x5000_0000) };
// SAFETY: as above, two more timers with prescalers; the first is at the page's start.
pub const DUAL_TIMER: Registers = unsafe { Registers::at(0x5000_2000) };

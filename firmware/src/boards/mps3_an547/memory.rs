//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance;
use core::slice::from_raw_parts;

use super::super::registers::Registers;

/// Slots for blobs: a megabyte of on-chip memory, then 16 MB of DDR.
pub fn slots() -> [&'static [u8]; 2] {
    let block = with_exposed_provenance::<u8>(0x1100_0000);
    let ddr = with_exposed_provenance::<u8>(0x7000_0000);
    [
        // SAFETY: the block RAM is 2 MB at this address, outside every region of `memory.x`: no Rust object lies there and
        // nothing writes to it while the image runs. Any byte is a valid u8.
        unsafe { from_raw_parts(block, 1 << 20) },
        // SAFETY: as above for the DDR memory, of which there are 256 MB from this address on.
        unsafe { from_raw_parts(ddr, 16 << 20) },
    ]
}

// SAFETY: the first UART's page in the board's map, seen by secure code; none of these peripherals masters the bus.
pub const UART0: Registers = unsafe { Registers::at(0x5930_3000) };
// SAFETY: as above, the control frame of the system counter.
pub const COUNTER_CONTROL: Registers = unsafe { Registers::at(0x5810_0000) };
// SAFETY: as above, its status frame.
pub const COUNTER_STATUS: Registers = unsafe { Registers::at(0x5810_1000) };

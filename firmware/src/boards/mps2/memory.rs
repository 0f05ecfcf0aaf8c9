//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use core::slice::from_raw_parts;

/// Slots for blobs: the last megabyte of flash, then all of the PSRAM.
pub fn slots() -> [&'static [u8]; 2] {
    let flash = with_exposed_provenance::<u8>(0x0030_0000);
    let psram = with_exposed_provenance::<u8>(0x2100_0000);
    [
        // SAFETY: 0..4 MB is memory; `memory.x` keeps the image out of the last megabyte, so no Rust object lies there and
        // nothing writes to it while the image runs. Any byte is a valid u8.
        unsafe { from_raw_parts(flash, 1 << 20) },
        // SAFETY: the PSRAM is 16 MB at this address, outside every region of `memory.x`: no Rust object lies there and
        // nothing writes to it while the image runs. Any byte is a valid u8.
        unsafe { from_raw_parts(psram, 16 << 20) },
    ]
}

/// The first UART.
pub const UART0: Registers = Registers(0x4000_4000);
/// A 25 MHz down-counter.
pub const TIMER0: Registers = Registers(0x4000_0000);
/// Two more, with prescalers; the first is at its start.
pub const DUAL_TIMER: Registers = Registers(0x4000_2000);

/// A peripheral's registers, 32 bits each. Only this module makes one, so each stands for a peripheral that is there.
#[derive(Clone, Copy)]
pub struct Registers(usize);

impl Registers {
    /// The register `OFFSET` bytes from the first.
    pub fn read<const OFFSET: usize>(self) -> u32 {
        const { assert!(OFFSET < 0x1000 && OFFSET.is_multiple_of(4)) };
        // SAFETY: the address lies in the 4 KB page of one of the peripherals above, which has registers of 32 bits; a
        // volatile read of one touches no Rust object.
        unsafe { with_exposed_provenance::<u32>(self.0 + OFFSET).read_volatile() }
    }

    /// Writes the register `OFFSET` bytes from the first.
    pub fn write<const OFFSET: usize>(self, value: u32) {
        const { assert!(OFFSET < 0x1000 && OFFSET.is_multiple_of(4)) };
        // SAFETY: as in `read`. None of these peripherals masters the bus, so no write makes one touch memory.
        unsafe { with_exposed_provenance_mut::<u32>(self.0 + OFFSET).write_volatile(value) }
    }
}

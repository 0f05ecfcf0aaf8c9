//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance;
use core::slice::from_raw_parts;

use static_cell::ConstStaticCell;

use super::super::registers::Registers;

/// The upper 80 KB of the flash.
///
/// # Panics
/// When called twice.
pub fn flash() -> &'static [u8] {
    static TAKEN: ConstStaticCell<()> = ConstStaticCell::new(());
    TAKEN.take();
    let first = with_exposed_provenance::<u8>(0x0002_C000);
    // SAFETY: 0..256 KB is flash; `memory.x` keeps the image out of the upper 80 KB, so no Rust object lies there and nothing
    // writes to it while the image runs. Any byte is a valid u8.
    unsafe { from_raw_parts(first, 80 << 10) }
}

// SAFETY: the first UART's page in the chip's map; neither it nor the watchdog masters the bus.
pub const UART0: Registers = unsafe { Registers::at(0x4000_C000) };
// SAFETY: as above, the watchdog, a down-counter of 32 bits.
pub const WATCHDOG: Registers = unsafe { Registers::at(0x4000_0000) };
// SAFETY: the core's own page, which begins with the interrupt controller on every Cortex-M3.
pub const INTERRUPTS: Registers = unsafe { Registers::at(0xE000_E000) };

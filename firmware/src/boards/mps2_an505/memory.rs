//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance_mut;
use core::slice::from_raw_parts_mut;

use static_cell::ConstStaticCell;

use super::super::registers::Registers;

/// The PSRAM, all of it.
///
/// # Panics
/// When called twice.
pub fn flash() -> &'static mut [u8] {
    static TAKEN: ConstStaticCell<()> = ConstStaticCell::new(());
    TAKEN.take();
    let first = with_exposed_provenance_mut::<u8>(0x8000_0000);
    // SAFETY: the PSRAM is 16 MB at this address, outside every region of `memory.x`, so no Rust object lies there, and no
    // peripheral writes to it; `TAKEN` sees to it that this is the only reference. Any byte is a valid u8.
    unsafe { from_raw_parts_mut(first, 16 << 20) }
}

// SAFETY: the first UART's page in the board's map, seen by secure code; none of these peripherals masters the bus.
pub const UART0: Registers = unsafe { Registers::at(0x5020_0000) };
// SAFETY: as above, a 20 MHz down-counter.
pub const TIMER0: Registers = unsafe { Registers::at(0x5000_0000) };
// SAFETY: as above, two more timers with prescalers; the first is at the page's start.
pub const DUAL_TIMER: Registers = unsafe { Registers::at(0x5000_2000) };
// SAFETY: as above, the watchdog of the secure side.
pub const WATCHDOG: Registers = unsafe { Registers::at(0x5008_1000) };

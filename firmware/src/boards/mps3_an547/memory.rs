//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance_mut;
use core::slice::from_raw_parts_mut;

use static_cell::ConstStaticCell;

use super::super::registers::Registers;

/// 16 MB of the DDR memory.
///
/// # Panics
/// When called twice.
pub fn flash() -> &'static mut [u8] {
    static TAKEN: ConstStaticCell<()> = ConstStaticCell::new(());
    TAKEN.take();
    let first = with_exposed_provenance_mut::<u8>(0x7000_0000);
    // SAFETY: from this address on there are 256 MB of DDR memory, outside every region of `memory.x`, so no Rust object lies there,
    // and no peripheral writes to it; `TAKEN` sees to it that this is the only reference. Any byte is a valid u8.
    unsafe { from_raw_parts_mut(first, 16 << 20) }
}

// SAFETY: the first UART's page in the board's map, seen by secure code; none of these peripherals masters the bus.
pub const UART0: Registers = unsafe { Registers::at(0x5930_3000) };
// SAFETY: as above, the control frame of the system counter.
pub const COUNTER_CONTROL: Registers = unsafe { Registers::at(0x5810_0000) };
// SAFETY: as above, its status frame.
pub const COUNTER_STATUS: Registers = unsafe { Registers::at(0x5810_1000) };
// SAFETY: as above, the watchdog of the secure side, on the slow clock.
pub const WATCHDOG: Registers = unsafe { Registers::at(0x5802_E000) };

//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance;
use core::slice::from_raw_parts;

use static_cell::ConstStaticCell;

use super::super::registers::Registers;

/// The upper half of the flash.
///
/// # Panics
/// When called twice.
pub fn flash() -> &'static [u8] {
    static TAKEN: ConstStaticCell<()> = ConstStaticCell::new(());
    TAKEN.take();
    let first = with_exposed_provenance::<u8>(0x0808_0000);
    // SAFETY: 1 MB from 0x0800_0000 on is flash; `memory.x` keeps the image out of the upper half, so no Rust object lies there
    // and nothing writes to it while the image runs. Any byte is a valid u8.
    unsafe { from_raw_parts(first, 512 << 10) }
}

// SAFETY: USART1's page in the chip's map; neither it nor the timer masters the bus.
pub const USART1: Registers = unsafe { Registers::at(0x4001_1000) };
// SAFETY: as above, a timer of 32 bits.
pub const TIM2: Registers = unsafe { Registers::at(0x4000_0000) };

//! `mps3-an547`: ARM's MPS3 board with the AN547 image (Cortex-M55), as QEMU models it. Everything runs secure.
//!
//! ```text
//! 0x1000_0000  image, 512 KB       0x3000_0000  stack, 64 KB         0x5810_0000  system counter
//! 0x1100_0000  slot 0, 1 MB        0x3001_0000  statics              0x5930_3000  UART0
//!                                  0x7000_0000  slot 1, DDR, 16 MB
//! ```

mod counter;
mod memory;

use super::Board;
use super::cmsdk::Uart;
use counter::SystemCounter;

/// The board.
pub enum Mps3An547 {}

impl Board for Mps3An547 {
    const NAME: &'static str = "mps3-an547";
    const ARENA_LEN: usize = 256 * 1024;
    const PICTURE_LEN: usize = 128 * 128 * 3;
    type Link = Uart;
    type Counter = SystemCounter;

    fn slots() -> impl Iterator<Item = &'static [u8]> {
        memory::slots().into_iter()
    }

    fn start() -> (Self::Link, Self::Counter) {
        let counter = SystemCounter::new(memory::COUNTER_CONTROL, memory::COUNTER_STATUS);
        (Uart::new(memory::UART0), counter)
    }
}

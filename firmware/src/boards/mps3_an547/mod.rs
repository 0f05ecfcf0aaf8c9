//! `mps3-an547`: ARM's MPS3 board with the AN547 image (Cortex-M55), as QEMU models it. Everything runs secure.
//!
//! ```text
//! 0x1000_0000  image, 512 KB       0x3000_0000  stack, 64 KB         0x5810_0000  system counter
//!                                  0x3001_0000  statics              0x5930_3000  UART0
//!                                  0x7000_0000  slots and state in DDR, 16 MB
//! ```

mod counter;
mod memory;

use trident::slots::{FlashMap, NorMemory};

use super::cmsdk::Uart;
use super::{Board, NOR_MAP};
use counter::SystemCounter;

/// The board.
pub enum Mps3An547 {}

impl Board for Mps3An547 {
    const NAME: &'static str = "mps3-an547";
    const ARENA_LEN: usize = 256 * 1024;
    const PICTURE_LEN: usize = 128 * 128 * 3;
    const MAP: FlashMap = NOR_MAP;
    type Flash = NorMemory<'static>;
    type Link = Uart;
    type Counter = SystemCounter;

    fn flash() -> NorMemory<'static> {
        NorMemory::new(memory::flash())
    }

    fn start() -> (Self::Link, Self::Counter) {
        let counter = SystemCounter::new(memory::COUNTER_CONTROL, memory::COUNTER_STATUS);
        (Uart::new(memory::UART0), counter)
    }
}

//! `mps2-an386`: ARM's MPS2 board with the AN386 image (Cortex-M4F), as QEMU models it.
//!
//! ```text
//! 0x0000_0000  image, 3 MB         0x2000_0000  stack, 64 KB         0x4000_0000  TIMER0
//! 0x0030_0000  slot 0, 1 MB        0x2001_0000  statics              0x4000_2000  dual timer
//!                                  0x2100_0000  slot 1, PSRAM, 16 MB 0x4000_4000  UART0
//! ```

mod counter;
mod memory;
mod uart;

use super::Board;
use counter::TimerCounter;
use uart::Uart;

/// The board.
pub enum Mps2An386 {}

impl Board for Mps2An386 {
    const NAME: &'static str = "mps2-an386";
    const ARENA_LEN: usize = 256 * 1024;
    const PICTURE_LEN: usize = 128 * 128 * 3;
    type Link = Uart;
    type Counter = TimerCounter;

    fn slots() -> impl Iterator<Item = &'static [u8]> {
        memory::slots().into_iter()
    }

    fn start() -> (Uart, TimerCounter) {
        let counter = TimerCounter::new(memory::TIMER0, memory::DUAL_TIMER);
        (Uart::new(memory::UART0), counter)
    }
}

//! `microbit`: the BBC micro:bit (nRF51822, Cortex-M0), as QEMU models it: 256 KB of flash, 16 KB of RAM.
//!
//! ```text
//! 0x0000_0000  image, 192 KB       0x2000_0000  stack, 13 KB         0x4000_2000  UART0
//! 0x0003_0000  slots, 64 KB        0x2000_3400  statics, 3 KB        0x4000_8000  TIMER0
//! ```
//! There is no room for a picture beside the arena: the link serves readings. QEMU does not model the chip's watchdog, so there is none.

mod counter;
mod memory;
mod uart;

use trident::slots::FlashMap;

use super::polled::Polled;
use super::rom::Rom;
use super::unwatched::NoWatchdog;
use super::{Board, rom_map};
use counter::Timer;
use uart::Uart;

/// The board.
pub enum Microbit {}

impl Board for Microbit {
    const NAME: &'static str = "microbit";
    const ARENA_LEN: usize = 2 * 1024;
    const PICTURE_LEN: usize = 0;
    const MAP: FlashMap = rom_map(32 << 10);
    type Flash = Rom;
    type Link = Polled<Uart>;
    type Counter = Timer;
    type Watchdog = NoWatchdog;
    const WATCHDOG: NoWatchdog = NoWatchdog;

    fn flash() -> Rom {
        Rom(memory::flash())
    }

    fn start() -> (Self::Link, Self::Counter) {
        (Polled(Uart::new(memory::UART0)), Timer::new(memory::TIMER0))
    }
}

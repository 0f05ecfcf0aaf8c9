//! `lm3s6965evb`: Stellaris' evaluation board (Cortex-M3), as QEMU models it: 256 KB of flash, 64 KB of RAM.
//!
//! ```text
//! 0x0000_0000  image, 176 KB       0x2000_0000  stack, 12 KB         0x4000_0000  watchdog
//! 0x0002_C000  slots, 80 KB        0x2000_3000  statics, 52 KB       0x4000_C000  UART0
//! ```

mod counter;
mod memory;
mod uart;
mod watchdog;

use trident::slots::FlashMap;

use super::polled::Polled;
use super::rom::Rom;
use super::{Board, rom_map};
use counter::DownCounter;
use uart::Uart;
use watchdog::LuminaryWatchdog;

/// The board.
pub enum Lm3s6965Evb {}

impl Board for Lm3s6965Evb {
    const NAME: &'static str = "lm3s6965evb";
    const ARENA_LEN: usize = 32 * 1024;
    const PICTURE_LEN: usize = 64 * 64 * 3;
    const MAP: FlashMap = rom_map(40 << 10);
    type Flash = Rom;
    type Link = Polled<Uart>;
    type Counter = DownCounter;
    type Watchdog = LuminaryWatchdog;
    const WATCHDOG: LuminaryWatchdog = LuminaryWatchdog {
        registers: memory::WATCHDOG,
        interrupts: memory::INTERRUPTS,
    };

    fn flash() -> Rom {
        Rom(memory::flash())
    }

    fn start() -> (Self::Link, DownCounter) {
        (Polled(Uart::new(memory::UART0)), DownCounter::new(memory::WATCHDOG))
    }
}

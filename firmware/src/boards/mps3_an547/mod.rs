//! `mps3-an547`: ARM's MPS3 board with the AN547 image (Cortex-M55), as QEMU models it. Everything runs secure.
//!
//! ```text
//! 0x1000_0000  image, 512 KB       0x3000_0000  stack, 64 KB         0x5810_0000  system counter
//!                                  0x3001_0000  statics              0x5802_E000  watchdog
//!                                  0x7000_0000  slots, state, 16 MB  0x5930_3000  UART0
//! ```

mod counter;
mod memory;

use trident::slots::{FlashMap, NorMemory};

use super::cmsdk::{ApbWatchdog, Uart};
use super::polled::Polled;
use super::{Board, NOR_MAP};
use counter::SystemCounter;

/// The clock that the watchdog counts by, apart from the core's own.
const SLOW_TICKS_PER_SECOND: u64 = 32_000;

/// The board.
pub enum Mps3An547 {}

impl Board for Mps3An547 {
    const NAME: &'static str = "mps3-an547";
    const ARENA_LEN: usize = 256 * 1024;
    const PICTURE_LEN: usize = 128 * 128 * 3;
    const MAP: FlashMap = NOR_MAP;
    type Flash = NorMemory<'static>;
    type Link = Polled<Uart>;
    type Counter = SystemCounter;
    type Watchdog = ApbWatchdog<SLOW_TICKS_PER_SECOND>;
    const WATCHDOG: Self::Watchdog = ApbWatchdog::new(memory::WATCHDOG);

    fn flash() -> NorMemory<'static> {
        NorMemory::new(memory::flash())
    }

    fn start() -> (Self::Link, Self::Counter) {
        let counter = SystemCounter::new(memory::COUNTER_CONTROL, memory::COUNTER_STATUS);
        (Polled(Uart::new(memory::UART0)), counter)
    }
}

//! `mps2-an505`: ARM's MPS2 board with the AN505 image (Cortex-M33), as QEMU models it. Everything runs secure.
//!
//! ```text
//! 0x1000_0000  image, 3 MB         0x3800_0000  stack, 64 KB         0x5000_0000  TIMER0
//!                                  0x3801_0000  statics              0x5000_2000  dual timer
//!                                  0x8000_0000  slots, state, 16 MB  0x5008_1000  watchdog
//!                                                                    0x5020_0000  UART0
//! ```

mod memory;

use trident::slots::{FlashMap, NorMemory};

use super::cmsdk::{ApbWatchdog, TimerCounter, Uart};
use super::polled::Polled;
use super::{Board, NOR_MAP};

/// One tick of the board's 20 MHz timers.
const NANOS_PER_TICK: u64 = 50;
const TICKS_PER_SECOND: u64 = 1_000_000_000 / NANOS_PER_TICK;

/// The board.
pub enum Mps2An505 {}

impl Board for Mps2An505 {
    const NAME: &'static str = "mps2-an505";
    const ARENA_LEN: usize = 256 * 1024;
    const PICTURE_LEN: usize = 128 * 128 * 3;
    const MAP: FlashMap = NOR_MAP;
    type Flash = NorMemory<'static>;
    type Link = Polled<Uart>;
    type Counter = TimerCounter<NANOS_PER_TICK>;
    type Watchdog = ApbWatchdog<TICKS_PER_SECOND>;
    const WATCHDOG: Self::Watchdog = ApbWatchdog::new(memory::WATCHDOG);

    fn flash() -> NorMemory<'static> {
        NorMemory::new(memory::flash())
    }

    fn start() -> (Self::Link, Self::Counter) {
        let counter = TimerCounter::new(memory::TIMER0, memory::DUAL_TIMER);
        (Polled(Uart::new(memory::UART0)), counter)
    }
}

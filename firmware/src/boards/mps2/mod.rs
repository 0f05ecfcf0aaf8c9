//! `mps2-an385`, `mps2-an386`, `mps2-an500`: ARM's MPS2 board with a Cortex-M3, M4F or M7, as QEMU models it.
//!
//! ```text
//! 0x0000_0000  image, 3 MB         0x2000_0000  stack, 64 KB         0x4000_0000  TIMER0
//!                                  0x2001_0000  statics              0x4000_2000  dual timer
//!                                  slots and state, PSRAM, 16 MB:    0x4000_4000  UART0
//!                                  0x2100_0000, an500: 0x6000_0000  0x4000_8000  watchdog
//! ```

mod memory;

use trident::slots::{FlashMap, NorMemory};

use super::cmsdk::{ApbWatchdog, TimerCounter, Uart};
use super::polled::Polled;
use super::{Board, NOR_MAP};

/// One tick of the board's 25 MHz timers.
const NANOS_PER_TICK: u64 = 40;
const TICKS_PER_SECOND: u64 = 1_000_000_000 / NANOS_PER_TICK;

/// The board.
pub enum Mps2 {}

impl Board for Mps2 {
    const NAME: &'static str = if cfg!(feature = "board-mps2-an385") {
        "mps2-an385"
    } else if cfg!(feature = "board-mps2-an500") {
        "mps2-an500"
    } else {
        "mps2-an386"
    };
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

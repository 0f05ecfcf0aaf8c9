//! `virt-riscv32`: QEMU's `virt` machine with one RV32IMAC core. It models no chip; it is here to show that nothing in the engine is ARM's.
//!
//! ```text
//! 0x8000_0000  image, 4 MB         0x8040_0000  stack, 64 KB         0x1000_0000  UART0
//! 0x8100_0000  slots and state     0x8041_0000  statics, to 0x8080_0000
//! ```

mod counter;
mod memory;
mod uart;

use trident::slots::{FlashMap, NorMemory};

use super::polled::Polled;
use super::unwatched::NoWatchdog;
use super::{Board, NOR_MAP};
use counter::CycleCounter;
pub use memory::reset;
use uart::Uart;

/// The board.
pub enum VirtRiscv32 {}

impl Board for VirtRiscv32 {
    const NAME: &'static str = "virt-riscv32";
    const ARENA_LEN: usize = 256 * 1024;
    const PICTURE_LEN: usize = 128 * 128 * 3;
    const MAP: FlashMap = NOR_MAP;
    type Flash = NorMemory<'static>;
    type Link = Polled<Uart>;
    type Counter = CycleCounter;
    type Watchdog = NoWatchdog;
    const WATCHDOG: NoWatchdog = NoWatchdog;

    fn flash() -> NorMemory<'static> {
        NorMemory::new(memory::flash())
    }

    fn start() -> (Self::Link, CycleCounter) {
        (Polled(Uart::new(memory::UART0)), CycleCounter::new())
    }
}

//! The chip's watchdog: CMSDK's, but for its interrupt, which is an ordinary one. The counter reads it too (see `counter`), between
//! two feedings.

use super::super::registers::Registers;
use super::super::watchdog::Watchdog;

const LOAD: usize = 0x000;
const CONTROL: usize = 0x008;
const INTERRUPT_CLEAR: usize = 0x00C;
const INTERRUPT_ENABLE: u32 = 1 << 0;
const RESET_ENABLE: u32 = 1 << 1;

/// The interrupt controller's first word of enable bits.
const NVIC_ENABLE: usize = 0x100;
const INTERRUPT: u32 = 18;
/// Exceptions before the first interrupt.
const EXCEPTIONS: u32 = 16;

/// A minute at 12.5 MHz: sixty million instructions by QEMU's clock, far more than any model takes that fits this board.
const PERIOD: u32 = 60 * 12_500_000;

/// The watchdog and its interrupt.
pub struct LuminaryWatchdog {
    /// Its registers.
    pub registers: Registers,
    /// The interrupt controller's.
    pub interrupts: Registers,
}

impl Watchdog for LuminaryWatchdog {
    fn exception(&self) -> u32 {
        EXCEPTIONS + INTERRUPT
    }

    fn warnings(&self) -> u32 {
        1
    }

    fn start(&self) {
        self.registers.write::<LOAD>(PERIOD);
        self.registers.write::<CONTROL>(INTERRUPT_ENABLE | RESET_ENABLE);
        self.interrupts.write::<NVIC_ENABLE>(1 << INTERRUPT);
    }

    fn fed(&self) {
        self.registers.write::<INTERRUPT_CLEAR>(1);
    }
}

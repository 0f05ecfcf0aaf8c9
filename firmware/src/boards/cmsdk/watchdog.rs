//! The CMSDK APB watchdog: counts down, raises NMI at zero, and resets the board at the next zero if that was not cleared.

use super::super::registers::Registers;
use super::super::watchdog::Watchdog;

const LOAD: usize = 0x00;
const CONTROL: usize = 0x08;
const INTERRUPT_CLEAR: usize = 0x0C;
const INTERRUPT_ENABLE: u32 = 1 << 0;
const RESET_ENABLE: u32 = 1 << 1;

const NMI: u32 = 2;

/// How long the program may go without feeding it before it counts as hung, in seconds of the board's clock. By `trident bench
/// --workload W3`, nearly all of `seed`, checking and loading 7 MB takes 62.1 million instructions on a Cortex-M4F and trying it
/// 7.5 million more: 71 seconds by QEMU's clock.
const PATIENCE_SECONDS: u64 = 500;

/// A watchdog whose clock has that many ticks per second.
pub struct ApbWatchdog<const TICKS_PER_SECOND: u64>(Registers);

impl<const TICKS_PER_SECOND: u64> ApbWatchdog<TICKS_PER_SECOND> {
    /// So many periods as 32 bits of ticks make necessary.
    const WARNINGS: u64 = (PATIENCE_SECONDS * TICKS_PER_SECOND).div_ceil(1 << 32);
    const PERIOD: u32 = (PATIENCE_SECONDS * TICKS_PER_SECOND / Self::WARNINGS) as u32;

    /// The one with those registers.
    pub const fn new(registers: Registers) -> Self {
        Self(registers)
    }
}

impl<const TICKS_PER_SECOND: u64> Watchdog for ApbWatchdog<TICKS_PER_SECOND> {
    fn exception(&self) -> u32 {
        NMI
    }

    fn warnings(&self) -> u32 {
        Self::WARNINGS as u32
    }

    fn start(&self) {
        self.0.write::<LOAD>(Self::PERIOD);
        self.0.write::<CONTROL>(INTERRUPT_ENABLE | RESET_ENABLE);
    }

    fn fed(&self) {
        self.0.write::<INTERRUPT_CLEAR>(1);
    }
}

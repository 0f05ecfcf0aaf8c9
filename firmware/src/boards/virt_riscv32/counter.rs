//! Instructions, counted by QEMU's virtual clock.
//!
//! With `-icount` QEMU's `mcycle` counts nanoseconds of virtual time, of which each instruction takes 1024 with `shift=10`. `minstret`
//! does so too in older versions and counts instructions in newer ones, so it is not asked. Without `-icount` the figures mean
//! nothing.

use riscv::register::mcycle;

use super::super::NANOS_PER_INSTRUCTION;
use crate::counter::Counter;

/// The core's own counter.
pub struct CycleCounter {
    /// Instructions that two marks in a row are apart.
    overhead: u64,
}

impl CycleCounter {
    /// It runs from reset on.
    pub fn new() -> Self {
        let mut counter = Self { overhead: 0 };
        let mark = counter.mark();
        counter.overhead = counter.instructions_since(mark);
        counter
    }

    fn instructions_since(&self, start: u64) -> u64 {
        (self.mark() - start) / NANOS_PER_INSTRUCTION
    }
}

impl Counter for CycleCounter {
    type Mark = u64;

    #[inline(never)]
    fn mark(&self) -> u64 {
        mcycle::read64()
    }

    fn since(&self, start: u64) -> u64 {
        self.instructions_since(start).saturating_sub(self.overhead)
    }
}

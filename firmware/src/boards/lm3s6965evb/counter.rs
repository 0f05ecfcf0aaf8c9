//! Instructions, counted by QEMU's virtual clock.
//!
//! With `-icount shift=10` each instruction takes 1024 ns of virtual time. The chip's general timers cannot be read under QEMU; its
//! watchdog can, and counts down at 12.5 MHz after reset, one tick per 80 ns: `instructions = ticks · 80 / 1024`. Alone it wraps
//! after 335 million instructions; where it also does its own work (see `watchdog`), nothing that is counted feeds it, and
//! what is counted takes less than one of its periods. Without `-icount` the figures mean nothing.

use super::super::NANOS_PER_INSTRUCTION;
use super::super::registers::Registers;
use crate::counter::Counter;

const LOAD: usize = 0x000;
const VALUE: usize = 0x004;
const CONTROL: usize = 0x008;
/// Counts, and would raise an interrupt, which nobody listens to.
const ENABLE: u32 = 1 << 0;

const NANOS_PER_TICK: u64 = 80;

/// The watchdog's value, which runs down.
pub struct DownCounter {
    registers: Registers,
    /// Instructions that two marks in a row are apart.
    overhead: u64,
}

impl DownCounter {
    /// Starts it.
    pub fn new(registers: Registers) -> Self {
        registers.write::<LOAD>(u32::MAX);
        registers.write::<CONTROL>(ENABLE);
        let mut counter = Self { registers, overhead: 0 };
        let mark = counter.mark();
        counter.overhead = counter.instructions_since(mark);
        counter
    }

    fn instructions_since(&self, start: u32) -> u64 {
        let nanos = u64::from(start.wrapping_sub(self.mark())) * NANOS_PER_TICK;
        // Both ends are cut down to a tick, a small part of an instruction: rounding makes the count exact.
        (nanos + NANOS_PER_INSTRUCTION / 2) / NANOS_PER_INSTRUCTION
    }
}

impl Counter for DownCounter {
    type Mark = u32;

    #[inline(never)]
    fn mark(&self) -> u32 {
        self.registers.read::<VALUE>()
    }

    fn since(&self, start: u32) -> u64 {
        self.instructions_since(start).saturating_sub(self.overhead)
    }
}

//! Instructions, counted by QEMU's virtual clock.
//!
//! With `-icount shift=10` each instruction takes 1024 ns of virtual time, and TIMER0 counts up at 16 MHz, one tick per 62.5 ns:
//! `instructions = ticks · 125 / 2048`. It wraps after 262 million instructions. Without `-icount` the figures mean nothing.

use super::super::NANOS_PER_INSTRUCTION;
use super::super::registers::Registers;
use crate::counter::Counter;

const TASKS_START: usize = 0x000;
const TASKS_CAPTURE0: usize = 0x040;
const BITMODE: usize = 0x508;
const PRESCALER: usize = 0x510;
const CC0: usize = 0x540;
const BITMODE_32: u32 = 3;

const HALF_NANOS_PER_TICK: u64 = 125;
const HALF_NANOS_PER_INSTRUCTION: u64 = 2 * NANOS_PER_INSTRUCTION;

/// A timer that runs up.
pub struct Timer {
    registers: Registers,
    /// Instructions that two marks in a row are apart.
    overhead: u64,
}

impl Timer {
    /// Starts it.
    pub fn new(registers: Registers) -> Self {
        registers.write::<BITMODE>(BITMODE_32);
        registers.write::<PRESCALER>(0);
        registers.write::<TASKS_START>(1);
        let mut counter = Self { registers, overhead: 0 };
        let mark = counter.mark();
        counter.overhead = counter.instructions_since(mark);
        counter
    }

    fn instructions_since(&self, start: u32) -> u64 {
        let ticks = u64::from(self.mark().wrapping_sub(start));
        // Both ends are cut down to a tick, a sixteenth of an instruction: rounding makes the count exact.
        (ticks * HALF_NANOS_PER_TICK + HALF_NANOS_PER_INSTRUCTION / 2) / HALF_NANOS_PER_INSTRUCTION
    }
}

impl Counter for Timer {
    type Mark = u32;

    #[inline(never)]
    fn mark(&self) -> u32 {
        self.registers.write::<TASKS_CAPTURE0>(1);
        self.registers.read::<CC0>()
    }

    fn since(&self, start: u32) -> u64 {
        self.instructions_since(start).saturating_sub(self.overhead)
    }
}

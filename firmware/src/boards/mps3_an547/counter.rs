//! Instructions, counted by QEMU's virtual clock.
//!
//! With `-icount shift=10` each instruction takes 1024 ns of virtual time, and the 64-bit system counter counts up at 32 MHz, one tick
//! per 31.25 ns: `instructions = ticks · 125 / 4096`. Without `-icount` the figures mean nothing.

use super::super::NANOS_PER_INSTRUCTION;
use super::super::registers::Registers;
use crate::counter::Counter;

const CONTROL: usize = 0x00;
const ENABLE: u32 = 1 << 0;
const VALUE_LOW: usize = 0x00;
const VALUE_HIGH: usize = 0x04;

const QUARTER_NANOS_PER_TICK: u64 = 125;
const QUARTER_NANOS_PER_INSTRUCTION: u64 = 4 * NANOS_PER_INSTRUCTION;

/// A counter that runs up for thousands of years.
pub struct SystemCounter {
    status: Registers,
    /// Instructions that two marks in a row are apart.
    overhead: u64,
}

impl SystemCounter {
    /// Starts it.
    pub fn new(control: Registers, status: Registers) -> Self {
        control.write::<CONTROL>(ENABLE);
        let mut counter = Self { status, overhead: 0 };
        let mark = counter.mark();
        counter.overhead = counter.instructions_since(mark);
        counter
    }

    fn instructions_since(&self, start: u64) -> u64 {
        let ticks = self.mark() - start;
        // Both ends are cut down to a tick, a small part of an instruction: rounding makes the count exact.
        (ticks * QUARTER_NANOS_PER_TICK + QUARTER_NANOS_PER_INSTRUCTION / 2) / QUARTER_NANOS_PER_INSTRUCTION
    }
}

impl Counter for SystemCounter {
    type Mark = u64;

    #[inline(never)]
    fn mark(&self) -> u64 {
        // The low half wraps every two minutes of virtual time, 131 million instructions.
        loop {
            let high = self.status.read::<VALUE_HIGH>();
            let low = self.status.read::<VALUE_LOW>();
            if self.status.read::<VALUE_HIGH>() == high {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }

    fn since(&self, start: u64) -> u64 {
        self.instructions_since(start).saturating_sub(self.overhead)
    }
}

//! Instructions, counted by QEMU's virtual clock.
//!
//! With `-icount shift=10` each instruction takes 1024 ns of virtual time. QEMU clocks TIM2 with 1 GHz; divided by 1024 it counts
//! instructions, and wraps after 4 thousand million of them. Without `-icount` the figures mean nothing.

use super::super::NANOS_PER_INSTRUCTION;
use super::super::registers::Registers;
use crate::counter::Counter;

const CR1: usize = 0x00;
const EGR: usize = 0x14;
const CNT: usize = 0x24;
const PSC: usize = 0x28;
const ARR: usize = 0x2C;
const ENABLE: u32 = 1 << 0;
const UPDATE: u32 = 1 << 0;

/// A timer that runs up.
pub struct Timer {
    registers: Registers,
    /// Instructions that two marks in a row are apart.
    overhead: u64,
}

impl Timer {
    /// Starts it.
    pub fn new(registers: Registers) -> Self {
        registers.write::<PSC>(NANOS_PER_INSTRUCTION as u32 - 1);
        registers.write::<ARR>(u32::MAX);
        registers.write::<EGR>(UPDATE);
        registers.write::<CR1>(ENABLE);
        let mut counter = Self { registers, overhead: 0 };
        let mark = counter.mark();
        counter.overhead = counter.instructions_since(mark);
        counter
    }

    fn instructions_since(&self, start: u32) -> u64 {
        self.mark().wrapping_sub(start).into()
    }
}

impl Counter for Timer {
    type Mark = u32;

    #[inline(never)]
    fn mark(&self) -> u32 {
        self.registers.read::<CNT>()
    }

    fn since(&self, start: u32) -> u64 {
        self.instructions_since(start).saturating_sub(self.overhead)
    }
}

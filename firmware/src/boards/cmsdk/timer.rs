//! Instructions, counted by QEMU's virtual clock.
//!
//! With `-icount shift=10` each instruction takes 1024 ns of virtual time, and a timer counts down, one tick per `NANOS_PER_TICK`:
//! `instructions = ticks · NANOS_PER_TICK / 1024`. At 25 MHz it alone wraps after 168 million instructions; a second timer, 256
//! times slower, tells how often it did. Without `-icount` the figures mean nothing.

use super::super::NANOS_PER_INSTRUCTION;
use super::super::registers::Registers;
use crate::counter::Counter;

const TIMER_CTRL: usize = 0x00;
const TIMER_VALUE: usize = 0x04;
const TIMER_RELOAD: usize = 0x08;
const TIMER_ENABLE: u32 = 1 << 0;

const DUAL_LOAD: usize = 0x00;
const DUAL_VALUE: usize = 0x04;
const DUAL_CONTROL: usize = 0x08;
/// Enabled, free running, 32 bits wide, one count per 256 ticks.
const DUAL_SLOW: u32 = 1 << 7 | 0b10 << 2 | 1 << 1;
const TICKS_PER_SLOW: u64 = 256;

/// Two timers that run down.
pub struct TimerCounter<const NANOS_PER_TICK: u64> {
    fast: Registers,
    slow: Registers,
    /// Instructions that two marks in a row are apart.
    overhead: u64,
}

impl<const NANOS_PER_TICK: u64> TimerCounter<NANOS_PER_TICK> {
    /// Starts both timers.
    pub fn new(fast: Registers, slow: Registers) -> Self {
        fast.write::<TIMER_RELOAD>(u32::MAX);
        fast.write::<TIMER_VALUE>(u32::MAX);
        fast.write::<TIMER_CTRL>(TIMER_ENABLE);
        slow.write::<DUAL_LOAD>(u32::MAX);
        slow.write::<DUAL_CONTROL>(DUAL_SLOW);
        let mut counter = Self {
            fast,
            slow,
            overhead: 0,
        };
        let mark = counter.mark();
        counter.overhead = counter.instructions_since(mark);
        counter
    }

    fn instructions_since(&self, start: Mark) -> u64 {
        let now = self.mark();
        let fast = u64::from(start.fast.wrapping_sub(now.fast));
        let about = u64::from(start.slow.wrapping_sub(now.slow)) * TICKS_PER_SLOW;
        // The slow timer is off by less than two of its counts, far less than half a turn of the fast one.
        let turns = (about.saturating_sub(fast) + (1 << 31)) >> 32;
        let nanos = (fast + (turns << 32)) * NANOS_PER_TICK;
        // Both ends are cut down to a tick, a small part of an instruction: rounding makes the count exact.
        (nanos + NANOS_PER_INSTRUCTION / 2) / NANOS_PER_INSTRUCTION
    }
}

/// Both timers' values.
#[derive(Clone, Copy)]
pub struct Mark {
    fast: u32,
    slow: u32,
}

impl<const NANOS_PER_TICK: u64> Counter for TimerCounter<NANOS_PER_TICK> {
    type Mark = Mark;

    #[inline(never)]
    fn mark(&self) -> Mark {
        Mark {
            slow: self.slow.read::<DUAL_VALUE>(),
            fast: self.fast.read::<TIMER_VALUE>(),
        }
    }

    fn since(&self, start: Mark) -> u64 {
        self.instructions_since(start).saturating_sub(self.overhead)
    }
}

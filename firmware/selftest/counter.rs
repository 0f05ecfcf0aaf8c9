//! Instructions of short runs: TIMER0 at 25 MHz under `-icount shift=10`, as the board's own counter explains.

use core::hint::black_box;

use semihosting::println;

#[path = "../src/boards/mps2/memory.rs"]
#[allow(dead_code, reason = "the board's map has more than the one timer")]
mod memory;

use memory::TIMER0;

const CTRL: usize = 0x00;
const VALUE: usize = 0x04;
const RELOAD: usize = 0x08;

/// A running timer.
pub struct Instructions {
    overhead: u64,
}

impl Instructions {
    /// Starts it.
    pub fn start() -> Self {
        TIMER0.write::<RELOAD>(u32::MAX);
        TIMER0.write::<VALUE>(u32::MAX);
        TIMER0.write::<CTRL>(1);
        let mut counter = Self { overhead: 0 };
        counter.overhead = counter.of(|| ());
        counter
    }

    /// Instructions that a call takes, below 160 million.
    pub fn of(&self, call: impl FnOnce()) -> u64 {
        let start = TIMER0.read::<VALUE>();
        black_box(call)();
        let ticks = start.wrapping_sub(TIMER0.read::<VALUE>());
        (u64::from(ticks) * 40 + 512) / 1024 - self.overhead
    }

    /// Prints a figure.
    pub fn tell(&self, what: &str, macs: u32, call: impl FnOnce()) {
        let instructions = self.of(call);
        let thousandths = instructions * 1000 / u64::from(macs.max(1));
        println!(
            "{what}: {instructions} instructions, {}.{:03} per MAC",
            thousandths / 1000,
            thousandths % 1000
        );
    }
}

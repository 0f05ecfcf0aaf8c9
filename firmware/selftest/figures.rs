//! Instructions of short runs, by the board's own counter.

use core::hint::black_box;

use semihosting::println;

use crate::boards::{Board, Chosen};
use crate::counter::Counter;

/// A running counter.
pub struct Instructions {
    counter: <Chosen as Board>::Counter,
    /// Instructions of counting a call that does nothing.
    overhead: u64,
}

impl Instructions {
    /// Starts it.
    pub fn start() -> Self {
        let (_, counter) = Chosen::start();
        let mut instructions = Self { counter, overhead: 0 };
        instructions.overhead = instructions.of(|| ());
        instructions
    }

    /// Instructions that a call takes.
    pub fn of(&self, call: impl FnOnce()) -> u64 {
        let start = self.counter.mark();
        black_box(call)();
        self.counter.since(start).saturating_sub(self.overhead)
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

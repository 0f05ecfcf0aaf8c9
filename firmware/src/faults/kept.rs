//! The memory that a reset leaves alone.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use super::record::{History, WORDS};

/// Words that start-up code neither clears nor sets.
struct Kept(UnsafeCell<MaybeUninit<[u32; WORDS]>>);

// SAFETY: there is one core; whoever reads or writes is either the main program, or a handler that never returns to it.
unsafe impl Sync for Kept {}

#[unsafe(link_section = ".uninit.faults")]
static KEPT: Kept = Kept(UnsafeCell::new(MaybeUninit::uninit()));

/// What was kept, if anything was.
pub fn read() -> Option<History> {
    let words: *const u32 = KEPT.0.get().cast();
    // SAFETY: the static has WORDS words, aligned. They were written before the reset or are what RAM happens to hold, which for
    // memory is some value; the reads are volatile so that the compiler cannot conclude anything from the missing write.
    let words = core::array::from_fn(|index| unsafe { words.add(index).read_volatile() });
    History::decode(&words)
}

/// Keeps that.
pub fn write(history: &History) {
    let words: *mut u32 = KEPT.0.get().cast();
    for (index, word) in history.encode().into_iter().enumerate() {
        // SAFETY: as in `read`; volatile, because the reader is the next life of the program.
        unsafe { words.add(index).write_volatile(word) };
    }
}

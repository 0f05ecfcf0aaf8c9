//! Every way to fail, at the host's word.
#![allow(unsafe_code)]

use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::start::undefined_instruction;

/// What stands before the letter.
const WORD: &[u8] = b"provoke:";

/// Memory that no board has: on Cortex-M in the system region, below the core's own registers.
const NOWHERE: usize = 0xE010_0000;

/// How much of the word has come; the bytes may come one by one.
static HEARD: AtomicUsize = AtomicUsize::new(0);

/// Looks whether the host wants a failure.
pub fn received(bytes: &[u8]) {
    for byte in bytes {
        let heard = HEARD.load(Ordering::Relaxed);
        if heard == WORD.len() {
            fail(*byte);
        }
        let next = WORD.get(heard) == Some(byte);
        HEARD.store(if next { heard + 1 } else { 0 }, Ordering::Relaxed);
    }
}

fn fail(letter: u8) {
    match letter {
        b'p' => panic!("the host asked for it"),
        b'u' => undefined_instruction(),
        b'b' => bus_error(),
        b's' => drop(black_box(overflow(black_box(1)))),
        b'h' => hang(),
        _ => {}
    }
}

fn bus_error() {
    // SAFETY: nothing lies there, so the read touches no object; it faults.
    black_box(unsafe { core::ptr::with_exposed_provenance::<u32>(NOWHERE).read_volatile() });
}

/// Calls itself until the stack ends, and far beyond.
#[inline(never)]
fn overflow(depth: u32) -> u32 {
    const DEEP: u32 = 4_000;
    if depth == DEEP {
        return depth;
    }
    let frame = black_box([depth; 16]);
    overflow(black_box(depth + 1)).wrapping_add(frame[depth as usize % 16])
}

fn hang() -> ! {
    loop {
        // Not the processor's hint for such loops: QEMU then gives other work its turn, and takes minutes to get through.
        black_box(());
    }
}

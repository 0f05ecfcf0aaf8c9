//! The program's allocator. Training allocates and frees large tensors at every step; the system's allocator hands them back
//! to the kernel each time, which then clears every page anew.

#![allow(unsafe_code, reason = "an option of the C library")]

use libmimalloc_sys::{mi_option_set, mi_option_t};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in `mimalloc.h`: after how many milliseconds freed memory goes back to the kernel.
const PURGE_DELAY: mi_option_t = 15;

/// Keeps freed memory for the next step: from here on none goes back to the kernel before the program ends.
pub(crate) fn keep_memory() {
    // SAFETY: setting an option is an atomic store into the library's table, allowed at any time from any thread; the number
    // is one of its options.
    unsafe { mi_option_set(PURGE_DELAY, -1) }
}

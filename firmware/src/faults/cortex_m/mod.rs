//! The core's part: the guard at the stack's end, the exceptions, and the reasons that the core gives.
//!
//! | cores | guard | a stack overflow is |
//! |---|---|---|
//! | M33, M55 (Armv8-M) | `MSPLIM`, the least value that the stack pointer may take | a fault before anything is written |
//! | M3, M4F, M7 (Armv7-M) | the MPU forbids the 64 KB below the stack, where no memory is used | a fault at the first access there |
//! | M0 (Armv6-M) | none | a bus error, since its boards have no memory below the stack; known by the stack pointer |
//!
//! Neither guard takes RAM: the whole stack can be used.

#[cfg(not(armv6m))]
mod cause;
mod exceptions;
mod guard;

pub(super) use self::guard::guard_stack;

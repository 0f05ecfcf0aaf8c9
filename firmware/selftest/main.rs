//! Compares every inner loop in assembly with its twin in plain Rust, byte by byte, on the core that it was written for, and counts
//! the instructions of typical shapes.
//!
//! ```text
//! qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -monitor none -icount shift=10
//!     -semihosting-config enable=on,target=native -kernel kernels-selftest
//! ```
//! One line per module and per figure. Exit status 0 if all bytes were equal, 101 after the first that was not.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
#[path = "../src/boards/mod.rs"]
#[expect(dead_code, reason = "a self-test has neither link nor slots")]
mod boards;
#[cfg(target_os = "none")]
mod buffers;
#[cfg(target_os = "none")]
mod bytes;
#[cfg(target_os = "none")]
#[path = "../src/counter.rs"]
mod counter;
#[cfg(target_os = "none")]
mod depthwise;
#[cfg(target_os = "none")]
mod figures;
#[cfg(target_os = "none")]
mod layers;
#[cfg(target_os = "none")]
mod linear;
#[cfg(target_os = "none")]
mod narrow;
#[cfg(target_os = "none")]
mod random;
#[cfg(target_os = "none")]
mod run;
#[cfg(target_os = "none")]
mod tile;
#[cfg(target_os = "none")]
mod upsample;
#[cfg(target_os = "none")]
#[path = "../src/start/vectors.rs"]
mod vectors;
#[cfg(target_os = "none")]
mod winograd;

/// On the host there is nothing to run.
#[cfg(not(target_os = "none"))]
fn main() {}

//! The serving image, which fails in any of the ways there are when the host asks it to: for the tests of what comes after.
//!
//! Besides frames it reads `provoke:` and a letter (see `provoke`), between two of them. All else is the serving image's own
//! code.
//!
//! Built for the host it is an empty program.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod arena;
#[cfg(target_os = "none")]
mod boards;
#[cfg(target_os = "none")]
mod boot;
#[cfg(target_os = "none")]
mod counter;
#[cfg(target_os = "none")]
mod faults;
#[cfg(target_os = "none")]
mod footprint;
#[cfg(target_os = "none")]
mod image;
#[cfg(target_os = "none")]
mod inputs;
#[cfg(target_os = "none")]
mod key;
#[cfg(target_os = "none")]
mod provoke;
#[cfg(target_os = "none")]
mod semihosting;
#[cfg(target_os = "none")]
mod serve;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "nothing is measured by a loop of known length")]
mod start;
#[cfg(target_os = "none")]
mod watched;

#[cfg(target_os = "none")]
#[start::entry]
fn main() -> ! {
    image::run(provoke::received)
}

/// On the host there is nothing to run.
#[cfg(not(target_os = "none"))]
fn main() {}

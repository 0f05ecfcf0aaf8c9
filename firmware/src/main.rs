//! The image for a microcontroller: finds a model in the board's slots, checks it, and serves its three heads to a host.
//!
//! It holds no weights and no model: any blob that fits the board runs without building anew. `boot` finds the
//! model, `serve` answers requests in the protocol of [`trident::wire`], `faults` brings the image back when it cannot go on,
//! `boards` has one folder per board. Everything is logged through `defmt`.
//!
//! Built for the host it is an empty program, so that the whole workspace can be checked and its request loop tested there.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod arena;
#[cfg(target_os = "none")]
mod boards;
#[cfg(target_os = "none")]
mod boot;
#[cfg(any(target_os = "none", test))]
mod counter;
#[cfg(any(target_os = "none", test))]
mod faults;
#[cfg(target_os = "none")]
mod footprint;
#[cfg(target_os = "none")]
mod image;
#[cfg(any(target_os = "none", test))]
mod inputs;
#[cfg(target_os = "none")]
mod key;
#[cfg(target_os = "none")]
mod semihosting;
#[cfg(any(target_os = "none", test))]
mod serve;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "nothing is measured, and nothing fails on purpose")]
mod start;
#[cfg(target_os = "none")]
mod watched;

#[cfg(target_os = "none")]
#[start::entry]
fn main() -> ! {
    image::run(|_| ())
}

/// On the host there is nothing to run.
#[cfg(not(target_os = "none"))]
fn main() {}

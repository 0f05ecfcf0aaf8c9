//! The image that measures one model: how many instructions it takes and how much stack.
//!
//! It finds the blob in its slot, checks, loads and runs it, each counted with the board's counter, writes one
//! [`trident::wire::Measurement`] to the emulator's folder, and ends. It has no link and no log.
//!
//! Built for the host it is an empty program.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod arena;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "nobody is talked to")]
mod boards;
#[cfg(target_os = "none")]
mod counter;
#[cfg(target_os = "none")]
mod exits;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "flash is measured in the image of the engine alone")]
mod footprint;
#[cfg(target_os = "none")]
mod golden;
#[cfg(target_os = "none")]
mod measure;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "nothing fails on purpose or starts anew")]
mod start;

/// On the host there is nothing to run.
#[cfg(not(target_os = "none"))]
fn main() {}

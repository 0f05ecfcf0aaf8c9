//! The smallest image that runs one model and no other: what the engine takes of flash where the host has checked the blob.
//!
//! As `engine.rs`, but for the blob: it is the one that `TRIDENT_PIN` tells of, or the image ends.
//!
//! Built for the host it is an empty program.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod arena;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "an engine alone needs neither link nor counter")]
mod boards;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "an engine alone counts nothing")]
mod counter;
#[cfg(target_os = "none")]
mod exits;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "the pin says where they lie")]
mod golden;
#[cfg(target_os = "none")]
#[path = "model/pinned.rs"]
mod model;
#[cfg(target_os = "none")]
mod once;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "an engine alone measures nothing")]
mod start;

/// On the host there is nothing to run.
#[cfg(not(target_os = "none"))]
fn main() {}

//! The smallest image that runs a model: what the engine alone takes of flash.
//!
//! It finds a blob, checks it, loads it, runs all its heads once on the first golden vector, and ends. It has no link, no log, no
//! counter, and no words for what goes wrong, only exit statuses.
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
mod golden;
#[cfg(target_os = "none")]
#[path = "model/any.rs"]
mod model;
#[cfg(target_os = "none")]
mod once;
#[cfg(target_os = "none")]
#[expect(dead_code, reason = "an engine alone measures nothing")]
mod start;

/// On the host there is nothing to run.
#[cfg(not(target_os = "none"))]
fn main() {}

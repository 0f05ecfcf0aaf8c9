#![no_std]
//! Three-head int8 inference for microcontrollers: no allocator, no copy of the weights, the same bits on host and device.
//!
//! ```text
//! Blob::new_checked(bytes) ──► Network::load(blob, arena) ──► run(heads, inputs) ──► Outputs
//! ```
//!
//! [`spec`] defines layers and models, [`arithmetic`] every rounding, [`graph`] what a blob carries of a model, [`blob`] the
//! file format, [`check`] its rules, [`kernels`] one operator each, [`network`] the engine, [`pin`] how it is built for one model alone,
//! [`health`] what tells whether its inputs are those it was trained on, [`wire`] the protocol between host
//! and device. The host crate trains, quantises and writes blobs with the same definitions.

pub mod arithmetic;
pub mod blob;
pub mod check;
pub mod graph;
pub mod health;
pub mod input;
pub mod kernels;
pub mod layout;
pub mod network;
mod parameters;
pub mod pin;
pub mod schedule;
pub mod signature;
pub mod slots;
pub mod spec;
pub mod wire;

pub use blob::{Blob, BlobError};
pub use network::{Inputs, LoadError, Logits, Network, Outputs, RunError, SelfTestError, Step};
pub use pin::{Pin, Pinned};
pub use signature::PublicKey;
pub use spec::{Head, HeadSet, InputSlot};

/// The most readings a row may have.
pub const MAX_READINGS: usize = 64;
/// The most classes a head may tell apart.
pub const MAX_CLASSES: usize = 16;

#[cfg(test)]
extern crate std;

#[cfg(target_endian = "big")]
compile_error!("blobs are read in place and are little-endian");

//! Trains, quantises, packs and checks three-head models for microcontrollers.
//!
//! Data flows top-down through these modules: [`config`] → [`data`] → [`transform`] → [`model`] → [`train`] →
//! [`quantize`] → [`eval`] and [`device`]; [`arena`] shows what a blob does with its memory,
//! [`report`] what a run is worth, [`compare`] whether training heads together helps, [`monitor`] how a device fares. [`cli`] holds one file per command.

mod allocator;
pub mod arena;
pub mod bench;
pub mod cli;
pub mod compare;
pub mod config;
pub mod data;
pub mod device;
pub mod eval;
pub mod export;
pub mod hex;
pub mod metrics;
pub mod model;
pub mod monitor;
pub mod pin;
pub mod progress;
pub mod quantize;
pub mod report;
pub mod run;
pub mod sign;
pub mod sweep;
pub mod toolchain;
pub mod train;
pub mod transform;

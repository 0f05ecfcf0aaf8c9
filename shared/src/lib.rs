#![no_std]
//! Three-head int8 inference for microcontrollers.
pub mod input;
pub mod spec;
pub mod wire;

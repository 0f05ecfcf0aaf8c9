//! The inner loops in assembly, for cores with the SIMD instructions of Armv7E-M (Cortex-M4, M7, M33).

pub mod depthwise;
pub mod upsample;
pub mod winograd;

pub use super::portable::{bytes, linear, tile};

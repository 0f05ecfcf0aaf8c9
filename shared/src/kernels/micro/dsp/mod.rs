//! The inner loops in assembly, for cores with the SIMD instructions of Armv7E-M (Cortex-M4, M7, M33).

pub mod bytes;
pub mod depthwise;
pub mod linear;
pub mod tile;
pub mod upsample;

pub use super::portable::winograd;

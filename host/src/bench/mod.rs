//! What the engine costs on a device.

pub mod cycles;
pub mod peers;

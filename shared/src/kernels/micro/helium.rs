//! The functions that differ on cores with Helium, as a Cortex-M55.
//!
//! The compiler takes plain loops over bytes sixteen at a time: sums and maxima of codes then take half the instructions of the
//! assembly in `dsp`. What reads tables or rearranges bytes it takes one at a time, and of products it makes two and a half
//! times as many instructions as there are in `dsp`.

/// Loops over rows of bytes.
pub mod bytes {
    pub use super::super::dsp::bytes::{look_up, widen};
    pub use super::super::portable::bytes::{
        add, add_doubled, add_doubled_in_place, add_in_place, centre, larger, larger_in_place,
    };
}

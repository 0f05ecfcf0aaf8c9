//! The input step: from readings in the user's units to model inputs, by piecewise-linear tables.
//!
//! Every transform of a reading (standardise, signed log, quantile-to-normal, …) is fitted on the host as a table of
//! [`Segment`]s. Host and device evaluate it with the same compares, subtractions, multiplications and additions on `f32`, so
//! the trainer sees exactly what the device will compute.

use bytemuck::{Pod, Zeroable};

/// The most model inputs that one reading may yield.
pub const MAX_INPUTS_PER_READING: usize = 3;

/// One piece of a piecewise-linear table: `y = base + (x − start) · slope` from `start` on, until the next piece begins.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Segment {
    /// Where the piece begins, in the reading's unit. The first piece also serves everything below its start.
    pub start: f32,
    /// The value at `start`.
    pub base: f32,
    /// Rise per unit of the reading.
    pub slope: f32,
}

/// The value of a table at `x`. Segments are in ascending order of `start`; there is at least one.
///
/// # Panics
/// If `segments` is empty.
pub fn piecewise_linear(segments: &[Segment], x: f32) -> f32 {
    let index = segments[1..].partition_point(|segment| segment.start <= x);
    let segment = segments[index];
    segment.base + (x - segment.start) * segment.slope
}

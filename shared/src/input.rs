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
    if segment.slope == 0.0 {
        return segment.base; // also where `x − start` would overflow and make NaN of it
    }
    segment.base + (x - segment.start) * segment.slope
}

/// One model input: which reading it comes from and which segments are its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ModelInput {
    /// Index of the reading in its row.
    pub feature: u16,
    /// How many segments its table has, at least one.
    pub segments: u16,
    /// Index of the first of them.
    pub first: u32,
}

/// The input step of one row of readings, as it stands in the blob.
#[derive(Clone, Copy, Debug)]
pub struct InputStep<'a> {
    /// One per code made.
    pub inputs: &'a [ModelInput],
    /// All tables, one behind the other.
    pub segments: &'a [Segment],
    /// Codes per unit of a model input.
    pub inverse_scale: f32,
    /// The code of a model input of zero.
    pub zero_point: i8,
}

impl InputStep<'_> {
    /// Codes of a row of finite readings.
    ///
    /// # Panics
    /// If a model input names a reading or segment that is not there: [`crate::Blob::new_checked`] refuses such tables.
    pub fn apply(&self, row: &[f32], codes: &mut [i8]) {
        for (code, input) in codes.iter_mut().zip(self.inputs) {
            let first = input.first as usize;
            let table = &self.segments[first..first + usize::from(input.segments)];
            let real = piecewise_linear(table, row[usize::from(input.feature)]);
            *code = crate::arithmetic::quantize(real, self.inverse_scale, self.zero_point);
        }
    }
}

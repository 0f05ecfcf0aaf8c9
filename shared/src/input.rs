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

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(start: f32, base: f32, slope: f32) -> Segment {
        Segment { start, base, slope }
    }

    #[test]
    fn tables_are_read_piece_by_piece() {
        // Rises by 2 per unit from −1 at x = 0; falls by ½ from 1 at x = 1; flat at 0.5 from x = 2 on.
        let table = [piece(0.0, -1.0, 2.0), piece(1.0, 1.0, -0.5), piece(2.0, 0.5, 0.0)];
        let values = [
            (-3.0, -7.0), // below its start the first piece goes on: −1 + (−3)·2
            (0.0, -1.0),
            (0.25, -0.5),
            (1.0, 1.0), // a piece begins at its start
            (1.5, 0.75),
            (2.0, 0.5),
            (9e9, 0.5),
        ];
        for (x, y) in values {
            assert_eq!(piecewise_linear(&table, x), y, "at {x}");
        }
    }

    #[test]
    fn no_finite_reading_makes_a_nan() {
        let steep = [piece(f32::MAX, 1.0, 3.0), piece(f32::INFINITY, 0.0, 0.0)];
        let flat = [piece(f32::MAX, 1.0, 0.0)];
        for x in [f32::MIN, 0.0, f32::MAX] {
            assert!(!piecewise_linear(&steep[..1], x).is_nan());
            assert_eq!(piecewise_linear(&flat, x), 1.0); // not (−∞) · 0
        }
    }

    #[test]
    fn one_reading_may_make_several_codes() {
        let step = InputStep {
            inputs: &[
                ModelInput {
                    feature: 1,
                    segments: 1,
                    first: 0,
                },
                ModelInput {
                    feature: 1,
                    segments: 2,
                    first: 1,
                },
                ModelInput {
                    feature: 0,
                    segments: 1,
                    first: 0,
                },
            ],
            segments: &[piece(0.0, 0.0, 1.0), piece(-1.0, 0.0, 0.0), piece(1.0, 2.0, 0.5)],
            inverse_scale: 10.0,
            zero_point: -5,
        };
        let mut codes = [0; 3];
        step.apply(&[0.75, 3.0], &mut codes);
        // 3·10 − 5; (2 + (3 − 1)·½)·10 − 5; 0.75·10 = 7.5, away from zero 8, − 5.
        assert_eq!(codes, [25, 25, 3]);
    }
}

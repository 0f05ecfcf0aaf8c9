//! Readings against what they were like in training.

use super::{FARTHEST, WEIGHT};
use crate::blob::{MAX_CALIBRATED_PIXELS, ReadingStatistics};

/// The readings of a picture: the means of its red, green and blue bytes. Host and device compute the same bits.
///
/// # Panics
/// If it has more than [`MAX_CALIBRATED_PIXELS`] pixels.
pub fn picture_means(pixels: &[u8]) -> [f32; 3] {
    let (pixels, _) = pixels.as_chunks::<3>();
    assert!(
        pixels.len() <= MAX_CALIBRATED_PIXELS,
        "a picture too large for statistics"
    );
    let mut sums = [0_u32; 3];
    for pixel in pixels {
        for (sum, &byte) in sums.iter_mut().zip(pixel) {
            *sum += u32::from(byte);
        }
    }
    sums.map(|sum| sum as f32 / pixels.len().max(1) as f32)
}

/// How many readings of a row lie outside the range of training.
pub(super) fn outside(row: &[f32], statistics: &[ReadingStatistics]) -> u32 {
    let outside = |(reading, known): &(&f32, &ReadingStatistics)| **reading < known.least || **reading > known.largest;
    row.iter().zip(statistics).filter(outside).count() as u32
}

/// Lets the means of standardised readings move a little towards a row of finite readings.
pub(super) fn forget(means: &mut [f32], row: &[f32], statistics: &[ReadingStatistics]) {
    for ((mean, reading), known) in means.iter_mut().zip(row).zip(statistics) {
        // A reading that never changed has no deviation to be measured by; it is told by being outside.
        if known.inverse_deviation > 0.0 {
            let distance = (reading - known.mean) * known.inverse_deviation;
            *mean += (distance.clamp(-FARTHEST, FARTHEST) - *mean) * WEIGHT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_reading_per_colour() {
        assert_eq!(picture_means(&[0, 10, 255, 1, 30, 255]), [0.5, 20.0, 255.0]);
        assert_eq!(picture_means(&[]), [0.0; 3]);
    }

    const KNOWN: ReadingStatistics = ReadingStatistics {
        least: -1.0,
        largest: 3.0,
        mean: 1.0,
        inverse_deviation: 0.5,
    };

    #[test]
    fn the_ends_of_the_range_are_inside() {
        let above = f32::from_bits(3.0_f32.to_bits() + 1);
        assert_eq!(outside(&[-1.0, 3.0, above], &[KNOWN; 3]), 1);
        assert_eq!(outside(&[f32::MIN, f32::MAX], &[KNOWN; 2]), 2);
    }

    /// By hand: 5 is two deviations of 2 above the mean of 1, and counts a 64th.
    #[test]
    fn means_move_by_a_64th_of_the_way() {
        let mut means = [0.0];
        forget(&mut means, &[5.0], &[KNOWN]);
        assert_eq!(means, [0.031_25]);
        forget(&mut means, &[1.0], &[KNOWN]);
        assert_eq!(means, [0.031_25 - 0.031_25 / 64.0]);
    }

    #[test]
    fn no_finite_reading_makes_a_mean_that_is_no_number() {
        let steep = ReadingStatistics {
            least: f32::MIN,
            largest: f32::MAX,
            mean: f32::MIN,
            inverse_deviation: f32::MAX,
        };
        let constant = ReadingStatistics {
            inverse_deviation: 0.0,
            ..steep
        };
        let mut means = [0.0; 2];
        for reading in [f32::MAX, f32::MIN, 0.0, f32::MAX, -f32::MIN_POSITIVE] {
            forget(&mut means, &[reading; 2], &[steep, constant]);
            assert!(means[0].abs() <= FARTHEST, "{reading}: {means:?}");
            assert_eq!(means[1], 0.0);
        }
    }
}

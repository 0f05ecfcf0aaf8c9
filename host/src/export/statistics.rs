//! What readings are like over the training rows, so that a device can tell when they are no more.

use trident::blob::{MAX_CALIBRATED_PIXELS, ReadingStatistics};
use trident::health::picture_means;
use trident::spec::{Head, InputSlot};

use crate::data::Dataset;
use crate::eval::{self, Rows};

/// The statistics of every slot that has training rows, over all of them.
pub fn statistics(dataset: &Dataset) -> Vec<(InputSlot, Vec<ReadingStatistics>)> {
    let rows = Rows::of(dataset, |split| &split.train);
    let of_slot = |(slot, head)| {
        let readings = rows.head(head).iter().filter_map(|&row| readings(dataset, head, row));
        let readings: Vec<Vec<f32>> = readings.collect();
        let count = readings.first()?.len();
        let calibrated = (0..count).map(|reading| calibrated(readings.iter().map(|row| row[reading])));
        Some((slot, calibrated.collect()))
    };
    InputSlot::ALL.into_iter().zip(Head::ALL).filter_map(of_slot).collect()
}

/// The readings of one row, a picture's being the means of its colours; `None` of a picture that is too large for that.
fn readings(dataset: &Dataset, head: Head, row: usize) -> Option<Vec<f32>> {
    let inputs = eval::inputs(dataset, head, row);
    match head {
        Head::Classification => inputs.classification.map(<[f32]>::to_vec),
        Head::Segmentation => {
            let small = |picture: &&[u8]| picture.len() <= 3 * MAX_CALIBRATED_PIXELS;
            inputs
                .picture
                .filter(small)
                .map(|picture| picture_means(picture).to_vec())
        }
        Head::Regression => inputs.regression.map(<[f32]>::to_vec),
    }
}

/// The statistics of one reading.
fn calibrated(values: impl Iterator<Item = f32> + Clone) -> ReadingStatistics {
    let least = values.clone().fold(f32::INFINITY, f32::min);
    let largest = values.clone().fold(f32::NEG_INFINITY, f32::max);
    let count = values.clone().count() as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    let variance = values.map(|value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    let inverse_deviation = Some((1.0 / variance.sqrt()) as f32).filter(|_| least < largest);
    ReadingStatistics {
        least,
        largest,
        mean: (mean as f32).clamp(least, largest),
        inverse_deviation: inverse_deviation.filter(|inverse| inverse.is_finite()).unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_the_values() {
        let of = |values: &[f32]| calibrated(values.iter().copied());
        let spread = of(&[1.0, 3.0, 5.0, 7.0]);
        assert_eq!((spread.least, spread.largest, spread.mean), (1.0, 7.0, 4.0));
        assert_eq!(spread.inverse_deviation, (1.0 / 5.0_f64.sqrt()) as f32);
        let constant = of(&[0.1; 7]);
        assert_eq!((constant.least, constant.largest, constant.mean), (0.1, 0.1, 0.1));
        assert_eq!(constant.inverse_deviation, 0.0);
        // A deviation so small that one over it is no number.
        assert_eq!(of(&[0.0, f32::from_bits(1)]).inverse_deviation, 0.0);
    }
}

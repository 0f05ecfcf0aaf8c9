//! The original demo's data: uniform random samples with random labels.
//!
//! Nothing can be learnt from them beyond the mean; a run on them shows that training works, not that a model is good. Readings
//! lie in `[0, 1)`, pictures are random bytes, labels are coin flips. The picture is its own target, and so is each row of the
//! regression's readings, broadcast against one output: [`Dataset::inputs_as_targets`](super::Dataset::inputs_as_targets). The
//! masks here hold each pixel's strongest channel and the targets each row's mean, the best that such a model can say.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ClassificationData, Readings, RegressionData, SegmentationData, Split};

/// Samples of each input.
pub const SAMPLES: usize = 1_000;

/// Ten readings and a coin flip per row.
pub fn classification(seed: u64) -> ClassificationData {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1);
    let readings = readings(&mut rng, 10);
    ClassificationData {
        readings,
        classes: vec!["0".to_owned(), "1".to_owned()],
        labels: (0..SAMPLES).map(|_| rng.random_range(0..2)).collect(),
        split: Split::default(),
    }
}

/// Five readings per row, whose mean is the target.
pub fn regression(seed: u64, target: &str) -> RegressionData {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(2);
    let readings = readings(&mut rng, 5);
    let mean = |row| readings.row(row).iter().sum::<f32>() / 5.0;
    RegressionData {
        targets: (0..SAMPLES).map(mean).collect(),
        readings,
        target: target.to_owned(),
        split: Split::default(),
    }
}

/// Random pictures of `height × width`; each pixel's class is its strongest channel, modulo the number of classes.
pub fn segmentation(seed: u64, count: usize, [height, width]: [usize; 2], classes: &[String]) -> SegmentationData {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(3);
    let mut pixels = vec![0; count * height * width * 3];
    rng.fill(&mut pixels[..]);
    let strongest = |pixel: &[u8]| {
        let best = (1..3).fold(
            0,
            |best, channel| if pixel[channel] > pixel[best] { channel } else { best },
        );
        (best % classes.len()) as u8
    };
    SegmentationData {
        height,
        width,
        classes: classes.to_vec(),
        names: (0..count).map(|index| format!("random {index}")).collect(),
        masks: pixels.chunks_exact(3).map(strongest).collect(),
        pixels,
        places: Vec::new(),
        split: Split::default(),
        generated: true,
    }
}

fn readings(rng: &mut ChaCha8Rng, features: usize) -> Readings {
    Readings {
        features: (0..features).map(|index| format!("x{index}")).collect(),
        values: (0..SAMPLES * features).map(|_| rng.random()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_uniform_and_repeat() {
        let data = classification(5);
        assert_eq!(data, classification(5));
        assert_ne!(data, classification(6));
        assert_eq!(data.readings.values.len(), 10_000);
        let mean = data.readings.values.iter().sum::<f32>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        let ones = data.labels.iter().filter(|&&label| label == 1).count();
        assert!((400..600).contains(&ones), "{ones}");
    }

    #[test]
    fn the_mean_of_a_row_costs_what_theory_says() {
        // The error left is the variance within a row: (1 − 1/5) / 12.
        let data = regression(5, "mean");
        let errors = (0..SAMPLES).flat_map(|row| {
            let mean = data.targets[row];
            data.readings.row(row).iter().map(move |x| (x - mean).powi(2))
        });
        let loss = errors.sum::<f32>() / 5_000.0;
        assert!((loss - 0.8 / 12.0).abs() < 0.002, "{loss}");
    }

    #[test]
    fn a_mask_holds_the_strongest_channel() {
        let classes = ["r", "g", "b"].map(str::to_owned);
        let data = segmentation(5, 2, [8, 8], &classes);
        for (pixel, &class) in data.pixels.chunks_exact(3).zip(&data.masks) {
            assert_eq!(pixel[usize::from(class)], *pixel.iter().max().unwrap());
        }
    }
}

//! Every loss and its slopes, on both of Burn's devices, against its definition in `f64` and central differences of it.
//!
//! A number may be off by [`TOLERANCE`] times the largest of its kind: `f32`'s rounding.

use burn::tensor::{Device, Gradients};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

const TOLERANCE: f64 = 1e-5;
/// How far a number is nudged to either side.
const STEP: f64 = 1e-6;

/// Checks a loss of `n × columns` numbers, laid out as `shape` on the device.
fn check<const D: usize>(
    what: &str,
    at: &[f32],
    shape: [usize; D],
    loss: impl Fn(Tensor<D>) -> Tensor<1>,
    definition: impl Fn(&[f64]) -> f64,
) {
    let mut wide: Vec<f64> = at.iter().copied().map(f64::from).collect();
    let expected = definition(&wide);
    let mut slope = |i: usize| {
        let centre = wide[i];
        let mut nudged = |step: f64| {
            wide[i] = centre + step;
            definition(&wide)
        };
        let slope = (nudged(STEP) - nudged(-STEP)) / (2.0 * STEP);
        wide[i] = centre;
        slope
    };
    let slopes: Vec<f64> = (0..at.len()).map(&mut slope).collect();
    let largest = slopes.iter().fold(0f64, |most, slope| most.max(slope.abs()));
    assert!(largest > 1e-4, "{what}: a loss that nothing moves checks nothing");
    for device in devices() {
        let input = Tensor::from_data(TensorData::new(at.to_vec(), shape), &device).require_grad();
        let found = loss(input.clone());
        let gradients: Gradients = found.clone().backward();
        let found = f64::from(crate::model::numbers(found)[0]);
        assert!(
            (found - expected).abs() <= TOLERANCE * expected.abs(),
            "{what}: {found}, not {expected}"
        );
        let found = crate::model::numbers(input.grad(&gradients).unwrap());
        for (i, (&found, expected)) in found.iter().zip(&slopes).enumerate() {
            let off = (f64::from(found) - expected).abs();
            assert!(
                off <= TOLERANCE * largest,
                "{what}, slope {i}: {found}, not {expected} (of {largest})"
            );
        }
    }
}

#[expect(deprecated, reason = "the second opinion")]
fn devices() -> [Device; 2] {
    [Device::flex(), Device::ndarray()].map(Device::autodiff)
}

fn drawn(count: usize, within: std::ops::Range<f32>) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    (0..count).map(|_| rng.random_range(within.clone())).collect()
}

fn softmax_of(row: &[f64]) -> Vec<f64> {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = row.iter().map(|z| (z - most).exp()).collect();
    let sum: f64 = parts.iter().sum();
    parts.iter().map(|part| part / sum).collect()
}

#[test]
fn cross_entropy_of_two_classes() {
    let labels = [0u16, 1, 1, 0, 1];
    for (weights, smoothing) in [([1.0, 1.0], 0.0), ([0.7, 1.9], 0.1)] {
        let definition = |logits: &[f64]| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (&z, &label) in logits.iter().zip(&labels) {
                let y = f64::from(label) * (1.0 - smoothing) + smoothing / 2.0;
                let p = 1.0 / (1.0 + (-z).exp());
                let weight = f64::from(weights[usize::from(label)]);
                sum -= weight * (y * p.ln() + (1.0 - y) * (1.0 - p).ln());
                total += weight;
            }
            sum / total
        };
        let loss = |logits| of_classes(logits, &labels, &weights, smoothing);
        check("binary cross-entropy", &drawn(5, -4.0..4.0), [5, 1], loss, definition);
    }
}

#[test]
fn cross_entropy_of_three_classes() {
    let labels = [2u16, 0, 1, 1];
    for (weights, smoothing) in [([1.0, 1.0, 1.0], 0.0), ([0.5, 1.25, 2.0], 0.1)] {
        let definition = |logits: &[f64]| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (row, &label) in logits.chunks_exact(3).zip(&labels) {
                let weight = f64::from(weights[usize::from(label)]);
                for (class, p) in softmax_of(row).into_iter().enumerate() {
                    let hard = f64::from(u8::from(class == usize::from(label)));
                    sum -= weight * (hard * (1.0 - smoothing) + smoothing / 3.0) * p.ln();
                }
                total += weight;
            }
            sum / total
        };
        let loss = |logits| of_classes(logits, &labels, &weights, smoothing);
        check("softmax cross-entropy", &drawn(12, -3.0..3.0), [4, 3], loss, definition);
    }
}

#[test]
fn cross_entropy_of_probabilities() {
    let targets = drawn(12, 0.0..1.0);
    let definition = |probabilities: &[f64]| {
        let term = |(&p, &y): (&f64, &f32)| -(f64::from(y) * p.ln() + (1.0 - f64::from(y)) * (1.0 - p).ln());
        probabilities.iter().zip(&targets).map(term).sum::<f64>() / 12.0
    };
    let loss = |probabilities: Tensor<4>| of_probabilities(probabilities, targets.clone());
    let at: Vec<f32> = drawn(12, 0.05..0.95).into_iter().rev().collect();
    check("cross-entropy of probabilities", &at, [1, 3, 2, 2], loss, definition);
}

#[test]
fn squared_and_huber_distance() {
    let one_each = drawn(6, -1.0..1.0);
    let three_each = drawn(18, -2.0..2.0);
    for targets in [one_each, three_each] {
        let per_row = targets.len() / 6;
        for distance in [Distance::Squared, Distance::Huber] {
            let definition = |numbers: &[f64]| {
                let term = |(i, &y): (usize, &f32)| {
                    let error = (numbers[i / per_row] - f64::from(y)).abs();
                    match distance {
                        Distance::Squared => error * error,
                        Distance::Huber if error <= 1.0 => 0.5 * error * error,
                        Distance::Huber => error - 0.5,
                    }
                };
                targets.iter().enumerate().map(term).sum::<f64>() / targets.len() as f64
            };
            let loss = |numbers| of_numbers(numbers, targets.clone(), distance);
            let at: Vec<f32> = drawn(6, -3.0..3.0).into_iter().rev().collect();
            check(&format!("{distance:?}, {per_row} a row"), &at, [6, 1], loss, definition);
        }
    }
}

/// Pixelwise cross-entropy alone, with Dice, with Lovász, plain and focal; all classes there, and one missing.
#[test]
fn losses_of_pixels() {
    let weights = [1.0, 2.0, 0.5];
    for mask in [[0u8, 1, 2, 1, 0, 0, 2, 1], [0, 1, 1, 1, 0, 0, 0, 1]] {
        for (region, focal) in [
            (RegionLoss::None, 0.0),
            (RegionLoss::None, 1.5),
            (RegionLoss::Dice, 0.0),
            (RegionLoss::Lovasz, 0.0),
            (RegionLoss::Lovasz, 2.0),
        ] {
            let definition = |logits: &[f64]| {
                let pixels = softmax_of_pixels(logits);
                pixelwise(&pixels, &mask, &weights, focal)
                    + match region {
                        RegionLoss::None => 0.0,
                        RegionLoss::Dice => dice_of(&pixels, &mask),
                        RegionLoss::Lovasz => lovasz_of(&pixels, &mask),
                    }
            };
            let loss = |logits| of_pixels(logits, &mask, &weights, focal, region);
            check(
                &format!("{region:?}, focal {focal}"),
                &drawn(24, -2.0..2.0),
                [2, 3, 2, 2],
                loss,
                definition,
            );
        }
    }
}

/// Probabilities of three classes per pixel, from two pictures of `[3, 2, 2]` logits.
fn softmax_of_pixels(logits: &[f64]) -> Vec<Vec<f64>> {
    let of_picture = |picture: &[f64]| -> Vec<Vec<f64>> {
        let row = |pixel: usize| softmax_of(&[picture[pixel], picture[4 + pixel], picture[8 + pixel]]);
        (0..4).map(row).collect()
    };
    logits.chunks_exact(12).flat_map(of_picture).collect()
}

fn pixelwise(pixels: &[Vec<f64>], mask: &[u8], weights: &[f32], focal: f64) -> f64 {
    let weight = |class: u8| f64::from(weights[usize::from(class)]);
    let total: f64 = mask.iter().map(|&class| weight(class)).sum();
    let cost = |p: f64| -(1.0 - p).powf(focal) * p.ln();
    let term = |(p, &class): (&Vec<f64>, &u8)| weight(class) * cost(p[usize::from(class)]);
    pixels.iter().zip(mask).map(term).sum::<f64>() / total
}

fn dice_of(pixels: &[Vec<f64>], mask: &[u8]) -> f64 {
    let of_class = |class: usize| {
        let truth = |m: u8| f64::from(u8::from(usize::from(m) == class));
        let both: f64 = pixels.iter().zip(mask).map(|(p, &m)| p[class] * truth(m)).sum();
        let either: f64 = pixels.iter().zip(mask).map(|(p, &m)| p[class] + truth(m)).sum();
        (2.0 * both + 1.0) / (either + 1.0)
    };
    1.0 - (0..3).map(of_class).sum::<f64>() / 3.0
}

/// The integral that the extension is (Berman et al. 2018, after Lovász): over thresholds, the Jaccard loss of the pixels whose
/// error is above.
fn lovasz_of(pixels: &[Vec<f64>], mask: &[u8]) -> f64 {
    let present: Vec<usize> = (0..3).filter(|&class| mask.contains(&(class as u8))).collect();
    let of_class = |&class: &usize| {
        let is_class = |m: u8| usize::from(m) == class;
        let error = |(p, &m): (&Vec<f64>, &u8)| if is_class(m) { 1.0 - p[class] } else { p[class] };
        let errors: Vec<f64> = pixels.iter().zip(mask).map(error).collect();
        let jaccard_loss = |threshold: f64| {
            let wrong = |i: usize| errors[i] >= threshold;
            let missed = (0..mask.len()).filter(|&i| wrong(i) && is_class(mask[i])).count();
            let invented = (0..mask.len()).filter(|&i| wrong(i) && !is_class(mask[i])).count();
            let truth = mask.iter().filter(|&&m| is_class(m)).count();
            1.0 - (truth - missed) as f64 / (truth + invented) as f64
        };
        let mut thresholds = errors.clone();
        thresholds.push(0.0);
        thresholds.sort_by(f64::total_cmp);
        let steps = thresholds.windows(2);
        steps
            .map(|pair| (pair[1] - pair[0]) * jaccard_loss(pair[1]))
            .sum::<f64>()
    };
    present.iter().map(of_class).sum::<f64>() / present.len() as f64
}

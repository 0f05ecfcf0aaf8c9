//! What training makes small.
//!
//! Every function takes a head's output on an autodiff device and targets in plain memory, and gives a tensor of one number, a
//! mean over rows or pixels.

use burn::tensor::activation::{log_softmax, relu, softmax};
use burn::tensor::{Tensor, TensorData};

use crate::config::{Distance, RegionLoss};
use crate::metrics::argmax;

/// Probabilities are kept this far from 0 and 1 before a logarithm, as Keras does.
const PROBABILITY_MARGIN: f32 = 1e-7;

/// Cross-entropy of rows: binary on one logit for two classes, else softmax.
///
/// # Shapes
/// `logits` `[n, 1]` for two classes, else `[n, classes]`; `weights` one per class.
pub fn of_classes(logits: Tensor<2>, labels: &[u16], weights: &[f32], smoothing: f64) -> Tensor<1> {
    let [n, columns] = logits.dims();
    let classes = weights.len();
    let soft = |label: u16, class: usize| {
        let hard = if usize::from(label) == class { 1.0 } else { 0.0 };
        (hard * (1.0 - smoothing) + smoothing / classes as f64) as f32
    };
    let row_weight = |label: u16| weights[usize::from(label)];
    let total: f32 = labels.iter().map(|&label| row_weight(label)).sum();
    let constant = |numbers: Vec<f32>| Tensor::from_data(TensorData::new(numbers, [n, columns]), &logits.device());
    if classes == 2 {
        let targets = constant(labels.iter().map(|&label| soft(label, 1)).collect());
        let weights = constant(labels.iter().map(|&label| row_weight(label) / total).collect());
        return (binary_with_logits(logits, targets) * weights).sum();
    }
    let weighted = |&label: &u16| (0..classes).map(move |class| soft(label, class) * row_weight(label) / total);
    let targets = constant(labels.iter().flat_map(weighted).collect());
    -(log_softmax(logits, 1) * targets).sum()
}

/// `max(z, 0) − z·y + ln(1 + e^−|z|)`, element by element.
pub(super) fn binary_with_logits(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    relu(logits.clone()) - logits.clone() * targets + logits.abs().neg().exp().log1p()
}

/// Binary cross-entropy of probabilities, each against a target in `[0, 1]`.
///
/// # Shapes
/// `probabilities` any; `targets` as many numbers in the same order.
pub fn of_probabilities<const D: usize>(probabilities: Tensor<D>, targets: Vec<f32>) -> Tensor<1> {
    let targets = Tensor::<D>::from_data(TensorData::new(targets, probabilities.dims()), &probabilities.device());
    let p = probabilities.clamp(PROBABILITY_MARGIN, 1.0 - PROBABILITY_MARGIN);
    let q = p.clone().neg().add_scalar(1.0);
    let rest = targets.clone().neg().add_scalar(1.0);
    -(targets * p.log() + rest * q.log()).mean()
}

/// Weighted cross-entropy per pixel plus a loss of regions. With `focal` γ above 0, a pixel whose class has the probability `p` counts
/// `(1 − p)^γ` times: what is known already counts less (Lin et al., 2017).
///
/// # Shapes
/// `logits` `[n, classes, h, w]`; `mask` `n × [h, w]`; `weights` one per class.
pub fn of_pixels(logits: Tensor<4>, mask: &[u8], weights: &[f32], focal: f64, region: RegionLoss) -> Tensor<1> {
    let dims = logits.dims();
    let [n, classes, h, w] = dims;
    let device = logits.device();
    let constant = |numbers: Vec<f32>| Tensor::<4>::from_data(TensorData::new(numbers, dims), &device);
    let one_hot = planes(mask, classes, h * w);
    let total: f32 = mask.iter().map(|&class| weights[usize::from(class)]).sum();
    let weighted = (0..n * classes)
        .flat_map(|plane| {
            let weight = weights[plane % classes] / total;
            one_hot[plane * h * w..(plane + 1) * h * w]
                .iter()
                .map(move |y| y * weight)
        })
        .collect();
    let logarithms = log_softmax(logits.clone(), 1);
    let mut weighted = constant(weighted);
    if focal > 0.0 {
        // A probability may round to more than 1.
        let unknown = logarithms.clone().exp().neg().add_scalar(1.0).clamp_min(0.0);
        weighted = weighted * unknown.powf_scalar(focal);
    }
    let pixelwise = -(logarithms * weighted).sum();
    match region {
        RegionLoss::None => pixelwise,
        RegionLoss::Dice => pixelwise + dice(softmax(logits, 1), constant(one_hot)),
        RegionLoss::Lovasz => {
            let probabilities = softmax(logits, 1);
            let (slopes, offset) = lovasz(&crate::model::numbers(probabilities.clone()), &one_hot, classes, h * w);
            pixelwise + (probabilities * constant(slopes)).sum().add_scalar(offset)
        }
    }
}

/// One minus the mean Dice coefficient of a batch.
fn dice(probabilities: Tensor<4>, one_hot: Tensor<4>) -> Tensor<1> {
    let over_pixels = |map: Tensor<4>| map.sum_dim(0).sum_dim(2).sum_dim(3);
    let both = over_pixels(probabilities.clone() * one_hot.clone())
        .mul_scalar(2.0)
        .add_scalar(1.0);
    let either = over_pixels(probabilities + one_hot).add_scalar(1.0);
    (both / either).mean().neg().add_scalar(1.0)
}

/// The Lovász softmax loss of the classes present. It is linear in the errors between two changes of their order, so here is
/// its slope for every probability, and what is left: `loss = Σ slope · probability + offset`.
///
/// # Shapes
/// `probabilities` and `one_hot` `n × [classes, pixels]`.
fn lovasz(probabilities: &[f32], one_hot: &[f32], classes: usize, pixels: usize) -> (Vec<f32>, f32) {
    let mut slopes = vec![0.0; probabilities.len()];
    let mut offset = 0.0f64;
    let planes = |class: usize| (class..probabilities.len() / pixels).step_by(classes);
    let present: Vec<usize> = (0..classes)
        .filter(|&class| planes(class).any(|plane| one_hot[plane * pixels..(plane + 1) * pixels].contains(&1.0)))
        .collect();
    for &class in &present {
        let mut errors: Vec<(f32, u32)> = planes(class)
            .flat_map(|plane| plane * pixels..(plane + 1) * pixels)
            .map(|i| ((one_hot[i] - probabilities[i]).abs(), i as u32))
            .collect();
        errors.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let truth: f64 = errors.iter().map(|&(_, i)| f64::from(one_hot[i as usize])).sum();
        let (mut hits, mut misses, mut before) = (0.0, 0.0, 0.0);
        for (_, i) in errors {
            let i = i as usize;
            let is_class = one_hot[i] == 1.0;
            *(if is_class { &mut hits } else { &mut misses }) += 1.0;
            let jaccard = 1.0 - (truth - hits) / (truth + misses);
            let gain = (jaccard - before) / present.len() as f64;
            before = jaccard;
            // The error is 1 − p on the class and p elsewhere.
            slopes[i] = if is_class { -gain as f32 } else { gain as f32 };
            offset += if is_class { gain } else { 0.0 };
        }
    }
    (slopes, offset as f32)
}

/// Squared or Huber distance of one number per row; one target per row, or several that share the number.
///
/// # Shapes
/// `numbers` `[n, 1]`, `targets` `n × k`.
pub fn of_numbers(numbers: Tensor<2>, targets: Vec<f32>, distance: Distance) -> Tensor<1> {
    let [n, _] = numbers.dims();
    let per_row = targets.len() / n;
    let targets = Tensor::<2>::from_data(TensorData::new(targets, [n, per_row]), &numbers.device());
    let difference = numbers.expand([n, per_row]) - targets;
    match distance {
        Distance::Squared => (difference.clone() * difference).mean(),
        Distance::Huber => {
            let error = difference.abs();
            let near = error.clone().clamp_max(1.0);
            (near.clone() * (error - near.mul_scalar(0.5))).mean()
        }
    }
}

/// A mask as one plane of zeros and ones per class: `n × [classes, h, w]`.
pub(super) fn planes(mask: &[u8], classes: usize, pixels: usize) -> Vec<f32> {
    let mut planes = Vec::with_capacity(mask.len() * classes);
    for picture in mask.chunks_exact(pixels) {
        for class in 0..classes {
            planes.extend(picture.iter().map(|&c| if usize::from(c) == class { 1.0 } else { 0.0 }));
        }
    }
    planes
}

/// The class of every row or pixel that `scores`, `classes` per row, favour; two classes may share one logit.
pub(super) fn favoured(scores: &[f32], columns: usize) -> Vec<u8> {
    match columns {
        1 => scores.iter().map(|&z| u8::from(z >= 0.0)).collect(),
        _ => scores.chunks_exact(columns).map(|row| argmax(row) as u8).collect(),
    }
}

#[cfg(test)]
mod gradients;

#[cfg(test)]
mod tests {
    use std::f32::consts::LN_2;

    use super::*;
    use burn::tensor::Device;

    fn tensor<const D: usize>(numbers: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), shape), &Device::flex().autodiff())
    }

    fn value(loss: Tensor<1>) -> f32 {
        crate::model::numbers(loss)[0]
    }

    fn near(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-5
    }

    #[test]
    fn binary_cross_entropy_by_hand() {
        let loss = of_classes(tensor(&[0.0, 2.0, -30.0], [3, 1]), &[1, 1, 0], &[1.0, 1.0], 0.0);
        // ln 2, ln(1 + e^-2), 0.
        assert!(near(value(loss), (LN_2 + 0.126_928) / 3.0));
        let weighted = of_classes(tensor(&[0.0, 2.0], [2, 1]), &[0, 1], &[3.0, 1.0], 0.0);
        assert!(near(value(weighted), (3.0 * LN_2 + 0.126_928) / 4.0));
    }

    #[test]
    fn softmax_cross_entropy_by_hand() {
        let loss = of_classes(
            tensor(&[1.0, 1.0, 1.0, 0.0, 0.0, 2f32.ln()], [2, 3]),
            &[0, 2],
            &[1.0; 3],
            0.0,
        );
        assert!(near(value(loss), (3f32.ln() + 2f32.ln()) / 2.0));
    }

    #[test]
    fn probabilities_by_hand() {
        let loss = of_probabilities(tensor(&[0.5, 0.25], [1, 2]), vec![0.3, 1.0]);
        assert!(near(value(loss), (2f32.ln() + 4f32.ln()) / 2.0));
    }

    #[test]
    fn distances_by_hand() {
        let numbers = || tensor(&[0.0, 3.0], [2, 1]);
        assert!(near(
            value(of_numbers(numbers(), vec![0.5, 0.0], Distance::Squared)),
            (0.25 + 9.0) / 2.0
        ));
        assert!(near(
            value(of_numbers(numbers(), vec![0.5, 0.0], Distance::Huber)),
            (0.125 + 2.5) / 2.0
        ));
        assert!(near(
            value(of_numbers(numbers(), vec![1.0, -1.0, 3.0, 3.0], Distance::Squared)),
            0.5
        ));
    }

    #[test]
    fn perfect_pixels_cost_nothing() {
        let mask = [0u8, 1, 2, 1];
        let logits: Vec<f32> = planes(&mask, 3, 4).iter().map(|y| 40.0 * y).collect();
        for (region, focal) in [
            (RegionLoss::None, 0.0),
            (RegionLoss::Dice, 0.0),
            (RegionLoss::Lovasz, 0.0),
            (RegionLoss::Lovasz, 2.0),
        ] {
            let loss = value(of_pixels(
                tensor(&logits, [1, 3, 2, 2]),
                &mask,
                &[1.0, 2.0, 1.0],
                focal,
                region,
            ));
            assert!(loss.abs() < 1e-5, "{region:?} {focal} {loss}");
        }
    }

    #[test]
    fn focal_by_hand() {
        // Two pixels of two classes: p = 1/2 and 3/4 for the true one; (1/2)² ln 2 and (1/4)² ln 4/3, the mean of both.
        let logits = tensor(&[0.0, 0.0, 0.0, 3f32.ln()], [1, 2, 1, 2]);
        let loss = value(of_pixels(logits, &[0, 1], &[1.0, 1.0], 2.0, RegionLoss::None));
        assert!(near(loss, (LN_2 / 4.0 + 0.287_682 / 16.0) / 2.0), "{loss}");
    }

    #[test]
    fn lovasz_of_hard_errors_is_one_minus_iou() {
        // Class 0: truth {0, 1}, predicted {0}: IoU 1/2. Class 1: truth {2, 3}, predicted {1, 2, 3}: IoU 2/3.
        let truth = planes(&[0, 0, 1, 1], 2, 4);
        let predicted = planes(&[0, 1, 1, 1], 2, 4);
        let (slopes, offset) = lovasz(&predicted, &truth, 2, 4);
        let loss: f32 = slopes.iter().zip(&predicted).map(|(s, p)| s * p).sum::<f32>() + offset;
        assert!(near(loss, (0.5 + 1.0 / 3.0) / 2.0), "{loss}");
    }
}

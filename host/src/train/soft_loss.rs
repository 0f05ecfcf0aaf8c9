//! Cross-entropy against probabilities, as a teacher gives them: `−Σ p·ln q`, the mean over rows or pixels.
//!
//! It is least where `q = p`, and there it is the entropy of `p`, not zero. Its slope in a logit is `(q − p) / n`.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

use super::loss::binary_with_logits;

/// Cross-entropy of rows.
///
/// # Shapes
/// `logits` `[n, 1]` for two classes, else `[n, classes]`; `soft` `n × classes`, each row's sum 1.
pub fn of_classes(logits: Tensor<2>, soft: &[f32]) -> Tensor<1> {
    let [n, columns] = logits.dims();
    let constant = |numbers: Vec<f32>| Tensor::from_data(TensorData::new(numbers, [n, columns]), &logits.device());
    if columns == 1 {
        let second = constant(soft.iter().skip(1).step_by(2).copied().collect());
        return binary_with_logits(logits, second).mean();
    }
    -(log_softmax(logits.clone(), 1) * constant(soft.to_vec()))
        .sum()
        .div_scalar(n as f32)
}

/// Cross-entropy of pixels.
///
/// # Shapes
/// `logits` `[n, classes, h, w]`; `soft` `n × [classes, h, w]`, each pixel's sum 1.
pub fn of_pixels(logits: Tensor<4>, soft: Vec<f32>) -> Tensor<1> {
    let [n, classes, h, w] = logits.dims();
    let soft = Tensor::<4>::from_data(TensorData::new(soft, [n, classes, h, w]), &logits.device());
    -(log_softmax(logits, 1) * soft).sum().div_scalar((n * h * w) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::numbers;
    use burn::tensor::Device;

    fn tensor<const D: usize>(numbers: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), shape), &Device::flex().autodiff())
    }

    fn near(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-5
    }

    #[test]
    fn two_classes_by_hand() {
        // At z = 0 every p costs ln 2. At z = ln 3, q = 3/4: −(0.9·ln ¾ + 0.1·ln ¼) = 0.397543.
        let loss = of_classes(tensor(&[0.0, 3f32.ln()], [2, 1]), &[0.7, 0.3, 0.1, 0.9]);
        assert!(near(numbers(loss)[0], (2f32.ln() + 0.397_543) / 2.0));
    }

    #[test]
    fn three_classes_by_hand() {
        // q = ¼, ¼, ½ against p = ½, ¼, ¼: ¾·ln 4 + ¼·ln 2 = 1.75·ln 2.
        let loss = of_classes(tensor(&[0.0, 0.0, 2f32.ln()], [1, 3]), &[0.5, 0.25, 0.25]);
        assert!(near(numbers(loss)[0], 1.75 * 2f32.ln()));
    }

    #[test]
    fn pixels_by_hand() {
        // Two pixels of two classes; planes: class 0 then class 1. Equal logits cost ln 2; q = ⅔, ⅓ against p = 0, 1 costs ln 3.
        let loss = of_pixels(
            tensor(&[0.0, 2f32.ln(), 0.0, 0.0], [1, 2, 1, 2]),
            vec![0.3, 0.0, 0.7, 1.0],
        );
        assert!(near(numbers(loss)[0], (2f32.ln() + 3f32.ln()) / 2.0));
    }

    #[test]
    fn slopes_are_the_difference_of_probabilities() {
        let softmax = |z: &[f32]| {
            let sum: f32 = z.iter().map(|z| z.exp()).sum();
            z.iter().map(|z| z.exp() / sum).collect::<Vec<_>>()
        };
        let (z, p) = ([0.3f32, -1.2, 0.8, 1.5, 0.0, -0.4], [0.2f32, 0.5, 0.3, 0.0, 0.9, 0.1]);
        let logits = tensor(&z, [2, 3]).require_grad();
        let gradients = of_classes(logits.clone(), &p).backward();
        let slopes = numbers(logits.grad(&gradients).unwrap());
        let wanted = [softmax(&z[..3]), softmax(&z[3..])].concat();
        assert!((0..6).all(|i| near(slopes[i], (wanted[i] - p[i]) / 2.0)), "{slopes:?}");

        let logits = tensor(&[0.3, -2.0], [2, 1]).require_grad();
        let gradients = of_classes(logits.clone(), &[0.8, 0.2, 0.1, 0.9]).backward();
        let slopes = numbers(logits.grad(&gradients).unwrap());
        let sigmoid = |z: f32| 1.0 / (1.0 + (-z).exp());
        assert!(near(slopes[0], (sigmoid(0.3) - 0.2) / 2.0) && near(slopes[1], (sigmoid(-2.0) - 0.9) / 2.0));

        let map = tensor(&[0.3, 0.8, -1.2, 1.5], [1, 2, 1, 2]).require_grad();
        let gradients = of_pixels(map.clone(), vec![0.25, 1.0, 0.75, 0.0]).backward();
        let slopes = numbers(map.grad(&gradients).unwrap());
        let (left, right) = (softmax(&[0.3, -1.2]), softmax(&[0.8, 1.5]));
        let wanted = [left[0] - 0.25, right[0] - 1.0, left[1] - 0.75, right[1]];
        assert!((0..4).all(|i| near(slopes[i], wanted[i] / 2.0)), "{slopes:?}");
    }
}

//! How unlike the float model's outputs those of the model that rounds are.
//!
//! The float model is the teacher: its outputs, not the labels, are what the model that rounds shall give. So training makes int8
//! follow float, and does not go on fitting the training rows.

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use trident::spec::Head;

use super::super::batch::HeadTraining;
use super::super::loss;
use crate::config::Distance;
use crate::model::{Value, numbers};

/// The mean over rows or pixels of the cross-entropy with the float model's probabilities, or of the squared difference of numbers.
///
/// # Shapes
/// Two values of one shape; `float` need not be on an autodiff device.
pub(in crate::train) fn loss(head: &HeadTraining<'_>, output: Value, float: Value) -> Tensor<1> {
    match head.data.head {
        Head::Regression => loss::of_numbers(output.into_rows(), numbers(float.into_rows()), Distance::Squared),
        Head::Segmentation => of_pixels(output.into_map(), float.into_map(), head.probabilities),
        Head::Classification => of_rows(output.into_rows(), float.into_rows()),
    }
}

/// One logit per row is that of the second of two classes.
fn of_rows(logits: Tensor<2>, float: Tensor<2>) -> Tensor<1> {
    let device = logits.device();
    if logits.dims()[1] == 1 {
        let probabilities = moved(burn::tensor::activation::sigmoid(float), &device);
        return loss::binary_with_logits(logits, probabilities).mean();
    }
    let probabilities = moved(softmax(float, 1), &device);
    (log_softmax(logits, 1) * probabilities).sum_dim(1).mean().neg()
}

fn of_pixels(map: Tensor<4>, float: Tensor<4>, probabilities: bool) -> Tensor<1> {
    if probabilities {
        return loss::of_probabilities(map, numbers(float));
    }
    let probabilities = moved(softmax(float, 1), &map.device());
    (log_softmax(map, 1) * probabilities).sum_dim(1).mean().neg()
}

/// The same numbers on another device, as constants.
fn moved<const D: usize>(tensor: Tensor<D>, device: &Device) -> Tensor<D> {
    let dims = tensor.dims();
    Tensor::from_data(TensorData::new(numbers(tensor), dims), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<const D: usize>(numbers: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), shape), &Device::flex().autodiff())
    }

    fn slopes<const D: usize>(at: &Tensor<D>, loss: Tensor<1>) -> Vec<f32> {
        numbers(at.grad(&loss.backward()).unwrap())
    }

    fn assert_near(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near, "{found:?} is not {expected:?}");
    }

    /// The slope in a logit is the probability less the teacher's, over the number of rows or pixels.
    #[test]
    fn slopes_by_hand() {
        let one = tensor(&[3f32.ln(), -3f32.ln()], [2, 1]).require_grad();
        let teacher = tensor(&[0.0, -3f32.ln()], [2, 1]);
        assert_near(&slopes(&one, of_rows(one.clone(), teacher)), &[(0.75 - 0.5) / 2.0, 0.0]);

        let three = tensor(&[0.0, 0.0, 2f32.ln()], [1, 3]).require_grad();
        let teacher = tensor(&[0.0, 2f32.ln(), 0.0], [1, 3]);
        assert_near(&slopes(&three, of_rows(three.clone(), teacher)), &[0.0, -0.25, 0.25]);

        // Two classes of two pixels: [class][pixel].
        let pixels = tensor(&[0.0, 3f32.ln(), 0.0, 0.0], [1, 2, 1, 2]).require_grad();
        let teacher = tensor(&[0.0, 0.0, 0.0, 0.0], [1, 2, 1, 2]);
        let found = slopes(&pixels, of_pixels(pixels.clone(), teacher, false));
        assert_near(&found, &[0.0, 0.125, 0.0, -0.125]);

        let sigmoid = tensor(&[0.5, 0.25], [1, 2, 1, 1]).require_grad();
        let teacher = tensor(&[0.5, 0.5], [1, 2, 1, 1]);
        let found = slopes(&sigmoid, of_pixels(sigmoid.clone(), teacher, true));
        // (p − y) / (p · (1 − p)), over two.
        assert_near(&found, &[0.0, -0.25 / 0.1875 / 2.0]);
    }
}

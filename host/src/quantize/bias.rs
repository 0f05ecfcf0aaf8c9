//! Bias correction: rounding weights and values moves the mean of a channel's sums; its bias moves it back.
//!
//! Layer by layer, on calibration rows: the mean difference between the float model's sums and those of the model that rounds
//! (with all layers before corrected already) is added to the bias (Nagel et al., 2019).

use burn::tensor::{Device, Tensor, TensorData};
use trident::spec::Layer;

use super::QuantizeError;
use super::lower::widen_ranges;
use super::prepare::Prepared;
use crate::model::{HostInputs, Model, Pass, ROWS_AT_ONCE, Value, Walk, numbers};

/// The most rows of one entry that means are taken over: all values of all layers are held for each.
const ROWS: usize = 512;

/// Corrects the biases of a prepared model.
///
/// # Errors
/// If a layer cannot be expressed in int8.
pub fn correct(prepared: &mut Prepared, rows: &[HostInputs], device: &Device) -> Result<(), QuantizeError> {
    // Whatever the ranges cannot hold is said here, before a model rounds to them.
    widen_ranges(&prepared.folded, &mut prepared.ranges)?;
    let float = Model::from_folded(&prepared.float, device);
    let rounded = Model::rounded(&prepared.folded, &prepared.ranges, &[], device);
    let mut walks: Vec<[Walk; 2]> = Vec::new();
    for rows in rows {
        // Full batches, evenly over the rows.
        let starts = (0..rows.rows).step_by(ROWS_AT_ONCE);
        let every = starts.len().div_ceil(ROWS / ROWS_AT_ONCE).max(1);
        for start in starts.step_by(every) {
            let tensors = rows.tensors(
                &prepared.folded.spec,
                start..rows.rows.min(start + ROWS_AT_ONCE),
                device,
            );
            walks.push([&float, &rounded].map(|model| model.walk(&tensors, Pass::Evaluate)));
        }
    }
    for (index, layer) in prepared.folded.spec.layers.iter().enumerate() {
        let sums: Vec<[Option<Value>; 2]> = walks
            .iter_mut()
            .map(|walks| walks.each_mut().map(|walk| walk.sum(index)))
            .collect();
        let corrections = match &mut prepared.folded.layers[index] {
            None => None,
            Some(weights) => {
                let corrections = mean_difference(&layer.layer, &sums, weights.bias.len());
                let biases = weights.bias.iter_mut().zip(&corrections);
                biases.for_each(|(bias, correction)| *bias += correction);
                Some(corrections)
            }
        };
        for ([float, rounded], [exact, sum]) in walks.iter_mut().zip(sums) {
            float.push(index, exact);
            rounded.push(
                index,
                match &corrections {
                    Some(corrections) => sum.map(|sum| shifted(sum, corrections)),
                    None => sum,
                },
            );
        }
    }
    Ok(())
}

/// Per channel, the mean of the first less the second.
fn mean_difference(layer: &Layer, sums: &[[Option<Value>; 2]], channels: usize) -> Vec<f32> {
    let mut total = vec![0f64; channels];
    let mut count = 0;
    for [exact, rounded] in sums {
        let (Some(exact), Some(rounded)) = (exact.clone(), rounded.clone()) else {
            continue;
        };
        // `[positions, channels]`; each unit of a linear layer is a channel.
        let columns = |value: Value| match layer {
            Layer::Linear { .. } => value.into_rows(),
            _ => {
                let map = value.into_map();
                let [n, c, h, w] = map.dims();
                map.permute([0, 2, 3, 1]).reshape([n * h * w, c])
            }
        };
        let difference = columns(exact) - columns(rounded);
        count += difference.dims()[0];
        let sums = numbers(difference.sum_dim(0));
        total
            .iter_mut()
            .zip(sums)
            .for_each(|(total, sum)| *total += f64::from(sum));
    }
    total
        .into_iter()
        .map(|total| (total / count.max(1) as f64) as f32)
        .collect()
}

/// A sum with a number added per channel.
fn shifted(sum: Value, by: &[f32]) -> Value {
    match sum {
        Value::Row(rows) => {
            let by = Tensor::<2>::from_data(TensorData::new(by.to_vec(), [1, by.len()]), &rows.device());
            Value::Row(rows + by)
        }
        Value::Map(map) if map.dims()[1] == by.len() => {
            let by = Tensor::<4>::from_data(TensorData::new(by.to_vec(), [1, by.len(), 1, 1]), &map.device());
            Value::Map(map + by)
        }
        Value::Map(map) => {
            // A linear layer that makes a picture: one number per pixel and channel, in the order h, w, c.
            let [_, c, h, w] = map.dims();
            let by = Tensor::<4>::from_data(TensorData::new(by.to_vec(), [1, h, w, c]), &map.device());
            Value::Map(map + by.permute([0, 3, 1, 2]))
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use trident::spec::{Activation, Head, HeadSpec, InputSlot, InputSpec, LayerSpec, ModelSpec, PixelScale, Shape};

    use super::super::method::PostTraining;
    use super::super::range::RangeRule;
    use super::*;
    use crate::model::{FoldedModel, Initializer, ModelState};

    /// Three linear layers over readings that are mostly small, so that ranges cut the large ones off.
    fn model() -> (FoldedModel, HostInputs) {
        let linear = |input: u8, out, activation| LayerSpec {
            inputs: [input].into_iter().collect(),
            layer: Layer::Linear {
                out: Shape::row(out),
                activation,
            },
        };
        let spec = ModelSpec {
            inputs: [InputSpec {
                slot: InputSlot::Regression,
                shape: Shape::row(5),
                pixels: PixelScale::Centred,
            }]
            .into_iter()
            .collect(),
            layers: [
                linear(0, 12, Activation::Relu),
                linear(1, 12, Activation::Relu),
                linear(2, 1, Activation::None),
            ]
            .into_iter()
            .collect(),
            heads: [HeadSpec {
                head: Head::Regression,
                value: 3,
            }]
            .into_iter()
            .collect(),
        };
        let draw = |layer: usize| ChaCha8Rng::seed_from_u64(layer as u64);
        let folded = FoldedModel::from(&ModelState::random(&spec, Initializer::He, draw));
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let readings = (0..5 * 400)
            .map(|_| rng.random_range(-1f32..1.0).powi(5) * 3.0)
            .collect();
        let rows = HostInputs {
            rows: 400,
            regression: Some(readings),
            ..HostInputs::default()
        };
        (folded, rows)
    }

    #[test]
    fn correction_takes_the_mean_error_of_a_head_back() {
        let (folded, rows) = model();
        let device = Device::flex();
        let mean_error = |correct_bias| {
            let method = PostTraining {
                ranges: RangeRule::Percentile(95.0),
                equalize: false,
                correct_bias,
            };
            let prepared = Prepared::new(&folded, std::slice::from_ref(&rows), method, &device).unwrap();
            let [float, rounded] = [
                Model::from_folded(&prepared.float, &device),
                Model::rounded(&prepared.folded, &prepared.ranges, &[], &device),
            ]
            .map(|model| model.value(3, &rows));
            let difference = |(a, b): (&f32, &f32)| f64::from(a - b);
            (float.iter().zip(&rounded).map(difference).sum::<f64>() / float.len() as f64).abs()
        };
        let (before, after) = (mean_error(false), mean_error(true));
        assert!(before > 1e-3, "cut ranges should move the mean: {before}");
        assert!(after < before / 20.0, "{after} is not far below {before}");
    }

    #[test]
    fn a_mean_is_taken_per_channel() {
        let device = Device::flex();
        let map = |numbers: Vec<f32>| {
            let tensor = Tensor::<4>::from_data(TensorData::new(numbers, [1, 2, 1, 2]), &device);
            Some(Value::Map(tensor))
        };
        let conv = Layer::Conv2d {
            filters: 2,
            kernel: 1,
            stride: 1,
            padding: trident::spec::Padding::Same,
            activation: Activation::None,
            norm: false,
        };
        let sums = [[map(vec![1.0, 2.0, 5.0, 5.0]), map(vec![0.0, 1.5, 5.0, 7.0])]];
        assert_eq!(mean_difference(&conv, &sums, 2), [0.75, -1.0]);
    }
}

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

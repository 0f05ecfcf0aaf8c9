//! From the trainer's layout to the device's: the one file where the order of weights changes.
//!
//! | layer | trainer ([`ModelState`]) | device ([`FoldedModel`]) |
//! |---|---|---|
//! | `Linear` | `[in][out]` | `[out][in]` |
//! | `Conv2d` | `[out][in][kh][kw]` | `[out][kh][kw][in]` |
//! | `DepthwiseConv2d` | `[channel][kh][kw]` | `[kh][kw][channel]` |
//!
//! Batch normalisation disappears on the way: its scale goes into the weights, its offset into the bias.

use serde::{Deserialize, Serialize};
use trident::spec::{Layer, ModelSpec};

use super::state::{Geometry, LayerState, ModelState, NormState, geometries};

/// Added to a variance before its root is taken.
pub(crate) const NORM_EPSILON: f64 = 1e-5;

/// Weights of one layer in the device's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerWeights {
    /// Weights; the module's table has their order.
    pub weights: Vec<f32>,
    /// One per output channel or unit.
    pub bias: Vec<f32>,
}

/// A trained model without batch normalisation; `None` for a layer that holds no weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldedModel {
    /// The model.
    pub spec: ModelSpec,
    /// One entry per layer.
    pub layers: Vec<Option<LayerWeights>>,
}

impl From<&ModelState> for FoldedModel {
    fn from(state: &ModelState) -> Self {
        let layers = state
            .layers
            .iter()
            .zip(geometries(&state.spec))
            .zip(&state.spec.layers)
            .map(|((numbers, geometry), layer)| {
                let (numbers, geometry) = (numbers.as_ref()?, geometry?);
                let mut weights = reorder(&layer.layer, geometry, &numbers.weight, Direction::ToDevice);
                let bias = match &numbers.norm {
                    Some(norm) => fold(&layer.layer, norm, &mut weights),
                    None => numbers.bias.clone(),
                };
                Some(LayerWeights { weights, bias })
            })
            .collect();
        Self {
            spec: state.spec.clone(),
            layers,
        }
    }
}

impl FoldedModel {
    /// The trainer's numbers of this model, with its batch normalisation gone from the spec too.
    pub fn to_state(&self) -> ModelState {
        let layers = self
            .layers
            .iter()
            .zip(geometries(&self.spec))
            .zip(&self.spec.layers)
            .map(|((numbers, geometry), layer)| {
                let (numbers, geometry) = (numbers.as_ref()?, geometry?);
                Some(LayerState {
                    weight: reorder(&layer.layer, geometry, &numbers.weights, Direction::ToTrainer),
                    bias: numbers.bias.clone(),
                    norm: None,
                })
            })
            .collect();
        let mut spec = self.spec.clone();
        for layer in &mut spec.layers {
            if let Layer::Conv2d { norm, .. } | Layer::DepthwiseConv2d { norm, .. } = &mut layer.layer {
                *norm = false;
            }
        }
        ModelState { spec, layers }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    ToDevice,
    ToTrainer,
}

/// Reads `blocks × rows × columns` and writes every block transposed.
fn transpose(from: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut to = Vec::with_capacity(from.len());
    for block in from.chunks_exact(rows * columns) {
        to.extend((0..columns).flat_map(|c| (0..rows).map(move |r| block[r * columns + c])));
    }
    to
}

/// Every order in the table is a transposition of the inner two sides of `[blocks][rows][columns]`.
fn reorder(layer: &Layer, geometry: Geometry, weights: &[f32], direction: Direction) -> Vec<f32> {
    let (rows, columns) = match *layer {
        Layer::Linear { .. } => (geometry.fan_in, geometry.channels),
        Layer::Conv2d { kernel, .. } => {
            let area = usize::from(kernel).pow(2);
            (geometry.fan_in / area, area)
        }
        Layer::DepthwiseConv2d { .. } => (geometry.channels, geometry.fan_in),
        _ => return weights.to_vec(),
    };
    match direction {
        Direction::ToDevice => transpose(weights, rows, columns),
        Direction::ToTrainer => transpose(weights, columns, rows),
    }
}

/// Scales weights in the device's order and gives the bias.
fn fold(layer: &Layer, norm: &NormState, weights: &mut [f32]) -> Vec<f32> {
    let channels = norm.gamma.len();
    let scale: Vec<f64> = (0..channels)
        .map(|c| f64::from(norm.gamma[c]) / (f64::from(norm.variance[c]) + NORM_EPSILON).sqrt())
        .collect();
    let run = match layer {
        Layer::DepthwiseConv2d { .. } => 1,
        _ => weights.len() / channels,
    };
    for (index, block) in weights.chunks_exact_mut(run).enumerate() {
        for weight in block {
            *weight = (f64::from(*weight) * scale[index % channels]) as f32;
        }
    }
    (0..channels)
        .map(|c| (f64::from(norm.beta[c]) - f64::from(norm.mean[c]) * scale[c]) as f32)
        .collect()
}

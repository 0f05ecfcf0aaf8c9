//! A model's numbers, away from any tensor library: what is saved, averaged and folded.
//!
//! Layouts are those of the trainer: `Linear` `[in][out]` with `in` flattened in the order h, w, c; `Conv2d`
//! `[out][in][kh][kw]`; `DepthwiseConv2d` `[channel][kh][kw]`. A layer with batch normalisation has no bias of its own.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use trident::spec::{Activation, Layer, ModelSpec, Shape};

/// Numbers of one layer's batch normalisation, one per channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormState {
    /// Trained scale.
    pub gamma: Vec<f32>,
    /// Trained offset.
    pub beta: Vec<f32>,
    /// Running mean of what comes in.
    pub mean: Vec<f32>,
    /// Running variance of what comes in.
    pub variance: Vec<f32>,
}

/// Numbers of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerState {
    /// Weights.
    pub weight: Vec<f32>,
    /// One per output channel; empty with batch normalisation.
    pub bias: Vec<f32>,
    /// Batch normalisation behind the sum.
    pub norm: Option<NormState>,
}

/// Numbers of every layer of a model; `None` for a layer that holds none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelState {
    /// The model.
    pub spec: ModelSpec,
    /// One entry per layer.
    pub layers: Vec<Option<LayerState>>,
}

/// How weights are drawn before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Initializer {
    /// Normal with variance 2 / fan-in before a ReLU, else 1 / fan-in.
    He,
    /// Uniform in ±√(6 / (fan-in + fan-out)), as Keras draws.
    Glorot,
}

/// How many numbers a layer with weights holds, by the shape it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Numbers that one output is a sum of.
    pub fan_in: usize,
    /// Numbers that one input goes into.
    pub fan_out: usize,
    /// Weights.
    pub weights: usize,
    /// Output channels, or units.
    pub channels: usize,
    /// Whether batch normalisation follows.
    pub norm: bool,
}

impl Geometry {
    /// `None` for a layer without weights.
    pub(crate) fn of(layer: &Layer, input: Shape) -> Option<Self> {
        let area = |kernel: u8| usize::from(kernel).pow(2);
        Some(match *layer {
            Layer::Linear { out, .. } => Self {
                fan_in: input.len(),
                fan_out: out.len(),
                weights: input.len() * out.len(),
                channels: out.len(),
                norm: false,
            },
            Layer::Conv2d {
                filters, kernel, norm, ..
            } => Self {
                fan_in: area(kernel) * usize::from(input.c),
                fan_out: area(kernel) * usize::from(filters),
                weights: area(kernel) * usize::from(input.c) * usize::from(filters),
                channels: filters.into(),
                norm,
            },
            Layer::DepthwiseConv2d { kernel, norm, .. } => Self {
                fan_in: area(kernel),
                fan_out: area(kernel),
                weights: area(kernel) * usize::from(input.c),
                channels: input.c.into(),
                norm,
            },
            _ => return None,
        })
    }
}

impl ModelState {
    /// Freshly drawn numbers; `rng` gives a generator per layer index.
    ///
    /// # Panics
    /// If the spec is not valid: see [`ModelSpec::shapes`].
    pub fn random(spec: &ModelSpec, initializer: Initializer, rng: impl Fn(usize) -> ChaCha8Rng) -> Self {
        let layers = geometries(spec)
            .into_iter()
            .enumerate()
            .map(|(index, geometry)| {
                geometry.map(|geometry| {
                    let relu = spec.layers[index].layer.activation() == Activation::Relu;
                    random_layer(geometry, initializer, relu, &mut rng(index))
                })
            })
            .collect();
        Self {
            spec: spec.clone(),
            layers,
        }
    }

    /// Moves every number towards that of `newer`: `self = decay · self + (1 − decay) · newer`.
    ///
    /// # Panics
    /// If the two are not of one model.
    pub fn average(&mut self, newer: &Self, decay: f32) {
        assert_eq!(self.layers.len(), newer.layers.len(), "states of one model");
        for (old, new) in self.layers.iter_mut().flatten().zip(newer.layers.iter().flatten()) {
            for (old, new) in old.numbers_mut().into_iter().zip(new.numbers()) {
                for (o, &n) in old.iter_mut().zip(new) {
                    *o = decay * *o + (1.0 - decay) * n;
                }
            }
        }
    }

    /// Whether every layer holds as many numbers as the spec says.
    pub fn fits(&self) -> bool {
        let fits = |(numbers, geometry): (&Option<LayerState>, Option<Geometry>)| match (numbers, geometry) {
            (None, None) => true,
            (Some(numbers), Some(geometry)) => numbers.fits(geometry),
            _ => false,
        };
        self.spec.shapes().is_ok()
            && self.layers.len() == self.spec.layers.len()
            && self.layers.iter().zip(geometries(&self.spec)).all(fits)
    }

    /// Whether no number is infinite or NaN.
    pub fn is_finite(&self) -> bool {
        let numbers = self.layers.iter().flatten().flat_map(LayerState::numbers);
        numbers.flatten().all(|number| number.is_finite())
    }
}

impl LayerState {
    fn fits(&self, geometry: Geometry) -> bool {
        let channels = geometry.channels;
        let norm_fits = |norm: &NormState| {
            let parts = [&norm.gamma, &norm.beta, &norm.mean, &norm.variance];
            parts.iter().all(|part| part.len() == channels)
        };
        self.weight.len() == geometry.weights
            && self.norm.is_some() == geometry.norm
            && self.norm.as_ref().is_none_or(norm_fits)
            && self.bias.len() == if geometry.norm { 0 } else { channels }
    }

    fn numbers(&self) -> Vec<&[f32]> {
        let mut parts: Vec<&[f32]> = vec![&self.weight, &self.bias];
        if let Some(norm) = &self.norm {
            parts.extend([&norm.gamma[..], &norm.beta, &norm.mean, &norm.variance]);
        }
        parts
    }

    fn numbers_mut(&mut self) -> Vec<&mut [f32]> {
        let mut parts: Vec<&mut [f32]> = vec![&mut self.weight, &mut self.bias];
        if let Some(norm) = &mut self.norm {
            parts.extend([&mut norm.gamma[..], &mut norm.beta, &mut norm.mean, &mut norm.variance]);
        }
        parts
    }
}

/// The geometry of every layer.
///
/// # Panics
/// If the spec is not valid.
pub(crate) fn geometries(spec: &ModelSpec) -> Vec<Option<Geometry>> {
    let shapes = spec.shapes().expect("a valid model");
    let read = |layer: &trident::spec::LayerSpec| shapes[usize::from(layer.inputs[0])];
    spec.layers
        .iter()
        .map(|layer| Geometry::of(&layer.layer, read(layer)))
        .collect()
}

fn random_layer(geometry: Geometry, initializer: Initializer, relu: bool, rng: &mut ChaCha8Rng) -> LayerState {
    let weight = match initializer {
        Initializer::He => {
            let gain = if relu { 2.0 } else { 1.0 };
            let deviation = (gain / geometry.fan_in as f64).sqrt();
            (0..geometry.weights)
                .map(|_| (deviation * normal(rng)) as f32)
                .collect()
        }
        Initializer::Glorot => {
            let limit = (6.0 / (geometry.fan_in + geometry.fan_out) as f64).sqrt() as f32;
            (0..geometry.weights).map(|_| rng.random_range(-limit..limit)).collect()
        }
    };
    let norm = geometry.norm.then(|| NormState {
        gamma: vec![1.0; geometry.channels],
        beta: vec![0.0; geometry.channels],
        mean: vec![0.0; geometry.channels],
        variance: vec![1.0; geometry.channels],
    });
    let bias = vec![0.0; if geometry.norm { 0 } else { geometry.channels }];
    LayerState { weight, bias, norm }
}

/// A standard normal number (Box and Muller).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

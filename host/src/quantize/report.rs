//! What int8 costs, layer by layer: the power of each layer's float values over the power of their error.

use burn::tensor::Device;
use serde::Serialize;
use trident::graph::Element;
use trident::{Blob, HeadSet, Network};

use super::QuantizeError;
use super::multipliers::weight_scales;
use super::pack::{Quantized, Sample, Source};
use super::range::{Method, Quantization};
use super::writer::AlignedBytes;
use crate::model::{HostInputs, Model};

/// One layer of the report.
#[derive(Clone, Debug, Serialize)]
pub struct LayerReport {
    /// Its index in the spec.
    pub layer: usize,
    /// Its operator.
    pub operator: &'static str,
    /// The heads that need it.
    pub heads: Vec<&'static str>,
    /// `[h, w, c]` of what it makes.
    pub shape: [u16; 3],
    /// Weights and biases.
    pub parameters: usize,
    /// Multiplications per run.
    pub macs: usize,
    /// Scale of its codes.
    pub scale: f32,
    /// Zero point of its codes.
    pub zero_point: i8,
    /// How its range was chosen.
    pub range: Method,
    /// The root of the mean squared error against float over that of the float values themselves; `None` where those are zero.
    pub rms_error: Option<f64>,
    /// The same in dB: power of the float values over power of the error; `None` also where there is no error.
    pub snr_db: Option<f64>,
}

/// Compares float and int8 values of every layer over rows given both raw (`samples`) and transformed (`rows`). The worst is
/// first, layers that no head needs are last.
///
/// The graph before its rewrites runs, in which every value exists; they change none.
///
/// # Errors
/// If the engine refuses the model or a sample.
pub fn layers(
    quantized: &Quantized,
    source: &Source<'_>,
    samples: &[Sample],
    rows: &HostInputs,
) -> Result<Vec<LayerReport>, QuantizeError> {
    let spec = &quantized.folded.spec;
    let shapes = spec.shapes()?;
    let need = spec.heads_of_values();
    let float = Model::from_folded(&source.prepared.float, &Device::flex()).values(rows);
    let mut powers = vec![(0f64, 0f64); shapes.len()];
    observe(quantized, source, samples, |row, value, start, numbers| {
        let Some(float) = &float[value] else { return };
        let start = row * shapes[value].len() + start;
        for (number, &float) in numbers.iter().zip(&float[start..]) {
            powers[value].0 += f64::from(float).powi(2);
            powers[value].1 += (number - f64::from(float)).powi(2);
        }
    })?;
    let layers = spec.layers.iter().enumerate().map(|(layer, spec_layer)| {
        let value = spec.inputs.len() + layer;
        let choice = quantized.ranges.of(value);
        let input = shapes[usize::from(spec_layer.inputs[0])];
        let (signal, noise) = powers[value];
        LayerReport {
            layer,
            operator: spec_layer.layer.name(),
            heads: names(need[value]),
            shape: [shapes[value].h, shapes[value].w, shapes[value].c],
            parameters: spec_layer.layer.parameters(input),
            macs: spec_layer.layer.macs(input, shapes[value]),
            scale: choice.quantization.scale,
            zero_point: choice.quantization.zero_point,
            range: choice.method,
            rms_error: (signal > 0.0).then(|| (noise / signal).sqrt()),
            snr_db: (signal > 0.0 && noise > 0.0).then(|| 10.0 * (signal / noise).log10()),
        }
    });
    let mut layers: Vec<LayerReport> = layers.collect();
    layers.sort_by(|a, b| b.rms_error.unwrap_or(0.0).total_cmp(&a.rms_error.unwrap_or(0.0)));
    Ok(layers)
}

/// Hands on what the engine makes of every value of the model, as real numbers: row of the samples, number of the value, where in
/// it the numbers begin, the numbers.
///
/// # Errors
/// If the engine refuses the model or a sample.
pub(super) fn observe(
    quantized: &Quantized,
    source: &Source<'_>,
    samples: &[Sample],
    mut take: impl FnMut(usize, usize, usize, &[f64]),
) -> Result<(), QuantizeError> {
    let refused = |error: &dyn std::fmt::Display| QuantizeError::Refused(error.to_string());
    let whole = quantized.unrewritten()?;
    let bytes = whole.pack(source, &[])?;
    let blob = Blob::new_exact(bytes.as_ref()).map_err(|error| refused(&error))?;
    let graph = blob.graph();
    let mut arena = AlignedBytes::zeroed(graph.arena_len());
    let mut network = Network::load(blob, arena.as_mut()).map_err(|error| refused(&error))?;
    let value_of = |tensor: usize| whole.graph.tensor_of_value.iter().position(|of| *of == Some(tensor));
    let mut numbers = Vec::new();
    for (row, sample) in samples.iter().enumerate() {
        let heads = network.heads();
        network
            .run_observed(heads, &sample.inputs(), |step| {
                let node = graph.node(step.node).filter(|node| !node.op.is_output());
                let number = node.map(|node| usize::from(node.output));
                let (Some(value), Some(tensor)) = (number.and_then(value_of), number.and_then(|n| graph.tensor(n)))
                else {
                    return;
                };
                let range = Quantization {
                    scale: tensor.scale,
                    zero_point: tensor.zero_point,
                };
                numbers.clear();
                match tensor.element {
                    element @ (Element::I8 | Element::I16) => {
                        numbers.extend(codes(element, step.bytes).map(|code| f64::from(range.real(code))));
                    }
                    Element::I32 => numbers.extend(sums(quantized, value, step.bytes)),
                }
                let start = step.row * tensor.row_len();
                numbers.truncate(tensor.shape.len() - start);
                take(row, value, start, &numbers);
            })
            .map_err(|error| refused(&error))?;
    }
    Ok(())
}

/// Accumulators of a head's last layer as real numbers.
fn sums(quantized: &Quantized, value: usize, bytes: &[u8]) -> Vec<f64> {
    let spec = &quantized.folded.spec;
    let layer = value - spec.inputs.len();
    let input = quantized
        .ranges
        .of(spec.layers[layer].inputs[0].into())
        .quantization
        .scale;
    let weights = quantized.folded.layers[layer]
        .as_ref()
        .expect("a head's last layer has weights");
    let scales = weight_scales(&spec.layers[layer].layer, weights, input);
    let step = |scale: f32| f64::from(input) * f64::from(scale);
    let words = bytes
        .chunks_exact(4)
        .map(|word| i32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    words
        .zip(scales)
        .map(|(word, scale)| f64::from(word) * step(scale))
        .collect()
}

/// Codes in order from their bytes in the arena.
fn codes(element: Element, bytes: &[u8]) -> impl Iterator<Item = i8> + '_ {
    let wide = element == Element::I16;
    let count = if wide { bytes.len() / 2 } else { bytes.len() };
    (0..count).map(move |code| {
        let place = if wide {
            2 * (code / 4 * 4 + [0, 2, 1, 3][code % 4])
        } else {
            code
        };
        bytes[place] as i8
    })
}

fn names(heads: HeadSet) -> Vec<&'static str> {
    heads.iter().map(|head| head.name()).collect()
}

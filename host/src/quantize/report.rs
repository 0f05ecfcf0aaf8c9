//! What int8 costs, layer by layer: the power of each layer's float values over the power of their error.

use serde::Serialize;
use trident::graph::Element;
use trident::{Blob, HeadSet, Network};

use super::QuantizeError;
use super::pack::{Quantized, Sample};
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
    /// Signal over quantisation noise, in dB; `None` for accumulators, which are not rounded, and for values that are never made.
    pub snr_db: Option<f64>,
}

/// Compares float and int8 values of every layer over rows given both raw (`samples`) and transformed (`rows`).
///
/// # Errors
/// If the engine refuses the blob or a sample.
pub fn layers(
    quantized: &Quantized,
    model: &Model,
    blob: &AlignedBytes,
    samples: &[Sample],
    rows: &HostInputs,
) -> Result<Vec<LayerReport>, QuantizeError> {
    let refused = |error: &dyn std::fmt::Display| QuantizeError::Refused(error.to_string());
    let spec = &quantized.folded.spec;
    let shapes = spec.shapes()?;
    let need = spec.heads_of_values();
    let float = model.values(rows);
    let blob = Blob::new_exact(blob.as_ref()).map_err(|error| refused(&error))?;
    let graph = blob.graph();
    let mut arena = AlignedBytes::zeroed(graph.arena_len());
    let mut network = Network::load(blob, arena.as_mut()).map_err(|error| refused(&error))?;
    let mut powers = vec![(0f64, 0f64); shapes.len()];
    for (row, sample) in samples.iter().enumerate() {
        let heads = network.heads();
        network
            .run_observed(heads, &sample.inputs(), |step| {
                let node = graph.node(step.node).filter(|node| !node.op.is_output());
                let tensor = node.map(|node| usize::from(node.output));
                let value = quantized
                    .graph
                    .tensor_of_value
                    .iter()
                    .position(|of| of.is_some() && *of == tensor);
                let described = tensor
                    .and_then(|tensor| graph.tensor(tensor))
                    .filter(|tensor| tensor.element == Element::I8);
                let (Some(tensor), Some(value)) = (described, value) else {
                    return;
                };
                let Some(float) = &float[value] else { return };
                let start = row * tensor.shape.len() + step.row * tensor.row_len();
                let range = Quantization {
                    scale: tensor.scale,
                    zero_point: tensor.zero_point,
                };
                for (&byte, &float) in step.bytes.iter().zip(&float[start..]) {
                    powers[value].0 += f64::from(float).powi(2);
                    powers[value].1 += f64::from(range.real(byte as i8) - float).powi(2);
                }
            })
            .map_err(|error| refused(&error))?;
    }
    let report = spec.layers.iter().enumerate().map(|(layer, spec_layer)| {
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
            snr_db: (signal > 0.0 && noise > 0.0).then(|| 10.0 * (signal / noise).log10()),
        }
    });
    Ok(report.collect())
}

fn names(heads: HeadSet) -> Vec<&'static str> {
    heads.iter().map(|head| head.name()).collect()
}

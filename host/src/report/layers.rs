//! The model layer by layer: what each makes, what it takes, and what rounding costs it.

use serde::Serialize;
use serde_json::Value;
use trident::spec::{Head, ModelSpec};

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// Its index in the spec.
    pub layer: usize,
    /// Its operator.
    pub operator: &'static str,
    /// The heads that need it.
    pub heads: Vec<&'static str>,
    /// `[h, w, c]` of what it makes.
    pub shape: [u16; 3],
    /// Weights and biases, batch normalisation folded.
    pub parameters: usize,
    /// Multiplications per run.
    pub macs: usize,
    /// Power of its float values over that of int8's error, in dB; `None` where there is none, and where nothing was measured.
    pub snr_db: Option<f64>,
    /// Whether no other layer of one of its heads has a lower `snr_db`.
    pub worst: bool,
}

/// The layers of a model; `measured` is what the quantiser reported of it, if it did.
pub fn layers(spec: &ModelSpec, measured: Option<&Value>) -> Vec<Layer> {
    let shapes = spec.shapes().expect("a run's model is valid");
    let need = spec.heads_of_values();
    let mut layers: Vec<Layer> = spec
        .layers
        .iter()
        .enumerate()
        .map(|(index, own)| {
            let value = spec.inputs.len() + index;
            let (input, output) = (shapes[usize::from(own.inputs[0])], shapes[value]);
            Layer {
                layer: index,
                operator: own.layer.name(),
                heads: need[value].iter().map(Head::name).collect(),
                shape: [output.h, output.w, output.c],
                parameters: own.layer.parameters(input),
                macs: own.layer.macs(input, output),
                snr_db: measured.and_then(|report| of_layer(report, index)?["snr_db"].as_f64()),
                worst: false,
            }
        })
        .collect();
    for head in Head::ALL {
        let of_head = layers.iter_mut().filter(|layer| layer.heads.contains(&head.name()));
        let rounded = of_head.filter(|layer| layer.snr_db.is_some());
        let worst = rounded.min_by(|a, b| {
            a.snr_db
                .unwrap_or(f64::INFINITY)
                .total_cmp(&b.snr_db.unwrap_or(f64::INFINITY))
        });
        if let Some(worst) = worst {
            worst.worst = true;
        }
    }
    layers
}

/// What a quantiser's report, the worst layer first, says of one layer.
fn of_layer(report: &Value, index: usize) -> Option<&Value> {
    let mut layers = report["layers"].as_array()?.iter();
    layers.find(|layer| layer["layer"] == index)
}

/// Whether a quantiser's report is of this model and blob, as far as their sizes tell.
pub fn is_of(report: &Value, spec: &ModelSpec, blob_bytes: usize, arena_bytes: usize) -> bool {
    report["layers"].as_array().map(Vec::len) == Some(spec.layers.len())
        && report["blob_bytes"].as_u64() == Some(blob_bytes as u64)
        && report["arena_bytes"].as_u64() == Some(arena_bytes as u64)
}

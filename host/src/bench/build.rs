//! From a workload to its blob: the ordinary path, with drawn weights in place of trained ones.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trident::spec::{Head, ModelSpec};

use super::{BenchError, Workload};
use crate::data::fingerprint;
use crate::eval::Rows;
use crate::export::{samples, statistics};
use crate::model::{FoldedModel, HostInputs, Initializer, ModelState};
use crate::quantize::method::PostTraining;
use crate::quantize::optimize::Optimize;
use crate::quantize::pack::{Source, quantize};
use crate::quantize::prepare::Prepared;
use crate::quantize::writer::AlignedBytes;
use crate::train::evaluate::host_inputs;
use crate::train::{HeadData, Plan, device};

/// Rows that ranges are fitted to.
pub const CALIBRATION_ROWS: usize = 64;

/// A workload's blob.
#[derive(Debug)]
pub struct Built {
    /// The blob, with one golden vector.
    pub blob: AlignedBytes,
    /// Weights and tables in it, the golden vector apart.
    pub parameter_bytes: usize,
}

/// Drawn weights, the same every time.
///
/// # Panics
/// If the spec is not a valid model.
pub fn drawn(spec: &ModelSpec) -> FoldedModel {
    let draw = |layer: usize| ChaCha8Rng::seed_from_u64(layer as u64);
    FoldedModel::from(&ModelState::random(spec, Initializer::He, draw))
}

/// Draws weights, calibrates, quantises and packs. The same workload gives the same bytes every time.
///
/// # Errors
/// If the data cannot be read or the model cannot be expressed in int8.
pub fn build(workload: &Workload, optimize: Optimize) -> Result<Built, BenchError> {
    let (config, dataset) = workload.make()?;
    let plan = Plan::new(&config, &dataset)?;
    let device = device(config.train.backend);
    let calibration: Vec<HostInputs> = Head::ALL
        .into_iter()
        .filter_map(|head| HeadData::with_transforms(&dataset, head, plan.transforms()))
        .map(|data| host_inputs(&data, &data.split.train[..data.split.train.len().min(CALIBRATION_ROWS)]))
        .collect();
    let golden = samples(&dataset, &Rows::of(&dataset, |split| &split.train), 1);
    let prepared = Prepared::new(&drawn(plan.spec()), &calibration, PostTraining::default(), &device)?;
    let source = Source {
        prepared: &prepared,
        transforms: plan.transforms(),
        description: &dataset.description(),
        label: config.classification.as_ref().map_or("", |section| &section.label),
        golden: &golden,
        statistics: &statistics(&dataset),
        name: workload.name,
        methods: "",
        data_sha256: fingerprint(&dataset),
        sequence: 1,
        optimize,
    };
    let quantized = quantize(&source)?;
    Ok(Built {
        blob: quantized.pack(&source, &[])?,
        parameter_bytes: quantized.emitted.parameters.bytes().len(),
    })
}

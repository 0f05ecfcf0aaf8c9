//! From a finished run to its blob: calibrate on training rows, pack, and judge what int8 costs.

use std::collections::BTreeMap;

use serde::Serialize;
use trident::Head;

use crate::data::Dataset;
use crate::eval::{self, Figures, Rows};
use crate::hex;
use crate::model::{HostInputs, Model};
use crate::quantize::QuantizeError;
use crate::quantize::optimize::Optimize;
use crate::quantize::pack::{Sample, Source, quantize};
use crate::quantize::report::{LayerReport, layers};
use crate::quantize::writer::AlignedBytes;
use crate::run::{Run, RunError, Transforms};
use crate::train::HeadData;
use crate::train::evaluate::host_inputs;

/// A run's blob, in its folder.
pub const BLOB: &str = "model.tri";
/// What the quantiser reports, in the run's folder.
pub const REPORT: &str = "quantize.json";

/// The most training pictures that ranges are fitted to; readings serve whole.
const CALIBRATION_PICTURES: usize = 512;
/// The most values of the model that calibration on pictures holds in memory, four bytes each.
const CALIBRATION_VALUES: usize = 700_000_000;
/// How many vectors the boot self-test has.
const GOLDEN_VECTORS: usize = 2;
/// How many rows the per-layer report looks at.
const REPORT_ROWS: usize = 64;

/// Why a run cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The quantiser.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// The evaluation.
    #[error(transparent)]
    Eval(#[from] eval::EvalError),
}

/// What int8 costs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Length of the blob.
    pub blob_bytes: usize,
    /// Length of weights, tables and golden vectors.
    pub parameter_bytes: usize,
    /// Arena that all heads need together.
    pub arena_bytes: usize,
    /// The largest sum of live tensors: no plan needs less.
    pub arena_lower_bound: usize,
    /// Weights and biases.
    pub parameters: usize,
    /// Test rows per head.
    pub samples: BTreeMap<&'static str, usize>,
    /// Figures of the float model on the test rows.
    pub float: Figures,
    /// Figures of the int8 model on the same rows.
    pub int8: Figures,
    /// Every layer, in execution order.
    pub layers: Vec<LayerReport>,
    /// Heads whose pictures were generated, not photographed.
    pub generated: Vec<&'static str>,
}

/// A run's blob and what it is worth.
#[derive(Debug)]
pub struct Export {
    /// The blob.
    pub blob: AlignedBytes,
    /// The report.
    pub report: Report,
}

/// Quantises a run and writes blob and report into its folder.
///
/// # Errors
/// If the run is unfinished, its data changed, or the model cannot be expressed in int8.
pub fn export(run: &Run, dataset: &Dataset, sequence: u32, optimize: Optimize) -> Result<Export, ExportError> {
    let folded = run.model()?;
    let (transforms, record) = (run.transforms()?, run.record()?);
    let model = Model::from_folded(&folded, &crate::train::device(run.config().train.backend));
    let heads = model.spec().heads.iter().map(|spec| spec.head);
    let calibration: Vec<HostInputs> = heads
        .filter_map(|head| {
            let data = HeadData::with_transforms(dataset, head, &transforms)?;
            let rows = calibration_rows(&model, head, &data.split.train);
            Some(host_inputs(&data, &rows))
        })
        .collect();
    let golden = samples(dataset, &Rows::of(dataset, |split| &split.train), GOLDEN_VECTORS);
    let config = run.config();
    let source = Source {
        model: &model,
        transforms: &transforms,
        description: &record.description,
        label: config.classification.as_ref().map_or("", |section| &section.label),
        calibration: &calibration,
        golden: &golden,
        name: config.train.preset.name(),
        data_sha256: hex::decode(&record.data),
        sequence,
        optimize,
    };
    let quantized = quantize(&source)?;
    let draft = quantized.pack(&source, &[])?;
    let rows = Rows::test(dataset);
    let float = eval::float_figures(&model, &transforms, dataset, &rows);
    let int8 = eval::figures(
        &eval::int8(draft.as_ref(), dataset, &rows)?,
        &transforms,
        dataset,
        &rows,
    );
    let blob = quantized.pack(&source, &at_export(&int8))?;
    // Without test rows training rows show what rounding costs each layer.
    let mut shown = samples(dataset, &rows, REPORT_ROWS);
    if shown.is_empty() {
        shown = samples(dataset, &Rows::of(dataset, |split| &split.train), REPORT_ROWS);
    }
    let layers = layers(&quantized, &model, &blob, &shown, &transformed(&shown, &transforms))?;
    let report = Report {
        blob_bytes: blob.as_ref().len(),
        parameter_bytes: quantized.emitted.parameters.bytes().len(),
        arena_bytes: quantized.emitted.plan.len,
        arena_lower_bound: quantized.emitted.plan.lower_bound,
        parameters: layers.iter().map(|layer| layer.parameters).sum(),
        samples: rows.counts(),
        float,
        int8,
        layers,
        generated: dataset.generated(),
    };
    run.write(BLOB, blob.as_ref())?;
    run.write_json(REPORT, &report)?;
    Ok(Export { blob, report })
}

/// Rows put together, one of every head that has rows; short heads begin again. As many as the longest has, at most `most`.
pub fn samples(dataset: &Dataset, rows: &Rows, most: usize) -> Vec<Sample> {
    let longest = rows.heads().map(|head| rows.head(head).len()).max().unwrap_or(0);
    let sample = |index: usize| {
        let row = |head| rows.head(head).get(index % rows.head(head).len().max(1)).copied();
        let inputs = |head| row(head).map(|row| eval::inputs(dataset, head, row));
        Sample {
            classification: inputs(Head::Classification).and_then(|inputs| Some(inputs.classification?.to_vec())),
            picture: inputs(Head::Segmentation).and_then(|inputs| Some(inputs.picture?.to_vec())),
            regression: inputs(Head::Regression).and_then(|inputs| Some(inputs.regression?.to_vec())),
        }
    };
    (0..longest.min(most)).map(sample).collect()
}

/// The same rows as the float model reads them.
fn transformed(samples: &[Sample], transforms: &Transforms) -> HostInputs {
    let mut inputs = HostInputs {
        rows: samples.len(),
        ..HostInputs::default()
    };
    for sample in samples {
        if let (Some(row), Some(transform)) = (&sample.classification, &transforms.classification) {
            transform.apply(row, inputs.classification.get_or_insert_default());
        }
        if let Some(picture) = &sample.picture {
            inputs.picture.get_or_insert_default().extend(picture);
        }
        if let (Some(row), Some(transform)) = (&sample.regression, &transforms.regression) {
            transform.apply(row, inputs.regression.get_or_insert_default());
        }
    }
    inputs
}

/// All readings, or evenly spread pictures: fewer where they are so large that the model's values would fill the memory.
fn calibration_rows(model: &Model, head: Head, train: &[usize]) -> Vec<usize> {
    let most = if head == Head::Segmentation {
        let values: usize = model.shapes().iter().map(|shape| shape.len()).sum();
        CALIBRATION_PICTURES.min((CALIBRATION_VALUES / values.max(1)).max(1))
    } else {
        usize::MAX
    };
    let step = train.len().div_ceil(most).max(1);
    train.iter().copied().step_by(step).collect()
}

fn at_export(figures: &Figures) -> Vec<(String, f32)> {
    let figure = |(head, metrics): (&&str, _)| {
        let (name, value) = eval::leading(metrics);
        Some((format!("{head} {name}"), value? as f32))
    };
    figures.iter().filter_map(figure).collect()
}

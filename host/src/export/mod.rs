//! From a finished run to its blob: calibrate on training rows, pack, and judge what int8 costs.
//!
//! [`Candidates`] makes what a blob can be made of; [`export`] settles what it is made of, by default or by a [`search`].

mod candidates;
pub mod search;
mod statistics;

use std::collections::BTreeMap;

use serde::Serialize;
use trident::Head;

use crate::data::Dataset;
use crate::eval::{self, Figures, Rows};
use crate::model::HostInputs;
use crate::progress::Progress;
use crate::quantize::QuantizeError;
use crate::quantize::method::PostTraining;
use crate::quantize::optimize::Optimize;
use crate::quantize::pack::{Sample, Source, quantize};
use crate::quantize::report::{LayerReport, layers};
use crate::quantize::writer::AlignedBytes;
use crate::run::{Run, RunError, Transforms};
pub use candidates::{Candidates, Way};
pub use search::Search;
pub use statistics::statistics;

/// A run's blob, in its folder.
pub const BLOB: &str = "model.tri";
/// What the quantiser reports, in the run's folder.
pub const REPORT: &str = "quantize.json";

/// How many vectors the boot self-test has.
pub const GOLDEN_VECTORS: usize = 2;
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
    /// How each head was made ready for int8.
    pub methods: BTreeMap<&'static str, Way>,
    /// What was tried, if a search chose.
    pub search: Option<Search>,
    /// Every layer, the worst first.
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

/// How a run is to be quantised.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The model's sequence number.
    pub sequence: u32,
    /// What counts where flash and speed pull apart.
    pub optimize: Optimize,
    /// How ranges and weights are made ready.
    pub choice: Choice,
}

/// How ranges and weights are made ready.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Choice {
    /// What quantisation-aware training gave, where it was kept; else the default of [`PostTraining`].
    #[default]
    Best,
    /// One method for every head.
    PostTraining(PostTraining),
    /// The cheapest that loses at most so much of a head's leading figure on the validation rows.
    Search {
        /// In the figure's own unit: AUC, mean IoU, R².
        max_drop: f64,
    },
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sequence: 1,
            optimize: Optimize::default(),
            choice: Choice::default(),
        }
    }
}

/// Quantises a run and writes blob and report into its folder.
///
/// # Errors
/// If the run is unfinished, its data changed, or the model cannot be expressed in int8.
pub fn export(run: &Run, dataset: &Dataset, settings: &Settings, progress: &Progress) -> Result<Export, ExportError> {
    let candidates = Candidates::new(run, dataset)?;
    let (ways, search) = match settings.choice {
        Choice::Best => (candidates.best(), None),
        Choice::PostTraining(method) => (vec![Way::PostTraining(method); candidates.groups().len()], None),
        Choice::Search { max_drop } => {
            let (ways, search) = search::search(&candidates, max_drop, progress)?;
            (ways, Some(search))
        }
    };
    let prepared = candidates.assemble(&ways)?;
    let methods = candidates.by_head(&ways);
    let words: Vec<String> = methods.iter().map(|(head, way)| format!("{head}: {way}")).collect();
    let words = words.join(", ");
    let source = Source {
        sequence: settings.sequence,
        optimize: settings.optimize,
        methods: &words,
        ..candidates.source(&prepared)
    };
    let quantized = quantize(&source)?;
    let draft = quantized.pack(&source, &[])?;
    let rows = Rows::test(dataset);
    let float = eval::float_figures(candidates.model(), candidates.transforms(), dataset, &rows);
    let int8 = eval::figures(
        &eval::int8(draft.as_ref(), dataset, &rows)?,
        candidates.transforms(),
        dataset,
        &rows,
    );
    let blob = quantized.pack(&source, &at_export(&int8))?;
    // Without test rows training rows show what rounding costs each layer.
    let mut shown = samples(dataset, &rows, REPORT_ROWS);
    if shown.is_empty() {
        shown = samples(dataset, &Rows::of(dataset, |split| &split.train), REPORT_ROWS);
    }
    let layers = layers(&quantized, &source, &shown, &transformed(&shown, source.transforms))?;
    let report = Report {
        blob_bytes: blob.as_ref().len(),
        parameter_bytes: quantized.emitted.parameters.bytes().len(),
        arena_bytes: quantized.emitted.plan.len,
        arena_lower_bound: quantized.emitted.plan.lower_bound,
        parameters: layers.iter().map(|layer| layer.parameters).sum(),
        samples: rows.counts(),
        float,
        int8,
        methods,
        search,
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

fn at_export(figures: &Figures) -> Vec<(String, f32)> {
    let figure = |(head, metrics): (&&str, _)| {
        let (name, value) = eval::leading(metrics);
        Some((format!("{head} {name}"), value? as f32))
    };
    figures.iter().filter_map(figure).collect()
}

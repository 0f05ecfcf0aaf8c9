//! What a run is, in figures that fit on one screen.

use serde::Serialize;
use trident::{Blob, Head};

use super::gather::Evidence;
use crate::eval::{Figures, leading};
use crate::run::{Metrics, Record, Run, RunError};
use crate::train::HeadMetrics;

/// What a run is.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Head by head.
    pub heads: Vec<HeadSummary>,
    /// Weights and biases, batch normalisation folded.
    pub parameters: usize,
    /// Multiplications of a run of all heads.
    pub macs: usize,
    /// The blob, if there is one.
    pub blob: Option<BlobSummary>,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Figures of the float model per split and head, as they stood after training.
    pub splits: Metrics,
    /// Heads whose pictures were generated, not photographed.
    pub generated: Vec<&'static str>,
    /// Whether the inputs were their own targets and the labels random, so that no figure means anything.
    pub demonstration: bool,
}

/// One head.
#[derive(Clone, Debug, Serialize)]
pub struct HeadSummary {
    /// Its name.
    pub head: &'static str,
    /// What it tells: classes, or the target's name.
    pub tells: Vec<String>,
    /// Rows to train on, to choose the best weights by, and to judge by.
    pub rows: [usize; 3],
    /// Name of the leading figure.
    pub figure: &'static str,
    /// All figures of the float model on the test rows.
    pub float: Option<HeadMetrics>,
    /// All figures of the int8 model on the same rows.
    pub int8: Option<HeadMetrics>,
}

/// A blob's header and sizes.
#[derive(Clone, Debug, Serialize)]
pub struct BlobSummary {
    /// Its length.
    pub bytes: usize,
    /// Length of weights, tables and golden vectors.
    pub parameter_bytes: usize,
    /// Arena of all heads.
    pub arena_bytes: usize,
    /// The model's sequence number.
    pub sequence: u32,
    /// Version of the format.
    pub format_version: u16,
    /// The arithmetic's name.
    pub arithmetic: String,
    /// The checksum that it carries.
    pub crc32: String,
    /// What wrote it.
    pub tool: String,
}

/// Where a run comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Provenance {
    /// The version that trained.
    pub tool: String,
    /// The network's preset.
    pub preset: &'static str,
    /// Seed of weights, batches and augmentation.
    pub train_seed: u64,
    /// Seed of the split.
    pub split_seed: u64,
    /// SHA-256 of the data.
    pub data_sha256: String,
}

impl HeadSummary {
    /// The leading figure in float and in int8.
    pub fn leading(&self) -> [Option<f64>; 2] {
        [&self.float, &self.int8].map(|metrics| leading(metrics.as_ref()?).1)
    }
}

impl Summary {
    pub(super) fn new(run: &Run, evidence: &Evidence<'_>) -> Result<Self, RunError> {
        let (record, config) = (run.record()?, run.config());
        let (parameters, macs) = sizes(evidence);
        Ok(Self {
            heads: heads(evidence, &record),
            parameters,
            macs,
            blob: evidence.int8.as_ref().map(|int8| BlobSummary::new(&int8.blob)),
            provenance: Provenance {
                tool: record.tool,
                preset: config.train.preset.name(),
                train_seed: config.train.seed,
                split_seed: config.split.seed,
                data_sha256: record.data,
            },
            splits: run.metrics()?,
            generated: evidence.dataset.generated(),
            demonstration: !evidence.dataset.inputs_as_targets.is_empty(),
        })
    }
}

impl BlobSummary {
    fn new(blob: &Blob<'_>) -> Self {
        let (header, metadata) = (blob.header(), blob.metadata());
        Self {
            bytes: blob.bytes().len(),
            parameter_bytes: blob.parameters().len(),
            arena_bytes: blob.graph().arena_len(),
            sequence: header.sequence,
            format_version: header.version,
            arithmetic: metadata.arithmetic.into(),
            crc32: format!("{:08x}", header.crc),
            tool: metadata.provenance.tool.into(),
        }
    }
}

fn sizes(evidence: &Evidence<'_>) -> (usize, usize) {
    let layers = super::layers::layers(evidence.model.spec(), None);
    let sum = |of: fn(&super::Layer) -> usize| layers.iter().map(of).sum();
    (sum(|layer| layer.parameters), sum(|layer| layer.macs))
}

fn heads(evidence: &Evidence<'_>, record: &Record) -> Vec<HeadSummary> {
    let dataset = evidence.dataset;
    let of_head = |head: Head| {
        let (tells, split) = match head {
            Head::Classification => {
                let data = dataset.classification.as_ref()?;
                (data.classes.clone(), &data.split)
            }
            Head::Segmentation => {
                let data = dataset.segmentation.as_ref()?;
                (data.classes.clone(), &data.split)
            }
            Head::Regression => {
                let data = dataset.regression.as_ref()?;
                (vec![data.target.clone()], &data.split)
            }
        };
        let [train, validation, test] = [&split.train, &split.validation, &split.test].map(Vec::len);
        let metrics = |figures: &Figures| figures.get(head.name()).cloned();
        let float = metrics(&evidence.float_figures);
        let usual = match head {
            Head::Classification => "AUC",
            Head::Segmentation => "mean IoU",
            Head::Regression => "R²",
        };
        Some(HeadSummary {
            head: head.name(),
            tells,
            rows: match record.recipes.get(head.name()) {
                Some(recipe) if recipe.train_on_validation => [train + validation, 0, test],
                _ => [train, validation, test],
            },
            figure: float.as_ref().map_or(usual, |metrics| leading(metrics).0),
            int8: evidence.int8.as_ref().and_then(|int8| metrics(&int8.figures)),
            float,
        })
    };
    Head::ALL.into_iter().filter_map(of_head).collect()
}

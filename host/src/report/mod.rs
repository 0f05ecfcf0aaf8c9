//! One page about a run: what its heads are worth, where they fail, what int8 costs, and what runs on the device.
//!
//! ```text
//! Run ─► Evidence (both models over the test rows) ─► Report (numbers: `--json`) ─► page (HTML with plots inside)
//! ```
//!
//! Start with [`Report::new`], then [`page::page`]. Figures come from the very functions that `trident eval` calls. The page
//! draws nothing that is not in the [`Report`], has no script, and loads nothing.

mod calibration;
mod classification;
mod confidence;
mod costs;
mod gallery;
mod gather;
mod histogram;
mod layers;
mod missing;
pub mod page;
mod plot;
mod regression;
mod roc;
mod rounding;
mod segmentation;
mod summary;
mod thin;
mod training;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::arena::ArenaMap;
use crate::run::{Evaluation, Run, RunError};
use gather::Evidence;
use missing::Found;

pub use calibration::{Bin, Calibration};
pub use classification::Classification;
pub use costs::Costs;
pub use gallery::Tile;
pub use histogram::Histogram;
pub use layers::Layer;
pub use missing::Missing;
pub use regression::Regression;
pub use rounding::Rounding;
pub use segmentation::Segmentation;
pub use summary::Summary;
pub use training::Training;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The run folder, or its data.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The blob cannot serve.
    #[error("{} is refused: {why}; `trident quantize {}` writes it anew", path.display(), folder.display())]
    Blob {
        /// The blob.
        path: PathBuf,
        /// The run folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Everything that the page says and draws.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The run folder, as it was named.
    pub run: String,
    /// Its own name.
    pub name: String,
    /// What is not there yet, and the command that makes it.
    pub missing: Vec<Missing>,
    /// The run in short.
    pub summary: Summary,
    /// Training per head.
    pub training: BTreeMap<&'static str, Training>,
    /// The classification head on its test rows.
    pub classification: Option<Classification>,
    /// The segmentation head on its test pictures.
    pub segmentation: Option<Segmentation>,
    /// The regression head on its test rows.
    pub regression: Option<Regression>,
    /// What rounding changed, per head.
    pub rounding: BTreeMap<&'static str, Rounding>,
    /// Every layer.
    pub layers: Vec<Layer>,
    /// What lies where in the arena.
    pub arena: Option<ArenaMap>,
    /// What runs, and what it costs.
    pub costs: Option<Costs>,
    /// What devices said about this very blob.
    pub devices: Vec<Evaluation>,
}

impl Report {
    /// Judges a finished run on its test rows; what later commands add is shown if it is there.
    ///
    /// # Errors
    /// If the run is unfinished, its data are gone or changed, or its blob is damaged.
    pub fn new(run: &Run) -> Result<Self, ReportError> {
        // Weights come last in training: without them nothing else needs to be read.
        run.state()?;
        let dataset = run.dataset()?;
        let blob = gather::read_blob(run)?;
        let evidence = Evidence::gather(run, &dataset, blob.as_ref())?;
        let summary = Summary::new(run, &evidence)?;
        let (classification, segmentation, regression) = (
            evidence.classification(),
            evidence.segmentation(),
            evidence.regression(),
        );
        let mut rounding = BTreeMap::new();
        let mut keep = |head, own: Option<Rounding>| rounding.extend(own.map(|own| (head, own)));
        let classification = classification.map(|(judged, own)| (keep("classification", own), judged).1);
        let segmentation = segmentation.map(|(judged, own)| (keep("segmentation", own), judged).1);
        let regression = regression.map(|(judged, own)| (keep("regression", own), judged).1);

        let spec = evidence.model.spec();
        let graph = evidence.int8.as_ref().map(|int8| int8.blob.graph());
        let arena = graph.as_ref().map(ArenaMap::of);
        let measured = gather::read_quantizer_report(run)?.filter(|report| {
            let blob = summary.blob.as_ref();
            blob.is_some_and(|blob| layers::is_of(report, spec, blob.bytes, blob.arena_bytes))
        });
        let (devices, others): (Vec<Evaluation>, Vec<Evaluation>) =
            run.evaluations()?.into_iter().partition(|evaluation| {
                summary
                    .blob
                    .as_ref()
                    .is_some_and(|blob| blob.crc32 == evaluation.blob_crc32)
            });
        let found = Found {
            run: run.folder().display().to_string(),
            blob: summary.blob.is_some(),
            layer_errors: measured.is_some(),
            device: !devices.is_empty(),
            other_devices: others.into_iter().map(|evaluation| evaluation.on).collect(),
            unjudged: summary
                .heads
                .iter()
                .filter(|head| head.rows[2] == 0)
                .map(|head| head.head)
                .collect(),
        };
        Ok(Self {
            name: name(run),
            missing: found.missing(),
            run: found.run,
            training: training::training(&run.history()?, &summary.splits, &run.record()?.recipes),
            layers: layers::layers(spec, measured.as_ref()),
            costs: graph.zip(arena.as_ref()).map(|(graph, map)| Costs::of(&graph, map)),
            classification,
            segmentation,
            regression,
            rounding,
            arena,
            devices,
            summary,
        })
    }
}

/// The folder's own name, also where it was named `.`.
fn name(run: &Run) -> String {
    let whole = run.folder().canonicalize().unwrap_or_else(|_| run.folder().to_owned());
    let last = whole.file_name().unwrap_or(whole.as_os_str());
    last.to_string_lossy().into_owned()
}

//! What a report is made of: a run's data, its float model, its blob, and what both say about the test rows.

use serde_json::Value;
use trident::{Blob, Head, Network};

use super::rounding::{Decisions, Rounding};
use super::segmentation::Said;
use super::{Classification, Regression, ReportError, Segmentation, confidence};
use crate::data::Dataset;
use crate::eval::{self, AllOutputs, Figures, Predictions, Rows};
use crate::export::{BLOB, REPORT};
use crate::metrics::favoured;
use crate::model::Model;
use crate::quantize::writer::AlignedBytes;
use crate::run::{Run, Transforms};
use crate::train::HeadData;
use crate::train::evaluate::Prediction;

/// A run's models and what they say about the test rows.
pub(super) struct Evidence<'a> {
    pub dataset: &'a Dataset,
    pub rows: Rows,
    pub transforms: Transforms,
    pub model: Model,
    pub float: Predictions,
    pub float_figures: Figures,
    pub int8: Option<Int8<'a>>,
}

/// The int8 model and what it says.
pub(super) struct Int8<'a> {
    pub blob: Blob<'a>,
    pub outputs: AllOutputs,
    pub predictions: Predictions,
    pub figures: Figures,
}

/// A run's blob; `None` if it was not quantised yet.
pub(super) fn read_blob(run: &Run) -> Result<Option<AlignedBytes>, ReportError> {
    let path = run.path(BLOB);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(AlignedBytes::copy_of(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReportError::Read { path, source }),
    }
}

/// What the quantiser reported; `None` if there is no such file.
pub(super) fn read_quantizer_report(run: &Run) -> Result<Option<Value>, ReportError> {
    if !run.path(REPORT).exists() {
        return Ok(None);
    }
    Ok(Some(run.read_json(REPORT)?))
}

impl<'a> Evidence<'a> {
    /// Runs both models over the test rows, as `trident eval` does.
    pub fn gather(run: &Run, dataset: &'a Dataset, blob: Option<&'a AlignedBytes>) -> Result<Self, ReportError> {
        let transforms = run.transforms()?;
        let model = Model::from_folded(&run.model()?, &crate::train::device(run.config().train.backend));
        let rows = Rows::test(dataset);
        let float = eval::float_predictions(&model, &transforms, dataset, &rows);
        let refused = |error: &dyn std::error::Error| ReportError::Blob {
            path: run.path(BLOB),
            folder: run.folder().to_owned(),
            why: error.to_string(),
        };
        let int8 = |bytes: &'a AlignedBytes| {
            let blob = Blob::new_exact(bytes.as_ref()).map_err(|error| refused(&error))?;
            let mut arena = AlignedBytes::zeroed(blob.graph().arena_len());
            Network::load(blob, arena.as_mut()).map_err(|error| refused(&error))?;
            let outputs = eval::int8(bytes.as_ref(), dataset, &rows).map_err(|error| refused(&error))?;
            let predictions = eval::predictions(&outputs, dataset, &rows);
            let figures = eval::judged(&predictions, &transforms, dataset, &rows);
            Ok::<_, ReportError>(Int8 {
                blob,
                outputs,
                predictions,
                figures,
            })
        };
        let int8 = blob.map(int8).transpose()?;
        Ok(Self {
            float_figures: eval::judged(&float, &transforms, dataset, &rows),
            dataset,
            rows,
            transforms,
            model,
            float,
            int8,
        })
    }

    fn said(&self, head: Head) -> Option<(&Prediction, Option<&Prediction>)> {
        let int8 = self.int8.as_ref().and_then(|int8| int8.predictions.get(head.name()));
        Some((self.float.get(head.name())?, int8))
    }

    /// The classification head; `None` without it, or without test rows.
    pub fn classification(&self) -> Option<(Classification, Option<Rounding>)> {
        let data = self.dataset.classification.as_ref()?;
        let Some((Prediction::Probabilities(float), int8)) = self.said(Head::Classification) else {
            return None;
        };
        let int8 = int8.map(numbers);
        let judged = Classification::new(data, self.rows.head(Head::Classification), float, int8);
        let classes = data.classes.len();
        let what = match &data.classes[..] {
            [_, second] => format!("probability of class {second}"),
            _ => "probability of each class".into(),
        };
        let rounding = int8.map(|int8| {
            let decisions = Decisions::new(&favoured(float, classes), &favoured(int8, classes));
            Rounding::new(what, &wide(float), &wide(int8), Some(decisions))
        });
        Some((judged, rounding))
    }

    /// The segmentation head; `None` without it, or without test pictures.
    pub fn segmentation(&self) -> Option<(Segmentation, Option<Rounding>)> {
        let (head, data) = (Head::Segmentation, self.dataset.segmentation.as_ref()?);
        let rows = self.rows.head(head);
        let Some((Prediction::Mask(float), int8)) = self.said(head) else {
            return None;
        };
        let int8 = int8.map(mask);
        let head_data = HeadData::with_transforms(self.dataset, head, &self.transforms)?;
        let float_sums = confidence::float(&self.model, &head_data, data, rows);
        let int8_sums = self
            .int8
            .as_ref()
            .map(|int8| confidence::int8(&self.model, &int8.blob.graph(), int8.outputs.head(head), data, rows));
        let said = |(mask, sums)| Said { mask, sums };
        let judged = Segmentation::new(
            data,
            rows,
            said((&float[..], &float_sums)),
            int8.zip(int8_sums.as_ref()).map(said),
        );
        let pixels = data.height * data.width;
        let right = |mask: &[u8]| -> Vec<f64> {
            let pictures = mask.chunks_exact(pixels).zip(rows);
            let share = |(mask, &row): (&[u8], &usize)| {
                let hits = mask.iter().zip(data.mask(row)).filter(|(a, b)| a == b).count();
                hits as f64 / pixels as f64
            };
            pictures.map(share).collect()
        };
        let rounding = int8.map(|int8| {
            let decisions = Decisions::new(float, int8);
            Rounding::new(
                "share of right pixels per picture".into(),
                &right(float),
                &right(int8),
                Some(decisions),
            )
        });
        Some((judged, rounding))
    }

    /// The regression head; `None` without it, or without test rows.
    pub fn regression(&self) -> Option<(Regression, Option<Rounding>)> {
        let data = self.dataset.regression.as_ref()?;
        let Some((Prediction::Numbers(float), int8)) = self.said(Head::Regression) else {
            return None;
        };
        let int8 = int8.map(numbers);
        let judged = Regression::new(data, self.rows.head(Head::Regression), float, int8);
        let rounding = int8.map(|int8| Rounding::new(data.target.clone(), &wide(float), &wide(int8), None));
        Some((judged, rounding))
    }
}

fn numbers(prediction: &Prediction) -> &[f32] {
    match prediction {
        Prediction::Probabilities(numbers) | Prediction::Numbers(numbers) => numbers,
        Prediction::Mask(_) => &[],
    }
}

fn mask(prediction: &Prediction) -> &[u8] {
    match prediction {
        Prediction::Mask(mask) => mask,
        _ => &[],
    }
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&number| number.into()).collect()
}

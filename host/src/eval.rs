//! What each head is worth on held-out rows: in float, in int8 on the host, in int8 on a device, and whether the last two
//! agree to the bit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use trident::graph::Op;
use trident::spec::{InputSlot, ModelSpec};
use trident::{Blob, Head, Inputs, Network, Outputs, arithmetic};

use crate::data::{Dataset, Split};
use crate::device::{Client, DeviceError};
use crate::model::Model;
use crate::progress::Progress;
use crate::quantize::writer::AlignedBytes;
use crate::run::Transforms;
use crate::train::evaluate::{Prediction, judge, predict};
use crate::train::{HeadData, HeadMetrics};

/// Why an evaluation ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The blob breaks a rule of the format.
    #[error("the blob is refused: {0}")]
    Blob(#[from] trident::BlobError),
    /// Its network does not load.
    #[error("the blob is refused: {0}")]
    Load(#[from] trident::LoadError),
    /// A row is refused.
    #[error("row {row} of the {} data: {error}", head.name())]
    Row {
        /// The head.
        head: Head,
        /// The row's number.
        row: usize,
        /// Why.
        error: trident::RunError,
    },
    /// There are data for a head that the blob lacks.
    #[error("the blob has no {} head", head.name())]
    NoHead {
        /// The head.
        head: Head,
    },
    /// The blob tells other classes than the data have.
    #[error(
        "the blob's {} head tells [{}], the data have [{}]: the blob is of another model; `trident quantize` makes the run's own",
        head.name(), blob.join(", "), data.join(", ")
    )]
    OtherClasses {
        /// The head.
        head: Head,
        /// Classes of the blob.
        blob: Vec<String>,
        /// Classes of the data.
        data: Vec<String>,
    },
    /// The model's heads read each other's inputs, and the data do not hold them together.
    #[error(
        "the model's {} head reads inputs of other heads, so the data need a section for each, with row i of every table of one \
         moment, and `aligned = true` under [split]",
        head.name()
    )]
    Apart {
        /// The head.
        head: Head,
    },
    /// The blob's segmentation has another size than the pictures.
    #[error("the blob's segmentation is of another size than the pictures")]
    OtherSize,
}

/// Rows to evaluate, per head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows([Vec<usize>; 3]);

impl Rows {
    /// That part of every split.
    pub fn of(dataset: &Dataset, part: impl Fn(&Split) -> &Vec<usize>) -> Self {
        let rows = |split: Option<&Split>| split.map(|split| part(split).clone()).unwrap_or_default();
        Self([
            rows(dataset.classification.as_ref().map(|data| &data.split)),
            rows(dataset.segmentation.as_ref().map(|data| &data.split)),
            rows(dataset.regression.as_ref().map(|data| &data.split)),
        ])
    }

    /// The test rows.
    pub fn test(dataset: &Dataset) -> Self {
        Self::of(dataset, |split| &split.test)
    }

    /// The first `most` rows of each head.
    pub fn limited(mut self, most: usize) -> Self {
        self.0.iter_mut().for_each(|rows| rows.truncate(most));
        self
    }

    /// Rows of a head.
    pub fn head(&self, head: Head) -> &[usize] {
        &self.0[head as usize]
    }

    /// Heads that have rows.
    pub fn heads(&self) -> impl Iterator<Item = Head> {
        Head::ALL.into_iter().filter(|&head| !self.head(head).is_empty())
    }

    /// How many rows each head has, by the head's name.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.heads().map(|head| (head.name(), self.head(head).len())).collect()
    }
}

/// What one row gave for one head: values as they leave the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Probabilities: of the second class, or of every class.
    Probabilities(Vec<f32>),
    /// Codes, `[h, w, classes]`.
    Codes(Vec<i8>),
    /// A number in the target's unit.
    Value(f32),
}

impl Output {
    /// A head's output in what a run gave; `None` if the run was not asked for that head.
    pub fn of(outputs: &Outputs<'_>, head: Head) -> Option<Self> {
        Some(match head {
            Head::Classification => Self::Probabilities(outputs.classification()?.to_vec()),
            Head::Segmentation => Self::Codes(outputs.segmentation()?.codes.to_vec()),
            Head::Regression => Self::Value(outputs.regression()?),
        })
    }

    /// Its values as bits: those that equality is about.
    fn bits(&self) -> Vec<u32> {
        match self {
            Self::Probabilities(probabilities) => probabilities.iter().map(|p| p.to_bits()).collect(),
            Self::Codes(codes) => codes.iter().map(|&code| u32::from(code as u8)).collect(),
            Self::Value(value) => vec![value.to_bits()],
        }
    }
}

/// Outputs per head, in the rows' order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllOutputs([Vec<Output>; 3]);

impl AllOutputs {
    /// Outputs of a head.
    pub fn head(&self, head: Head) -> &[Output] {
        &self.0[head as usize]
    }

    /// Puts a head's outputs in.
    pub fn insert(&mut self, head: Head, outputs: Vec<Output>) {
        self.0[head as usize] = outputs;
    }
}

/// One row of a head's data as a network takes it; where rows belong together, of the other heads' too.
pub fn inputs(dataset: &Dataset, head: Head, row: usize) -> Inputs<'_> {
    let mut inputs = Inputs::default();
    for slot in Head::ALL.into_iter().filter(|&slot| slot == head || dataset.aligned) {
        match slot {
            Head::Classification => {
                inputs.classification = dataset.classification.as_ref().map(|data| data.readings.row(row))
            }
            Head::Segmentation => inputs.picture = dataset.segmentation.as_ref().map(|data| data.picture(row)),
            Head::Regression => inputs.regression = dataset.regression.as_ref().map(|data| data.readings.row(row)),
        }
    }
    inputs
}

/// Checks that the data hold, row by row, all that a model's heads read: where they share a trunk, more than a head's own.
///
/// # Errors
/// The first head that would have to do without.
pub fn refuse_apart(spec: &ModelSpec, dataset: &Dataset) -> Result<(), EvalError> {
    let rows = dataset.rows();
    let there = |slot: InputSlot| match slot {
        InputSlot::Classification => rows[0].is_some(),
        InputSlot::Picture => rows[1].is_some(),
        InputSlot::Regression => rows[2].is_some(),
    };
    let need = spec.heads_of_values();
    for (head, _) in rows.into_iter().flatten() {
        let read = || spec.inputs.iter().zip(&need).filter(|(_, heads)| heads.contains(head));
        if read().count() > 1 && !(dataset.aligned && read().all(|(input, _)| there(input.slot))) {
            return Err(EvalError::Apart { head });
        }
    }
    Ok(())
}

/// Outputs of the int8 model on the host, on all cores.
///
/// # Errors
/// If the blob does not load or a row is refused.
pub fn int8(blob: &[u8], dataset: &Dataset, rows: &Rows) -> Result<AllOutputs, EvalError> {
    let blob = Blob::new_exact(blob)?;
    let mut all = AllOutputs::default();
    for head in rows.heads() {
        refuse_other(&blob, dataset, head)?;
        let chunk = rows.head(head).len().div_ceil(rayon::current_num_threads() * 4).max(1);
        let run_chunk = |rows: &[usize]| {
            let mut arena = AlignedBytes::zeroed(blob.graph().arena_len());
            let mut network = Network::load(blob, arena.as_mut())?;
            let run_row = |&row: &usize| {
                let outputs = network
                    .run(head.into(), &inputs(dataset, head, row))
                    .map_err(|error| EvalError::Row { head, row, error })?;
                Output::of(&outputs, head).ok_or(EvalError::NoHead { head })
            };
            rows.iter().map(run_row).collect::<Result<Vec<_>, EvalError>>()
        };
        let parts: Vec<Vec<Output>> = rows
            .head(head)
            .par_chunks(chunk)
            .map(run_chunk)
            .collect::<Result<_, EvalError>>()?;
        all.insert(head, parts.into_iter().flatten().collect());
    }
    Ok(all)
}

/// Checks that a blob's head tells what the data ask for, so that its outputs can be judged by them.
fn refuse_other(blob: &Blob<'_>, dataset: &Dataset, head: Head) -> Result<(), EvalError> {
    let own = blob.head(head).ok_or(EvalError::NoHead { head })?;
    let own: Vec<&str> = own.classes.iter().collect();
    let classes = match head {
        Head::Classification => dataset.classification.as_ref().map(|data| &data.classes),
        Head::Segmentation => dataset.segmentation.as_ref().map(|data| &data.classes),
        Head::Regression => None,
    };
    if let Some(classes) = classes.filter(|classes| **classes != own) {
        return Err(EvalError::OtherClasses {
            head,
            blob: own.into_iter().map(str::to_owned).collect(),
            data: classes.clone(),
        });
    }
    if let (Head::Segmentation, Some(data)) = (head, &dataset.segmentation) {
        let logits = blob.graph().nodes().find(|node| node.op == Op::Logits);
        let shape = logits.and_then(|node| Some(blob.graph().tensor(node.input.into())?.shape));
        if shape.map(|shape| [shape.h, shape.w].map(usize::from)) != Some([data.height, data.width]) {
            return Err(EvalError::OtherSize);
        }
    }
    Ok(())
}

/// Outputs of a device, and the instructions that a run of each head took, by the head's name: the largest over all rows.
///
/// # Errors
/// If the device does not answer or refuses a row, or `interrupted` is set from outside.
pub fn on_device(
    client: &mut Client,
    dataset: &Dataset,
    rows: &Rows,
    progress: &Progress,
    interrupted: &AtomicBool,
) -> Result<(AllOutputs, BTreeMap<&'static str, u64>), DeviceError> {
    let (mut all, mut instructions) = (AllOutputs::default(), BTreeMap::new());
    for head in rows.heads() {
        let total = rows.head(head).len();
        let mut step = progress.step(head.name(), total as u64);
        let mut outputs = Vec::with_capacity(total);
        for (done, &row) in rows.head(head).iter().enumerate() {
            if interrupted.load(Ordering::Relaxed) {
                return Err(DeviceError::Interrupted);
            }
            let result = client.run(head.into(), &inputs(dataset, head, row))?;
            let most = instructions.entry(head.name()).or_default();
            *most = result.instructions.max(*most);
            outputs.extend(match head {
                Head::Classification => result.classification.map(Output::Probabilities),
                Head::Segmentation => result.segmentation.map(Output::Codes),
                Head::Regression => result.regression.map(Output::Value),
            });
            step.set(done as u64 + 1, "rows on the device");
        }
        step.finish(&format!("{total} rows on the device"));
        all.insert(head, outputs);
    }
    Ok((all, instructions))
}

/// Predictions per head, by the head's name, in the rows' order.
pub type Predictions = BTreeMap<&'static str, Prediction>;

/// Figures per head, by the head's name.
pub type Figures = BTreeMap<&'static str, HeadMetrics>;

/// What the float model says about each head's rows.
pub fn float_predictions(model: &Model, transforms: &Transforms, dataset: &Dataset, rows: &Rows) -> Predictions {
    let predicted = |head| {
        let data = HeadData::with_transforms(dataset, head, transforms)?;
        Some((head.name(), predict(model, &data, rows.head(head))))
    };
    rows.heads().filter_map(predicted).collect()
}

/// What an int8 model's outputs say about each head's rows.
pub fn predictions(outputs: &AllOutputs, dataset: &Dataset, rows: &Rows) -> Predictions {
    let classes = dataset.segmentation.as_ref().map_or(1, |data| data.classes.len());
    let predicted = |head: Head| (head.name(), prediction(head, outputs.head(head), classes));
    rows.heads().map(predicted).collect()
}

/// Judges predictions for those very rows.
pub fn judged(predictions: &Predictions, transforms: &Transforms, dataset: &Dataset, rows: &Rows) -> Figures {
    let figures = |head: Head| {
        let data = HeadData::with_transforms(dataset, head, transforms)?;
        let prediction = predictions.get(head.name())?;
        Some((head.name(), judge(prediction, &data, rows.head(head))))
    };
    rows.heads().filter_map(figures).collect()
}

/// Figures of the float model.
pub fn float_figures(model: &Model, transforms: &Transforms, dataset: &Dataset, rows: &Rows) -> Figures {
    let predictions = float_predictions(model, transforms, dataset, rows);
    judged(&predictions, transforms, dataset, rows)
}

/// Figures of outputs of an int8 model.
pub fn figures(outputs: &AllOutputs, transforms: &Transforms, dataset: &Dataset, rows: &Rows) -> Figures {
    judged(&predictions(outputs, dataset, rows), transforms, dataset, rows)
}

/// Outputs of all rows as one prediction.
fn prediction(head: Head, outputs: &[Output], pixel_classes: usize) -> Prediction {
    let numbers = || {
        outputs.iter().flat_map(|output| match output {
            Output::Probabilities(probabilities) => probabilities.clone(),
            Output::Value(value) => vec![*value],
            Output::Codes(_) => Vec::new(),
        })
    };
    let classes = |output: &Output| match output {
        Output::Codes(codes) => codes
            .chunks_exact(pixel_classes)
            .map(|pixel| arithmetic::argmax(pixel) as u8)
            .collect(),
        _ => Vec::new(),
    };
    match head {
        Head::Classification => Prediction::Probabilities(numbers().collect()),
        Head::Segmentation => Prediction::Mask(outputs.iter().flat_map(classes).collect()),
        Head::Regression => Prediction::Numbers(numbers().collect()),
    }
}

/// How many output values were compared bit for bit, and how many differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Probabilities, segmentation codes and values compared.
    pub compared_values: u64,
    /// Those that differ in any bit; an output that is missing or of another length differs in all its values.
    pub differing_values: u64,
}

/// Compares a device's outputs with the host's: `to_bits` of floats, every segmentation code.
pub fn compare(host: &AllOutputs, device: &AllOutputs) -> Comparison {
    let mut comparison = Comparison::default();
    for head in Head::ALL {
        for (row, expected) in host.head(head).iter().enumerate() {
            let expected = expected.bits();
            let found = device.head(head).get(row).map(Output::bits).unwrap_or_default();
            comparison.compared_values += expected.len() as u64;
            comparison.differing_values += if found.len() == expected.len() {
                expected.iter().zip(&found).filter(|(a, b)| a != b).count() as u64
            } else {
                expected.len() as u64
            };
        }
    }
    comparison
}

/// A head's leading figure and its name: AUC (accuracy where there is none), mean IoU, R².
pub fn leading(metrics: &HeadMetrics) -> (&'static str, Option<f64>) {
    match metrics {
        HeadMetrics::Classification(metrics) => match metrics.auc {
            Some(auc) => ("AUC", Some(auc)),
            None => ("accuracy", Some(metrics.accuracy)),
        },
        HeadMetrics::Segmentation(metrics) => ("mean IoU", Some(metrics.miou)),
        HeadMetrics::Regression(metrics) => ("R²", metrics.r2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(value: f32, codes: &[i8]) -> AllOutputs {
        let mut all = AllOutputs::default();
        all.insert(Head::Segmentation, vec![Output::Codes(codes.to_vec())]);
        all.insert(Head::Regression, vec![Output::Value(value)]);
        all
    }

    #[test]
    fn equality_is_on_bits() {
        let compared = compare(&outputs(0.0, &[1, 2, 3]), &outputs(-0.0, &[1, 2, 4]));
        assert_eq!(
            compared,
            Comparison {
                compared_values: 4,
                differing_values: 2
            }
        );
    }

    #[test]
    fn a_missing_output_differs_in_all_its_values() {
        let compared = compare(&outputs(1.0, &[1, 2, 3]), &AllOutputs::default());
        assert_eq!(
            compared,
            Comparison {
                compared_values: 4,
                differing_values: 4
            }
        );
    }
}

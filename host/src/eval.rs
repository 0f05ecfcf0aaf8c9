//! What each head is worth on held-out rows: in float, in int8 on the host, in int8 on a device, and whether the last two
//! agree to the bit.

use rayon::prelude::*;
use serde::Serialize;
use trident::{Blob, Head, HeadSet, Inputs, Network, arithmetic};

use crate::data::{Dataset, Split};
use crate::metrics::{ClassificationMetrics, RegressionMetrics, SegmentationMetrics, argmax};
use crate::model::{HostInputs, Model};
use crate::quantize::writer::AlignedBytes;
use crate::run::Transforms;
use crate::transform::{InputTransform, Standard};

/// Why an evaluation ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The blob does not load.
    #[error("{0}")]
    Blob(#[from] trident::BlobError),
    /// Its network does not load.
    #[error("{0}")]
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

    /// At most `most` rows per head.
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
}

/// One head's answer to one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Probabilities: of the second class, or of every class.
    Probabilities(Vec<f32>),
    /// A class per pixel, and the codes it was chosen by, where there are codes.
    Pixels {
        /// Classes, row by row.
        mask: Vec<u8>,
        /// `[h, w, classes]`; empty in float.
        codes: Vec<i8>,
    },
    /// A number in the target's unit.
    Value(f32),
}

/// Answers to rows, per head, in the rows' order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers([Vec<Answer>; 3]);

impl Answers {
    /// Answers of a head.
    pub fn head(&self, head: Head) -> &[Answer] {
        &self.0[head as usize]
    }

    /// Puts a head's answers in.
    pub fn insert(&mut self, head: Head, answers: Vec<Answer>) {
        self.0[head as usize] = answers;
    }
}

/// One row of the data as a network takes it.
pub fn inputs<'d>(dataset: &'d Dataset, head: Head, row: usize) -> Inputs<'d> {
    let data = (&dataset.classification, &dataset.segmentation, &dataset.regression);
    Inputs {
        classification: data.0.as_ref().filter(|_| head == Head::Classification).map(|data| data.readings.row(row)),
        picture: data.1.as_ref().filter(|_| head == Head::Segmentation).map(|data| data.picture(row)),
        regression: data.2.as_ref().filter(|_| head == Head::Regression).map(|data| data.readings.row(row)),
    }
}

/// Answers of the int8 model on the host, on all cores.
///
/// # Errors
/// If the blob does not load or a row is refused.
pub fn int8(blob: &[u8], dataset: &Dataset, rows: &Rows) -> Result<Answers, EvalError> {
    let blob = Blob::new_exact(blob)?;
    let mut answers = Answers::default();
    for head in rows.heads() {
        let chunk = rows.head(head).len().div_ceil(rayon::current_num_threads() * 4).max(1);
        let parts: Vec<Vec<Answer>> = rows
            .head(head)
            .par_chunks(chunk)
            .map(|rows| {
                let mut arena = AlignedBytes::zeroed(blob.graph().arena_len());
                let mut network = Network::load(blob, arena.as_mut())?;
                let answer = |&row: &usize| {
                    let run = network.run(head.into(), &inputs(dataset, head, row));
                    run.map(|outputs| answer(&outputs, head)).map_err(|error| EvalError::Row { head, row, error })
                };
                rows.iter().map(answer).collect()
            })
            .collect::<Result<_, EvalError>>()?;
        answers.insert(head, parts.into_iter().flatten().collect());
    }
    Ok(answers)
}

/// A head's answer in what a run gave.
///
/// # Panics
/// If the run was not asked for that head.
pub fn answer(outputs: &trident::Outputs<'_>, head: Head) -> Answer {
    let gave = "a run answers for the heads it was asked for";
    match head {
        Head::Classification => Answer::Probabilities(outputs.classification().expect(gave).to_vec()),
        Head::Segmentation => pixels(outputs.segmentation().expect(gave).codes.to_vec(), outputs),
        Head::Regression => Answer::Value(outputs.regression().expect(gave)),
    }
}

fn pixels(codes: Vec<i8>, outputs: &trident::Outputs<'_>) -> Answer {
    let classes = outputs.segmentation().map_or(1, |logits| usize::from(logits.shape.c));
    pixels_of(codes, classes)
}

/// The answer that a segmentation head's codes stand for.
pub fn pixels_of(codes: Vec<i8>, classes: usize) -> Answer {
    let mask = codes.chunks_exact(classes).map(|pixel| arithmetic::argmax(pixel) as u8).collect();
    Answer::Pixels { mask, codes }
}

/// Transformed rows of one head, as the float model takes them.
///
/// # Panics
/// If the head's data or transform is missing.
pub fn host_inputs(dataset: &Dataset, head: Head, rows: &[usize], transforms: &Transforms) -> HostInputs {
    let transform = |transform: Option<&InputTransform>, row: &dyn Fn(usize) -> Vec<f32>| {
        let transform = transform.expect("a trained head has a transform");
        let mut out = Vec::new();
        rows.iter().for_each(|&index| transform.apply(&row(index), &mut out));
        out
    };
    let given = "a trained head has data";
    let mut inputs = HostInputs { rows: rows.len(), ..HostInputs::default() };
    match head {
        Head::Classification => {
            let data = dataset.classification.as_ref().expect(given);
            inputs.classification = Some(transform(transforms.classification.as_ref(), &|i| data.readings.row(i).to_vec()));
        }
        Head::Segmentation => {
            let data = dataset.segmentation.as_ref().expect(given);
            inputs.picture = Some(rows.iter().flat_map(|&row| data.picture(row)).copied().collect());
        }
        Head::Regression => {
            let data = dataset.regression.as_ref().expect(given);
            inputs.regression = Some(transform(transforms.regression.as_ref(), &|i| data.readings.row(i).to_vec()));
        }
    }
    inputs
}

/// Answers of the float model.
///
/// # Panics
/// If a head that has rows was not trained.
pub fn float(model: &Model, transforms: &Transforms, dataset: &Dataset, rows: &Rows) -> Answers {
    let mut answers = Answers::default();
    let target = transforms.target.unwrap_or(Standard { mean: 0.0, sd: 1.0 });
    for head in rows.heads() {
        let spec = model.spec().heads.iter().find(|spec| spec.head == head).expect("the head was trained");
        let value = usize::from(spec.value);
        let shape = model.shapes()[value];
        let numbers = model.value(value, &host_inputs(dataset, head, rows.head(head), transforms));
        let per_row = numbers.chunks_exact(shape.len());
        answers.insert(
            head,
            match head {
                Head::Classification => per_row.map(|logits| Answer::Probabilities(probabilities(logits))).collect(),
                Head::Segmentation => per_row
                    .map(|logits| {
                        let mask = logits.chunks_exact(shape.c.into()).map(|pixel| argmax(pixel) as u8).collect();
                        Answer::Pixels { mask, codes: Vec::new() }
                    })
                    .collect(),
                Head::Regression => per_row.map(|value| Answer::Value(units.target.invert(value[0]))).collect(),
            },
        );
    }
    answers
}

fn probabilities(logits: &[f32]) -> Vec<f32> {
    if let [logit] = logits {
        return vec![1.0 / (1.0 + (-logit).exp())];
    }
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// Figures per head; heads without rows have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HeadMetrics {
    /// Of the classification head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<ClassificationMetrics>,
    /// Of the segmentation head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<SegmentationMetrics>,
    /// Of the regression head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regression: Option<RegressionMetrics>,
}

impl HeadMetrics {
    /// A head's leading figure and its name: AUC (accuracy where there is none), mean IoU, R².
    pub fn leading(&self, head: Head) -> Option<(&'static str, f64)> {
        match head {
            Head::Classification => {
                let metrics = self.classification?;
                Some(metrics.auc.map_or(("accuracy", metrics.accuracy), |auc| ("auc", auc)))
            }
            Head::Segmentation => self.segmentation.as_ref().map(|metrics| ("miou", metrics.miou)),
            Head::Regression => self.regression.and_then(|metrics| Some(("r2", metrics.r2?))),
        }
    }
}

/// Judges answers by the data's truth.
pub fn judge(dataset: &Dataset, rows: &Rows, answers: &Answers) -> HeadMetrics {
    let mut metrics = HeadMetrics::default();
    for head in rows.heads() {
        let (rows, answers) = (rows.head(head), answers.head(head));
        match head {
            Head::Classification => {
                metrics.classification = dataset.classification.as_ref().map(|data| {
                    let labels: Vec<u16> = rows.iter().map(|&row| data.labels[row]).collect();
                    let probabilities: Vec<f32> = answers.iter().flat_map(Answer::numbers).collect();
                    ClassificationMetrics::new(&probabilities, &labels, data.classes.len())
                });
            }
            Head::Segmentation => {
                metrics.segmentation = dataset.segmentation.as_ref().map(|data| {
                    let truth: Vec<u8> = rows.iter().flat_map(|&row| data.mask(row)).copied().collect();
                    let masks: Vec<u8> = answers.iter().flat_map(Answer::mask).copied().collect();
                    SegmentationMetrics::new(&masks, &truth, data.classes.len())
                });
            }
            Head::Regression => {
                metrics.regression = dataset.regression.as_ref().map(|data| {
                    let truth: Vec<f32> = rows.iter().map(|&row| data.targets[row]).collect();
                    let values: Vec<f32> = answers.iter().flat_map(Answer::numbers).collect();
                    RegressionMetrics::new(&values, &truth)
                });
            }
        }
    }
    metrics
}

impl Answer {
    fn numbers(&self) -> Vec<f32> {
        match self {
            Answer::Probabilities(probabilities) => probabilities.clone(),
            Answer::Value(value) => vec![*value],
            Answer::Pixels { .. } => Vec::new(),
        }
    }

    fn mask(&self) -> &[u8] {
        match self {
            Answer::Pixels { mask, .. } => mask,
            _ => &[],
        }
    }
}

/// How many output values were compared bit for bit, and how many differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Probabilities, segmentation codes and values compared.
    pub compared_values: u64,
    /// Those that differ in any bit; a missing answer differs in all its values.
    pub differing_values: u64,
}

/// Compares a device's answers with the host's: `to_bits` of floats, every segmentation code.
pub fn compare(host: &Answers, device: &Answers) -> Comparison {
    let mut comparison = Comparison::default();
    let mut count = |compared: usize, equal: usize| {
        comparison.compared_values += compared as u64;
        comparison.differing_values += (compared - equal) as u64;
    };
    for head in Head::ALL {
        let (host, device) = (host.head(head), device.head(head));
        for (index, expected) in host.iter().enumerate() {
            match (expected, device.get(index)) {
                (Answer::Pixels { codes, .. }, Some(Answer::Pixels { codes: found, .. })) => {
                    count(codes.len(), codes.iter().zip(found).filter(|(a, b)| a == b).count());
                }
                (Answer::Pixels { codes, .. }, _) => count(codes.len(), 0),
                (expected, found) => {
                    let (expected, found) = (expected.numbers(), found.map(Answer::numbers).unwrap_or_default());
                    let same = expected.iter().zip(&found).filter(|(a, b)| a.to_bits() == b.to_bits());
                    count(expected.len(), same.count());
                }
            }
        }
    }
    comparison
}

/// The heads a blob has.
pub fn heads_of(blob: &Blob<'_>) -> HeadSet {
    let outputs = blob.graph().nodes().filter(|node| node.op.is_output());
    outputs.fold(HeadSet::EMPTY, |heads, node| heads.union(node.heads))
}

//! What a model says about rows, in float, and what that is worth.

use serde::{Deserialize, Serialize};
use trident::spec::{Head, InputSlot, ModelSpec};

use super::loss::favoured;
use super::prepare::{HeadData, Inputs, Targets};
use crate::metrics::{ClassificationMetrics, RegressionMetrics, SegmentationMetrics};
use crate::model::{HostInputs, Model};

/// Figures of one head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "AnyMetrics")]
pub enum HeadMetrics {
    /// Of the classification head.
    Classification(ClassificationMetrics),
    /// Of the segmentation head.
    Segmentation(SegmentationMetrics),
    /// Of the regression head.
    Regression(RegressionMetrics),
}

/// Figures of whichever head. Serde's own search for the variant buffers numbers, which fails once any crate of the build turns
/// on `arbitrary_precision` in serde_json.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyMetrics {
    accuracy: Option<f64>,
    auc: Option<f64>,
    f1: Option<f64>,
    miou: Option<f64>,
    iou: Option<Vec<Option<f64>>>,
    dice: Option<f64>,
    rmse: Option<f64>,
    mae: Option<f64>,
    r2: Option<f64>,
}

impl TryFrom<AnyMetrics> for HeadMetrics {
    type Error = &'static str;

    fn try_from(any: AnyMetrics) -> Result<Self, Self::Error> {
        if let (Some(miou), Some(iou), Some(dice), Some(accuracy)) = (any.miou, any.iou, any.dice, any.accuracy) {
            return Ok(Self::Segmentation(SegmentationMetrics {
                miou,
                iou,
                dice,
                accuracy,
            }));
        }
        if let (Some(rmse), Some(mae)) = (any.rmse, any.mae) {
            return Ok(Self::Regression(RegressionMetrics { rmse, mae, r2: any.r2 }));
        }
        let accuracy = any.accuracy.ok_or("figures of no head: neither accuracy nor rmse")?;
        Ok(Self::Classification(ClassificationMetrics {
            accuracy,
            auc: any.auc,
            f1: any.f1,
        }))
    }
}

/// What a head gives for rows, in the user's units.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// Two classes: one probability per row, that of the second; else one per class.
    Probabilities(Vec<f32>),
    /// A class per pixel.
    Mask(Vec<u8>),
    /// A number per row.
    Numbers(Vec<f32>),
}

impl HeadMetrics {
    /// The figure that chooses the best weights; more is better.
    pub fn figure(&self) -> f64 {
        match self {
            Self::Classification(metrics) => metrics.auc.unwrap_or(metrics.accuracy),
            Self::Segmentation(metrics) => metrics.miou,
            Self::Regression(metrics) => -metrics.rmse,
        }
    }

    /// The same without a unit, so that figures of several heads can be added: R² stands in for RMSE.
    pub fn unitless(&self) -> f64 {
        match self {
            Self::Regression(metrics) => metrics.r2.unwrap_or(0.0),
            _ => self.figure(),
        }
    }

    /// The figures in a few words.
    pub fn summary(&self) -> String {
        let or_dash = |figure: Option<f64>| figure.map_or("–".to_owned(), |figure| format!("{figure:.4}"));
        match self {
            Self::Classification(metrics) => format!("AUC {}, accuracy {:.4}", or_dash(metrics.auc), metrics.accuracy),
            Self::Segmentation(metrics) => format!("mean IoU {:.4}", metrics.miou),
            Self::Regression(metrics) => format!("R² {}, RMSE {:.4}", or_dash(metrics.r2), metrics.rmse),
        }
    }
}

/// What `model` gives for some rows of a head's data.
///
/// # Panics
/// If the model lacks the head.
pub fn predict(model: &Model, data: &HeadData, rows: &[usize]) -> Prediction {
    let classes = usize::from(model.shapes()[value(model, data.head)].c);
    let numbers = scores(model, data, rows);
    match data.head {
        Head::Classification => Prediction::Probabilities(probabilities(&numbers, classes)),
        Head::Segmentation => Prediction::Mask(favoured(&numbers, classes)),
        Head::Regression => {
            let scale = data.target();
            Prediction::Numbers(numbers.into_iter().map(|number| scale.restore(number)).collect())
        }
    }
}

/// What the last layer of a head gives for some rows, after its activation.
///
/// # Shapes
/// `rows × [h, w, c]`.
///
/// # Panics
/// If the model lacks the head.
pub fn scores(model: &Model, data: &HeadData, rows: &[usize]) -> Vec<f32> {
    model.value(value(model, data.head), &joint_inputs(data, rows, model.spec()))
}

fn value(model: &Model, head: Head) -> usize {
    let mut heads = model.spec().heads.iter();
    let own = heads.find(|own| own.head == head).expect("the head is trained");
    own.value.into()
}

/// Judges a prediction for some rows of a head's data.
///
/// # Panics
/// If the prediction is not for these rows, or there are none.
pub fn judge(prediction: &Prediction, data: &HeadData, rows: &[usize]) -> HeadMetrics {
    match (prediction, &data.targets) {
        (Prediction::Probabilities(probabilities), Targets::Labels { labels, classes }) => {
            let labels: Vec<u16> = rows.iter().map(|&row| labels[row]).collect();
            HeadMetrics::Classification(ClassificationMetrics::new(probabilities, &labels, *classes))
        }
        (Prediction::Mask(mask), Targets::Masks(pictures) | Targets::OwnPixels(pictures)) => {
            let truth: Vec<u8> = rows.iter().flat_map(|&row| pictures.mask(row)).copied().collect();
            HeadMetrics::Segmentation(SegmentationMetrics::new(mask, &truth, pictures.classes.len()))
        }
        (Prediction::Numbers(numbers), Targets::Numbers { targets, .. } | Targets::OwnReadings { targets, .. }) => {
            let truth: Vec<f32> = rows.iter().map(|&row| targets[row]).collect();
            HeadMetrics::Regression(RegressionMetrics::new(numbers, &truth))
        }
        _ => unreachable!("a head's prediction is of its own kind"),
    }
}

/// Rows of what a head itself reads.
pub fn host_inputs(data: &HeadData, rows: &[usize]) -> HostInputs {
    let mut inputs = HostInputs {
        rows: rows.len(),
        ..HostInputs::default()
    };
    put(&mut inputs, data.slot(), &data.inputs, rows);
    inputs
}

/// Rows of all that a head needs in a model: where heads share a trunk, what the others read too.
pub fn joint_inputs(data: &HeadData, rows: &[usize], spec: &ModelSpec) -> HostInputs {
    joint(data, rows, spec, |_| true)
}

/// As [`joint_inputs`], without pictures.
pub fn joint_readings(data: &HeadData, rows: &[usize], spec: &ModelSpec) -> HostInputs {
    joint(data, rows, spec, |slot| slot != InputSlot::Picture)
}

fn joint(data: &HeadData, rows: &[usize], spec: &ModelSpec, wanted: impl Fn(InputSlot) -> bool) -> HostInputs {
    let mut inputs = HostInputs {
        rows: rows.len(),
        ..HostInputs::default()
    };
    let slots = data.slots(spec);
    let beside = data.beside.iter().map(|(slot, of_slot)| (*slot, of_slot));
    let all = std::iter::once((data.slot(), &data.inputs)).chain(beside);
    let read = all.filter(|(slot, _)| wanted(*slot) && slots.contains(slot));
    read.for_each(|(slot, of_slot)| put(&mut inputs, slot, of_slot, rows));
    inputs
}

fn put(inputs: &mut HostInputs, slot: InputSlot, from: &Inputs, rows: &[usize]) {
    match from {
        Inputs::Rows { values, width } => {
            let gathered = rows.iter().flat_map(|&row| &values[row * width..(row + 1) * width]);
            let gathered = Some(gathered.copied().collect());
            match slot {
                InputSlot::Classification => inputs.classification = gathered,
                _ => inputs.regression = gathered,
            }
        }
        Inputs::Pictures(pictures) => {
            inputs.picture = Some(rows.iter().flat_map(|&row| pictures.picture(row)).copied().collect());
        }
    }
}

/// Two classes on one logit: the second's probability per row; else one per class.
pub(super) fn probabilities(logits: &[f32], columns: usize) -> Vec<f32> {
    if columns == 1 {
        return logits.iter().map(|&z| 1.0 / (1.0 + (-z).exp())).collect();
    }
    let softmax = |row: &[f32]| {
        let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = row.iter().map(|z| (z - highest).exp()).collect();
        let sum: f32 = powers.iter().sum();
        powers.into_iter().map(move |power| power / sum)
    };
    logits.chunks_exact(columns).flat_map(softmax).collect()
}

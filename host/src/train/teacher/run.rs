//! A run as teacher: its float model says what it thinks of any row.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use trident::spec::{Activation, Head, HeadSet};

use super::TeacherError;
use super::held_out::{HeldOut, order, readings};
use crate::data::Dataset;
use crate::model::{HostInputs, Model};
use crate::run::{Run, RunError, Transforms};
use crate::train::evaluate::probabilities;
use crate::transform::InputTransform;

/// A finished run that knows the pupil's readings, classes and sizes, and has not learnt from the rows that judge the pupil.
#[derive(Debug)]
pub(super) struct RunTeacher {
    /// Heads that it has, of those that the pupil trains.
    pub heads: Vec<Head>,
    /// Names model and transforms.
    pub sha256: String,
    model: Model,
    transforms: Transforms,
    /// For its readings, in its order, where they stand in the pupil's rows.
    columns: HashMap<Head, Vec<usize>>,
}

impl RunTeacher {
    /// Opens a run folder to teach on `dataset`, of whose heads some `learn_from_validation` rows.
    pub fn load(
        path: &Path,
        dataset: &Dataset,
        learn_from_validation: HeadSet,
        device: &Device,
    ) -> Result<Self, TeacherError> {
        let run_error = |source: RunError| TeacherError::Run {
            path: path.to_owned(),
            source: Box::new(source),
        };
        let run = Run::open(path).map_err(run_error)?;
        let state = run.state().map_err(run_error)?;
        let transforms = run.transforms().map_err(run_error)?;
        let record = run.record().map_err(run_error)?;
        let own = run.dataset().map_err(run_error)?;
        if !own.inputs_as_targets.is_empty() {
            return Err(TeacherError::Demonstration);
        }
        record
            .description
            .check(&dataset.description())
            .map_err(|source| TeacherError::Mismatch {
                path: path.to_owned(),
                source: Box::new(source),
            })?;
        let heads: Vec<Head> = super::heads(&own)
            .filter(|head| super::heads(dataset).any(|h| h == *head))
            .collect();
        for &head in &heads {
            let held_out = HeldOut::new(dataset, head, learn_from_validation.contains(head));
            let recipe = record.recipes.get(head.name());
            let rows = held_out.known_to(&own, recipe.is_some_and(|recipe| recipe.train_on_validation));
            if rows > 0 {
                return Err(TeacherError::HeldOut {
                    path: path.to_owned(),
                    head: head.name(),
                    rows,
                });
            }
        }
        let columns = heads.iter().filter_map(|&head| {
            let (theirs, ours) = (readings(&own, head)?, readings(dataset, head)?);
            Some((head, order(&theirs.features, &ours.features)))
        });
        let mut hash = Sha256::new();
        for part in [
            serde_json::to_vec(&state.spec),
            serde_json::to_vec(&state.layers),
            serde_json::to_vec(&transforms),
        ] {
            let json = |source| RunError::Json {
                path: path.to_owned(),
                source,
            };
            hash.update(part.map_err(json).map_err(run_error)?);
        }
        Ok(Self {
            sha256: crate::hex::encode(&hash.finalize()),
            columns: columns.collect(),
            heads,
            model: Model::from_folded(&(&state).into(), device),
            transforms,
        })
    }

    /// What it says of rows of the pupil's readings: probabilities per class, or the number in the target's unit.
    pub fn of_readings<'r>(&self, head: Head, rows: impl ExactSizeIterator<Item = &'r [f32]>) -> Vec<f32> {
        let step = match head {
            Head::Classification => &self.transforms.classification,
            _ => &self.transforms.regression,
        };
        let step: &InputTransform = step.as_ref().expect("a head of readings has its transform");
        let columns = &self.columns[&head];
        let count = rows.len();
        let mut values = Vec::with_capacity(count * step.len());
        let mut own = vec![0.0; columns.len()];
        for row in rows {
            own.iter_mut()
                .zip(columns)
                .for_each(|(own, &column)| *own = row[column]);
            step.apply(&own, &mut values);
        }
        let mut inputs = HostInputs {
            rows: count,
            ..HostInputs::default()
        };
        match head {
            Head::Classification => inputs.classification = Some(values),
            _ => inputs.regression = Some(values),
        }
        let (numbers, columns, _) = self.outputs(head, &inputs);
        match head {
            Head::Classification => both(probabilities(&numbers, columns), columns),
            _ => {
                let target = self.transforms.target.unwrap_or_default();
                numbers.into_iter().map(|number| target.restore(number)).collect()
            }
        }
    }

    /// What it says of pictures, `count × [h, w, rgb]`: probabilities, `count × [h, w, classes]`.
    pub fn of_pictures(&self, pixels: Vec<u8>, count: usize) -> Vec<f32> {
        let inputs = HostInputs {
            rows: count,
            picture: Some(pixels),
            ..HostInputs::default()
        };
        let (numbers, classes, activation) = self.outputs(Head::Segmentation, &inputs);
        if activation != Activation::Sigmoid {
            return probabilities(&numbers, classes);
        }
        // Each class for itself; what they share in is 1.
        let share = |pixel: &[f32]| {
            let sum: f32 = pixel.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            pixel.iter().map(|p| p / sum).collect::<Vec<_>>()
        };
        numbers.chunks_exact(classes).flat_map(share).collect()
    }

    /// The head's value for every row, how many numbers a row or pixel has, and what they went through.
    fn outputs(&self, head: Head, inputs: &HostInputs) -> (Vec<f32>, usize, Activation) {
        let spec = self.model.spec();
        let own = spec.heads.iter().find(|own| own.head == head);
        let value = usize::from(own.expect("the run has the head").value);
        let last = value
            .checked_sub(spec.inputs.len())
            .map(|layer| &spec.layers[layer].layer);
        (
            self.model.value(value, inputs),
            usize::from(self.model.shapes()[value].c),
            last.map_or(Activation::None, |layer| layer.activation()),
        )
    }
}

/// Probabilities of both classes where one number stood for the second.
fn both(probabilities: Vec<f32>, columns: usize) -> Vec<f32> {
    match columns {
        1 => probabilities
            .into_iter()
            .flat_map(|second| [1.0 - second, second])
            .collect(),
        _ => probabilities,
    }
}

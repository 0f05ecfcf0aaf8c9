//! Weights and ranges of a quantisation-aware training, in a run folder.

use serde::{Deserialize, Serialize};

use super::record::AwareRecord;
use crate::model::{FoldedModel, LayerWeights};
use crate::quantize::prepare::Prepared;
use crate::quantize::range::Choice;
use crate::quantize::readings::ReadingCodes;
use crate::run::{Run, RunError};
use crate::train::groups::Group;

/// A group whose training was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept;

#[derive(Serialize, Deserialize)]
struct Stored {
    layers: Vec<Option<LayerWeights>>,
    ranges: Vec<Option<Choice>>,
    codes: ReadingCodes,
}

/// Which of the groups have a training that was kept.
///
/// # Errors
/// If the record is damaged.
pub fn kept(run: &Run, groups: &[Group]) -> Result<Vec<Option<Kept>>, RunError> {
    let record = AwareRecord::of_run(run)?;
    let kept = |group: &Group| {
        record
            .groups
            .get(&group.name())
            .filter(|record| record.kept)
            .map(|_| Kept)
    };
    Ok(groups.iter().map(kept).collect())
}

impl Kept {
    /// Stores a group's weights and ranges.
    pub(super) fn write(run: &Run, group: &Group, prepared: &Prepared, codes: &ReadingCodes) -> Result<(), RunError> {
        let stored = Stored {
            layers: prepared.folded.layers.clone(),
            ranges: prepared.ranges.choices().to_vec(),
            codes: codes.clone(),
        };
        run.write_sealed("qat", &file(group), &stored)
    }

    /// The stored weights and ranges of a group; `base` is the same group by post-training quantisation, `codes` those that readings
    /// have now.
    ///
    /// # Errors
    /// If the file is missing, damaged, or of another version, another model or other codes.
    pub(crate) fn prepared(
        &self,
        run: &Run,
        group: &Group,
        base: &Prepared,
        codes: &ReadingCodes,
    ) -> Result<Prepared, RunError> {
        let other = || RunError::OtherRounding {
            path: run.path(&file(group)),
            folder: run.folder().to_owned(),
        };
        let stored: Stored = run.read_sealed("qat", &file(group)).map_err(|error| match error {
            RunError::Sealed { source, .. } if source.is_other_version() => other(),
            error => error,
        })?;
        let weights = FoldedModel {
            spec: base.folded.spec.clone(),
            layers: stored.layers,
        };
        let len = |layer: &Option<LayerWeights>| layer.as_ref().map(|layer| (layer.weights.len(), layer.bias.len()));
        if stored.codes != *codes || !weights.layers.iter().map(len).eq(base.folded.layers.iter().map(len)) {
            return Err(other());
        }
        Ok(Prepared {
            float: weights.clone(),
            folded: weights,
            ranges: base.ranges.with_choices(stored.ranges).ok_or_else(other)?,
        })
    }
}

fn file(group: &Group) -> String {
    format!("qat-{}.bin", group.name())
}

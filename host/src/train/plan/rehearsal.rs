//! A training whose figures alone count: no folder, no weights kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trident::spec::HeadSet;

use super::Plan;
use crate::model::{FoldedModel, Model, ModelState};
use crate::run::{History, Metrics};
use crate::train::balance::EpochCosine;
use crate::train::groups::Group;
use crate::train::session::Outcome;
use crate::train::{Options, TrainError, device};

/// What such a training gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Names everything that it depended on.
    pub identity: String,
    /// Figures per split and head, in float.
    pub metrics: Metrics,
    /// Losses and figures per epoch and head.
    pub history: History,
    /// How far heads agreed, per epoch and pair, where that was measured.
    pub cosines: Vec<EpochCosine>,
    /// Trained numbers per head, batch normalisation folded: those that the head needs.
    pub parameters: BTreeMap<String, usize>,
}

impl Plan<'_> {
    /// Trains a group and keeps its figures. `measure_every` steps it measures how far the heads agree; 0 for never.
    ///
    /// `None` if it was interrupted.
    ///
    /// # Errors
    /// A loss that diverges.
    pub(crate) fn rehearse(
        &self,
        group: &Group,
        label: &str,
        measure_every: u64,
        options: &Options,
    ) -> Result<Option<Rehearsal>, TrainError> {
        let Some(sources) = self.taught_sources(group, None, options)? else {
            return Ok(None);
        };
        let mut session = self.session(group, sources);
        session.measure_every(measure_every);
        let mut step = options.progress.step(label, session.epochs());
        let outcome = session.run(options.interrupted, &mut step, |_| Ok(()))?;
        if outcome == Outcome::Interrupted {
            step.interrupted();
            return Ok(None);
        }
        step.finish(&session.message());
        let state = ModelState {
            spec: group.spec.clone(),
            layers: session.result(),
        };
        let folded = FoldedModel::from(&state);
        let records = session.history();
        let history: History = records
            .map(|(head, records)| (head.name().to_owned(), records.to_vec()))
            .collect();
        let model = Model::from_folded(&folded, &device(self.config.train.backend));
        let metrics = self.judge(&model, &history)?;
        let trained_by = group.trained_by();
        let of_heads = |heads: HeadSet| {
            let layers = folded.layers.iter().zip(&trained_by);
            let needed = layers.filter(|(_, by)| by.intersects(heads));
            needed
                .filter_map(|(layer, _)| layer.as_ref())
                .map(|layer| layer.weights.len() + layer.bias.len())
                .sum()
        };
        Ok(Some(Rehearsal {
            identity: self.rehearsal_identity(group, measure_every),
            metrics,
            history,
            cosines: session.cosines().to_vec(),
            parameters: group
                .heads
                .iter()
                .map(|head| (head.name().to_owned(), of_heads(head.into())))
                .collect(),
        }))
    }

    /// The fewest test rows that a head of a group has.
    pub(crate) fn test_rows(&self, group: &Group) -> usize {
        self.heads_of(group)
            .map(|head| head.data.split.test.len())
            .min()
            .unwrap_or(0)
    }

    /// Names everything that a rehearsal depends on.
    pub(crate) fn rehearsal_identity(&self, group: &Group, measure_every: u64) -> String {
        let drawn = serde_json::json!([group.lead.name(), group.drawn_as, measure_every]);
        format!("{} {drawn}", self.identity(group))
    }
}

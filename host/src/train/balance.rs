//! How a step's losses become one gradient, and how far the heads agree about it.
//!
//! `Balance` is made per group of heads. Alone, or with fixed weights, it adds the losses up. With
//! [`Balancing::Uncertainty`] it learns a variance per head; with [`Balancing::PcGrad`] each head's gradient is taken by itself,
//! which costs one more pass through the model per further head, since Burn keeps no graph for a second backward pass.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::groups::Group;
use super::random::{Draw, generator};
use super::shared::SharedWeights;
use super::surgery;
use super::uncertainty::{Uncertainty, UncertaintyState};
use crate::config::Balancing;
use crate::model::Model;

/// How far two heads' gradients agreed on the weights they share, over one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochCosine {
    /// Counted from 1.
    pub epoch: u64,
    /// The two heads.
    pub heads: [String; 2],
    /// Mean cosine over the steps that were measured, −1 to 1.
    pub cosine: f64,
    /// How many steps those were.
    pub steps: u64,
}

/// One step, as the balance sees it.
pub(super) struct Moment {
    /// Of the group's random draws.
    pub seed: u64,
    /// Steps done before.
    pub step: u64,
    /// Of this step.
    pub learning_rate: f64,
}

/// Brings the losses of a group's heads together.
pub(super) struct Balance {
    kind: Balancing,
    names: Vec<String>,
    shared: SharedWeights,
    lead: trident::spec::Head,
    uncertainty: Option<Uncertainty>,
    /// Cosines are measured every so many steps; 0 for never.
    measure_every: u64,
    pairs: Vec<PairSum>,
    cosines: Vec<EpochCosine>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct PairSum {
    cosine: f64,
    steps: u64,
}

/// All that is needed to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BalanceState {
    uncertainty: Option<UncertaintyState>,
    pairs: Vec<PairSum>,
    cosines: Vec<EpochCosine>,
}

impl Balance {
    /// For `group`; `factors` holds each head's factor of [`Uncertainty`]. The device is an autodiff one.
    pub fn new(kind: Balancing, group: &Group, model: &Model, factors: Vec<f64>, device: &Device) -> Self {
        let names: Vec<String> = group.heads.iter().map(|head| head.name().to_owned()).collect();
        // Heads that are by themselves, or merely side by side, have nothing to balance.
        let kind = if group.shares_weights() { kind } else { Balancing::Fixed };
        Self {
            kind,
            shared: SharedWeights::new(group, model),
            lead: group.lead,
            uncertainty: (kind == Balancing::Uncertainty).then(|| Uncertainty::new(factors, device)),
            measure_every: 0,
            pairs: vec![PairSum::default(); names.len() * (names.len() - 1) / 2],
            cosines: Vec::new(),
            names,
        }
    }

    /// Measures cosines every so many steps, at the cost of a pass per head each time. Changes no weight.
    pub fn measure_every(&mut self, steps: u64) {
        self.measure_every = steps;
    }

    /// The gradient of a step. `losses` holds each head's, weighted; `again(head)` computes that head's anew.
    pub fn gradients(
        &mut self,
        moment: &Moment,
        model: &Model,
        losses: Vec<Tensor<1>>,
        again: impl Fn(usize) -> Tensor<1>,
    ) -> GradientsParams {
        let measured = self.measure_every > 0 && moment.step.is_multiple_of(self.measure_every);
        if self.kind == Balancing::PcGrad {
            return self.operated(moment, model, losses, again);
        }
        if measured && losses.len() > 1 {
            let heads: Vec<Vec<f32>> = (0..losses.len())
                .map(|head| {
                    let gradients = GradientsParams::from_grads(again(head).backward(), model);
                    self.shared.gather(model, &gradients)
                })
                .collect();
            self.measure(&heads);
        }
        let Some(uncertainty) = &mut self.uncertainty else {
            let sum = losses.into_iter().reduce(|sum, loss| sum + loss);
            return GradientsParams::from_grads(sum.expect("a group has a head").backward(), model);
        };
        let mut gradients = uncertainty.sum(losses).backward();
        let of_model = GradientsParams::from_module(&mut gradients, model);
        uncertainty.step(&mut gradients, moment.learning_rate);
        of_model
    }

    fn operated(
        &mut self,
        moment: &Moment,
        model: &Model,
        losses: Vec<Tensor<1>>,
        again: impl Fn(usize) -> Tensor<1>,
    ) -> GradientsParams {
        let heads = losses.len();
        let mut first = losses.into_iter().next();
        let gradients: Vec<GradientsParams> = (0..heads)
            .map(|head| {
                let loss = first.take().unwrap_or_else(|| again(head));
                GradientsParams::from_grads(loss.backward(), model)
            })
            .collect();
        let shared: Vec<Vec<f32>> = gradients
            .iter()
            .map(|of_head| self.shared.gather(model, of_head))
            .collect();
        self.measure(&shared);
        let mut rng = generator(moment.seed, self.lead, Draw::Surgery, 0, moment.step);
        let operated = surgery::operate(&shared, &surgery::order(heads, &mut rng));
        self.shared.scatter(model, gradients, &operated)
    }

    fn measure(&mut self, heads: &[Vec<f32>]) {
        for (pair, (one, other)) in self.pairs.iter_mut().zip(pairs_of(heads.len())) {
            if let Some(cosine) = surgery::cosine(&heads[one], &heads[other]) {
                pair.cosine += cosine;
                pair.steps += 1;
            }
        }
    }

    /// Closes an epoch, counted from 1: cosines measured in it become its mean.
    pub fn close_epoch(&mut self, epoch: u64) {
        for (pair, (one, other)) in self.pairs.iter_mut().zip(pairs_of(self.names.len())) {
            if pair.steps > 0 {
                self.cosines.push(EpochCosine {
                    epoch,
                    heads: [self.names[one].clone(), self.names[other].clone()],
                    cosine: pair.cosine / pair.steps as f64,
                    steps: pair.steps,
                });
            }
            *pair = PairSum::default();
        }
    }

    /// Cosines of the epochs done.
    pub fn cosines(&self) -> &[EpochCosine] {
        &self.cosines
    }

    /// `ln σ²` of each head, if variances are learnt.
    pub fn log_variances(&self) -> Option<Vec<f32>> {
        self.uncertainty.as_ref().map(Uncertainty::log_variances)
    }

    /// All that is needed to go on.
    pub fn state(&self) -> Result<BalanceState, TrainError> {
        Ok(BalanceState {
            uncertainty: self.uncertainty.as_ref().map(Uncertainty::state).transpose()?,
            pairs: self.pairs.clone(),
            cosines: self.cosines.clone(),
        })
    }

    /// Goes on from the state of a balance of the same group and kind.
    pub fn restore(&mut self, state: BalanceState) -> Result<(), TrainError> {
        if let Some((uncertainty, state)) = self.uncertainty.as_mut().zip(state.uncertainty) {
            uncertainty.restore(&state)?;
        }
        (self.pairs, self.cosines) = (state.pairs, state.cosines);
        Ok(())
    }
}

/// Every two of `heads` heads, the lower first.
fn pairs_of(heads: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..heads).flat_map(move |one| (one + 1..heads).map(move |other| (one, other)))
}

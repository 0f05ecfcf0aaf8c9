//! How each head is trained: the preset's recipe with the configuration's changes.

use serde::{Deserialize, Serialize};
use trident::spec::Head;

use crate::config::{Distance, Optimizer, Points, Preset, RegionLoss, TrainConfig};
use crate::model::Initializer;

/// The most fresh points beside a row.
const MOST_FRESH: f64 = 16.0;

/// The largest exponent of the focal loss. Below 1 its slope at certainty has no bound.
const MOST_FOCAL: f64 = 5.0;

/// How one head is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows per step.
    pub batch: usize,
    /// The rule that turns gradients into steps.
    pub optimizer: Optimizer,
    /// Highest learning rate of the schedule.
    pub learning_rate: f64,
    /// Added to the root of Adam's second moment.
    pub epsilon: f32,
    /// Pull of weights towards zero.
    pub weight_decay: f64,
    /// Share of the steps in which the learning rate rises.
    pub warmup: f64,
    /// Whether the learning rate then falls along a cosine.
    pub cosine: bool,
    /// Decay of the averaged weights per step; 0 keeps no average.
    pub ema: f64,
    /// Epochs without a better validation figure after which training stops; `None` never stops early.
    pub patience: Option<usize>,
    /// Share of the epochs before validation may choose the weights: while the learning rate is high they swing so far that a good
    /// figure on few rows is luck. Any epoch may be chosen where the rate does not fall, or training stops early.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unsettled: f64,
    /// Share of hidden values set to zero in training.
    pub dropout: f64,
    /// How far labels are moved towards uniform.
    pub label_smoothing: f64,
    /// Weight of each class in the loss; `None` weighs by frequency where the recipe balances, else all alike.
    pub class_weights: Option<Vec<f32>>,
    /// Exponent of the frequency in the default class weights: 0 weighs all alike, −0.5 by the inverse root.
    pub balance: f64,
    /// How much this head's loss counts in a joint sum.
    pub loss_weight: f64,
    /// How much less a pixel counts the surer the model is of its class: the exponent of the focal loss; 0 counts all alike.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub focal: f64,
    /// Added to a segmentation head's pixelwise loss.
    pub region: RegionLoss,
    /// What a regression head makes small.
    pub distance: Distance,
    /// How weights are drawn before training.
    pub initializer: Initializer,
    /// Whether a Gaussian process on the training rows is its teacher.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub process: bool,
    /// Share of the teacher in the loss; 0 without one.
    #[serde(default)]
    pub distill: f64,
    /// Points labelled by the teacher beside each training row of a step; 0 without a teacher.
    #[serde(default)]
    pub fresh: f64,
    /// How those points are made.
    #[serde(default)]
    pub points: Points,
    /// Whether validation rows are trained on too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub train_on_validation: bool,
}

impl Recipe {
    /// The recipe of `head`.
    pub fn new(config: &TrainConfig, head: Head) -> Self {
        let usual = config.preset == Preset::Edge && head == Head::Regression;
        Self::with_process(config, head, config.head(head).process.unwrap_or(usual))
    }

    /// The recipe of `head` without a Gaussian process for a teacher, whatever the configuration says.
    pub(super) fn without_process(config: &TrainConfig, head: Head) -> Self {
        Self::with_process(config, head, false)
    }

    fn with_process(config: &TrainConfig, head: Head, process: bool) -> Self {
        let mut recipe = match config.preset {
            Preset::Edge if process => Self::taught(Self::edge(head)),
            Preset::Edge => Self::edge(head),
            Preset::Seed => Self::seed(),
            Preset::Fused => Self::fused(head),
        };
        recipe.process = process;
        let overrides = config.head(head).clone();
        let set = |field: &mut f64, value: Option<f64>| *field = value.unwrap_or(*field);
        recipe.epochs = overrides.epochs.unwrap_or(recipe.epochs);
        recipe.batch = overrides.batch.unwrap_or(recipe.batch);
        recipe.optimizer = overrides.optimizer.unwrap_or(recipe.optimizer);
        recipe.cosine = overrides.cosine.unwrap_or(recipe.cosine);
        recipe.train_on_validation = overrides.train_on_validation.unwrap_or(recipe.train_on_validation);
        recipe.region = overrides.region.unwrap_or(recipe.region);
        recipe.distance = overrides.distance.unwrap_or(recipe.distance);
        recipe.patience = overrides.patience.or(recipe.patience);
        recipe.class_weights = overrides.class_weights.or(recipe.class_weights);
        set(&mut recipe.learning_rate, overrides.learning_rate);
        set(&mut recipe.weight_decay, overrides.weight_decay);
        set(&mut recipe.warmup, overrides.warmup);
        set(&mut recipe.ema, overrides.ema);
        set(&mut recipe.dropout, overrides.dropout);
        set(&mut recipe.label_smoothing, overrides.label_smoothing);
        set(&mut recipe.focal, overrides.focal);
        set(&mut recipe.distill, overrides.distill);
        set(&mut recipe.fresh, overrides.fresh);
        recipe.points = overrides.points.unwrap_or(recipe.points);
        recipe.loss_weight = match head {
            Head::Classification => config.loss_weights.classification,
            Head::Segmentation => config.loss_weights.segmentation,
            Head::Regression => config.loss_weights.regression,
        };
        recipe
    }

    fn edge(head: Head) -> Self {
        let base = Self {
            epochs: 120,
            batch: 256,
            optimizer: Optimizer::AdamW,
            learning_rate: 4e-3,
            epsilon: 1e-8,
            weight_decay: 0.2,
            warmup: 0.03,
            cosine: true,
            ema: 0.998,
            patience: None,
            unsettled: 0.75,
            dropout: 0.0,
            label_smoothing: 0.0,
            class_weights: None,
            balance: 0.0,
            loss_weight: 1.0,
            focal: 0.0,
            region: RegionLoss::None,
            distance: Distance::Huber,
            initializer: Initializer::He,
            process: false,
            distill: 0.5,
            fresh: 0.0,
            points: Points::Mixed,
            train_on_validation: false,
        };
        match head {
            Head::Classification => Self {
                dropout: 0.2,
                fresh: 1.0,
                ..base
            },
            Head::Segmentation => Self {
                epochs: 360,
                batch: 16,
                learning_rate: 5e-3,
                weight_decay: 1e-2,
                warmup: 0.05,
                balance: -0.25,
                region: RegionLoss::Lovasz,
                ..base
            },
            Head::Regression => Self {
                epochs: 4_000,
                batch: 64,
                weight_decay: 0.3,
                fresh: 1.0,
                distill: 0.7,
                points: Points::Crossed,
                train_on_validation: true,
                ..base
            },
        }
    }

    /// What changes where a Gaussian process labels as many points as are asked for: weights need hardly any pull.
    fn taught(recipe: Self) -> Self {
        Self {
            weight_decay: 0.01,
            ..recipe
        }
    }

    /// Heads on one trunk take the same steps.
    fn fused(head: Head) -> Self {
        let steps = Self {
            epochs: 40,
            batch: 32,
            learning_rate: 3e-3,
            weight_decay: 5e-2,
            warmup: 0.05,
            unsettled: 0.0,
            dropout: 0.1,
            ..Self::edge(Head::Classification)
        };
        match head {
            Head::Segmentation => Self {
                balance: -0.25,
                region: RegionLoss::Lovasz,
                ..steps
            },
            Head::Classification | Head::Regression => steps,
        }
    }

    /// What the original demo does, which is Keras' defaults.
    fn seed() -> Self {
        Self {
            epochs: 10,
            batch: 64,
            optimizer: Optimizer::Adam,
            learning_rate: 1e-3,
            epsilon: 1e-7,
            weight_decay: 0.0,
            warmup: 0.0,
            cosine: false,
            ema: 0.0,
            patience: None,
            unsettled: 0.0,
            dropout: 0.0,
            label_smoothing: 0.0,
            class_weights: None,
            balance: 0.0,
            loss_weight: 1.0,
            focal: 0.0,
            region: RegionLoss::None,
            distance: Distance::Squared,
            initializer: Initializer::Glorot,
            process: false,
            distill: 0.5,
            fresh: 0.0,
            points: Points::Mixed,
            train_on_validation: false,
        }
    }

    /// Checks the settings for a head of `classes` classes; the first fault as the key and what is wrong with it.
    pub(super) fn check(&self, classes: usize) -> Result<(), (&'static str, String)> {
        let below_one = |name, value: f64| match value {
            _ if (0.0..1.0).contains(&value) => Ok(()),
            _ => Err((
                name,
                format!("{value} is not a share from 0 up to, but not including, 1"),
            )),
        };
        if self.epochs == 0 {
            return Err(("epochs", "at least 1 is needed".to_owned()));
        }
        if self.batch == 0 {
            return Err(("batch", "at least 1 row is needed".to_owned()));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err((
                "learning_rate",
                format!("{} is not a positive number", self.learning_rate),
            ));
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return Err(("weight_decay", format!("{} is negative", self.weight_decay)));
        }
        below_one("warmup", self.warmup)?;
        below_one("ema", self.ema)?;
        below_one("dropout", self.dropout)?;
        below_one("label_smoothing", self.label_smoothing)?;
        if !(0.0..=1.0).contains(&self.distill) {
            return Err(("distill", format!("{} is not a share from 0 to 1", self.distill)));
        }
        if !(0.0..=MOST_FRESH).contains(&self.fresh) {
            return Err(("fresh", format!("{} is not between 0 and {MOST_FRESH}", self.fresh)));
        }
        if !(self.focal == 0.0 || (1.0..=MOST_FOCAL).contains(&self.focal)) {
            let problem = format!(
                "{} is neither 0, which is off, nor between 1 and {MOST_FOCAL}",
                self.focal
            );
            return Err(("focal", problem));
        }
        match &self.class_weights {
            Some(weights) if weights.len() != classes => Err((
                "class_weights",
                format!("{} given for {classes} classes", weights.len()),
            )),
            Some(weights) if !weights.iter().all(|&weight| weight > 0.0 && weight.is_finite()) => {
                Err(("class_weights", "every weight must be a positive number".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether two heads can take the same steps.
    pub(super) fn steps_like(&self, other: &Self) -> bool {
        let steps = |recipe: &Self| Self {
            class_weights: None,
            label_smoothing: 0.0,
            balance: 0.0,
            loss_weight: 1.0,
            focal: 0.0,
            region: RegionLoss::None,
            distance: Distance::Squared,
            distill: 0.0,
            ..recipe.clone()
        };
        steps(self) == steps(other)
    }

    /// Whether validation may choose the weights after an epoch, counted from 1.
    pub fn may_choose(&self, epoch: u64) -> bool {
        !self.cosine || self.patience.is_some() || epoch as f64 > self.unsettled * self.epochs as f64
    }

    /// The learning rate of a step, counted from 0, of `steps` in all.
    pub fn learning_rate_at(&self, step: u64, steps: u64) -> f64 {
        let warm = (self.warmup * steps as f64).round();
        let step = step as f64;
        if step < warm {
            return self.learning_rate * (step + 1.0) / warm;
        }
        if !self.cosine {
            return self.learning_rate;
        }
        let done = (step - warm) / (steps as f64 - warm).max(1.0);
        self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
    }

    /// Decay of the averaged weights at a step: it grows towards `ema`, so that the first weights are soon forgotten.
    pub fn average_decay_at(&self, step: u64) -> f32 {
        let step = step as f64;
        self.ema.min((1.0 + step) / (10.0 + step)) as f32
    }

    /// Weights of classes that occur `counts` times, 1 on average over all that occur.
    pub fn weights_of_classes(&self, counts: &[usize]) -> Vec<f32> {
        if let Some(weights) = &self.class_weights {
            return weights.clone();
        }
        let total: usize = counts.iter().sum();
        let weigh = |&count: &usize| (count.max(1) as f64 / total.max(1) as f64).powf(self.balance);
        let weights: Vec<f64> = counts.iter().map(weigh).collect();
        let mean = weights
            .iter()
            .zip(counts)
            .map(|(w, &count)| w * count as f64)
            .sum::<f64>()
            / total.max(1) as f64;
        weights.iter().map(|w| (w / mean) as f32).collect()
    }
}

fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls() {
        let recipe = Recipe {
            learning_rate: 1.0,
            warmup: 0.1,
            ..Recipe::edge(Head::Classification)
        };
        assert_eq!(recipe.learning_rate_at(0, 100), 0.1);
        assert_eq!(recipe.learning_rate_at(9, 100), 1.0);
        assert_eq!(recipe.learning_rate_at(10, 100), 1.0);
        assert!((recipe.learning_rate_at(55, 100) - 0.5).abs() < 1e-12);
        assert!(recipe.learning_rate_at(99, 100) < 0.001);
        assert_eq!(Recipe::seed().learning_rate_at(99, 100), 1e-3);
    }

    #[test]
    fn weights_are_chosen_once_they_have_settled() {
        let chosen = |recipe: &Recipe| (1..=8).filter(|&epoch| recipe.may_choose(epoch)).collect::<Vec<_>>();
        let recipe = Recipe {
            epochs: 8,
            ..Recipe::edge(Head::Segmentation)
        };
        assert_eq!(chosen(&recipe), [7, 8]);
        let impatient = Recipe {
            patience: Some(2),
            ..recipe
        };
        assert_eq!(chosen(&impatient).len(), 8);
        let steady = Recipe {
            cosine: false,
            patience: None,
            ..impatient
        };
        assert_eq!(chosen(&steady).len(), 8);
        let short = Recipe {
            epochs: 1,
            ..Recipe::edge(Head::Segmentation)
        };
        assert!(short.may_choose(1));
    }

    #[test]
    fn rare_classes_weigh_more() {
        let recipe = Recipe {
            balance: -0.5,
            ..Recipe::edge(Head::Segmentation)
        };
        let weights = recipe.weights_of_classes(&[1, 99]);
        assert!((weights[0] / weights[1] - 99f32.sqrt()).abs() < 1e-4);
        assert!((0.01 * weights[0] + 0.99 * weights[1] - 1.0).abs() < 1e-6);
        assert_eq!(Recipe::seed().weights_of_classes(&[1, 99]), [1.0, 1.0]);
    }

    #[test]
    fn the_configuration_overrides_the_preset() {
        let mut config = TrainConfig::default();
        config.regression.epochs = Some(7);
        config.loss_weights.regression = 0.5;
        let recipe = Recipe::new(&config, Head::Regression);
        assert_eq!((recipe.epochs, recipe.batch, recipe.loss_weight), (7, 64, 0.5));
    }
}

//! The training of one group of heads, step by step.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, decay::WeightDecayConfig};
use burn::tensor::{Bytes, Device, Tensor};
use rand::Rng;
use trident::spec::{Head, HeadSet};

use super::adam::{Decay, InPlaceAdam};
use super::aware::likeness;
use super::balance::{Balance, EpochCosine, Moment};
use super::batch::{HeadBatch, HeadTraining, StepFigures};
use super::checkpoint::{Best, Checkpoint, EpochRecord, EpochSums, Numbers, Position};
use super::evaluate::{HeadMetrics, judge, predict};
use super::groups::Group;
use super::random::{Draw, generator, shuffled};
use super::recipe::Recipe;
use super::{Divergence, TrainError};
use crate::config::{Balancing, Distance, Optimizer};
use crate::model::{BatchStatistics, Dropout, FoldedModel, Model, ModelInputs, ModelState, Pass, Value, numbers};
use crate::progress::Step;
use crate::quantize::prepare::Prepared;
use crate::quantize::ranges::Ranges;

/// One group of heads in training.
pub(super) struct Session<'d> {
    identity: String,
    group: &'d Group,
    heads: Vec<HeadTraining<'d>>,
    /// Heads that are not trained here, whose inputs the group reads.
    beside: Vec<HeadTraining<'d>>,
    balance: Balance,
    aware: Option<Aware>,
    /// On the autodiff device. `None` only while a step is made.
    model: Option<Model>,
    optimizer: ModuleOptimizer,
    average: Option<ModelState>,
    position: Position,
    sums: Vec<EpochSums>,
    best: Option<Best>,
    history: Vec<Vec<EpochRecord>>,
    finished: bool,
    device: Device,
}

/// What a quantisation-aware training began with.
struct Aware {
    ranges: Ranges,
    /// The teacher, on a device without autodiff.
    float: Model,
}

/// How a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All epochs are done, or no epoch was better for long.
    Finished,
    /// It was asked to stop between two steps.
    Interrupted,
}

impl<'d> Session<'d> {
    /// Starts with fresh weights. `sources` holds every head whose rows the group reads.
    pub fn new(
        group: &'d Group,
        sources: Vec<HeadTraining<'d>>,
        balancing: Balancing,
        device: &Device,
        identity: String,
    ) -> Self {
        let sources = trained_and_beside(group, sources);
        let lead = &sources[0][0];
        let draw = |layer: usize| {
            let layer = group.drawn_as[layer] as u64;
            generator(lead.seed, group.lead, Draw::Weights, 0, layer)
        };
        let state = ModelState::random(&group.spec, lead.recipe.initializer, draw);
        let device = device.clone().autodiff();
        let model = Model::new(&state, &device);
        Self::begin(group, sources, balancing, identity, state, model, device)
    }

    /// Starts from trained weights and rounds as int8 does, to give what the weights gave before; the spec of `group` has no batch
    /// normalisation. `sources` holds every head whose rows the group reads.
    pub fn aware(
        group: &'d Group,
        sources: Vec<HeadTraining<'d>>,
        device: &Device,
        identity: String,
        start: &Prepared,
    ) -> Self {
        let float = Model::from_folded(&start.float, device);
        let device = device.clone().autodiff();
        let model = Model::rounded(&start.folded, &start.ranges, &[], &device);
        let (sources, state) = (trained_and_beside(group, sources), start.folded.to_state());
        Self {
            aware: Some(Aware {
                ranges: start.ranges.clone(),
                float,
            }),
            ..Self::begin(group, sources, Balancing::default(), identity, state, model, device)
        }
    }

    fn begin(
        group: &'d Group,
        [heads, beside]: [Vec<HeadTraining<'d>>; 2],
        balancing: Balancing,
        identity: String,
        state: ModelState,
        model: Model,
        device: Device,
    ) -> Self {
        let lead = &heads[0];
        let factors = heads.iter().map(likelihood_factor).collect();
        Self {
            identity,
            group,
            balance: Balance::new(balancing, group, &model, factors, &device),
            beside,
            aware: None,
            model: Some(model),
            optimizer: optimizer(&lead.recipe, &device),
            average: (lead.recipe.ema > 0.0).then_some(state),
            position: Position::default(),
            sums: vec![EpochSums::default(); heads.len()],
            best: None,
            history: vec![Vec::new(); heads.len()],
            finished: false,
            heads,
            device,
        }
    }

    /// Goes on from a checkpoint of the same session.
    pub fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), TrainError> {
        if !self.made(&checkpoint) {
            return Err(TrainError::OtherSession {
                group: self.group.name(),
            });
        }
        let state = |layers: Numbers| ModelState {
            spec: self.group.spec.clone(),
            layers,
        };
        let optimizer =
            optimizer(&self.lead().recipe, &self.device).from_bytes(Bytes::from_bytes_vec(checkpoint.optimizer));
        self.balance.restore(checkpoint.balance)?;
        self.model = Some(self.model_of(&state(checkpoint.numbers), &checkpoint.growth, &self.device));
        self.average = checkpoint.average.map(state);
        self.optimizer = optimizer.map_err(|error| TrainError::Optimizer(error.to_string()))?;
        self.position = checkpoint.position;
        self.sums = checkpoint.sums;
        self.best = checkpoint.best;
        self.history = checkpoint.history;
        self.finished = checkpoint.finished;
        Ok(())
    }

    /// Whether a checkpoint is of this training.
    pub fn made(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.identity == self.identity
    }

    /// Everything needed to go on.
    pub fn checkpoint(&self) -> Result<Checkpoint, TrainError> {
        let optimizer = self.optimizer.into_bytes();
        Ok(Checkpoint {
            identity: self.identity.clone(),
            position: self.position,
            numbers: self.model().state().layers,
            growth: self.model().growth(),
            optimizer: optimizer
                .map_err(|error| TrainError::Optimizer(error.to_string()))?
                .to_vec(),
            balance: self.balance.state()?,
            average: self.average.as_ref().map(|state| state.layers.clone()),
            best: self.best.clone(),
            sums: self.sums.clone(),
            history: self.history.clone(),
            finished: self.finished,
        })
    }

    /// Trains on; `save` is called after every epoch.
    pub fn run(
        &mut self,
        interrupted: &AtomicBool,
        step: &mut Step,
        mut save: impl FnMut(&Self) -> Result<(), TrainError>,
    ) -> Result<Outcome, TrainError> {
        let epochs = self.epochs();
        while !self.finished && self.position.epoch < epochs {
            if self.epoch(interrupted)? == Outcome::Interrupted {
                return Ok(Outcome::Interrupted);
            }
            self.finished = self.position.epoch >= epochs || self.is_stale();
            step.set(self.position.epoch, &self.message());
            save(self)?;
        }
        self.finished = true;
        Ok(Outcome::Finished)
    }

    /// The best weights, or the last ones if no validation rows chose. Of a quantisation-aware training, which settles down to its
    /// teacher, they are the last: a choice among epochs that differ so little would be one by luck.
    pub fn result(&self) -> Numbers {
        match &self.best {
            Some(best) if self.aware.is_none() => best.numbers.clone(),
            _ => self.judged_state().layers,
        }
    }

    /// How far each range of a quantisation-aware training has grown.
    pub fn growth(&self) -> Vec<f32> {
        self.model().growth()
    }

    /// A model of these numbers, which rounds if this training does.
    fn model_of(&self, state: &ModelState, growth: &[f32], device: &Device) -> Model {
        match &self.aware {
            None => Model::new(state, device),
            Some(aware) => Model::rounded(&FoldedModel::from(state), &aware.ranges, growth, device),
        }
    }

    /// Per head, what every epoch was like.
    pub fn history(&self) -> impl Iterator<Item = (Head, &[EpochRecord])> {
        self.heads
            .iter()
            .zip(&self.history)
            .map(|(head, records)| (head.data.head, &records[..]))
    }

    /// Measures how far heads agree every so many steps; see [`Balance::measure_every`].
    pub fn measure_every(&mut self, steps: u64) {
        self.balance.measure_every(steps);
    }

    /// Epochs that it takes unless it stops early.
    pub fn epochs(&self) -> u64 {
        self.lead().recipe.epochs as u64
    }

    /// How far heads agreed, per epoch and pair.
    pub fn cosines(&self) -> &[EpochCosine] {
        self.balance.cosines()
    }

    fn lead(&self) -> &HeadTraining<'d> {
        &self.heads[0]
    }

    fn model(&self) -> &Model {
        self.model.as_ref().expect("a model between two steps")
    }

    fn epoch(&mut self, interrupted: &AtomicBool) -> Result<Outcome, TrainError> {
        let lead = self.lead();
        let (seed, head, batch) = (lead.seed, self.group.lead, lead.recipe.batch);
        let epoch = self.position.epoch;
        let order = shuffled(
            &lead.data.split.train,
            &mut generator(seed, head, Draw::Order, epoch, 0),
        );
        let steps = order.len().div_ceil(batch) as u64;
        let all_steps = steps * lead.recipe.epochs as u64;
        for rows in order.chunks(batch).skip(self.position.step_in_epoch as usize) {
            if interrupted.load(Ordering::Relaxed) {
                return Ok(Outcome::Interrupted);
            }
            self.step(rows, all_steps)?;
        }
        let learning_rate = self.lead().recipe.learning_rate_at(self.position.step - 1, all_steps);
        self.position.epoch += 1;
        self.position.step_in_epoch = 0;
        self.close_epoch(learning_rate);
        // The last step's loss, which was finite, does not tell what that step made of the weights.
        let judged = |records: &Vec<EpochRecord>| records.last().and_then(|record| record.validation);
        let mut figures = self.history.iter().filter_map(judged);
        if !self.judged_state().is_finite() || figures.any(|figure| !figure.is_finite()) {
            let epoch = self.position.epoch;
            let head = self.lead().data.head.name().to_owned();
            return Err(Divergence { head, epoch }.into());
        }
        Ok(Outcome::Finished)
    }

    fn step(&mut self, rows: &[usize], all_steps: u64) -> Result<(), TrainError> {
        let epoch = self.position.epoch;
        let step = self.position.step;
        let sources: Vec<&HeadTraining> = self.heads.iter().chain(&self.beside).collect();
        let batches: Vec<HeadBatch> = sources.iter().map(|source| source.batch(rows, epoch, step)).collect();
        let mut inputs = ModelInputs::default();
        for (source, batch) in sources.iter().zip(&batches) {
            source.place(batch, &self.group.spec, &self.device, &mut inputs);
        }
        let teacher = self.aware.as_ref().map(|aware| {
            let mut inputs = ModelInputs::default();
            for (source, batch) in sources.iter().zip(&batches) {
                source.place(batch, &self.group.spec, &aware.float.device(), &mut inputs);
            }
            aware.float.forward(&inputs, Pass::Evaluate).0
        });
        let dropout = Thinning {
            rate: self.lead().recipe.dropout,
            seed: self.lead().seed,
            group: self.group,
            step: self.position.step,
        };
        let dropout = (dropout.rate > 0.0).then_some(&dropout as &dyn Dropout);
        let mut model = self.model.take().expect("a model between two steps");
        let pass = ForwardPass {
            group: self.group,
            heads: &self.heads,
            batches: &batches,
            inputs: &inputs,
            teacher,
            dropout,
        };
        let (losses, statistics) = pass.losses(&model, self.group.heads);

        let mut weighted = Vec::new();
        for (((loss, figures), head), sums) in losses.into_iter().zip(&self.heads).zip(&mut self.sums) {
            let number = f64::from(numbers(loss.clone().detach())[0]);
            if !number.is_finite() {
                return Err(Divergence {
                    head: head.data.head.name().to_owned(),
                    epoch: epoch + 1,
                }
                .into());
            }
            sums.loss += number * rows.len() as f64;
            sums.rows += rows.len() as u64;
            sums.hits += figures.hits;
            sums.judged += figures.judged;
            weighted.push(loss.mul_scalar(head.recipe.loss_weight));
        }
        let recipe = &self.heads[0].recipe;
        let learning_rate = recipe.learning_rate_at(self.position.step, all_steps);
        let moment = Moment {
            seed: self.heads[0].seed,
            step: self.position.step,
            learning_rate,
        };
        let again = |head: usize| pass.weighted_loss(&model, head);
        let gradients = self.balance.gradients(&moment, &model, weighted, again);
        model.absorb(statistics);
        let model = self.optimizer.step(learning_rate, model, gradients);
        if let Some(average) = &mut self.average {
            average.average(&model.state(), recipe.average_decay_at(self.position.step));
        }
        self.model = Some(model);
        self.position.step += 1;
        self.position.step_in_epoch += 1;
        Ok(())
    }

    /// Judges the epoch on the validation rows and writes its record.
    fn close_epoch(&mut self, learning_rate: f64) {
        let state = self.judged_state();
        let folded = FoldedModel::from(&state).to_state();
        let model = self.model_of(&folded, &self.model().growth(), &self.device.clone().without_autodiff());
        let judged: Vec<Option<HeadMetrics>> = self
            .heads
            .iter()
            .map(|head| {
                let rows = &head.data.split.validation;
                (!rows.is_empty()).then(|| judge(&predict(&model, &head.data, rows), &head.data, rows))
            })
            .collect();
        let epoch = self.position.epoch;
        self.balance.close_epoch(epoch);
        let log_variances = self.balance.log_variances();
        for (head, (sums, records)) in self.sums.iter_mut().zip(&mut self.history).enumerate() {
            let validation = judged[head].as_ref().map(HeadMetrics::figure);
            let log_variance = log_variances.as_ref().map(|of_heads| of_heads[head].into());
            records.push(EpochRecord {
                epoch,
                learning_rate,
                loss: sums.loss / sums.rows.max(1) as f64,
                accuracy: (sums.judged > 0).then(|| sums.hits as f64 / sums.judged as f64),
                validation,
                log_variance,
            });
            *sums = EpochSums::default();
        }
        // Several heads' figures only add up without their units.
        let figure = |metrics: HeadMetrics| match self.heads.len() {
            1 => metrics.figure(),
            _ => metrics.unitless(),
        };
        let known: Vec<f64> = judged.into_iter().flatten().map(figure).collect();
        if known.is_empty() || !self.lead().recipe.may_choose(epoch) {
            return;
        }
        let figure = known.iter().sum();
        if self.best.as_ref().is_none_or(|best| figure > best.figure) {
            self.best = Some(Best {
                epoch,
                figure,
                numbers: state.layers,
            });
        }
    }

    /// What is judged and kept: the averaged weights if there are any.
    fn judged_state(&self) -> ModelState {
        self.average.clone().unwrap_or_else(|| self.model().state())
    }

    fn is_stale(&self) -> bool {
        let since = self.best.as_ref().map_or(0, |best| self.position.epoch - best.epoch);
        self.lead()
            .recipe
            .patience
            .is_some_and(|patience| since >= patience as u64)
    }

    pub fn message(&self) -> String {
        let of_head = |(records, training): (&Vec<EpochRecord>, &HeadTraining<'_>)| {
            let last = records.last()?;
            let figure = |figure: f64| match training.data.head {
                Head::Classification => format!(", validation AUC {figure:.4}"),
                Head::Segmentation => format!(", validation mean IoU {figure:.4}"),
                Head::Regression => format!(", validation RMSE {:.4}", -figure),
            };
            Some(format!(
                "loss {:.4}{}",
                last.loss,
                last.validation.map(figure).unwrap_or_default()
            ))
        };
        self.history
            .iter()
            .zip(&self.heads)
            .filter_map(of_head)
            .collect::<Vec<_>>()
            .join(" | ")
    }
}

/// Heads that a group trains, and those whose inputs it only reads.
fn trained_and_beside<'d>(group: &Group, sources: Vec<HeadTraining<'d>>) -> [Vec<HeadTraining<'d>>; 2] {
    let trained = |source: &HeadTraining| group.heads.contains(source.data.head);
    let (heads, beside) = sources.into_iter().partition(trained);
    [heads, beside]
}

/// The recipe's rule: in one pass where weights are this computer's memory, else by Burn's own operations, to the same bits.
fn optimizer(recipe: &Recipe, device: &Device) -> ModuleOptimizer {
    let (epsilon, decay) = (recipe.epsilon, recipe.weight_decay as f32);
    let in_place = device.clone().without_autodiff() == Device::flex();
    match recipe.optimizer {
        Optimizer::Adam if in_place => ModuleOptimizer::from(InPlaceAdam {
            epsilon,
            decay: Decay::Gradient(decay),
        }),
        Optimizer::AdamW if in_place => ModuleOptimizer::from(InPlaceAdam {
            epsilon,
            decay: Decay::Weights(decay),
        }),
        Optimizer::Adam => {
            let decay = (decay > 0.0).then(|| WeightDecayConfig::new(decay));
            AdamConfig::new().with_epsilon(epsilon).with_weight_decay(decay).init()
        }
        Optimizer::AdamW => AdamWConfig::new().with_epsilon(epsilon).with_weight_decay(decay).init(),
    }
}

/// A head's factor of its loss where variances are learnt: see [`Uncertainty`](super::uncertainty::Uncertainty).
fn likelihood_factor(head: &HeadTraining) -> f64 {
    match head.recipe.distance {
        Distance::Squared if head.data.head == Head::Regression => 0.5,
        _ => 1.0,
    }
}

/// One step's rows on their way through the model.
struct ForwardPass<'s, 'd> {
    group: &'s Group,
    heads: &'s [HeadTraining<'d>],
    batches: &'s [HeadBatch],
    inputs: &'s ModelInputs,
    /// What a quantisation-aware training is to give: the float model's values.
    teacher: Option<Vec<Option<Value>>>,
    dropout: Option<&'s dyn Dropout>,
}

impl ForwardPass<'_, '_> {
    /// Losses of `heads`, in the group's order, and the batch's statistics.
    fn losses(&self, model: &Model, heads: HeadSet) -> (Vec<(Tensor<1>, StepFigures)>, Vec<BatchStatistics>) {
        let (mut values, statistics) = model.forward_for(heads, self.inputs, Pass::Train(self.dropout));
        let asked = self.heads.iter().zip(self.batches);
        let asked = asked.filter(|(head, _)| heads.contains(head.data.head));
        let losses = asked.map(|(head, batch)| {
            let spec = self.group.spec.heads.iter().find(|spec| spec.head == head.data.head);
            let value = usize::from(spec.expect("the group has the head").value);
            let output = values[value].take().expect("its input is given");
            match self.teacher.as_ref().and_then(|values| values[value].clone()) {
                None => head.loss(output, batch),
                Some(float) => (likeness::loss(head, output, float), StepFigures::default()),
            }
        });
        (losses.collect(), statistics)
    }

    /// One head's weighted loss, computed by itself.
    fn weighted_loss(&self, model: &Model, head: usize) -> Tensor<1> {
        let head = &self.heads[head];
        let (mut losses, _) = self.losses(model, head.data.head.into());
        let (loss, _) = losses.pop().expect("the head's loss");
        loss.mul_scalar(head.recipe.loss_weight)
    }
}

/// Dropout whose masks depend on seed, group, step and layer alone.
struct Thinning<'g> {
    rate: f64,
    seed: u64,
    group: &'g Group,
    step: u64,
}

impl Dropout for Thinning<'_> {
    fn mask(&self, layer: usize, rows: usize, units: usize) -> Vec<f32> {
        let layer = self.group.drawn_as[layer] as u64;
        let mut rng = generator(self.seed, self.group.lead, Draw::Dropout, self.step, layer);
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        (0..rows * units)
            .map(|_| if rng.random_bool(self.rate) { 0.0 } else { kept })
            .collect()
    }
}

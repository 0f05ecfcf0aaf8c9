//! What will be trained, settled and checked before anything is written.

mod rehearsal;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use trident::input::Segment;
use trident::spec::{Head, InputSlot, ModelSpec, Shape};

use super::batch::HeadTraining;
use super::checkpoint::{Checkpoint, Numbers};
use super::evaluate::{judge, predict};
use super::groups::{Group, partition};
use super::prepare::HeadData;
use super::recipe::Recipe;
use super::session::{Outcome, Session};
use super::teacher::{TeacherRecord, by_process};
use super::teaching::teach;
use super::{Options, TrainError, TrainSummary, aware, training_device};
use crate::config::{Balancing, Config, Preset, TransformChoice};
use crate::data::{Dataset, Readings};
use crate::model::presets::{self, EdgeWidths, FusedWidths, PictureTask, RowTask, Tasks};
use crate::model::{FoldedModel, Model, ModelState};
use crate::run::{self, History, Metrics, Record, Run};
use crate::transform::{self, FeatureTransform, InputTransform, ModelInput};

pub use rehearsal::Rehearsal;

/// A training, ready to begin.
#[derive(Debug)]
pub struct Plan<'d> {
    dataset: &'d Dataset,
    config: Config,
    spec: ModelSpec,
    transforms: run::Transforms,
    heads: Vec<HeadTraining<'d>>,
    groups: Vec<Group>,
    record: Record,
    demonstration: bool,
    device: Device,
}

impl<'d> Plan<'d> {
    /// Fits transforms, makes the model's spec and settles every head's recipe.
    ///
    /// # Errors
    /// If no model can be made for the data, or a setting makes no sense.
    pub fn new(config: &Config, dataset: &'d Dataset) -> Result<Self, TrainError> {
        let device = training_device(&config.train)?;
        let demonstration = !dataset.inputs_as_targets.is_empty();
        let (transforms, data) = prepare(config, dataset, demonstration)?;
        let spec = make_spec(config, &data)?;
        let mut heads = Vec::new();
        for data in data {
            let head = data.head.name();
            let recipe = Recipe::new(&config.train, data.head);
            let classes = data.class_counts().len();
            recipe
                .check(classes)
                .map_err(|(setting, problem)| TrainError::Setting { head, setting, problem })?;
            heads.push(HeadTraining::new(data, recipe, &config.train, &spec));
        }
        let groups = partition(&spec, demonstration && equal_rows(&heads));
        let teachers = teach(config, dataset, &transforms, &groups, &mut heads)?;
        for group in &groups {
            if group.crosses_rows() && !dataset.aligned {
                return Err(TrainError::NotAligned { heads: group.name() });
            }
            check_group(group, &heads)?;
        }
        let balancing = config.train.balancing;
        if balancing != Balancing::Fixed && !groups.iter().any(Group::shares_weights) {
            let balancing = balancing.name();
            return Err(TrainError::NothingToBalance { balancing });
        }
        let recipes = heads
            .iter()
            .map(|head| (head.data.head.name().to_owned(), head.recipe.clone()));
        let record = Record {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            data: run::fingerprint(dataset),
            description: dataset.description(),
            recipes: recipes.collect(),
            teachers,
        };
        let plan = Self {
            dataset,
            config: config.clone(),
            spec,
            transforms,
            heads,
            groups,
            record,
            demonstration,
            device,
        };
        if config.train.qat {
            aware::refuse(&plan)?;
        }
        Ok(plan)
    }

    /// The model that will be trained.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// What it trains on.
    pub(super) fn dataset(&self) -> &'d Dataset {
        self.dataset
    }

    /// The configuration.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Whether inputs are their own targets and labels random.
    pub(super) fn is_demonstration(&self) -> bool {
        self.demonstration
    }

    /// How readings become model inputs.
    pub fn transforms(&self) -> &run::Transforms {
        &self.transforms
    }

    /// What the model is asked to do.
    pub fn tasks(&self) -> Tasks {
        tasks(self.heads.iter().map(|head| &head.data))
    }

    /// The head's rows.
    pub fn data(&self, head: Head) -> Option<&HeadData<'d>> {
        self.heads
            .iter()
            .map(|training| &training.data)
            .find(|data| data.head == head)
    }

    /// Trains in float and, if the configuration says so, on with int8's rounding: see [`aware`].
    ///
    /// # Errors
    /// A folder that cannot be written, a loss that diverges, an interruption.
    pub fn train(&self, run: &Run, options: &Options) -> Result<TrainSummary, TrainError> {
        crate::allocator::keep_memory();
        if !self.config.train.qat {
            return self.train_float(run, options);
        }
        let summary = match options.resume && run.is_trained() {
            true => self.summary(run)?,
            false => self.train_float(run, options)?,
        };
        let record = aware::train(self, run, options)?;
        Ok(TrainSummary {
            qat: Some(record),
            ..summary
        })
    }

    /// Trains every group, side by side, and writes the best weights and their figures.
    fn train_float(&self, run: &Run, options: &Options) -> Result<TrainSummary, TrainError> {
        let _lock = run::lock(run.folder())?;
        run.write_plan(&self.spec, &self.transforms, &self.record)?;
        let splits = self.heads.iter().map(|head| (head.data.head, &head.data.split));
        run.write("split.csv", run::split_table(splits).as_bytes())?;
        let history = Mutex::new(History::new());
        let results: Vec<Result<Option<Numbers>, TrainError>> = std::thread::scope(|scope| {
            let trainings: Vec<_> = self
                .groups
                .iter()
                .map(|group| scope.spawn(|| self.train_group(group, run, options, &history)))
                .collect();
            let join = |training: std::thread::ScopedJoinHandle<'_, _>| {
                training.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            trainings.into_iter().map(join).collect()
        });
        let mut state = ModelState {
            spec: self.spec.clone(),
            layers: vec![None; self.spec.layers.len()],
        };
        let mut finished = true;
        for (group, result) in self.groups.iter().zip(results) {
            match result? {
                Some(numbers) => group.place(numbers, &mut state),
                None => finished = false,
            }
        }
        let history = history.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !finished {
            run.write_history(&history)?;
            return Err(TrainError::Interrupted {
                folder: run.folder().to_owned(),
            });
        }
        let folded = FoldedModel::from(&state);
        let metrics = self.judge(&Model::from_folded(&folded, &self.device), &history)?;
        run.write_result(&state, &metrics, &history)?;
        self.summary(run)
    }

    /// What a run's float training gave.
    fn summary(&self, run: &Run) -> Result<TrainSummary, TrainError> {
        let (folded, history) = (run.model()?, run.history()?);
        let weights = folded.layers.iter().flatten();
        Ok(TrainSummary {
            folder: run.folder().to_owned(),
            metrics: run.metrics()?,
            epochs: history
                .iter()
                .map(|(head, records)| (head.clone(), records.len() as u64))
                .collect(),
            parameters: weights.map(|layer| layer.weights.len() + layer.bias.len()).sum(),
            demonstration: self.demonstration,
            process: by_process::of_run(run)?,
            qat: None,
        })
    }

    /// `None` if it was interrupted.
    fn train_group(
        &self,
        group: &Group,
        run: &Run,
        options: &Options,
        history: &Mutex<History>,
    ) -> Result<Option<Numbers>, TrainError> {
        let Some(sources) = self.taught_sources(group, Some(run), options)? else {
            return Ok(None);
        };
        let mut session = self.session(group, sources);
        let outcome = drive(&mut session, run, options, &group.name())?;
        if !session.cosines().is_empty() {
            run.write_json(&format!("cosines-{}.json", group.name()), &session.cosines())?;
        }
        if let Ok(mut history) = history.lock() {
            history.extend(
                session
                    .history()
                    .map(|(head, records)| (head.name().to_owned(), records.to_vec())),
            );
        }
        Ok((outcome == Outcome::Finished).then(|| session.result()))
    }

    /// Every head.
    pub(super) fn heads(&self) -> impl Iterator<Item = &HeadTraining<'d>> {
        self.heads.iter()
    }

    fn session<'g>(&'g self, group: &'g Group, sources: Vec<HeadTraining<'g>>) -> Session<'g> {
        let balancing = self.config.train.balancing;
        Session::new(group, sources, balancing, &self.device, self.identity(group))
    }

    /// Every head whose rows a group reads, with the lesson of a Gaussian process where one teaches; `None` if its fit was
    /// interrupted.
    pub(super) fn taught_sources(
        &self,
        group: &Group,
        run: Option<&Run>,
        options: &Options,
    ) -> Result<Option<Vec<HeadTraining<'d>>>, TrainError> {
        let reads = |head: &&HeadTraining| group.spec.input(head.data.slot()).is_some();
        let mut sources: Vec<HeadTraining> = self.heads.iter().filter(reads).cloned().collect();
        for training in sources.iter_mut().filter(|training| training.recipe.process) {
            let transform = self.transforms.regression.as_ref();
            let transform = transform.expect("the head of one number has its transform");
            let identity = self.identity(group);
            let lesson = by_process::lesson(training, self.dataset, transform, &identity, run, options);
            if lesson.is_err() {
                // The others stop at their next step; what they did is kept.
                options.interrupted.store(true, Ordering::Relaxed);
            }
            let Some(lesson) = lesson? else { return Ok(None) };
            training.lesson = Some(Arc::new(lesson));
        }
        Ok(Some(sources))
    }

    pub(super) fn heads_of(&self, group: &Group) -> impl Iterator<Item = &HeadTraining<'d>> {
        self.heads.iter().filter(|head| group.heads.contains(head.data.head))
    }

    /// Which heads are trained together.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Figures per split and head of the model that this history led to.
    ///
    /// # Errors
    /// A figure that is not finite: where no validation rows watched, weights can have grown until then.
    fn judge(&self, model: &Model, history: &History) -> Result<Metrics, TrainError> {
        let mut metrics = Metrics::new();
        let has = |head: &&HeadTraining| model.spec().heads.iter().any(|own| own.head == head.data.head);
        for head in self.heads.iter().filter(has) {
            let data = &head.data;
            let splits = [
                ("train", &data.split.train),
                ("validation", &data.split.validation),
                ("test", &data.split.test),
            ];
            for (name, rows) in splits {
                if !rows.is_empty() {
                    let figures = judge(&predict(model, data, rows), data, rows);
                    let head = data.head.name();
                    if !figures.figure().is_finite() {
                        let epoch = history.get(head).map_or(0, Vec::len) as u64;
                        return Err(TrainError::Diverged { head, epoch });
                    }
                    metrics
                        .entry(name.to_owned())
                        .or_default()
                        .insert(head.to_owned(), figures);
                }
            }
        }
        Ok(metrics)
    }

    /// Names everything that a group's weights depend on.
    pub(super) fn identity(&self, group: &Group) -> String {
        let recipes: BTreeMap<&str, &Recipe> = self
            .heads_of(group)
            .map(|head| (head.data.head.name(), &head.recipe))
            .collect();
        let names: Vec<&str> = self.heads_of(group).map(|head| head.data.head.name()).collect();
        let teaches = |teacher: &&TeacherRecord| teacher.heads.iter().any(|head| names.contains(&head.as_str()));
        let teachers: Vec<&str> = self
            .record
            .teachers
            .iter()
            .filter(teaches)
            .map(|teacher| &teacher.sha256[..])
            .collect();
        let train = &self.config.train;
        // What a group has no use for does not make it another.
        let balancing = Some(train.balancing).filter(|_| group.shares_weights());
        let mut all = serde_json::json!({
            "data": self.record.data,
            "spec": group.spec,
            "recipes": recipes,
            "transforms": self.transforms,
            "seed": train.seed,
            "backend": train.backend,
            "augmentation": train.augmentation,
            "balancing": balancing.unwrap_or_default(),
            "teachers": teachers,
        });
        // A device that is not named leaves the name of what was trained before there were any.
        if let Some(device) = &train.device {
            all["device"] = device.to_string().into();
        }
        let digest: [u8; 32] = Sha256::digest(all.to_string()).into();
        crate::hex::encode(&digest)
    }
}

/// Runs a session to its end or an interruption, with progress, and with a checkpoint that it goes on from if told to.
pub(super) fn drive(
    session: &mut Session<'_>,
    run: &Run,
    options: &Options,
    name: &str,
) -> Result<Outcome, TrainError> {
    let file = format!("checkpoint-{name}.bin");
    if options.resume
        && let Some(checkpoint) = run.read_sealed_if_there::<Checkpoint>("checkpoint", &file)?
    {
        session.restore(checkpoint)?;
    }
    let save = |session: &Session| -> Result<(), TrainError> {
        Ok(run.write_sealed("checkpoint", &file, &session.checkpoint()?)?)
    };
    let mut step = options.progress.step(name, session.epochs());
    let mut saved = std::time::Instant::now();
    let outcome = session.run(options.interrupted, &mut step, |session| {
        if saved.elapsed() < SAVE_EVERY {
            return Ok(());
        }
        saved = std::time::Instant::now();
        save(session)
    });
    if outcome.is_err() {
        // The others stop at their next step; what they did is kept.
        options.interrupted.store(true, Ordering::Relaxed);
    }
    let outcome = outcome?;
    save(session)?;
    step.finish(&match outcome {
        Outcome::Finished => session.message(),
        Outcome::Interrupted => "interrupted".to_owned(),
    });
    Ok(outcome)
}

/// A checkpoint is written at most this often, and whenever training stops.
const SAVE_EVERY: std::time::Duration = std::time::Duration::from_secs(20);

/// Fits transforms to the training rows and applies them.
fn prepare<'d>(
    config: &Config,
    dataset: &'d Dataset,
    demonstration: bool,
) -> Result<(run::Transforms, Vec<HeadData<'d>>), TrainError> {
    let mut transforms = run::Transforms::default();
    for head in Head::ALL {
        let rows = match head {
            Head::Classification => dataset
                .classification
                .as_ref()
                .map(|data| (Some(&data.readings), &data.split)),
            Head::Segmentation => dataset.segmentation.as_ref().map(|data| (None, &data.split)),
            Head::Regression => dataset
                .regression
                .as_ref()
                .map(|data| (Some(&data.readings), &data.split)),
        };
        let Some((readings, split)) = rows else { continue };
        if split.train.is_empty() {
            return Err(TrainError::NoRows { head: head.name() });
        }
        let choice = match head {
            Head::Classification => config.classification.as_ref().map(|section| &section.transforms),
            _ => config.regression.as_ref().map(|section| &section.transforms),
        };
        let transform = readings.map(|readings| match demonstration {
            true => Ok(unchanged(readings)),
            false => transform::fit(readings, &split.train, choice.unwrap_or(&TransformChoice::Auto), head),
        });
        let head_error = |source| TrainError::Transform {
            head: head.name(),
            source,
        };
        let transform = transform.transpose().map_err(head_error)?;
        match head {
            Head::Classification => transforms.classification = transform,
            Head::Regression => transforms.regression = transform,
            Head::Segmentation => {}
        }
    }
    let of_head = |head| {
        let mut data = HeadData::with_transforms(dataset, head, &transforms)?;
        if Recipe::new(&config.train, head).train_on_validation {
            data.train_on_validation();
        }
        Some(data)
    };
    let mut data: Vec<HeadData> = Head::ALL.into_iter().filter_map(of_head).collect();
    if demonstration {
        data.iter_mut().for_each(HeadData::train_on_all);
    }
    transforms.target = data
        .iter()
        .find(|data| data.head == Head::Regression)
        .map(HeadData::target);
    Ok((transforms, data))
}

/// Readings as they are, one model input each: the original demo scales nothing.
fn unchanged(readings: &Readings) -> InputTransform {
    let input = |feature| ModelInput {
        feature,
        transform: FeatureTransform::Standardise,
        segments: vec![Segment {
            start: 0.0,
            base: 0.0,
            slope: 1.0,
        }],
    };
    let features = readings.features.len();
    InputTransform {
        readings: features,
        inputs: (0..features).map(input).collect(),
    }
}

fn make_spec(config: &Config, data: &[HeadData]) -> Result<ModelSpec, TrainError> {
    let own = config.model.as_ref().and_then(|model| model.spec.clone());
    let shape = |slot: InputSlot| data.iter().find(|data| data.slot() == slot).map(HeadData::shape);
    if config.train.preset != Preset::Fused && config.model.as_ref().is_some_and(|model| model.trunk.is_some()) {
        let preset = config.train.preset.name();
        return Err(TrainError::NoTrunk { preset });
    }
    if config.train.preset != Preset::Edge
        && config
            .model
            .as_ref()
            .is_some_and(|model| model.segmentation_blocks.is_some())
    {
        let preset = config.train.preset.name();
        return Err(TrainError::NoBlocks { preset });
    }
    if let Some(spec) = own {
        spec.shapes().map_err(|error| TrainError::OwnSpec(error.to_string()))?;
        for slot in InputSlot::ALL {
            let (needs, given) = (spec.input(slot), shape(slot));
            if needs != given {
                let say =
                    |shape: Option<Shape>| shape.map_or("nothing".to_owned(), |s| format!("{}×{}×{}", s.h, s.w, s.c));
                let problem = format!("its {slot:?} input is {}, the data give {}", say(needs), say(given));
                return Err(TrainError::OwnSpec(problem));
            }
        }
        return Ok(spec);
    }
    let tasks = tasks(data.iter());
    Ok(match config.train.preset {
        Preset::Edge => presets::edge(&tasks, &widths(config)?)?,
        Preset::Seed => presets::seed(&tasks)?,
        Preset::Fused => presets::fused(&tasks, &fused_widths(config)?)?,
    })
}

fn fused_widths(config: &Config) -> Result<FusedWidths, TrainError> {
    let mut widths = FusedWidths::default();
    let Some(model) = &config.model else {
        return Ok(widths);
    };
    let given = [
        (&mut widths.trunk, &model.trunk),
        (&mut widths.classification, &model.classification),
        (&mut widths.regression, &model.regression),
    ];
    for (units, given) in given {
        if let Some(given) = given {
            units.clone_from(given);
        }
    }
    if let Some(channels) = &model.segmentation {
        widths.segmentation = channels[..].try_into().map_err(|_| TrainError::Widths {
            key: "segmentation",
            expected: widths.segmentation.len(),
            found: channels.len(),
        })?;
    }
    Ok(widths)
}

fn tasks<'a, 'd: 'a>(data: impl Iterator<Item = &'a HeadData<'d>>) -> Tasks {
    let mut tasks = Tasks::default();
    for data in data {
        let (shape, classes) = (data.shape(), data.class_counts().len() as u16);
        match data.head {
            Head::Classification => {
                let inputs = shape.c;
                tasks.classification = Some(RowTask { inputs, classes });
            }
            Head::Segmentation => {
                tasks.segmentation = Some(PictureTask {
                    height: shape.h,
                    width: shape.w,
                    classes,
                });
            }
            Head::Regression => tasks.regression = Some(shape.c),
        }
    }
    tasks
}

/// The widths of the preset `edge`, with the configuration's changes.
///
/// # Errors
/// A list of the wrong length.
pub fn widths(config: &Config) -> Result<EdgeWidths, TrainError> {
    let mut widths = EdgeWidths::default();
    let Some(model) = &config.model else {
        return Ok(widths);
    };
    if let Some(units) = &model.classification {
        widths.classification.clone_from(units);
    }
    if let Some(units) = &model.regression {
        widths.regression.clone_from(units);
    }
    if let Some(channels) = &model.segmentation {
        widths.segmentation = channels[..].try_into().map_err(|_| TrainError::Widths {
            key: "segmentation",
            expected: widths.segmentation.len(),
            found: channels.len(),
        })?;
    }
    if let Some(blocks) = &model.segmentation_blocks {
        widths.segmentation_blocks = blocks[..].try_into().map_err(|_| TrainError::Widths {
            key: "segmentation_blocks",
            expected: widths.segmentation_blocks.len(),
            found: blocks.len(),
        })?;
    }
    Ok(widths)
}

fn equal_rows(heads: &[HeadTraining]) -> bool {
    heads
        .windows(2)
        .all(|pair| pair[0].data.split.train.len() == pair[1].data.split.train.len())
}

/// Heads trained together see the same rows in the same steps.
fn check_group(group: &Group, heads: &[HeadTraining]) -> Result<(), TrainError> {
    let members: Vec<&HeadTraining> = heads
        .iter()
        .filter(|head| group.heads.contains(head.data.head))
        .collect();
    let rows: Vec<usize> = members.iter().map(|head| head.data.split.train.len()).collect();
    if members
        .windows(2)
        .any(|pair| pair[0].data.split.train != pair[1].data.split.train)
    {
        return Err(TrainError::RowsDiffer {
            heads: group.name(),
            rows,
        });
    }
    if members
        .windows(2)
        .any(|pair| !pair[0].recipe.steps_like(&pair[1].recipe))
    {
        return Err(TrainError::RecipesDiffer { heads: group.name() });
    }
    Ok(())
}

//! What will be trained, settled and checked before anything is written.

mod data;
mod model;
mod rehearsal;
mod training;

use std::collections::BTreeMap;

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use trident::spec::{Head, HeadSet, ModelSpec};

use super::batch::HeadTraining;
use super::groups::{Group, partition};
use super::prepare::HeadData;
use super::recipe::Recipe;
use super::teacher::TeacherRecord;
use super::teaching::{Teaching, teach};
use super::{TrainError, aware, training_device};
use crate::config::{Balancing, Config};
use crate::data::Dataset;
use crate::model::presets::Tasks;
use crate::run::{self, Record};
use data::prepare;
pub use model::widths;
use model::{make_spec, tasks};
pub use rehearsal::Rehearsal;
pub(super) use training::{checkpoint_file, drive};

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
    /// Heads that are trained on with int8's rounding.
    aware: HeadSet,
    /// Why no Gaussian process teaches the head that one would teach by default.
    untaught: Option<String>,
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
        let Teaching { teachers, untaught } = teach(config, dataset, &transforms, &groups, &mut heads)?;
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
        let asked = |head: &&HeadTraining| {
            let asked = config.train.head(head.data.head).qat.or(config.train.qat);
            asked.unwrap_or(head.recipe.process)
        };
        let aware = heads.iter().filter(asked);
        let aware = aware.fold(HeadSet::EMPTY, |set, head| set.with(head.data.head));
        let plan = Self {
            dataset,
            config: config.clone(),
            spec,
            transforms,
            heads,
            groups,
            record,
            demonstration,
            aware,
            untaught,
            device,
        };
        if !aware.is_empty() {
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

    /// Heads that are trained on with int8's rounding.
    pub(super) fn aware(&self) -> HeadSet {
        self.aware
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

    /// Every head.
    pub(super) fn heads(&self) -> impl Iterator<Item = &HeadTraining<'d>> {
        self.heads.iter()
    }

    pub(super) fn heads_of(&self, group: &Group) -> impl Iterator<Item = &HeadTraining<'d>> {
        self.heads.iter().filter(|head| group.heads.contains(head.data.head))
    }

    /// Which heads are trained together.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
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
        // Neither do pictures that lie beside none.
        if let Some(training) = self.heads_of(group).find(|training| !training.neighbours.is_empty()) {
            all["neighbours"] = serde_json::json!(*training.neighbours);
        }
        // A device that is not named leaves the name of what was trained before there were any.
        if let Some(device) = &train.device {
            all["device"] = device.to_string().into();
        }
        let digest: [u8; 32] = Sha256::digest(all.to_string()).into();
        crate::hex::encode(&digest)
    }
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

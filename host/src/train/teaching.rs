//! Who teaches which head, and what becomes of the recipes of heads that nobody teaches.

use std::sync::Arc;

use trident::spec::{Head, HeadSet};

use super::batch::HeadTraining;
use super::groups::Group;
use super::prepare::Targets;
use super::recipe::Recipe;
use super::teacher::{TeacherRecord, Teachers, by_process};
use super::{TrainError, device};
use crate::config::Config;
use crate::data::Dataset;
use crate::run::Transforms;

/// Who teaches.
pub(super) struct Teaching {
    /// Runs and files, as the run remembers them.
    pub teachers: Vec<TeacherRecord>,
    /// The head that no Gaussian process teaches although one would by default, and why.
    pub untaught: Option<String>,
}

/// Gives every head that has a teacher its lesson, and takes the teacher out of the recipes of the others.
pub(super) fn teach(
    config: &Config,
    dataset: &Dataset,
    transforms: &Transforms,
    groups: &[Group],
    heads: &mut [HeadTraining],
) -> Result<Teaching, TrainError> {
    let train = &config.train;
    let learn_from_validation = heads
        .iter()
        .filter(|training| training.recipe.train_on_validation)
        .fold(HeadSet::EMPTY, |set, training| set.with(training.data.head));
    let device = device(train.backend);
    let teachers = Teachers::load(&train.teacher, dataset, learn_from_validation, &device)?;
    let (mut taught, mut untaught) = (Vec::new(), None);
    for training in heads {
        let head = training.data.head;
        let asked = train.head(head);
        if training.recipe.process {
            let obstacle = by_process::obstacle(&training.data, &training.recipe, groups);
            // Who else teaches takes its place, whether it could teach or not.
            match obstacle.filter(|_| !teachers.teach(head)) {
                None if !teachers.teach(head) => continue,
                None => {}
                Some(problem) if asked.process == Some(true) => {
                    return Err(TrainError::Setting {
                        head: head.name(),
                        setting: "process",
                        problem: format!("a Gaussian process cannot teach here: {problem}"),
                    });
                }
                Some(problem) => {
                    let measured = matches!(training.data.targets, Targets::Numbers { .. });
                    untaught = measured.then(|| format!("{}: {problem}", head.name()));
                }
            }
            training.recipe = Recipe::without_process(train, head);
        }
        if !teachers.teach(head) {
            for (setting, value) in [("distill", asked.distill), ("fresh", asked.fresh)] {
                if value.is_some_and(|value| value > 0.0) {
                    return Err(TrainError::Setting {
                        head: head.name(),
                        setting,
                        problem: "no teacher teaches this head; name one by `--teacher` or by `teacher` under [train]"
                            .into(),
                    });
                }
            }
            (training.recipe.distill, training.recipe.fresh) = (0.0, 0.0);
            continue;
        }
        // Heads that share layers see the same rows in every step, and a fresh point is a row of one head only.
        if groups
            .iter()
            .any(|group| group.heads.contains(head) && group.heads.iter().count() > 1)
        {
            training.recipe.fresh = 0.0;
        }
        if training.recipe.distill == 0.0 {
            training.recipe.fresh = 0.0;
            continue;
        }
        let transform = match head {
            Head::Classification => transforms.classification.as_ref(),
            Head::Segmentation => None,
            Head::Regression => transforms.regression.as_ref(),
        };
        let fresh = (training.recipe.fresh > 0.0).then_some(training.recipe.points);
        let Some(lesson) = teachers.lesson(&training.data, dataset, transform, fresh, training.seed) else {
            (training.recipe.distill, training.recipe.fresh) = (0.0, 0.0);
            continue;
        };
        if lesson.fresh().is_none() {
            training.recipe.fresh = 0.0;
        }
        training.lesson = Some(Arc::new(lesson));
        taught.push(head);
    }
    Ok(Teaching {
        teachers: teachers.records(&taught),
        untaught,
    })
}

//! Quantisation-aware training: a finished run's weights learn to live with int8's rounding.
//!
//! Training goes on from the float weights, batch normalisation folded into them, for a few epochs with a small learning rate. All
//! along, weights and values are rounded as the quantiser would (`model::rounding`); gradients pass straight through, and
//! ranges are learnt along with the weights. What is learnt is to give what the float model gives (`likeness`). Then both are put to
//! the test, each as a whole blob in the integer engine: what post-training quantisation makes of the float weights, and what this
//! training gave. The validation rows judge; for a head that a Gaussian process teaches, points that it labels and nobody learnt from,
//! of which there are as many as one likes unless readings take a handful of values. A group of heads keeps the training only if none
//! of its heads is worse and one is better, so that a run never ends below post-training quantisation there.
//!
//! `qat.json` holds the [`AwareRecord`], `qat-GROUP.bin` a group's weights and ranges, `checkpoint-qat-GROUP.bin` where a training
//! stands. Float weights and their figures stay what they are.

mod kept;
pub(super) mod likeness;
mod record;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::batch::HeadTraining;
use super::checkpoint::Checkpoint;
use super::groups::Group;
use super::plan::{Plan, checkpoint_file, drive};
use super::recipe::Recipe;
use super::session::{Outcome, Session};
use super::{Divergence, Options, TrainError, device};
use crate::config::HeadOverrides;
use crate::data::Dataset;
use crate::eval::Rows;
use crate::export::{Candidates, ExportError};
use crate::model::{FoldedModel, ModelState};
use crate::quantize::method::PostTraining;
use crate::quantize::prepare::Prepared;
use crate::quantize::readings::ReadingCodes;
use crate::run::{self, Run, RunError};
pub use kept::{Kept, kept};
pub use record::{AwareRecord, GroupRecord, HeadRecord};

/// Checks, before anything is trained, that this training can be judged and that its settings make sense.
///
/// # Errors
/// Random labels, or a setting that makes no sense.
pub(super) fn refuse(plan: &Plan<'_>) -> Result<(), TrainError> {
    if plan.is_demonstration() {
        return Err(TrainError::NothingToKeep);
    }
    let mut heads = plan.heads().filter(|head| plan.aware().contains(head.data.head));
    heads.try_for_each(|head| trained_on(plan, head).map(|_| ()))
}

/// Trains every group on from a finished run's weights and writes what came of it into the run.
///
/// # Errors
/// A run whose float training is not finished or whose data changed, a folder that cannot be written, a loss that diverges, an
/// interruption.
pub(super) fn train(plan: &Plan<'_>, run: &Run, options: &Options) -> Result<AwareRecord, TrainError> {
    let dataset = plan.dataset();
    run.refuse_other(dataset)?;
    let _lock = run::lock(run.folder())?;
    let candidates = Candidates::new(run, dataset).map_err(Box::new)?;
    let start = candidates.post_training(&[PostTraining::default()]);
    let start = start
        .map_err(|error| Box::new(ExportError::from(error)))?
        .swap_remove(0);
    let asked = |group: &&Group| group.heads.intersects(plan.aware());
    let groups: Vec<&Group> = candidates.groups().iter().filter(asked).collect();
    let mut results: Vec<Result<Option<Training>, TrainError>> = std::thread::scope(|scope| {
        let trainings: Vec<_> = groups
            .iter()
            .map(|group| scope.spawn(|| train_group(plan, group, &start, candidates.codes(), run, options)))
            .collect();
        let join = |training: std::thread::ScopedJoinHandle<'_, _>| {
            training.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        trainings.into_iter().map(join).collect()
    });
    // What stopped the others tells more than that they were stopped.
    results.sort_by_key(Result::is_ok);
    let trainings = results
        .into_iter()
        .collect::<Result<Option<Vec<Training>>, TrainError>>()?;
    let trainings = trainings.ok_or_else(|| TrainError::Interrupted {
        folder: run.folder().to_owned(),
    })?;
    let record = compare(&candidates, &start, &groups, &trainings).map_err(Box::new)?;
    // What was trained earlier stays.
    let mut all = AwareRecord::of_run(run)?;
    all.groups.extend(record.groups);
    for (group, training) in groups.iter().zip(&trainings) {
        Kept::write(run, group, &training.prepared, candidates.codes())?;
    }
    run.write_json(record::FILE, &all)?;
    Ok(all)
}

/// What the training of one group gave.
struct Training {
    prepared: Prepared,
    record: GroupRecord,
    /// What judges it instead of rows of the data, if anything does.
    exam: Option<Dataset>,
}

/// `None` if it was interrupted.
fn train_group(
    plan: &Plan<'_>,
    group: &Group,
    whole: &Prepared,
    codes: &ReadingCodes,
    run: &Run,
    options: &Options,
) -> Result<Option<Training>, TrainError> {
    let start = whole.part(&group.spec, &group.values);
    let Some(sources) = plan.taught_sources(group, Some(run), options)? else {
        return Ok(None);
    };
    let judged = sources
        .iter()
        .find(|head| head.recipe.process && group.heads.contains(head.data.head));
    let exam = match judged.map(|head| plan.exam(head, group, run, options)).transpose()? {
        Some(None) => return Ok(None),
        exam => exam.flatten().filter(|exam| choosing(exam).heads().next().is_some()),
    };
    let sources = sources.iter().map(|head| trained_on(plan, head));
    let mut sources: Vec<HeadTraining> = sources.collect::<Result<_, TrainError>>()?;
    sources.iter_mut().for_each(|head| head.stretch(codes));
    let own = sources.iter().find(|head| group.heads.contains(head.data.head));
    let recipe = own.expect("a group trains a head").recipe.clone();
    let folded = group.folded(&start.folded);
    let identity = identity(plan, group, &recipe, &start);
    let device = device(plan.config().train.backend);
    let mut session = Session::aware(&folded, sources, &device, identity, &start);
    let name = format!("qat-{}", group.name());
    forget_other(run, options, &name, &session)?;
    let outcome = drive(&mut session, run, options, &name).map_err(|error| match error {
        TrainError::Diverged(Divergence { head, epoch }) => TrainError::RoundingDiverged {
            head,
            epoch,
            config: run.config_path(),
            folder: run.folder().to_owned(),
        },
        error => error,
    })?;
    if outcome == Outcome::Interrupted {
        return Ok(None);
    }
    let state = ModelState {
        spec: folded.spec.clone(),
        layers: session.result(),
    };
    let weights = FoldedModel {
        spec: start.folded.spec.clone(),
        ..FoldedModel::from(&state)
    };
    let epochs = session
        .history()
        .map(|(head, records)| (head.name().to_owned(), records.to_vec()));
    Ok(Some(Training {
        prepared: Prepared {
            float: weights.clone(),
            folded: weights,
            ranges: start.ranges.grown(&session.growth()),
        },
        record: GroupRecord {
            kept: false,
            rows: String::new(),
            learning_rate: recipe.learning_rate,
            heads: BTreeMap::new(),
            history: epochs.collect(),
        },
        exam,
    }))
}

/// Removes a checkpoint of another version or other settings, so that this training begins anew: it is short, and the float weights stay.
fn forget_other(run: &Run, options: &Options, name: &str, session: &Session) -> Result<(), TrainError> {
    let file = checkpoint_file(name);
    let fits = match run.read_sealed_if_there::<Checkpoint>("checkpoint", &file) {
        Ok(checkpoint) => checkpoint.is_none_or(|checkpoint| session.made(&checkpoint)),
        Err(RunError::Sealed { source, .. }) if source.is_other_version() => false,
        Err(error) => return Err(error.into()),
    };
    if !fits {
        options.progress.say(&format!(
            "{name}: its checkpoint is of other settings or another version; it begins anew"
        ));
        run.remove(&file)?;
    }
    Ok(())
}

/// The rows of an exam.
fn choosing(exam: &Dataset) -> Rows {
    Rows::of(exam, |split| &split.validation)
}

/// Judges float, post-training quantisation and this training, each group on what is to judge it.
fn compare(
    candidates: &Candidates<'_>,
    post_training: &Prepared,
    groups: &[&Group],
    trainings: &[Training],
) -> Result<AwareRecord, ExportError> {
    let mut whole = post_training.clone();
    for (group, training) in groups.iter().zip(trainings) {
        whole.place(&training.prepared, &group.values);
    }
    let judged = |data: &Dataset, rows: &Rows| {
        Ok::<_, ExportError>([
            candidates.float_figures(data, rows),
            candidates.int8_figures(post_training, data, rows)?,
            candidates.int8_figures(&whole, data, rows)?,
        ])
    };
    let by_rows = judged(candidates.dataset(), &candidates.choosing_rows())?;
    let groups = groups.iter().zip(trainings).map(|(group, training)| {
        let by_exam = match &training.exam {
            None => None,
            Some(exam) => Some(judged(exam, &choosing(exam))?),
        };
        let [float, before, after] = by_exam.as_ref().unwrap_or(&by_rows);
        let heads = group.heads.iter().filter_map(|head| {
            let name = head.name();
            let record = HeadRecord {
                float: float.get(name)?.clone(),
                post_training: before.get(name)?.clone(),
                aware: after.get(name)?.clone(),
            };
            Some((name.to_owned(), record))
        });
        let heads: BTreeMap<String, HeadRecord> = heads.collect();
        let validated = group.heads.iter().all(|head| candidates.is_validated(head));
        let rows = match (&training.exam, validated) {
            (Some(_), _) => "fresh",
            (None, true) => "validation",
            (None, false) => "training",
        };
        let record = GroupRecord {
            kept: record::is_better(&heads),
            rows: rows.to_owned(),
            heads,
            ..training.record.clone()
        };
        Ok((group.name(), record))
    });
    Ok(AwareRecord {
        groups: groups.collect::<Result<_, ExportError>>()?,
    })
}

/// A head with its recipe for this training.
fn trained_on<'d>(plan: &Plan<'_>, head: &HeadTraining<'d>) -> Result<HeadTraining<'d>, TrainError> {
    let own = head.data.head;
    let recipe = head.recipe.aware(plan.config().train.head(own));
    let checked = recipe.check(head.data.class_counts().len());
    checked.map_err(|(setting, problem)| TrainError::Setting {
        head: own.name(),
        setting: match setting {
            "epochs" => "qat_epochs",
            "learning_rate" => "qat_learning_rate",
            setting => setting,
        },
        problem,
    })?;
    Ok(HeadTraining { recipe, ..head.clone() })
}

impl Recipe {
    /// How the head is trained on with rounded numbers: a tenth of its epochs with a tenth of its learning rate, and no early stop.
    /// Weights follow a teacher, so that nothing need keep them small or apart. Where a Gaussian process made points to follow it at,
    /// there are enough of them for the whole rate.
    pub(super) fn aware(&self, overrides: &HeadOverrides) -> Self {
        Self {
            epochs: overrides.qat_epochs.unwrap_or((self.epochs / 10).max(2)),
            learning_rate: overrides.qat_learning_rate.unwrap_or(match self.process {
                true => self.learning_rate,
                false => self.learning_rate / 10.0,
            }),
            patience: None,
            cosine: true,
            dropout: 0.0,
            weight_decay: 0.0,
            ..self.clone()
        }
    }
}

/// Names everything that a group's weights depend on.
fn identity(plan: &Plan<'_>, group: &Group, recipe: &Recipe, start: &Prepared) -> String {
    let all = serde_json::json!({
        "float": plan.identity(group),
        "recipe": recipe,
        "weights": start.folded.layers,
        "ranges": start.ranges.choices(),
    });
    let digest: [u8; 32] = Sha256::digest(all.to_string()).into();
    crate::hex::encode(&digest)
}
